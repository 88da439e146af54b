"""When a clone's last commit was made, without reading anything that the clone configures.

A repository that comes from elsewhere can make git run programs: by hooks, `core.fsmonitor`,
`gpg.program`, a promisor remote and more. So git never sees the repository: it works in an empty
one of ours, borrows the clone's objects, and is asked for one object by its name.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

_NAME = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REF = re.compile(r"refs/[^\s\x00-\x1f\\~^:?*\[]+")
_COMMITTER = re.compile(rb"^committer .*> (\d{1,12}) ([+-])(\d{2})(\d{2})$", re.MULTILINE)
_MAX_COMMIT = 2**20
_SECONDS = 20


class GitError(Exception):
    """A clone whose last commit cannot be told; the text says why."""


def commit_time(clone: Path) -> datetime:
    """When the commit that is checked out was made, by the clock of whoever made it.

    Raises:
        GitError: it is no clone, has no commit, or git is not there.
    """
    folder = clone / ".git"
    if folder.is_symlink() or not folder.is_dir():
        raise GitError("it is not a clone: there is no folder .git in it")
    name = _head(folder)
    with tempfile.TemporaryDirectory(prefix="git-") as own:
        size = _git(Path(own), folder, ["cat-file", "--batch-check"], f"{name}\n").split()
        if size[1:2] != [b"commit"] or int(size[2]) > _MAX_COMMIT:
            raise GitError("its last commit is not there, or is not a commit")
        text = _git(Path(own), folder, ["cat-file", "commit", name])
    found = _COMMITTER.search(text.partition(b"\n\n")[0])
    try:
        if found:
            minutes = int(found[3]) * 60 + int(found[4])
            offset = timedelta(minutes=minutes if found[2] == b"+" else -minutes)
            return datetime.fromtimestamp(int(found[1]), timezone(offset))
    except (ValueError, OverflowError, OSError):
        pass
    raise GitError("its last commit has no time that can be read")


def _head(folder: Path) -> str:
    """The name of the commit that is checked out."""
    head = _small(folder / "HEAD").strip()
    if head.startswith("ref:"):
        ref = head[4:].strip()
        if not _REF.fullmatch(ref) or ".." in ref.split("/"):
            raise GitError("it has no commit")
        loose = folder.joinpath(*ref.split("/"))
        head = _small(loose).strip() if loose.is_file() else _packed(folder, ref)
    if not _NAME.fullmatch(head):
        raise GitError("it has no commit")
    return head


def _packed(folder: Path, ref: str) -> str:
    for line in _small(folder / "packed-refs").splitlines():
        name, _, of = line.partition(" ")
        if of.strip() == ref:
            return name
    return ""


def _small(path: Path) -> str:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > 2**24:
            return ""
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _git(own: Path, folder: Path, command: list[str], told: str = "") -> bytes:
    (own / "refs").mkdir(exist_ok=True)
    (own / "HEAD").write_text("ref: refs/heads/none\n")
    sha256 = len((told or command[-1]).strip()) == 64
    config = "[extensions]\nobjectFormat = sha256\n" if sha256 else ""
    (own / "config").write_text(f"[core]\nrepositoryformatversion = 1\nbare = true\n{config}")
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(own),
        "GIT_DIR": str(own),
        "GIT_OBJECT_DIRECTORY": str((folder / "objects").absolute()),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    try:
        done = subprocess.run(
            ["git", *command],
            input=told.encode(),
            cwd=own,
            env=environment,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    except FileNotFoundError:
        raise GitError("git is not installed here") from None
    except (OSError, subprocess.SubprocessError):
        raise GitError("its last commit cannot be read") from None
    return done.stdout
