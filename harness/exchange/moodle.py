"""Moodle's archive of all submissions of an assignment.

Names, from Moodle's `mod/assign/classes/downloader.php` (before 4.1: `mod/assign/locallib.php`):

- with folders, `<Full name>_<participant>_assignsubmission_<kind>/<path>`; before 4.1 the folder's
  name ends in one more `_`;
- without folders, `<Full name>_<participant>_assignsubmission_<kind>_<name>`;
- blind marking has the site's word for "Participant" in place of the name;
- groups have `<group>_<number of the group>`, the default group has no number;
- the kind is `file`, or `onlinetext` for what was typed into Moodle;
- a `_` in a name becomes a space, and characters that file systems forbid are left out.

The archive has the last attempt of each, and no times: those are in the offline grading worksheet.
`Student.id` is the participant's number, which the worksheet calls "Participant 123".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from harness.errors import UsageError
from harness.exchange.columns import Columns, moodle_columns, participant
from harness.exchange.entries import Entries
from harness.exchange.found import Attempt, Context, File, Found, Reading, some
from harness.exchange.times import read_times
from harness.handed_in import Student, same_name

_WHOSE = re.compile(
    r"(?P<who>.*?)(?:_(?P<id>\d+))?_assignsubmission_(?P<kind>[a-z0-9]+)(?:_(?P<rest>.*))?",
    re.DOTALL,
)
_LEFT_OUT = re.compile(r"[&<>\"`|':\\/\x00-\x1f]")


def recognises(entries: Entries) -> bool:
    """Whether some name is of Moodle's form."""
    return any(_WHOSE.fullmatch(entry.parts[0]) for entry in entries.files)


def read(entries: Entries, context: Context) -> Reading:
    """Sort the files of an archive by participant or group.

    Raises:
        UsageError: more than one worksheet is given, or what is given is none.
    """
    reading = Reading()
    whose: dict[tuple[str, str], list[File]] = {}
    for entry in entries.files:
        match = _WHOSE.fullmatch(entry.parts[0])
        rest = match["rest"] or "" if match else ""
        if match and len(entry.parts) > 1 and not rest:
            inside = entry.parts[1:]
        elif match and len(entry.parts) == 1 and rest:
            inside = (rest,)
        else:
            reading.unmatched.append((entry, "its name is not as Moodle writes names"))
            continue
        whose.setdefault((match["who"], match["id"] or ""), []).append(File(entry, inside))
    blind = len(whose) > 1 and len({who for who, _ in whose}) == 1
    sheet = _Worksheet.read(context)
    for (who, number), files in sorted(whose.items()):
        nameless = blind or bool(sheet and _same(sheet.word, who))
        reading.found.append(_found(who, number, files, sheet, blind=nameless))
    if sheet:
        reading.remarks += sheet.remarks(
            context, {student.id for f in reading.found for student in f.students}
        )
    else:
        reading.remarks.append(
            "Moodle's archive has no times; with --sheet (the offline grading worksheet) it has"
        )
    return reading


@dataclass(frozen=True)
class _Row:
    name: str
    email: str
    group: str
    submitted: str


@dataclass(frozen=True)
class _Worksheet:
    """Moodle's offline grading worksheet, by participant; the site's word for one."""

    columns: Columns
    rows: Mapping[str, _Row]
    times: Mapping[str, datetime | None]
    word: str

    @classmethod
    def read(cls, context: Context) -> _Worksheet | None:
        if len(context.sheets) > 1:
            raise UsageError("--sheet is given twice; Moodle has one offline grading worksheet")
        if not context.sheets:
            return None
        columns = moodle_columns(context.sheets[0], context.said)
        rows, word = {}, ""
        for row in range(len(columns.sheet.rows)):
            identifier = columns.of(row, "identifier")
            number = participant(identifier)
            word = identifier.removesuffix(number).strip()
            rows[number] = _Row(
                *(columns.of(row, meaning) for meaning in ("name", "email", "group", "submitted"))
            )
        times = read_times((row.submitted for row in rows.values()), context.zone)
        return cls(columns, rows, times, word)

    def remarks(self, context: Context, seen: set[str]) -> Iterator[str]:
        """What is to be said of the sheet as a whole."""
        if "submitted" not in self.columns.places:
            yield (
                f"{self.columns.sheet.path.name}: no column was recognised as the time of "
                f"submission; found {', '.join(self.columns.sheet.header)}; say which one it is: "
                "--column submitted=HEADING"
            )
        elif any(self.times.values()):
            yield f"times of the sheet were read as {context.zone} ({context.zone_from})"
        if left := [text for text, time in self.times.items() if time is None]:
            yield (
                f"{len(left)} times of the sheet have no one reading, such as {left[0]!r}; they "
                "are left empty"
            )
        without = [row.name or number for number, row in self.rows.items() if number not in seen]
        if without:
            yield f"in the sheet, without a file in the archive ({len(without)}): {some(without)}"


def _found(
    who: str, number: str, files: list[File], sheet: _Worksheet | None, *, blind: bool
) -> Found:
    row = sheet.rows.get(number) if sheet else None
    confirmed = row is not None and _same(row.name, who)
    if sheet and not confirmed and (members := _members(who, sheet)):
        students = tuple(Student(n, r.name, r.email) for n, r in members.items())
        times = {sheet.times.get(r.submitted) for r in members.values()}
        at = times.pop() if len(times) == 1 else None
        return Found(who, number, students, (Attempt(tuple(files), at=at),))
    notes, doubts = [], []
    name = "" if blind else who
    at = sheet.times.get(row.submitted) if sheet and row else None
    email = ""
    if row and (blind or confirmed or not row.name):
        name, email = row.name or name, row.email
    elif row:
        doubts.append(f"the sheet calls participant {number} {row.name!r}, the archive {who!r}")
        at = None
    elif sheet:
        doubts.append(f"{who!r} is not in the sheet, neither as a participant nor as a group")
    if all("_assignsubmission_onlinetext" in file.entry.parts[0] for file in files):
        notes.append("typed into Moodle, no file")
    student = Student(number, name, email)
    return Found(
        name or who,
        number,
        (student,),
        (Attempt(tuple(files), at=at),),
        tuple(notes),
        tuple(doubts),
    )


def _members(who: str, sheet: _Worksheet) -> dict[str, _Row]:
    return {n: row for n, row in sheet.rows.items() if row.group and _same(row.group, who)}


def _same(of_sheet: str, of_archive: str) -> bool:
    """Whether a name of the sheet becomes this one in the archive."""
    return _cleaned(of_sheet) == _cleaned(of_archive)


def _cleaned(name: str) -> str:
    return same_name(re.sub(r"\.\.+", "", _LEFT_OUT.sub("", name.replace("_", " "))))
