"""The inner wall: what a child gives up for good before it reads a student's first byte.

It needs no privilege and no system package, so it holds on any Linux with Landlock (5.13) and
seccomp. After `confine` the process can read Python, the libraries and the lab's materials, and
change its own work folder; it cannot start processes, open sockets, signal or look at others, or
win any of this back. What it may use (time, memory, files) is `limit`ed apart.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from harness.execution import landlock, seccomp

# Of the system: shared libraries, time zones, fonts. Not /etc, but for what libraries look up.
_SYSTEM = (
    *("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share", "/usr/local/lib"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types", "/etc/fonts"),
    # How many processors there are, not how busy each is.
    *("/sys/devices/system/cpu/online", "/sys/devices/system/cpu/possible"),
    *("/sys/devices/system/cpu/present", "/sys/devices/system/node/online"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm/overcommit_memory"),
)
# Of what the kernel tells a process about itself: not the host's mounts and network (`mounts`,
# `mountinfo`, `net`), nor how long it waited for others (`schedstat`). Threads can be counted.
_OWN_FILES = (
    *("cmdline", "comm", "environ", "limits", "maps", "oom_score_adj", "smaps", "smaps_rollup"),
    *("stat", "statm", "status"),
)
_OWN_FOLDERS = ("fd", "task")
_DEVICES = ("/dev/zero", "/dev/full", "/dev/urandom", "/dev/random")
# Ours, never a student's to read, wherever it is installed.
PRIVATE_PACKAGES = ("harness", "reference")

_PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL = 24, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522


def readable() -> list[Path]:
    """Folders and files that every child may read: Python, its packages, the system's libraries.

    A folder of packages that holds one of ours is given entry by entry, without it.
    """
    found = {Path(name) for name in _SYSTEM}
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}:
        found |= {Path(prefix, name) for name in ("lib", "lib64", "share", "pyvenv.cfg")}
    existing = sorted({path.resolve() for path in found if path.exists()})
    return [part for path in existing for part in _without_ours(path)]


def _places() -> set[Path]:
    """Where packages are installed."""
    return {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}


def _without_ours(path: Path) -> Iterator[Path]:
    """The folder, or all that is in it but our packages, where it holds any."""
    ours = {place / name for place in _places() for name in PRIVATE_PACKAGES}
    inside = [own for own in ours if own.is_dir() and own.is_relative_to(path)]
    if not inside:
        yield path
        return
    for entry in sorted(path.iterdir()):
        if entry not in ours:
            yield from _without_ours(entry) if entry.is_dir() else (entry,)


def confine(home: Path, materials: Sequence[Path], readable_paths: Sequence[Path]) -> None:
    """Give up everything that a submission has no need of.

    Args:
        home: the work folder, which it may change.
        materials: folders with models and images of the lab.
        readable_paths: what else it may read.

    Raises:
        OSError: something could not be given up; nothing of a student's may run then.
    """
    assert _threads() == 1, f"a process with {_threads()} threads cannot be confined"
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # short of memory, end this one first
    _drop_capabilities()
    landlock_rules = [
        *((path, landlock.READ) for path in (*readable_paths, *materials)),
        *((Path("/proc/self", name), landlock.READ_FILE) for name in _OWN_FILES),
        *((Path("/proc/self", name), landlock.READ_DIR) for name in _OWN_FOLDERS),
        # Importing lists the folders it looks in, also where it may not read all of them.
        *((path, landlock.READ_DIR) for path in _places()),
        *((Path(name), landlock.READ_FILE) for name in _DEVICES),
        (Path("/dev/null"), landlock.READ_FILE | landlock.WRITE_FILE),
        (home, landlock.CHANGE),
    ]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(seccomp.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs could not be set")
    landlock.restrict(landlock_rules)
    seccomp.restrict()


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _drop_capabilities() -> None:
    """Drop every capability, for good; an ordinary user has none to drop."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0)
    if os.geteuid() == 0:
        capability = 0
        while libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
            capability += 1
    header, none = struct.pack("<Ii", _CAPABILITY_VERSION_3, 0), bytes(24)
    if libc.capset(header, none) != 0:
        raise OSError(ctypes.get_errno(), "capabilities could not be dropped")
