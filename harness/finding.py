"""Which lab is used, and which folders students write: what decides a grade is never read there.

One rule for every command of a grader. The lab is the one that is given, else the nearest
`lab.yaml` or `fixtures/lab.yaml` upward from the parent of the folder of submissions, else from the
present folder; never one inside a submission or among the submissions. Where a folder of
submissions begins is told by its `students.csv`, by submissions that lie in it under their own
names, and by what the command was given. A student at home has a rule of their own, `own_lab`: the
machine is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from harness.archives import is_archive
from harness.errors import UsageError
from harness.handed_in import has_table, is_kept, read_table

_CODE = (".py", ".ipynb")
_NAMES = ("submission.py", "submission.ipynb")
# Folders of the course that may hold a file with a submission's name.
_OWN = ("reference", "kit")
_MOST = 5000  # entries of a folder that are looked through for code


def find_lab(given: Path | None, submissions: Path | None = None) -> Path:
    """The lab file that a grader uses.

    Args:
        given: what `--lab` says, a file or its folder.
        submissions: a submission, or a folder of submissions that need not be there yet.

    Raises:
        UsageError: there is none where students do not write.
    """
    if given is not None:
        return _given(given)
    folder = folder_of_submissions(submissions) if submissions else None
    passed: dict[Path, str] = {}
    starts = [Path.cwd()] if folder is None else [folder.parent, Path.cwd()]
    for start in starts:
        for candidate in _upward(start):
            why = _distrusted(candidate, start, folder)
            if not why:
                return candidate
            passed[candidate] = why
    for candidate in _in(folder) if folder else ():
        passed.setdefault(candidate, f"students write in {folder}")
    raise UsageError(_none_found(starts, passed))


def own_lab(start: Path, given: Path | None = None) -> Path:
    """The lab file of a student at home: the nearest upward from a folder, else from where we are.

    Raises:
        UsageError: there is none.
    """
    if given is not None:
        return _given(given)
    found = nearest_lab(start) or nearest_lab(Path.cwd())
    if found is None:
        raise UsageError(_none_found([start.absolute(), Path.cwd()], {}))
    return found


def nearest_lab(start: Path) -> Path | None:
    """The nearest `lab.yaml` or `fixtures/lab.yaml` upward from a folder, whoever wrote it."""
    return next(_upward(start.absolute()), None)


def folder_of_submissions(path: Path) -> Path:
    """The folder of submissions that a path is or lies in: all in it was written by students.

    Args:
        path: a submission, or a folder of submissions that need not be there yet.
    """
    place = _placed(path)
    folder = place.parent if is_single(path) else place
    if _is_one_of_several(folder):
        folder = folder.parent
    # Both are above the path; the one further up counts.
    return min(folder, _written(place.parent) or folder, key=lambda one: len(one.parts))


def table_folder(path: Path) -> Path | None:
    """The folder whose `students.csv` speaks of the submissions at a path.

    Returns:
        None where a student may have written the table.
    """
    place = _placed(path)
    folder = place.parent if is_single(path) else place
    return folder if _written(place.parent) in (None, folder) else None


def is_single(path: Path) -> bool:
    """Whether a path is one submission: a file, a folder with code in it, or one of a table."""
    if not path.is_dir():
        return path.is_file()
    if code_in(path):
        return True
    place = _placed(path)
    return has_table(place.parent) and place.name in read_table(place.parent)


def holds_submission(folder: Path) -> bool:
    """Whether a folder has a file with a submission's name directly in it."""
    return any((folder / name).is_file() for name in _NAMES)


def code_in(folder: Path) -> list[Path]:
    """Files directly in a folder that may be a submission's code, sorted."""
    files = (entry for entry in folder.iterdir() if entry.suffix in _CODE)
    return sorted(file for file in files if file.is_file() and not file.name.startswith((".", "_")))


def _given(path: Path) -> Path:
    file = path / "lab.yaml" if path.is_dir() else path
    if not file.is_file():
        raise UsageError(f"no lab file at {file}; give the path of a lab.yaml")
    return file


def _none_found(starts: Sequence[Path], passed: Mapping[Path, str]) -> str:
    places = " or ".join(dict.fromkeys(map(str, starts)))
    told = "".join(f"; {file} is not used: {why}" for file, why in passed.items())
    return (
        f"no lab.yaml or fixtures/lab.yaml in {places} or above{told}; "
        "go to the course's folder, or give --lab PATH"
    )


def _in(folder: Path) -> Iterator[Path]:
    """The lab files of a folder."""
    files = (folder / "lab.yaml", folder / "fixtures" / "lab.yaml")
    return (file for file in files if file.is_file())


def _upward(start: Path) -> Iterator[Path]:
    """All lab files in a folder and above, the nearest first."""
    return (file for folder in (start, *start.parents) for file in _in(folder))


def _distrusted(file: Path, start: Path, folder: Path | None) -> str:
    """Why a lab file may have been written by a student; empty where it is the course's.

    Args:
        file: found upward from `start`.
        start: where the search began.
        folder: of the submissions that are to be graded, if any are.
    """
    for written in (folder, _written(start)):
        if written is not None and _within(file, written):
            return f"students write in {written}"
    fixtures = file.parent
    if fixtures.name == "fixtures" and (code := _code_below(fixtures)):
        name = code.relative_to(fixtures)
        return f"there is code beside it ({name}), as in a submission; if it is yours, give --lab"
    return ""


def _written(start: Path) -> Path | None:
    """The highest folder of submissions that a folder is or lies in, as far as files tell.

    A table of students is in such a folder, a file with a submission's name is one level below.
    """
    found = None
    for folder in (start, *start.parents):
        if has_table(folder):
            found = folder
        elif holds_submission(folder):
            found = folder.parent
    return found


def _is_one_of_several(folder: Path) -> bool:
    """Whether a folder may be one submission: it holds one at most, and beside it are others.

    A submission whose code lies deeper looks like a folder of submissions by itself.
    """
    try:
        others = [entry for entry in folder.parent.iterdir() if entry != folder]
        if not any(_is_somebodys(entry) for entry in others):
            return False
        with_code = filter(_holds_code, folder.iterdir())
        return len(list(islice(with_code, 2))) < 2
    except OSError:  # it is not there yet, or cannot be listed
        return False


def _is_somebodys(entry: Path) -> bool:
    named = entry.name in _OWN or is_kept(entry.name)
    return not named and entry.is_dir() and holds_submission(entry)


def _holds_code(entry: Path) -> bool:
    if entry.is_dir():
        return _code_below(entry) is not None
    return entry.suffix in _CODE or is_archive(entry)


def _code_below(folder: Path) -> Path | None:
    """A file of code at any depth of a folder."""
    entries = islice(folder.rglob("*"), _MOST)
    return next((entry for entry in entries if entry.suffix in _CODE and entry.is_file()), None)


def _placed(path: Path) -> Path:
    """Where a path is, without `..`; what lies there may be a link."""
    return path.resolve() if path.name in ("", "..") else path.parent.resolve() / path.name


def _within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
