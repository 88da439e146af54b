"""seccomp: which system calls this process may make, given up for good.

Source: Linux, Documentation/userspace-api/seccomp_filter.rst. The filter is a program for the
kernel's BPF machine, built here from the lists below. Refused calls return an error, as a student's
own code would expect, and do not kill. What changes an owner, a mode or a time of a file, which
Landlock does not cover, is not done and reported as done, because copying a file asks for it; nor
is a lock, because a database asks for one.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

# Numbers by name, on x86-64 and on AArch64 (-1: it has none).
_REFUSED = {
    # new programs and processes; threads are made by clone, which is looked at more closely
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, -1), "vfork": (58, -1),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "kcmp": (312, 272),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "timer_create": (222, 107), "sched_setattr": (314, 274), "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "perf_event_open": (298, 241),
    # network, and memory that outlives the process
    "socket": (41, 198), "bind": (49, 200), "connect": (42, 203), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195),
    "shmdt": (67, 197), "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191),
    "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188),
    "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181), "mq_notify": (244, 184),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # what others do with files, which Landlock does not hide
    "inotify_init": (253, -1), "inotify_init1": (294, 26),
    # whether a page of a file is in memory, which lasts: a mark for whoever is run later
    "preadv2": (327, 286), "pwritev2": (328, 287), "cachestat": (451, 451),
    "fadvise64": (221, 223), "mincore": (27, 232), "readahead": (187, 213),
    # how full the disk is, by whoever runs beside, and what waits for all of their files
    "statfs": (137, 43), "fstatfs": (138, 44), "sync": (162, 81), "syncfs": (306, 267),
    # the kernel's memory, which no limit of this process counts: descriptors and pages that are
    # under way, larger buffers, rules by the hundred thousand
    "sendmsg": (46, 211), "sendmmsg": (307, 269), "setsockopt": (54, 208),
    "splice": (275, 76), "tee": (276, 77), "vmsplice": (278, 75),
    "landlock_create_ruleset": (444, 444), "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
    # privileges and namespaces
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setresuid": (117, 147), "setresgid": (119, 149), "setgroups": (116, 159),
    "setfsuid": (122, 151), "setfsgid": (123, 152), "capset": (126, 91), "unshare": (272, 97),
    "setns": (308, 268), "chroot": (161, 51), "pivot_root": (155, 41), "personality": (135, 92),
    # mounts, devices, whole files by a way that Landlock does not watch
    "mount": (165, 40), "umount2": (166, 39), "mount_setattr": (442, 442),
    "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "quotactl": (179, 60),
    "quotactl_fd": (443, 443), "swapon": (167, 224), "swapoff": (168, 225), "mknod": (133, -1),
    "mknodat": (259, 33), "truncate": (76, 45), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "fanotify_init": (300, 262), "fanotify_mark": (301, 263),
    # the kernel itself
    "bpf": (321, 280), "userfaultfd": (323, 282), "io_setup": (206, 0), "io_submit": (209, 2),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142),
    "acct": (163, 89), "syslog": (103, 116), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "sethostname": (170, 161), "setdomainname": (171, 162), "ioperm": (173, -1),
    "iopl": (172, -1), "modify_ldt": (154, -1), "uselib": (134, -1), "vhangup": (153, 58),
    "lookup_dcookie": (212, 18), "ustat": (136, -1),
    # times of files, by the calls that nothing uses any more
    "utime": (132, -1), "utimes": (235, -1), "futimesat": (261, -1),
}  # fmt: skip
# "Not in this kernel": the C library then does the same by an older call, which can be looked at.
_UNKNOWN = {
    "clone3": (435, 435), "openat2": (437, 437), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
}  # fmt: skip
_DONE_IN_NAME = {
    "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, -1), "fchown": (93, 55), "lchown": (94, -1), "fchownat": (260, 54),
    # nobody else has a file of the work folder open; one of the system's would show the lock
    "flock": (73, 32),
}  # fmt: skip
_NOT_SUPPORTED = {
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    # takes the whole disk in a moment; the C library writes zeros instead, which takes time
    "fallocate": (285, 47),
}  # fmt: skip
_CLONE, _KILL, _TGKILL, _PRLIMIT = (56, 220), (62, 129), (234, 131), (302, 261)
_AFFINITY, _FCNTL, _IOCTL, _SOCKETPAIR = (203, 122), (72, 25), (16, 29), (53, 199)
_MADVISE = (28, 233)
_UTIMENSAT, _SETRLIMIT = (280, 88), (160, 164)
_PRCTL, _OPEN, _OPENAT, _SECCOMP = (157, 167), (2, -1), (257, 56), (317, 277)
# The first number that was not looked at when these lists were written (Linux 6.7).
_NEWER = 457

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_REFUSE = _ERRNO | errno.EPERM
_CLONE_THREAD = 0x10000
# Of fcntl, what concerns this process alone: descriptors, flags, and what is only asked for (1 to
# 5, 9, 11, 16, 36; 1025: a lease, 1027 and 1028: is it the same, is it new, 1032: a pipe's size,
# 1034: seals). Not signals to others, leases, notices of changes in a folder, sizes of pipes, or
# hints that stay with a file.
_FCNTL_ALLOWED = (0, 1, 2, 3, 4, 5, 9, 11, 16, 36, 1025, 1027, 1028, 1030, 1032, 1034)
_FCNTL_LOCKS = (6, 7, 37, 38)
# Of ioctl: whether it is a terminal, its size and group; how much there is to read; whether to
# wait, and to close at exec. Not what changes a file's attributes.
_IOCTL_ALLOWED = (0x5401, 0x802C542A, 0x5413, 0x540F, 0x541B, 0x5421, 0x5450, 0x5451)
# Of madvise: order of reading, what may be given back, huge pages, copies at a fork, dumps, guards.
# Not what reads pages of files ahead or puts them out, or joins pages that are equal.
_MADVISE_ALLOWED = (0, 1, 2, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19, 102, 103)
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_MM, _PR_SET_SUBREAPER = 1, 4, 35, 36
_PR_SET_PTRACER, _PR_SET_SECCOMP, _PR_SET_MEMORY_MERGE = 0x59616D61, 22, 67
PR_SET_NO_NEW_PRIVS = 38
_RLIMIT_CPU = 0
_SET_MODE_FILTER, _SPEC_ALLOW = 1, 4

# BPF: load a word of the call's data; jump if equal, greater or equal, or a bit is set; return.
_LOAD, _EQUAL, _NOT_BELOW, _HAS_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_Step = tuple[int, int, int, int]


@dataclass(frozen=True)
class _Program:
    """Steps of a BPF program that is put together rule by rule."""

    column: int
    steps: list[_Step]

    def answer(self, numbers: tuple[int, int], action: int) -> None:
        """Answer a call so, whatever its arguments."""
        if (number := numbers[self.column]) >= 0:
            self.steps.extend([(_EQUAL, 0, 1, number), (_RETURN, 0, 0, action)])

    def examine(self, numbers: tuple[int, int], *steps: _Step) -> None:
        """Decide a call by its arguments; the steps must all end in a return."""
        if (number := numbers[self.column]) >= 0:
            self.steps.extend([(_EQUAL, 0, len(steps), number), *steps])

    def whole(self) -> bytes:
        """As the kernel takes it: what is not decided so far is allowed."""
        steps = [*self.steps, (_RETURN, 0, 0, _ALLOW)]
        return b"".join(struct.pack("<HBBI", *step) for step in steps)

    def allow_only(self, numbers: tuple[int, int], argument: int, values: Sequence[int]) -> None:
        """Refuse a call unless the argument is one of the values."""
        self.examine(numbers, *_any_of(argument, values, then=_ALLOW, otherwise=_REFUSE))

    def refuse_if(self, numbers: tuple[int, int], argument: int, values: Sequence[int]) -> None:
        """Refuse a call if the argument is one of the values."""
        self.examine(numbers, *_any_of(argument, values, then=_REFUSE, otherwise=_ALLOW))


def program(machine: str, own_pid: int) -> bytes:
    """The filter as the kernel takes it: 8 bytes a step.

    Args:
        machine: as `platform.machine()` says it.
        own_pid: the process that the filter is for: it may send signals to itself only, and
            neither SIGKILL nor SIGSTOP, so that one of these is known to come from outside.

    Raises:
        OSError: there is no list of numbers for this machine.
    """
    if machine not in _ARCHITECTURES:
        raise OSError(f"no filter of system calls for {machine}")
    column, audit = _ARCHITECTURES[machine]
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, audit),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        # Newer calls, and those of the x32 interface, whose numbers begin at 2^30.
        (_NOT_BELOW, 0, 1, _NEWER),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    made = _Program(column, steps)
    for calls, action in (
        (_REFUSED, _REFUSE),
        (_UNKNOWN, _ERRNO | errno.ENOSYS),
        (_DONE_IN_NAME, _ERRNO),
        (_NOT_SUPPORTED, _ERRNO | errno.ENOTSUP),
    ):
        for numbers in calls.values():
            made.answer(numbers, action)
    _examine_arguments(made, own_pid)
    return made.whole()


def _examine_arguments(made: _Program, own_pid: int) -> None:
    made.examine(
        _CLONE,
        (_LOAD, 0, 0, _ARGUMENTS),
        (_HAS_BIT, 0, 1, _CLONE_THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    )
    deadly = _any_of(1, (signal.SIGKILL, signal.SIGSTOP), then=_REFUSE, otherwise=_ALLOW)
    for numbers, own in ((_KILL, (own_pid, 0)), (_TGKILL, (own_pid,))):
        # tgkill has the thread before the signal
        which = _shift(deadly, 1) if numbers is _TGKILL else deadly
        made.examine(numbers, *_only_for(0, own), *which)
    made.allow_only(_PRLIMIT, 0, (0, own_pid))
    made.allow_only(_AFFINITY, 0, (0,))
    in_name = _answered(1, _FCNTL_LOCKS, _ERRNO)
    made.examine(_FCNTL, *in_name, *_any_of(1, _FCNTL_ALLOWED, then=_ALLOW, otherwise=_REFUSE))
    made.allow_only(_IOCTL, 1, _IOCTL_ALLOWED)
    made.allow_only(_MADVISE, 2, _MADVISE_ALLOWED)
    hiding = (_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_MM, _PR_SET_SUBREAPER, _PR_SET_PTRACER)
    made.refuse_if(_PRCTL, 0, (*hiding, _PR_SET_MEMORY_MERGE))
    # "Now" is refused, or `Path.touch` would believe that a file is there.
    low = _ARGUMENTS + 8 * 2
    made.examine(
        _UTIMENSAT,
        (_LOAD, 0, 0, low),
        (_EQUAL, 0, 2, 0),
        (_LOAD, 0, 0, low + 4),
        (_EQUAL, 1, 0, 0),
        (_RETURN, 0, 0, _ERRNO),
        (_RETURN, 0, 0, _REFUSE),
    )
    # A connected pair of this machine only: a datagram socket could be pointed elsewhere.
    made.examine(
        _SOCKETPAIR,
        (_LOAD, 0, 0, _ARGUMENTS),
        (_EQUAL, 1, 0, socket.AF_UNIX),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _ARGUMENTS + 8),
        (_AND, 0, 0, 0xF),
        (_EQUAL, 0, 1, 1),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    )
    # Opened to be read and emptied on the way, which the first versions of Landlock let pass.
    for numbers, argument in ((_OPEN, 1), (_OPENAT, 2)):
        made.examine(
            numbers,
            (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
            (_AND, 0, 0, os.O_TRUNC | os.O_ACCMODE),
            (_EQUAL, 0, 1, os.O_TRUNC),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        )


def _any_of(argument: int, values: Sequence[int], *, then: int, otherwise: int) -> list[_Step]:
    """Return `then` if the argument's low word is one of the values, else `otherwise`."""
    return [*_answered(argument, values, then), (_RETURN, 0, 0, otherwise)]


