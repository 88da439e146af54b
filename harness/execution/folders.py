"""Temporary folders of which none stays for long, however the process ends that made it.

A lock on a file in the folder is held for as long as that process lives; the system lets go of it
even where the process is killed. Whoever makes the next folder removes those that nobody holds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl

_PREFIX = "harness-"
_HELD = ".held"


class Folder:
    """A new temporary folder, which nobody else can read.

    Args:
        place: where it is made.
        passable: others can pass through it, to what they are given within.
    """

    def __init__(self, place: Path, *, passable: bool = False) -> None:
        remove_left(place)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        self._lock = _held(self.path)
        if passable:
            self.path.chmod(0o711)

    def close(self) -> None:
        """Remove it and all in it."""
        remove(self.path)
        if self._lock is not None:
            self._lock.close()


def _held(folder: Path) -> IO[bytes] | None:
    """The open file whose lock says that a folder is in use; None where there are no such locks."""
    if sys.platform == "win32":
        return None
    path = folder / f"{_HELD}.new"
    lock = path.open("wb")
    try:
        path.chmod(0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:  # a file system without locks
        lock.close()
        return None
    path.rename(folder / _HELD)  # nobody sees it before it is locked
    return lock


def remove_left(place: Path) -> None:
    """Remove what processes that were killed have left: our own folders that nobody holds."""
    if sys.platform == "win32":
        return
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # held, no folder of this kind, or somebody else's
            if folder.is_symlink() or folder.lstat().st_uid != os.geteuid():
                continue
            with (folder / _HELD).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder, whatever has been made of it: unreadable, or nested thousands deep."""
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists() and os.name == "posix":
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*command, "--", str(folder)], stderr=subprocess.DEVNULL, check=False)
