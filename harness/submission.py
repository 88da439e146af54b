"""What was handed in: finding submissions, their names and files; `harness.opened` opens one.

Nothing here runs or imports a student's code.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from harness.archives import is_archive, is_closed_archive, stem
from harness.errors import UsageError
from harness.handed_in import HandedIn, read_table

SCRIPT, NOTEBOOK = "submission.py", "submission.ipynb"
MAX_FILES = 1000
MAX_BYTES = 200 * 2**20
MAX_DEPTH = 32  # of folders, as in archives
_MAX_PATH = 1000  # bytes; what is deeper or longer is not looked at
MAX_NESTED = 4  # folders or archives, one in the other, before code is found
_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "venv", "env", "site-packages"}


@dataclass(frozen=True)
class Submission:
    """One student's folder or file.

    Attributes:
        name: the folder's or the file's name, which reports are filed under.
        path: the folder or file.
        libraries: packages of ours that it may import; only reference submissions have any.
        handed_in: whose it is and when it was handed in, where a table beside it says so.
    """

    name: str
    path: Path
    libraries: tuple[Path, ...] = ()
    handed_in: HandedIn | None = None

    def digest(self) -> str:
        """SHA-256 over names and bytes of all files handed in, as far as they would be run."""
        digest = hashlib.sha256()
        left = MAX_BYTES
        try:
            for relative, file in islice(files_of(self.path), MAX_FILES + 1):
                size = file.stat().st_size
                digest.update(f"{relative}\0{size}\0".encode(errors="surrogateescape"))
                left -= size
                if left >= 0 or is_archive(self.path):
                    _add_content(digest, file)
        except OSError:  # a folder that cannot be listed
            digest.update(b"unreadable")
        return digest.hexdigest()


def find_submissions(path: Path) -> list[Submission]:
    """The submission at a path, or all those in a folder of submissions, sorted by name.

    A folder that holds Python files or notebooks itself is one submission. What `students.csv`
    beside the submissions says of them goes with them.

    Raises:
        UsageError: there is none, the path does not exist, or the table is damaged.
    """
    found = _find(path)
    single = len(found) == 1 and found[0].path == path
    table = read_table(path.absolute().parent if single else path)
    return [replace(one, handed_in=table.get(one.name)) for one in found]


def _find(path: Path) -> list[Submission]:
    if not path.exists():
        found = (
            f"a link to {path.readlink()}, which is not there" if path.is_symlink() else "nothing"
        )
        raise UsageError(f"{path}: expected a submission or a folder of submissions, found {found}")
    if path.is_file():
        if not is_code(path) and not is_archive(path):
            raise UsageError(
                f"{path}: expected a .py, .ipynb, .zip or .tar.gz file or a folder, found a file"
            )
        return [Submission(_stem(path), path)]
    if candidates(path):
        return [Submission(path.resolve().name or "submission", path)]
    entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith((".", "_")))
    handed_in = [entry for entry in entries if _may_be(entry)]
    # A file goes by its name without the ending, unless another entry does too, or has that name.
    stems = Counter(name for entry in handed_in for name in {_stem(entry), entry.name})
    found_here = [
        Submission(_stem(entry) if stems[_stem(entry)] == 1 else entry.name, entry)
        for entry in handed_in
    ]
    if not found_here:
        raise UsageError(
            f"{path}: no submission here; expected one folder per student, each with {SCRIPT} or "
            f"{NOTEBOOK}, found {', '.join(entry.name for entry in entries) or 'an empty folder'}"
        )
    return found_here


def closed_archives(folder: Path) -> list[str]:
    """Archives in a cohort's folder that cannot be unpacked, and may be somebody's work."""
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if is_closed_archive(entry.name))


def holds_submission(folder: Path) -> bool:
    """Whether a folder has a file with a submission's name directly in it."""
    return (folder / SCRIPT).is_file() or (folder / NOTEBOOK).is_file()


def _may_be(entry: Path) -> bool:
    """Whether an entry of a cohort's folder is somebody's submission (dangling links too)."""
    return entry.is_dir() or is_code(entry) or is_archive(entry) or not entry.exists()


def is_code(path: Path) -> bool:
    return path.suffix in (".py", ".ipynb")


def _stem(entry: Path) -> str:
    """What a submission goes by: a folder's name, or a file's without its ending."""
    if not entry.is_file():
        return entry.name
    return stem(entry.name) if is_archive(entry) else entry.stem


def candidates(folder: Path) -> list[Path]:
    files = (entry for entry in folder.iterdir() if entry.suffix in (".py", ".ipynb"))
    return sorted(file for file in files if file.is_file() and not file.name.startswith((".", "_")))


def files_of(path: Path) -> Iterator[tuple[str, Path]]:
    """Relative name and path of each regular file handed in, in a fixed order; no links."""
    if path.is_file():
        yield path.name, path
        return
    if path.is_dir():
        yield from _files_below(path, "")


def _files_below(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or entry.name in _SKIPPED_FOLDERS:
            continue
        if len(os.fsencode(prefix + entry.name)) > _MAX_PATH or prefix.count("/") > MAX_DEPTH:
            continue
        if entry.is_dir():
            if not entry.name.startswith(".") and not _is_ignored(entry):
                yield from _files_below(entry, f"{prefix}{entry.name}/")
        elif entry.is_file():
            yield prefix + entry.name, entry


def _is_ignored(folder: Path) -> bool:
    """Whether a folder says of itself that it is nobody's work, as environments and reports do."""
    ignored = folder / ".gitignore"
    try:
        if not ignored.is_file():  # opening a pipe would wait for ever
            return False
        with ignored.open("rb") as stream:
            return stream.read(2**10).strip().splitlines()[-1:] == [b"*"]
    except OSError:
        return False


def _add_content(digest: hashlib._Hash, file: Path) -> None:
    try:
        with file.open("rb") as stream:
            while data := stream.read(2**20):
                digest.update(data)
    except OSError:
        digest.update(b"unreadable")
