"""Which walls stand around student code on this host.

Two walls, and neither needs root. The inner one (`harness.execution.jail`) is put up by every child
itself. The outer one, bubblewrap, is put around the template where it is installed and allowed: no
network, a system of its own that cannot be written to, and no other process in sight. When the
harness runs as root, templates run as a user that owns nothing.
"""

from __future__ import annotations

import functools
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import harness
from harness.errors import UsageError
from harness.execution import jail, landlock, seccomp

NONE = "none"
_TRIAL_SECONDS = 60.0
# Users that no distribution gives to anybody; ours is one of them, by our process number.
_FIRST_USER, _USERS = 59_000, 1000
_TEMPORARY = (Path("/tmp"), Path("/var/tmp"))


@dataclass(frozen=True)
class Sandbox:
    """The walls in use.

    Attributes:
        inner: whether children confine themselves.
        bubblewrap: path of the program around the template, or None.
        user: the user and group that templates run as, or None for our own.
    """

    inner: bool = False
    bubblewrap: str | None = None
    user: int | None = None

    def __str__(self) -> str:
        if not self.inner:
            return NONE
        walls = f"Landlock {landlock.version()}, seccomp"
        return f"bubblewrap, {walls}" if self.bubblewrap else walls

    def identity(self) -> dict[str, Any]:
        """Who a template is run as, for `subprocess.Popen`."""
        if self.user is None:
            return {}
        return {"user": self.user, "group": self.user, "extra_groups": []}

    def for_template(self, number: int) -> Sandbox:
        """The same walls, with a user of its own for each template, as its threads are counted."""
        if self.user is None:
            return self
        user = _FIRST_USER + (self.user - _FIRST_USER + number) % _USERS
        return replace(self, user=user)

    def command(self, command: Sequence[str], readable: Sequence[Path], homes: Path) -> list[str]:
        """A template's command with the outer wall around it.

        Args:
            command: of the template.
            readable: folders of the lab that some child may read.
            homes: the folder that the children's homes are made in.
        """
        if self.bubblewrap is None:
            return list(command)
        return [
            *(self.bubblewrap, *_system()),
            *(part for path in readable for part in ("--ro-bind", str(path), str(path))),
            *("--bind", str(homes), str(homes)),
            *("--chdir", "/", "--", *command),
        ]

    def temporary(self) -> Path:
        """A folder for temporary files that the user that templates run as can pass through.

        Root's own is often closed to others (Debian's libpam-tmpdir, a private TMPDIR).

        Raises:
            UsageError: there is none.
        """
        given = Path(tempfile.gettempdir())
        for folder in (given, *_TEMPORARY):
            if self.user is None or _open_to_all(folder):
                return folder
        raise UsageError(
            f"{given} cannot be entered by other users, and student code runs as another user; "
            "set TMPDIR to a folder that everybody can pass through, such as /tmp"
        )

    def open_to(self, folder: Path, *, write: bool = False) -> None:
        """Let the user that templates run as read a folder of ours, or own it."""
        if self.user is None:
            return
        for path in (folder, *folder.rglob("*")):
            if write:
                os.chown(path, self.user, self.user, follow_symlinks=False)
            else:
                path.chmod(0o755 if path.is_dir() else 0o644)


def _open_to_all(folder: Path) -> bool:
    """Whether everybody can pass through a folder and all above it, and it can be written to."""
    path = folder.resolve()
    if not path.is_dir() or not os.access(path, os.W_OK):
        return False
    return all(one.stat().st_mode & stat.S_IXOTH for one in (path, *path.parents))


def _system() -> list[str]:
    """Namespaces, and a read-only system: its top folders, Python and its packages, the harness."""
    options = ["--unshare-all", "--die-with-parent", "--hostname", "grading"]
    options += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for name in ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        path = Path(name)
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), name]
        elif path.exists():
            options += ["--ro-bind", name, name]
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    tops = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/proc")
    wanted = {*map(Path, prefixes), *jail.readable(), Path(harness.__file__).parent}
    for path in sorted(wanted):
        if not any(path.is_relative_to(top) for top in tops):
            options += ["--ro-bind", str(path), str(path)]
    return options


def choose(*, bubblewrap: bool = True) -> Sandbox:
    """The walls that hold on this host.

    Args:
        bubblewrap: use it where it is installed and works.

    Raises:
        UsageError: the inner wall cannot be put up here.
    """
    if problem := inner_problem():
        raise UsageError(
            f"student code cannot be confined here: {problem}; run `harness doctor`, or, if you "
            "trust every submission, give --unsandboxed"
        )
    user = template_user()
    program = find_bubblewrap(user) if bubblewrap else None
    return Sandbox(inner=True, bubblewrap=program, user=user)


def choose_for_own_work() -> Sandbox:
    """The same for a student's self-check: where no wall can be put up, none."""
    return Sandbox(user=template_user()) if inner_problem() else choose()


def inner_problem() -> str:
    """Why the inner wall cannot be put up here; empty where it can."""
    if sys.platform != "linux":
        return f"{platform.system()} has neither Landlock nor seccomp"
    if landlock.version() == 0:
        return f"Linux {platform.release()} has no Landlock (5.13 and later do, if it is enabled)"
    try:
        seccomp.program(platform.machine(), 1)
    except OSError as error:
        return str(error)
    return ""


def is_root() -> bool:
    """Whether the harness runs as Linux's root."""
    return sys.platform == "linux" and os.geteuid() == 0


def template_user() -> int | None:
    """For root, a user that owns nothing and that can run this Python; else None.

    Where no other user can read this Python, root stays root, without any capability.
    """
    if not is_root():
        return None
    user = _FIRST_USER + os.getpid() % _USERS
    return user if _runs((sys.executable, "-s", "-c", "import harness"), user) else None


def find_bubblewrap(user: int | None) -> str | None:
    """The path of bubblewrap, if a program can be run in it here."""
    program = shutil.which("bwrap")
    if program is None:
        return None
    return (
        program
        if _runs((program, *_system(), "--", sys.executable, "-s", "-c", "import harness"), user)
        else None
    )


@functools.cache
def _runs(command: tuple[str, ...], user: int | None) -> bool:
    """Whether a command ends well when that user runs it."""
    identity = Sandbox(user=user).identity()
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "PYTHONSAFEPATH": "1"},
            timeout=_TRIAL_SECONDS,
            **identity,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
