"""
attack: leaves marks in files that everybody reads, and looks for those of others
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import ctypes
import fcntl
import mmap
import os
import platform
import struct

SHARED = next(p for p in ("/usr/share/zoneinfo/UTC", os.__file__) if os.path.exists(p))
arm = platform.machine() == "aarch64"
libc = ctypes.CDLL(None, use_errno=True)
file = os.open(SHARED, os.O_RDONLY)
mapped = mmap.mmap(file, 0, prot=mmap.PROT_READ)


def call(x86, other, *arguments):
    result = libc.syscall(other if arm else x86, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "allowed"


def advise(advice):
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    address = libc.mmap(None, 4096, 1, 1, file, 0)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if libc.madvise(address, 4096, advice) != 0:
        raise OSError(ctypes.get_errno(), "refused")
    return "allowed"


def locks(lock):
    """Whether a lock keeps another opening of the same file from one."""
    first, second = (os.open(SHARED, os.O_RDONLY) for _ in range(2))
    lock(first)
    try:
        lock(second)
    except OSError:
        return "seen"


def hint():
    fcntl.fcntl(file, 1036, struct.pack("Q", 3))
    return struct.unpack("Q", fcntl.fcntl(file, 1035, bytes(8))) == (3,)


area = ctypes.create_string_buffer(64)
attempt("preadv2", lambda: os.preadv(file, [bytearray(8)], 0, os.RWF_NOWAIT))
attempt("pwritev2", lambda: call(328, 287, file, area, 0, 0, 0, 0))
attempt("cachestat", lambda: call(451, 451, file, struct.pack("QQ", 0, 0), area, 0))
attempt("fadvise64", lambda: os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED) or "allowed")
attempt("mincore", lambda: call(27, 232, ctypes.c_long(0), ctypes.c_long(0), area))
attempt("readahead", lambda: call(187, 213, file, 0, 4096))
for advice in (3, 12, 20, 21, 22, 25):
    attempt(f"madvise {advice}", lambda: advise(advice))
attempt("equal pages joined", lambda: libc.prctl(67, 1, 0, 0, 0) == 0)
attempt("flock", lambda: locks(lambda fd: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)))
attempt("lock of the opening", lambda: locks(lambda fd: fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", 0, 0, 0, 0, 0)) and None))
attempt("lease", lambda: fcntl.fcntl(file, 1024, fcntl.F_RDLCK) == 0)
attempt("dnotify", lambda: fcntl.fcntl(os.open("/usr/share", os.O_RDONLY), 1026, 0x8000003F) == 0)
attempt("hint", hint)
attempt("flags", lambda: fcntl.ioctl(file, 0x80086601, bytes(8)))
attempt("statfs", lambda: os.statvfs("/").f_bfree)
attempt("fstatfs", lambda: os.fstatvfs(file).f_bfree)
