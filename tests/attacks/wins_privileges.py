"""
attack: becomes root, enters namespaces, mounts and changes what is mounted
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import ctypes
import os

libc = ctypes.CDLL(None)
attempt("setuid", lambda: os.setuid(0) or "set")
attempt("setresuid", lambda: os.setresuid(0, 0, 0) or "set")
attempt("setgroups", lambda: os.setgroups([0]) or "set")
attempt("capset", lambda: libc.capset(b"\x22\x05\x08\x20" + bytes(4), b"\xff" * 24) == 0)
attempt("ambient", lambda: libc.prctl(47, 2, 1, 0, 0) == 0)
attempt("securebits", lambda: libc.prctl(28, 0x2F, 0, 0, 0) == 0)
for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000):
    attempt(f"unshare {flag:x}", lambda: libc.unshare(flag) == 0)
attempt("setns", lambda: libc.setns(os.open("/proc/self/ns/user", os.O_RDONLY), 0) == 0)
attempt("mount", lambda: libc.mount(b"x", b".", b"tmpfs", 0, None) == 0)
attempt("chroot", lambda: os.chroot(".") or "done")
attempt("personality", lambda: libc.personality(0x0040000) >= 0)
attempt("bpf", lambda: libc.syscall(321, 0, bytes(72), 72) >= 0)
attempt("keyctl", lambda: libc.syscall(250, 0, -3, 1) >= 0)
attempt("userfaultfd", lambda: libc.syscall(323, 0) >= 0)
attempt("open_by_handle_at", lambda: libc.syscall(304, -100, bytes(64), 0) >= 0)
