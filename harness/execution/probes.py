"""What a hostile submission would try first; run in a child exactly as a submission is.

Each probe does something that must not be possible and returns what it got; one that raises, or
finds nothing, has been held. The harness also looks from outside whether anything has changed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _CLONE_NEWUSER, _PTRACE_ATTACH, _MFD = 1, 0x10000000, 16, 0
_F_SETPIPE_SZ = 1031


class _HeldError(Exception):
    """The system call was refused."""


def _call(function: Callable[..., int], *arguments: object) -> int:
    """A call of the C library that must fail; what it returned if it did not."""
    result = function(*arguments)
    if result < 0:
        raise _HeldError(os.strerror(ctypes.get_errno()))
    return result


def probe(secret: str) -> dict[str, str]:
    """Try everything.

    Args:
        secret: a file of the harness, which every user may read and its owner may change.

    Returns:
        what was tried → what it got; empty where it was held.
    """
    outside = Path(secret)
    attempts: dict[str, Callable[[], object]] = {
        "read a file of the harness": lambda: outside.read_text(),
        "list the harness's folder": lambda: os.listdir(outside.parent),
        "read the system's users": lambda: Path("/etc/passwd").read_text(),
        "read what is mounted here": lambda: Path("/proc/self/mountinfo").read_text(),
        "mark a file that others read": lambda: _mark(Path(os.__file__)),
        "change a file of the harness": lambda: outside.write_text("changed"),
        "empty a file of the harness": lambda: os.truncate(outside, 0),
        "write beside it": lambda: outside.with_name("left").write_text("left"),
        "write to the shared /tmp": lambda: _write(Path("/tmp/harness-probe")),
        "write to shared memory": lambda: _write(Path("/dev/shm/harness-probe")),
        "make a link out of its folder": lambda: os.symlink(secret, "link"),
        "look at the process that started it": lambda: _read_process(os.getppid()),
        "look at process 1": lambda: _read_process(1),
        "signal the process that started it": lambda: os.kill(os.getppid(), 0),
        "trace the process that started it": lambda: _call(
            _libc.ptrace, _PTRACE_ATTACH, os.getppid(), None, None
        ),
        "outlive the grader": lambda: _call(_libc.prctl, _PR_SET_PDEATHSIG, 0, 0, 0, 0),
        "start a process": _fork,
        "start a program": lambda: subprocess.run(["/bin/true"], check=True),
        "open a network socket": lambda: socket.socket(socket.AF_INET),
        "open a local socket": lambda: socket.socket(socket.AF_UNIX),
        "open a socket to the host of a virtual machine": lambda: socket.socket(40),
        "keep memory outside its limits": lambda: _call(_libc.memfd_create, b"probe", _MFD),
        "take more of the kernel's memory": lambda: _call(
            _libc.fcntl, os.pipe()[1], _F_SETPIPE_SZ, 2**18
        ),
        "leave memory behind": lambda: _call(_libc.shmget, 4711, 4096, 0o1666),
        "enter a namespace of its own": lambda: _call(_libc.unshare, _CLONE_NEWUSER),
        "mount a file system": lambda: _call(_libc.mount, b"none", b".", b"tmpfs", 0, None),
        "become another user": lambda: _call(_libc.setresuid, 1, 1, 1),
        "stop itself beyond recognition": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    }
    return {name: _attempt(attempt) for name, attempt in attempts.items()}


def computes() -> float:
    """That TensorFlow computes here, and files can be written where they may: 6.0."""
    import tensorflow as tf

    with tempfile.TemporaryFile() as stream:
        stream.write(bytes(1000))
    with tf.GradientTape() as tape:
        x = tf.Variable(3.0)
        y = x * x
    return float(tape.gradient(y, x))


def _attempt(attempt: Callable[[], object]) -> str:
    try:
        return repr(attempt())[:100]
    except (OSError, _HeldError, subprocess.SubprocessError):
        return ""


def _write(path: Path) -> str:
    path.write_text("left")
    path.unlink()
    return f"wrote {path}"


def _mark(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
    return f"marked {path}"


def _read_process(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes() or Path(f"/proc/{pid}/cmdline").read_bytes()


def _fork() -> str:
    if os.fork() == 0:
        os._exit(0)
    os.wait()
    return "a process"
