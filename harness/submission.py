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

from harness.archives import is_archive, is_closed_archive, most_packed, stem
from harness.errors import UsageError
from harness.finding import is_single, table_folder
from harness.handed_in import FILE, HandedIn, is_kept, read_table

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
                packed = is_archive(self.path) and size <= most_packed(MAX_BYTES)
                if left >= 0 or packed:
                    _add_content(digest, file)
        except OSError:  # a folder that cannot be listed
            digest.update(b"unreadable")
        return digest.hexdigest()


def find_submissions(path: Path, *, own: bool = False) -> list[Submission]:
    """The submission at a path, or all those in a folder of submissions, sorted by name.

    A folder that holds Python files or notebooks itself is one submission, and so is one that the
    table beside it names. What `students.csv` beside the submissions says of them goes with them;
    one that a student may have written says nothing. Entries whose names mean something to the
    harness are passed over.

    Args:
        path: the submission or the folder.
        own: it is the work of whoever asks, who may call it as they like.

    Raises:
        UsageError: there is none, the path does not exist, a submission has a name that means
            something to the harness, or the table is damaged.
    """
    found = _find(path)
    folder = table_folder(path)
    table = read_table(folder) if folder else {}
    kept = [one.name for one in found if is_kept(one.name)]
    if kept and not own and (is_single(path) or any(name in table for name in kept)):
        raise UsageError(
            f"{path}: a submission is called {kept[0]!r}, which means something to the harness; "
            f"rename it, and its row in {FILE} if it has one"
        )
    found = found if is_single(path) else [one for one in found if one.name not in kept]
    if not found:
        raise _nothing_here(path, sorted(path.iterdir()))
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
    if is_single(path):
        return [Submission(path.resolve().name or "submission", path)]
    entries = _entries(path)
    handed_in = [entry for entry in entries if _may_be(entry)]
    # A file goes by its name without the ending, unless another entry does too, or has that name.
    stems = Counter(name for entry in handed_in for name in {_stem(entry), entry.name})
    found_here = [
        Submission(_stem(entry) if stems[_stem(entry)] == 1 else entry.name, entry)
        for entry in handed_in
    ]
    if not found_here:
        raise _nothing_here(path, entries)
    return found_here


def _entries(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "_")))


def _nothing_here(path: Path, entries: list[Path]) -> UsageError:
    return UsageError(
        f"{path}: no submission here; expected one folder per student, each with {SCRIPT} or "
        f"{NOTEBOOK}, found {', '.join(entry.name for entry in entries) or 'an empty folder'}"
    )


def passed_over(folder: Path) -> list[str]:
    """Entries of a cohort's folder that are not graded, as their names mean something to us."""
    if not folder.is_dir() or is_single(folder):
        return []
    return [e.name for e in _entries(folder) if _may_be(e) and is_kept(_stem(e))]


def sentence_of_passed_over(names: list[str]) -> str:
    """What an instructor is told of them."""
    return (
        f"not graded, as the names mean something to the harness: {', '.join(names)}; "
        "if one is somebody's work, rename it"
    )


def closed_archives(folder: Path) -> list[str]:
    """Archives in a cohort's folder that cannot be unpacked, and may be somebody's work."""
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if is_closed_archive(entry.name))


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
