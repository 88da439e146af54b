"""
attack: takes memory of the kernel's, which no limit of its own counts
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import array
import ctypes
import fcntl
import os
import platform
import signal
import socket
import struct

arm = platform.machine() == "aarch64"
libc = ctypes.CDLL(None, use_errno=True)
ENOUGH = 2**28


def fill(descriptor, data=bytes(2**16)):
    os.set_blocking(descriptor, False)
    count = 0
    for piece in (data, b"x"):
        try:
            while count < ENOUGH:
                count += os.write(descriptor, piece)
        except BlockingIOError:
            pass
    return count


def filled(make, most):
    """The megabytes that go in until there are no more descriptors, if they are more than that."""
    held, count = [], 0
    try:
        while count < ENOUGH:
            held.append(make())
            count += sum(fill(descriptor) for descriptor in held[-1][1])
    except OSError:
        pass
    for own, _ in held:
        for end in own:
            end.close() if hasattr(end, "close") else os.close(end)
    return count > most * 2**20 and f"{count / 2**20:.0f} MB"


def pair():
    both = socket.socketpair()
    for end in both:
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**23)
        except OSError:
            pass
    return both, [end.fileno() for end in both]


def pipe():
    both = os.pipe()
    try:
        fcntl.fcntl(both[1], 1031, 2**20)
    except OSError:
        pass
    return both, both[1:]


def under_way():
    """Descriptors that are sent, closed, and count no more."""
    left, right = socket.socketpair()
    for _ in range(20):
        ends = os.pipe()
        left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", ends))])
        os.close(ends[0]), os.close(ends[1])
    return "sent"


def gifted():
    read, write = os.pipe()
    data = ctypes.create_string_buffer(4096)
    vector = struct.pack("QQ", ctypes.addressof(data), 4096)
    return libc.syscall(75 if arm else 278, write, vector, 1, 0) > 0


def rules():
    made = libc.syscall(444, struct.pack("Q", 1), ctypes.c_size_t(8), 0)
    return made >= 0 and "a ruleset"


def filters():
    code = ctypes.create_string_buffer(struct.pack("<HBBI", 6, 0, 0, 0x7FFF0000))
    described = struct.pack("@HP", 1, ctypes.addressof(code))
    return libc.syscall(277 if arm else 317, 1, 0, described) == 0


def waiting():
    """Signals that are sent and not taken."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
    old, sent = signal.signal(signal.SIGRTMIN, signal.SIG_IGN), 0
    signal.signal(signal.SIGRTMIN, lambda *a: None)
    while sent < 2000 and libc.kill(os.getpid(), signal.SIGRTMIN) == 0:
        sent += 1
    held = [line for line in open("/proc/self/status") if line.startswith("SigQ")]
    signal.signal(signal.SIGRTMIN, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGRTMIN])
    return int(held[0].split()[1].split("/")[0]) > 1000 and held[0]


attempt("pairs of sockets", lambda: filled(pair, 48))
attempt("pipes", lambda: filled(pipe, 16))
attempt("descriptors under way", under_way)
attempt("pages in a pipe", gifted)
attempt("rules of Landlock", rules)
attempt("filters", filters)
attempt("signals", waiting)
