"""What was handed in: finding submissions, and copying what is to be run of them.

Nothing here runs or imports a student's code. A script stays as it is; a notebook becomes one
Python file per code cell, with magics and shell lines dropped and said so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from harness.archives import (
    ArchiveError,
    descend,
    is_archive,
    is_closed_archive,
    only_folder,
    stem,
    unpack,
)
from harness.errors import UsageError
from harness.handed_in import HandedIn, read_table
from harness.language import gettext as _
from harness.magics import drop_magics
from harness.reading import NotebookError, read_cells
from harness.starters import is_untouched

SCRIPT, NOTEBOOK = "submission.py", "submission.ipynb"
MAX_FILES = 1000
MAX_BYTES = 200 * 2**20
MAX_DEPTH = 32  # of folders, as in archives
_MAX_PATH = 1000  # bytes; what is deeper or longer is not looked at
_MAX_NESTED = 4
_MAX_DROPPED = 20  # lines of a notebook that are told
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


@dataclass(frozen=True)
class Source:
    """A submission made ready to run.

    Attributes:
        files: Python files to run in order, relative to the folder they were put in; a script is
            one, a notebook one per cell. Empty when nothing can be run.
        notes: what was noticed on the way, for the report.
        problem: why nothing can be run, else empty.
    """

    files: tuple[str, ...]
    notes: tuple[str, ...] = ()
    problem: str = ""


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
        if not _is_code(path) and not is_archive(path):
            raise UsageError(
                f"{path}: expected a .py, .ipynb, .zip or .tar.gz file or a folder, found a file"
            )
        return [Submission(_stem(path), path)]
    if _candidates(path):
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


def prepare(submission: Submission, folder: Path) -> Source:
    """Copy the student's own files into a folder and say what is to be run there.

    Links are left out: they could lead anywhere. An archive is unpacked, an archive in an archive
    as well, and files in a folder of their own are found there, each with a note.
    """
    if not submission.path.exists():
        text = _("{name} is a link that leads nowhere")
        return Source((), problem=text.format(name=submission.name))
    notes: list[str] = []
    folder.mkdir(parents=True)
    try:
        if submission.path.is_file() and is_archive(submission.path):
            notes += _unpack(submission.path, folder)
        else:
            _copy(submission.path, folder, notes)
        _find_nested(folder, notes)
    except (_TooMuchError, ArchiveError) as error:
        return Source((), tuple(notes), str(error))
    single = submission.path.is_file() and not is_archive(submission.path)
    main, problem = _main_file(folder / submission.path.name if single else folder, notes)
    if main is None:
        if link := _link_among(submission.path):
            problem = _("{name} is a link; hand in the file itself").format(name=link)
        return Source((), tuple(notes), problem)
    if main.suffix == ".ipynb":
        return _split_notebook(main, folder, notes)
    return Source((main.name,), tuple(notes))


def main_file(path: Path) -> Path | None:
    """The file on disk that `prepare` has run, as far as it is there without unpacking anything.

    Returns:
        None for an archive, or where nothing can be run.
    """
    for _level in range(_MAX_NESTED + 1):
        if path.is_file():
            return path if _is_code(path) else None
        if not path.is_dir():
            return None
        if _candidates(path):
            return _main_file(path, [])[0]
        inner = only_folder(path)
        if inner is None:
            return None
        path = inner
    return None


@contextmanager
def own_files(submission: Submission) -> Iterator[list[tuple[str, Path]]]:
    """Relative name and path of each file handed in, as `prepare` finds them, for the time being.

    A folder with code in it is read where it is; anything else is copied or unpacked first.
    """
    path = submission.path
    if path.is_dir() and _candidates(path):
        yield list(islice(files_of(path), MAX_FILES))
        return
    with tempfile.TemporaryDirectory(prefix="handed-in-") as folder:
        with suppress(OSError):  # the run, which could not be made, says so
            prepare(submission, Path(folder) / "s")
        yield list(islice(files_of(Path(folder) / "s"), MAX_FILES))


def _unpack(path: Path, folder: Path) -> list[str]:
    return unpack(path, folder, max_files=MAX_FILES, max_bytes=MAX_BYTES)


def _find_nested(folder: Path, notes: list[str]) -> None:
    """Where no code is at the top, look into a single folder or archive, and say so.

    What lies beside an archive stays, but for names that the archive has as well.
    """
    aside = folder.with_name(folder.name + "-aside")
    aside.mkdir()
    _look_into(folder, aside, notes)
    for level in sorted(aside.iterdir(), reverse=True):
        for entry in level.iterdir():
            if not (folder / entry.name).exists():
                entry.rename(folder / entry.name)
    shutil.rmtree(aside)


def _look_into(folder: Path, aside: Path, notes: list[str]) -> None:
    """Put the files of a single folder or archive in the place of what is there, level by level."""
    for level in range(_MAX_NESTED):
        if _candidates(folder):
            return
        archives = [entry for entry in folder.iterdir() if is_archive(entry) and entry.is_file()]
        if name := descend(folder):
            text = _("your files were found in the folder {name!r} within; that is fine")
            notes.append(text.format(name=name))
        elif len(archives) == 1:
            # Elsewhere, so that it is not among what comes out of it.
            beside = aside / str(level)
            beside.mkdir()
            for entry in list(folder.iterdir()):
                entry.rename(beside / entry.name)
            inner = beside / archives[0].name
            noticed = _unpack(inner, folder)
            inner.unlink()
            text = _("{name} was found within, and unpacked; that is fine")
            notes += [text.format(name=inner.name), *noticed]
        else:
            return


def _link_among(path: Path) -> str:
    """The name of a link where the file to run should be, if there is one."""
    entries = sorted(path.iterdir()) if path.is_dir() else []
    return next((e.name for e in entries if e.is_symlink() and _is_code(e)), "")


class _TooMuchError(Exception):
    """More files or bytes than a submission may have."""


def _may_be(entry: Path) -> bool:
    """Whether an entry of a cohort's folder is somebody's submission (dangling links too)."""
    return entry.is_dir() or _is_code(entry) or is_archive(entry) or not entry.exists()


def _is_code(path: Path) -> bool:
    return path.suffix in (".py", ".ipynb")


def _stem(entry: Path) -> str:
    """What a submission goes by: a folder's name, or a file's without its ending."""
    if not entry.is_file():
        return entry.name
    return stem(entry.name) if is_archive(entry) else entry.stem


def _candidates(folder: Path) -> list[Path]:
    files = (entry for entry in folder.iterdir() if entry.suffix in (".py", ".ipynb"))
    return sorted(file for file in files if file.is_file() and not file.name.startswith((".", "_")))


def _main_file(path: Path, notes: list[str]) -> tuple[Path | None, str]:
    """The file that defines the contract functions, or why there is none."""
    if path.is_file():
        return path, ""
    candidates = _candidates(path)
    expected = [file for file in candidates if file.name in (SCRIPT, NOTEBOOK)]
    if len(expected) == 2:
        untouched = [file for file in expected if is_untouched(file)]
        if len(untouched) == 1:
            [other] = set(expected) - set(untouched)
            text = _("{starter} is the starter as it was given; {name} is run")
            notes.append(text.format(starter=untouched[0].name, name=other.name))
            return other, ""
        text = _("both {script} and {notebook} are there; {script} is run")
        notes.append(text.format(script=SCRIPT, notebook=NOTEBOOK))
        return path / SCRIPT, ""
    if not expected and len(candidates) == 1:
        text = _("{name} is run; its name should be {script} or {notebook}")
        notes.append(text.format(name=candidates[0].name, script=SCRIPT, notebook=NOTEBOOK))
        return candidates[0], ""
    if expected:
        return expected[0], ""
    return None, _nothing_to_run(path)


def _nothing_to_run(folder: Path) -> str:
    """What was found in the place of code, and what a student can do about it."""
    names = sorted(entry.name for entry in folder.iterdir())
    if closed := [name for name in names if is_closed_archive(name)]:
        text = _("{name} is an archive that cannot be opened here; pack it as .zip, hand in again")
        return text.format(name=closed[0])
    archives = [name for name in names if is_archive(folder / name)]
    if len(archives) > 1:
        text = _("several archives are there ({names}), and no code; hand in one of them")
        return text.format(names=", ".join(archives[:10]))
    return _(
        "expected {script} or {notebook}, found {found}; rename your file and hand in again"
    ).format(script=SCRIPT, notebook=NOTEBOOK, found=", ".join(names[:10]) or _("an empty folder"))


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


def _copy(path: Path, folder: Path, notes: list[str]) -> None:
    if path.is_dir() and any(entry.is_symlink() for entry in path.iterdir()):
        notes.append(_("links among the files were left out; hand in the files themselves"))
    total = 0
    for count, (relative, file) in enumerate(files_of(path), start=1):
        total += file.stat().st_size
        if count > MAX_FILES or total > MAX_BYTES:
            raise _TooMuchError(
                _(
                    "more than {files} files or {mb} MB were handed in; hand in your own code "
                    "only, without data sets or environments"
                ).format(files=MAX_FILES, mb=MAX_BYTES // 2**20)
            )
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target, follow_symlinks=False)  # it may have become one


def _split_notebook(path: Path, folder: Path, notes: list[str]) -> Source:
    """Write each code cell as a Python file; outputs and metadata are never looked at."""
    try:
        cells = read_cells(path, "code")
    except NotebookError as error:
        return Source((), tuple(notes), str(error))
    files: list[str] = []
    left_out: list[str] = []
    more = 0
    for number, text in enumerate(cells, start=1):
        code, dropped = drop_magics(text)
        text = _("cell {number}: left out {line!r}, which is not Python")
        told = dropped[: _MAX_DROPPED - len(left_out)]
        left_out += [text.format(number=number, line=line[:80]) for line in told]
        more += len(dropped) - len(told)
        name = f"cell_{number:03}.py"
        if (folder / name).is_dir():
            text = _(
                "{name} is a folder, and cell {number} would be a file of that name; rename it"
            )
            return Source((), tuple(notes), text.format(name=name, number=number))
        (folder / name).write_text(code + "\n", "utf-8", errors="replace")
        files.append(name)
    notes += left_out
    if more:
        text = _("and {n} more lines that are not Python")
        notes.append(text.format(n=more))
    if not files:
        text = _("{name} has no code cell")
        return Source((), tuple(notes), text.format(name=path.name))
    return Source(tuple(files), tuple(notes))
