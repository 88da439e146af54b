"""Landlock: which files this process may reach, given up for good.

Source: Linux, Documentation/userspace-api/landlock.rst. A ruleset is a list of folders and files
with the rights that hold beneath them; everything else is refused from then on, to this process
and all that it starts. From version 6 it also keeps signals and abstract sockets inside.
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_VERSION_FLAG = 1
_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << n for n in range(6))
MAKE_DIR, MAKE_REG = 1 << 7, 1 << 8
REFER, TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
# Rights that a rule on a single file may name.
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | _IOCTL_DEV
READ = READ_FILE | READ_DIR
# In the work folder: files and folders, but no links, sockets, pipes or devices.
CHANGE = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """The version of Landlock that this kernel has; 0 for none."""
    found = _libc().syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION_FLAG)
    return max(0, int(found))


def restrict(rules: Iterable[tuple[Path, int]]) -> None:
    """Give up every right over files that no rule grants; `no_new_privs` must be set.

    Args:
        rules: an existing folder or file and the rights beneath it; those that do not exist, or
            may not be opened, are left out.

    Raises:
        OSError: the kernel refuses, or has no Landlock.
    """
    supported = version()
    if supported == 0:
        raise OSError("this kernel has no Landlock")
    handled = _handled(supported)
    attributes = struct.pack("<QQQ", handled, 3 if supported >= 4 else 0, 3)
    size = 24 if supported >= 6 else 16 if supported >= 4 else 8
    ruleset = _call(_CREATE, attributes, ctypes.c_size_t(size), 0)
    try:
        for path, rights in rules:
            _add(ruleset, path, rights & handled)
        _call(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _handled(supported: int) -> int:
    """All rights that this version knows, every one of which is refused unless granted."""
    rights = (1 << 13) - 1
    for since, right in ((2, REFER), (3, TRUNCATE), (5, _IOCTL_DEV)):
        if supported >= since:
            rights |= right
    return rights


def _add(ruleset: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        granted = rights if os.path.isdir(path) else rights & _OF_FILES
        _call(_ADD, ruleset, _PATH_BENEATH, struct.pack("<Qi", granted, descriptor), 0)
    finally:
        os.close(descriptor)


def _call(number: int, *arguments: object) -> int:
    result = _libc().syscall(number, *arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"Landlock: {os.strerror(error)}")
    return int(result)