def _answered(argument: int, values: Sequence[int], action: int) -> list[_Step]:
    """Return `action` if the argument's low word is one of the values, else go on."""
    last = len(values) - 1
    tests = [(_EQUAL, last - n, int(n == last), value) for n, value in enumerate(values)]
    return [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument), *tests, (_RETURN, 0, 0, action)]


def _only_for(argument: int, values: Sequence[int]) -> list[_Step]:
    """Refuse unless the argument is one of the values; else go on."""
    tests = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument), *tests, (_RETURN, 0, 0, _REFUSE)]


def _shift(steps: list[_Step], places: int) -> list[_Step]:
    """The same test of a later argument."""
    (code, yes, no, offset), *rest = steps
    return [(code, yes, no, offset + 8 * places), *rest]


def last_program(machine: str) -> bytes:
    """The filter that keeps the limit of processor time as it is, and is the last one.

    At a limit that it sets itself, a process is killed as it would be from outside. Filters take
    the kernel's memory.
    """
    made = _Program(_ARCHITECTURES[machine][0], [(_LOAD, 0, 0, _NUMBER)])
    made.answer(_SECCOMP, _REFUSE)
    made.refuse_if(_PRCTL, 0, (_PR_SET_SECCOMP,))
    made.refuse_if(_SETRLIMIT, 0, (_RLIMIT_CPU,))
    new = _ARGUMENTS + 8 * 2  # a pointer to it; none where the limit is only asked for
    made.examine(
        _PRLIMIT,
        (_LOAD, 0, 0, _ARGUMENTS + 8),
        (_EQUAL, 0, 4, _RLIMIT_CPU),
        (_LOAD, 0, 0, new),
        (_EQUAL, 0, 3, 0),
        (_LOAD, 0, 0, new + 4),
        (_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    )
    return made.whole()


def restrict() -> None:
    """Give up all refused calls, in this thread and all that it starts; `no_new_privs` must be set.

    Raises:
        OSError: the kernel refuses, has no seccomp, or is of an unknown architecture.
    """
    _install(program(platform.machine(), os.getpid()))


def keep_cpu_limit() -> None:
    """Give up changing the limit of processor time, once it is set, and further filters.

    Raises:
        OSError: the kernel refuses.
    """
    _install(last_program(platform.machine()))


def _install(code: bytes) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(code, len(code))
    described = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    number = _SECCOMP[_ARCHITECTURES[platform.machine()][0]]
    if libc.syscall(number, _SET_MODE_FILTER, _SPEC_ALLOW, described) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"seccomp: {os.strerror(error)}")
