"""Who handed in what, and when: `students.csv` beside the submissions.

`harness import` writes the table, a person may correct it, and grading reads it. It has a row per
student of a submission (the members of a group are rows with one `submission`)::

    submission,id,name,email,submitted_at,late,attempt,note
    doe-jane,1234,Jane Doe,jane@example.org,2026-12-04T22:10:00+01:00,,1,

`id` is what the learning-management system calls the student; `submitted_at` is ISO 8601 with its
offset from UTC, empty where the archive does not tell; `late` is `yes` where the system marked the
submission as late.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.errors import UsageError, suggest
from harness.texts import from_cell, plain_cell, visible

FILE = "students.csv"
COLUMNS = ("submission", "id", "name", "email", "submitted_at", "late", "attempt", "note")
_YES = ("yes", "true", "1", "x")
_NO = ("", "no", "false", "0")
# What a lab, a kit, a table of students and the reports are called: no submission is called so.
_KEPT = frozenset(
    {"lab.yaml", "fixtures", "golden", "calibration", "models", "images", "datasets"}
    | {FILE, "kit.json", "reports"}
)
_HEADER_BYTES = 4096


@dataclass(frozen=True)
class Student:
    """A person as the learning-management system knows them; what it does not tell is empty."""

    id: str = ""
    name: str = ""
    email: str = ""

    def to_json(self) -> dict[str, str]:
        """The student as plain data."""
        return {"id": self.id, "name": self.name, "email": self.email}


@dataclass(frozen=True)
class HandedIn:
    """One submission as it was handed in.

    Attributes:
        submission: its name, which reports are filed under.
        students: whose it is; several for a group.
        at: when, with its offset from UTC; None where that is not known.
        late: whether the learning-management system marked it as late.
        attempt: the number of the attempt, from 1.
        note: what importing noticed.
    """

    submission: str
    students: tuple[Student, ...] = ()
    at: datetime | None = None
    late: bool = False
    attempt: int = 1
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """What a grade keeps of it."""
        return {
            "students": [student.to_json() for student in self.students],
            "submitted_at": self.at.isoformat() if self.at else None,
            "late": self.late,
            "attempt": self.attempt,
        }

    @classmethod
    def from_json(cls, submission: str, data: Mapping[str, Any]) -> HandedIn:
        """Read what `to_json` wrote."""
        at = data["submitted_at"]
        return cls(
            submission,
            tuple(Student(**student) for student in data["students"]),
            datetime.fromisoformat(at) if at else None,
            data["late"],
            data["attempt"],
        )


def same_name(one: str) -> str:
    """A name in the form in which two that people take for the same are equal."""
    return unicodedata.normalize("NFKC", " ".join(one.split())).casefold()


def is_kept(name: str) -> bool:
    """Whether a name means something to the harness, so that no submission can have it."""
    return same_name(name) in _KEPT


def has_table(folder: Path) -> bool:
    """Whether a folder has a table of students as `write_table` makes it, by its first line."""
    try:
        with (folder / FILE).open("rb") as stream:
            first = stream.read(_HEADER_BYTES).partition(b"\n")[0].decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    return COLUMNS[0] in re.split(r'[,;\t"\s]+', first.lower())


def write_table(path: Path, table: Iterable[HandedIn]) -> None:
    """Write the table as UTF-8 with a mark that spreadsheets understand."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for entry in table:
        at = entry.at.isoformat() if entry.at else ""
        late = "yes" if entry.late else ""
        for student in entry.students or (Student(),):
            texts = (student.id, student.name, student.email, entry.note)
            *who, note = (plain_cell(visible(text)) for text in texts)
            # The folder's own name, by which it is found again.
            row = [plain_cell(entry.submission), *who, at, late, entry.attempt, note]
            writer.writerow(row)
    path.write_text(text.getvalue(), "utf-8-sig", newline="", errors="backslashreplace")


def read_table(folder: Path) -> dict[str, HandedIn]:
    """The table beside the submissions, by submission; empty where there is none.

    Raises:
        UsageError: with file, line, what was found and what is expected.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    found: dict[str, HandedIn] = {}
    for line, row in rows_of(path, COLUMNS[:1], COLUMNS):
        entry = _entry(row, f"{path}:{line}")
        if not entry.submission:
            continue
        known = found.setdefault(entry.submission, replace(entry, students=()))
        if replace(known, students=(), note="") != replace(entry, students=(), note=""):
            raise UsageError(
                f"{path}:{line}: {entry.submission!r} was handed in at another time, or as another "
                "attempt, than the row above it says; make them equal"
            )
        students = (*known.students, *entry.students)
        found[entry.submission] = replace(known, students=students)
    return found


def rows_of(
    path: Path, required: Sequence[str], allowed: Sequence[str]
) -> Iterable[tuple[int, Mapping[str, str]]]:
    """Line and cells of each row of a table that a person may have edited in a spreadsheet.

    Commas, semicolons and tabs separate cells; columns may stand in any order.

    Raises:
        UsageError: it cannot be read, or a column is missing or unknown.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8; save it as CSV UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = _rows(text, separator, path)
    header = [name.strip().lower() for name in next(rows, (1, []))[1]]
    for name in required:
        if name not in header:
            raise UsageError(
                f"{path}:1: no column {name!r}; found {', '.join(header) or 'an empty file'}"
            )
    for name in header:
        if name and name not in allowed:
            raise UsageError(f"{path}:1: unknown column {name!r}; {suggest(name, allowed)}")
    for line, row in rows:
        cells = dict(zip(header, (from_cell(value.strip()) for value in row), strict=False))
        if any(cells.values()):
            yield line, {name: cells.get(name, "") for name in allowed}


def _rows(text: str, separator: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        told = f"not a table ({error}); look for a quote without its end"
        raise UsageError(f"{path}:{reader.line_num}: {told}") from None


def _entry(row: Mapping[str, str], where: str) -> HandedIn:
    student = Student(row["id"], row["name"], row["email"])
    attempt = row["attempt"] or "1"
    if not (attempt.isascii() and attempt.isdigit() and int(attempt) > 0):
        raise UsageError(f"{where}: attempt is {attempt!r}, expected a whole number from 1")
    late = row["late"].lower()
    if late not in (*_YES, *_NO):
        raise UsageError(f"{where}: late is {row['late']!r}, expected yes, or nothing")
    return HandedIn(
        row["submission"],
        (student,) if any(student.to_json().values()) else (),
        _time(row["submitted_at"], where),
        late in _YES,
        int(attempt),
        row["note"],
    )


def _time(text: str, where: str) -> datetime | None:
    if not text:
        return None
    try:
        # Python 3.10 does not know Z.
        found = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise UsageError(
            f"{where}: submitted_at is {text!r}, expected a time with its offset from UTC, such "
            "as 2026-12-04T22:10:00+01:00, or nothing where it is not known"
        )
    return found
