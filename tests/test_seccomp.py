"""The filter of system calls, run by a small BPF machine of the tests' own."""

from __future__ import annotations

import errno
import os
import signal
import struct

import pytest

from harness.execution import seccomp

OWN, OTHER = 4321, 1234
ALLOW, KILL = 0x7FFF0000, 0x80000000
X86, ARM, I386 = 0xC000003E, 0xC00000B7, 0x40000003


def run(code: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the kernel would answer (classic BPF: linux/bpf_common.h)."""
    padded = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(a & 2**64 - 1 for a in padded))
    steps = list(struct.iter_unpack("<HBBI", code))
    accumulator = place = 0
    while True:
        operation, yes, no, value = steps[place]
        place += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif operation == 0x54:
            accumulator &= value
        elif operation == 0x06:
            return value
        else:
            holds = {
                0x15: accumulator == value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[operation]
            place += yes if holds else no


def answer(number: int, *arguments: int, architecture: int = X86) -> str:
    machine = "aarch64" if architecture == ARM else "x86_64"
    found = run(seccomp.program(machine, OWN), architecture, number, *arguments)
    if found == ALLOW:
        return "allowed"
    if found == KILL:
        return "killed"
    assert found >> 16 == 5
    return {**errno.errorcode, errno.ENOTSUP: "ENOTSUP"}.get(found & 0xFFFF, "done in name")


# Numbers from arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ((0, 3), "allowed"),  # read
        ((9, 0, 4096), "allowed"),  # mmap
        ((202,), "allowed"),  # futex
        ((59,), "EPERM"),  # execve
        ((57,), "EPERM"),  # fork
        ((41, 2, 1), "EPERM"),  # socket
        ((101, 16, OTHER), "EPERM"),  # ptrace
        ((425,), "ENOSYS"),  # io_uring_setup
        ((435,), "ENOSYS"),  # clone3
        ((457,), "ENOSYS"),  # newer than the list
        ((0x40000000 + 59,), "ENOSYS"),  # the x32 interface
        ((90,), "done in name"),  # chmod
        ((188,), "ENOTSUP"),  # setxattr
        ((285, 3), "ENOTSUP"),  # fallocate
        ((253,), "EPERM"),  # inotify_init
        ((56, 0x3D0F00), "allowed"),  # clone: a thread, as the C library makes one
        ((56, signal.SIGCHLD), "EPERM"),  # clone: a process
        ((62, OWN, signal.SIGSEGV), "allowed"),  # kill
        ((62, 0, signal.SIGTERM), "allowed"),
        ((62, OWN, signal.SIGKILL), "EPERM"),
        ((62, OWN, signal.SIGSTOP), "EPERM"),
        ((62, OTHER, signal.SIGTERM), "EPERM"),
        ((62, -1, signal.SIGKILL), "EPERM"),
        ((62, -OTHER, signal.SIGKILL), "EPERM"),
        ((234, OWN, 77, signal.SIGABRT), "allowed"),  # tgkill
        ((234, OWN, 77, signal.SIGKILL), "EPERM"),
        ((234, OTHER, OTHER, signal.SIGTERM), "EPERM"),
        ((302, 0, 7), "allowed"),  # prlimit64
        ((302, OTHER, 0), "EPERM"),
        ((203, 0), "allowed"),  # sched_setaffinity
        ((203, OTHER), "EPERM"),
        ((72, 3, 1), "allowed"),  # fcntl F_GETFD
        ((72, 3, 8), "EPERM"),  # F_SETOWN
        ((16, 1, 0x5413), "allowed"),  # ioctl TIOCGWINSZ
        ((72, 3, 1030), "allowed"),  # F_DUPFD_CLOEXEC
        ((72, 3, 6), "done in name"),  # F_SETLK
        ((72, 3, 7), "done in name"),  # F_SETLKW
        ((72, 3, 37), "done in name"),  # F_OFD_SETLK
        ((72, 3, 5), "allowed"),  # F_GETLK
        ((72, 3, 1024), "EPERM"),  # F_SETLEASE
        ((72, 3, 1026), "EPERM"),  # F_NOTIFY
        ((72, 3, 1031), "EPERM"),  # F_SETPIPE_SZ
        ((72, 3, 1032), "allowed"),  # F_GETPIPE_SZ
        ((72, 3, 1036), "EPERM"),  # F_SET_RW_HINT
        ((72, 3, 1038), "EPERM"),  # F_SET_FILE_RW_HINT
        ((72, 3, 4711), "EPERM"),  # newer than the list
        ((73, 3, 2), "done in name"),  # flock
        ((327, 3), "EPERM"),  # preadv2
        ((328, 3), "EPERM"),  # pwritev2
        ((295, 3), "allowed"),  # preadv
        ((451, 3), "EPERM"),  # cachestat
        ((221, 3), "EPERM"),  # fadvise64
        ((27, 0x7F0000000000), "EPERM"),  # mincore
        ((187, 3), "EPERM"),  # readahead
        ((28, 0, 4096, 4), "allowed"),  # madvise MADV_DONTNEED
        ((28, 0, 4096, 8), "allowed"),  # … MADV_FREE
        ((28, 0, 4096, 14), "allowed"),  # … MADV_HUGEPAGE
        ((28, 0, 4096, 102), "allowed"),  # … MADV_GUARD_INSTALL
        ((28, 0, 4096, 3), "EPERM"),  # … MADV_WILLNEED
        ((28, 0, 4096, 12), "EPERM"),  # … MADV_MERGEABLE
        ((28, 0, 4096, 20), "EPERM"),  # … MADV_COLD
        ((28, 0, 4096, 21), "EPERM"),  # … MADV_PAGEOUT
        ((28, 0, 4096, 22), "EPERM"),  # … MADV_POPULATE_READ
        ((157, 67, 1), "EPERM"),  # prctl PR_SET_MEMORY_MERGE
        ((137,), "EPERM"),  # statfs
        ((138, 3), "EPERM"),  # fstatfs
        ((162,), "EPERM"),  # sync
        ((46, 3), "EPERM"),  # sendmsg
        ((44, 3), "allowed"),  # sendto
        ((54, 3, 1, 7), "EPERM"),  # setsockopt SO_SNDBUF
        ((275,), "EPERM"),  # splice
        ((278,), "EPERM"),  # vmsplice
        ((40,), "allowed"),  # sendfile
        ((444,), "EPERM"),  # landlock_create_ruleset
        ((445,), "EPERM"),  # landlock_add_rule
        ((16, 1, 0x5401), "allowed"),  # TCGETS
        ((16, 3, 0x5421), "allowed"),  # FIONBIO
        ((16, 3, 0x40086602), "EPERM"),  # FS_IOC_SETFLAGS
        ((16, 3, 0x40049409), "EPERM"),  # FICLONE
        ((16, 1, 0x5412), "EPERM"),  # TIOCSTI
        ((53, 1, 1), "allowed"),  # socketpair AF_UNIX SOCK_STREAM
        ((53, 1, 1 | 0o2000000), "allowed"),  # … SOCK_CLOEXEC
        ((53, 1, 2), "EPERM"),  # … SOCK_DGRAM
        ((53, 30, 1), "EPERM"),  # … AF_TIPC
        ((157, 15), "allowed"),  # prctl PR_SET_NAME
        ((157, 1), "EPERM"),  # PR_SET_PDEATHSIG
        ((157, 4), "EPERM"),  # PR_SET_DUMPABLE
        ((2, 0, os.O_RDONLY), "allowed"),  # open
        ((2, 0, os.O_WRONLY | os.O_TRUNC | os.O_CREAT), "allowed"),
        ((2, 0, os.O_RDONLY | os.O_TRUNC), "EPERM"),
        ((257, 0, 0, os.O_RDONLY | os.O_TRUNC), "EPERM"),  # openat
        ((280, 0, 0, 0), "EPERM"),  # utimensat: now
        ((280, 0, 0, 0x7FFF00000000), "done in name"),  # utimensat: a copied time
        ((280, 0, 0, 8), "done in name"),
    ],
)
def test_calls_on_x86_64(call, expected):
    assert answer(*call) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ((63, 3), "allowed"),  # read
        ((221,), "EPERM"),  # execve
        ((198, 2, 1), "EPERM"),  # socket
        ((220, signal.SIGCHLD), "EPERM"),  # clone
        ((129, OWN, signal.SIGTERM), "allowed"),  # kill
        ((129, OTHER, signal.SIGTERM), "EPERM"),
        ((53,), "done in name"),  # fchmodat, which is socketpair on the other machine
        ((0,), "EPERM"),  # io_setup
        ((286, 3), "EPERM"),  # preadv2
        ((287, 3), "EPERM"),  # pwritev2
        ((69, 3), "allowed"),  # preadv
        ((451, 3), "EPERM"),  # cachestat
        ((223, 3), "EPERM"),  # fadvise64
        ((232, 4096), "EPERM"),  # mincore
        ((213, 3), "EPERM"),  # readahead
        ((233, 0, 4096, 4), "allowed"),  # madvise MADV_DONTNEED
        ((233, 0, 4096, 21), "EPERM"),  # … MADV_PAGEOUT
        ((25, 3, 1026), "EPERM"),  # fcntl F_NOTIFY
        ((25, 3, 6), "done in name"),  # … F_SETLK
        ((32, 3, 2), "done in name"),  # flock
        ((43,), "EPERM"),  # statfs
        ((44, 3), "EPERM"),  # fstatfs
        ((81,), "EPERM"),  # sync
        ((267, 3), "EPERM"),  # syncfs
        ((211, 3), "EPERM"),  # sendmsg
        ((269, 3), "EPERM"),  # sendmmsg
        ((206, 3), "allowed"),  # sendto
        ((208, 3, 1, 7), "EPERM"),  # setsockopt
        ((76,), "EPERM"),  # splice
        ((77,), "EPERM"),  # tee
        ((75,), "EPERM"),  # vmsplice
        ((71,), "allowed"),  # sendfile
    ],
)
def test_calls_on_aarch64(call, expected):
    assert answer(*call, architecture=ARM) == expected


@pytest.mark.parametrize(
    ("machine", "another", "prctl"), [("x86_64", 317, 157), ("aarch64", 277, 167)]
)
def test_filters_without_end_which_take_the_kernels_memory_are_refused(machine, another, prctl):
    code = seccomp.last_program(machine)
    architecture = ARM if machine == "aarch64" else X86
    assert run(code, architecture, another, 1) == 0x50000 | errno.EPERM
    assert run(code, architecture, prctl, 22, 2) == 0x50000 | errno.EPERM  # PR_SET_SECCOMP
    assert run(code, architecture, prctl, 15) == ALLOW  # PR_SET_NAME
    assert run(seccomp.program(machine, OWN), architecture, another, 1) == ALLOW


@pytest.mark.parametrize(
    ("machine", "setrlimit", "prlimit"), [("x86_64", 160, 302), ("aarch64", 164, 261)]
)
def test_the_limit_of_processor_time_may_be_asked_for_and_not_changed(machine, setrlimit, prlimit):
    code = seccomp.last_program(machine)
    refused = 0x50000 | errno.EPERM
    architecture = ARM if machine == "aarch64" else X86
    for call, expected in (
        ((setrlimit, 0, 4096), refused),
        ((setrlimit, 3, 4096), ALLOW),  # RLIMIT_STACK
        ((prlimit, 0, 0, 4096), refused),
        ((prlimit, 0, 0, 4096 << 32), refused),
        ((prlimit, OWN, 0, 4096), refused),
        ((prlimit, 0, 0, 0, 4096), ALLOW),  # only asked for
        ((prlimit, 0, 3, 4096), ALLOW),
        ((0, 0, 0, 4096), ALLOW),
    ):
        assert run(code, architecture, *call) == expected, call


def test_calls_of_another_architecture_end_the_process():
    code = seccomp.program("x86_64", OWN)
    assert run(code, I386, 11) == KILL  # execve of 32 bits
    assert run(code, ARM, 63) == KILL


def test_a_machine_without_a_list_is_an_error():
    with pytest.raises(OSError, match="no filter of system calls for riscv64"):
        seccomp.program("riscv64", OWN)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_kernel_would_take_the_program(machine):
    steps = list(struct.iter_unpack("<HBBI", seccomp.program(machine, OWN)))
    assert len(steps) < 4096
    for place, (operation, yes, no, _) in enumerate(steps):
        if operation in (0x15, 0x35, 0x45):
            assert place + 1 + max(yes, no) < len(steps)
    assert steps[-1] == (0x06, 0, 0, ALLOW)
