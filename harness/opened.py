"""A submission opened: its own files copied into a folder, ready to be read and to be run.

It is opened once for each grade. What is handed in is unpacked, found in folders and archives
within, and brought into the shape that is run: a script stays as it is; a notebook becomes one
Python file per code cell, with magics and shell lines dropped and said so. All that looks at a
submission (preflight, similarity, answers, the run) looks at this. Nothing here runs or imports a
student's code.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from harness.archives import (
    ArchiveError,
    descend,
    is_archive,
    is_closed_archive,
    only_folder,
    unpack,
)
from harness.finding import code_in
from harness.language import gettext as _
from harness.magics import drop_magics
from harness.reading import NotebookError, read_cells
from harness.starters import is_untouched
from harness.submission import (
    MAX_BYTES,
    MAX_FILES,
    MAX_NESTED,
    NOTEBOOK,
    SCRIPT,
    Submission,
    files_of,
    is_code,
)

_MAX_DROPPED = 20  # lines of a notebook that are told


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


@dataclass(frozen=True)
class Opened:
    """A submission, and where its files are.

    Attributes:
        submission: what was handed in.
        folder: holds its own files, as they are run; nothing else.
        source: what is to be run of them, or why nothing can be.
        problems: what will not work of them, seen without running anything.
    """

    submission: Submission
    folder: Path
    source: Source
    problems: tuple[str, ...] = ()

    def own_files(self) -> list[tuple[str, Path]]:
        """Relative name and path of each file handed in, by depth and name, at most `MAX_FILES`.

        Where more was handed in than is run, what a folder holds is still found.
        """
        handed_in = self.submission.path
        folder = handed_in if handed_in.is_dir() and code_in(handed_in) else self.folder
        files = islice(files_of(folder), MAX_FILES)
        return sorted(files, key=lambda found: (found[0].count("/"), found[0]))


def open_submission(submission: Submission, folder: Path) -> Opened:
    """Open a submission into a folder, which is made.

    Raises:
        OSError: it cannot be read, or the disk is full.
    """
    return Opened(submission, folder, prepare(submission, folder))


def open_what_can_be_read(submission: Submission, folder: Path) -> Opened:
    """A submission opened into a folder; without anything to run where it cannot be read."""
    try:
        return open_submission(submission, folder)
    except OSError as error:
        text = _("{name} could not be read ({reason})")
        problem = text.format(name=submission.name, reason=error)
        return Opened(submission, folder, Source((), problem=problem))


@contextmanager
def opened(submission: Submission) -> Iterator[Opened]:
    """A submission opened into a folder that is removed afterwards; see `open_what_can_be_read`."""
    with tempfile.TemporaryDirectory(prefix="handed-in-") as temporary:
        yield open_what_can_be_read(submission, Path(temporary) / "s")


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
    for _level in range(MAX_NESTED + 1):
        if path.is_file():
            return path if is_code(path) else None
        if not path.is_dir():
            return None
        if code_in(path):
            return _main_file(path, [])[0]
        inner = only_folder(path)
        if inner is None:
            return None
        path = inner
    return None


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
    for level in range(MAX_NESTED):
        if code_in(folder):
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
    return next((e.name for e in entries if e.is_symlink() and is_code(e)), "")


class _TooMuchError(Exception):
    """More files or bytes than a submission may have."""


def _main_file(path: Path, notes: list[str]) -> tuple[Path | None, str]:
    """The file that defines the contract functions, or why there is none."""
    if path.is_file():
        return path, ""
    found = code_in(path)
    expected = [file for file in found if file.name in (SCRIPT, NOTEBOOK)]
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
    if not expected and len(found) == 1:
        text = _("{name} is run; its name should be {script} or {notebook}")
        notes.append(text.format(name=found[0].name, script=SCRIPT, notebook=NOTEBOOK))
        return found[0], ""
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
