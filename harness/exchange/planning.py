"""Which submissions there will be, what they are called, and what is in them."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from harness.archives import ENDINGS, is_closed_archive
from harness.exchange.entries import Entry
from harness.exchange.found import Attempt, Found
from harness.exchange.names import distinct, file_parts, submission_name
from harness.handed_in import HandedIn, Student, is_kept
from harness.opened import open_submission
from harness.starters import is_untouched
from harness.submission import MAX_BYTES, MAX_FILES, NOTEBOOK, SCRIPT, Submission

_CODE = (".py", ".ipynb")
_NAMES = (SCRIPT, NOTEBOOK)
# How programs call a file whose name is taken: "submission (1).py", "submission-2.py".
_COPY = re.compile(r"submission\W.*\.(py|ipynb)", re.IGNORECASE | re.DOTALL)
_MAX_NESTED = 4


class Kind(Enum):
    """How the grader will find the code of a submission."""

    NAMED = "under its own name"
    RENAMED = "under another name"
    NESTED = "in an archive within"
    BOTH = "as script and as notebook"
    UNCLEAR = "not by itself"


@dataclass(frozen=True)
class Shape:
    """How code will be found, the files that matter for it, and what to say of it."""

    kind: Kind
    files: tuple[tuple[str, ...], ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Planned:
    """A submission to be written.

    Attributes:
        row: its row of `students.csv`, as the archive tells it.
        files: where each file of the archive goes, below the submission's folder.
        shape: how the grader will find the code.
        said: what the account says of its files.
        unclear: the same, where it needs a person's eye.
        doubts: what needs a person's eye of whose it is.
    """

    row: HandedIn
    files: tuple[tuple[Entry, tuple[str, ...]], ...]
    shape: Shape
    said: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """All submissions, and the files of attempts that do not count."""

    submissions: tuple[Planned, ...]
    earlier: tuple[Entry, ...]


def plan(found: Iterable[Found], known: Iterable[HandedIn], *, every_attempt: bool) -> Plan:
    """Decide on names and files.

    Args:
        found: what the archive has.
        known: rows of earlier imports, whose names are kept for the same students.
        every_attempt: make a submission of each attempt; else the last one counts.
    """
    names = _known_names(known)
    ordered = sorted((f.with_attempts() for f in found), key=lambda f: (f.label, f.key))
    here = {_who(one.students) for one in ordered}
    taken = {name.casefold() for who, name in names.items() if who in here}
    used: set[str] = set()
    planned: list[Planned] = []
    earlier: list[Entry] = []
    for one in ordered:
        name = names.get(_who(one.students), "")
        if not name or is_kept(name) or name.casefold() in used:
            name = _free(submission_name(one.label, one.key), taken | used)
        used.add(name.casefold())
        if every_attempt:
            planned += [
                _planned(one, f"{name}.attempt{number}", number, attempt)
                for number, attempt in enumerate(one.attempts, start=1)
            ]
            continue
        last = one.attempts[-1]
        planned.append(_planned(one, name, len(one.attempts), last))
        kept = {id(file.entry) for file in last.files}
        rest = {id(f.entry): f.entry for a in one.attempts for f in a.files}
        earlier += [entry for key, entry in rest.items() if key not in kept]
    return Plan(tuple(planned), tuple(earlier))


def _who(students: Sequence[Student]) -> frozenset[str]:
    """What tells a student or group from others: ids, and names where there are none."""
    return frozenset(student.id or f"named {student.name}" for student in students)


def _known_names(known: Iterable[HandedIn]) -> dict[frozenset[str], str]:
    """The name of each student's or group's submission, where only one is theirs."""
    names: dict[frozenset[str], set[str]] = {}
    for row in known:
        who, name = _who(row.students), row.submission
        if who:
            base = name.rpartition(".attempt")[0] if ".attempt" in name else name
            names.setdefault(who, set()).add(base)
    return {who: bases.pop() for who, bases in names.items() if len(bases) == 1}


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free.casefold() in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _planned(found: Found, name: str, number: int, attempt: Attempt) -> Planned:
    said, unclear = [], []
    taken: set[str] = set()
    files = []
    if is_kept(found.label):
        said.append(f"not called {found.label!r}, which means something to the harness")
    for file in sorted(attempt.files, key=lambda file: file.inside):
        target = distinct(_with_plain_ending(file_parts(file.inside)), taken)
        if target != file.inside:
            said.append(f"its file {'/'.join(file.inside)!r} is kept as {'/'.join(target)!r}")
        files.append((file.entry, target))
    shape = _tried({target: entry for entry, target in files})
    if shape.kind in (Kind.UNCLEAR, Kind.BOTH):
        unclear.append(shape.text)
    elif shape.text:
        said.append(shape.text)
    unclear += _doubts_of_code(files)
    if len(found.attempts) > 1 and not name.endswith(f".attempt{number}"):
        said.append(f"attempt {number} of {len(found.attempts)} counts, the last")
    size = sum(entry.path.stat().st_size for entry, _ in files if entry.path)
    if len(files) > MAX_FILES or size > MAX_BYTES:
        unclear.append(
            f"{len(files)} files, {size / 2**20:.0f} MB; at most {MAX_FILES} files and "
            f"{MAX_BYTES / 2**20:.0f} MB are graded"
        )
    note = "; ".join((*found.notes, *said, *found.doubts, *unclear))
    row = HandedIn(name, found.students, attempt.at, attempt.late, number, note)
    return Planned(row, tuple(files), shape, tuple(said), tuple(unclear), found.doubts)


def _tried(files: Mapping[tuple[str, ...], Entry]) -> Shape:
    """What the grader will do with files: where names do not tell, it is tried on the files."""
    shape = shape_of(list(files))
    if shape.kind not in (Kind.NESTED, Kind.BOTH):
        return shape
    with tempfile.TemporaryDirectory(prefix="tried-") as folder:
        given = Path(folder) / "given"
        for parts, entry in files.items():
            if entry.path:  # links have none
                given.joinpath(*parts).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(entry.path, given.joinpath(*parts))
        if shape.kind is Kind.BOTH:
            untouched = sum(is_untouched(given.joinpath(*parts)) for parts in shape.files)
            return Shape(Kind.NAMED) if untouched == 1 else shape
        tried = open_submission(Submission(given.name, given), Path(folder) / "tried")
        problem = tried.source.problem
        return Shape(Kind.UNCLEAR, (), problem) if problem else shape


def _doubts_of_code(files: Iterable[tuple[Entry, tuple[str, ...]]]) -> Iterator[str]:
    """What may have gone wrong when code was handed in."""
    names = {parts for _, parts in files}
    for entry, parts in files:
        is_copy = _COPY.fullmatch(parts[-1]) and names & {(*parts[:-1], n) for n in _NAMES}
        if is_copy:
            yield f"{parts[-1]!r} is there, too, and will not be run: which one is meant?"
        elif parts[-1] in _NAMES and entry.path and not entry.path.stat().st_size:
            yield f"its {parts[-1]} is empty; ask for it again"


def _with_plain_ending(parts: tuple[str, ...]) -> tuple[str, ...]:
    """`LAB.PY` as `LAB.py`: the grader knows small letters only."""
    *folders, name = parts
    path = PurePosixPath(name)
    if path.suffix.lower() in _CODE and path.suffix not in _CODE:
        name = path.stem + path.suffix.lower()
    return (*folders, name)


def shape_of(files: Sequence[tuple[str, ...]]) -> Shape:
    """What the grader will do with files of these names (`harness.submission.prepare`)."""
    # It does not look into these folders.
    seen = [parts for parts in files if not any(part.startswith(".") for part in parts[:-1])]
    depth = 0
    for _level in range(_MAX_NESTED):
        here = [parts for parts in seen if len(parts) == depth + 1]
        code = [p for p in here if p[-1].endswith(_CODE) and not p[-1].startswith((".", "_"))]
        if code:
            return _among(code)
        if len({parts[depth] for parts in seen}) == 1 and not here:
            depth += 1
            continue
        archives = [parts for parts in here if parts[-1].lower().endswith(ENDINGS)]
        if len(archives) == 1:
            text = f"the archive {archives[0][-1]!r} will be unpacked"
            return Shape(Kind.NESTED, (archives[0],), text)
        break
    closed = [parts[-1] for parts in seen if is_closed_archive(parts[-1])]
    if closed:
        return Shape(Kind.UNCLEAR, (), f"{closed[0]!r} cannot be unpacked here; do it by hand")
    names = ", ".join("/".join(parts) for parts in seen[:5]) or "no file"
    return Shape(Kind.UNCLEAR, (), f"no code at the top; found {names}")


def _among(code: Sequence[tuple[str, ...]]) -> Shape:
    named = [parts for parts in code if parts[-1] in _NAMES]
    if len(named) == 2:
        text = f"{SCRIPT} and {NOTEBOOK} are both there, and both are work; {SCRIPT} will be run"
        return Shape(Kind.BOTH, tuple(named), text)
    if named:
        return Shape(Kind.NAMED)
    if len(code) == 1:
        return Shape(Kind.RENAMED, (code[0],), f"its only code, {code[0][-1]!r}, will be run")
    found = ", ".join(sorted(parts[-1] for parts in code))
    return Shape(
        Kind.UNCLEAR,
        (),
        f"several files could be meant ({found}); rename one to {SCRIPT} or {NOTEBOOK}",
    )
