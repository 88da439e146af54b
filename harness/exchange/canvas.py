"""Canvas's archive of all submissions of an assignment.

Names, from Canvas's `lib/content_zipper.rb`:

- `<name>[_LATE]_<user>_<attachment>_<original name>`, where the name is the sortable one, in small
  letters, without what is neither letter, digit nor `_` ("Doe, Jane" is `doejane`), or a group's;
- with anonymous grading, `[LATE_]anon_<id>_<attachment>_<original name>` for all of them;
- what was typed in is `<name>[_LATE]_<user>_text.html`, an address `…_link.html`;
- a file that a student hands in again under its old name is called `name-1.py`, `name-2.py` there
  (`Attachment.make_unique_filename`).

The archive has no times. `Student.id` is the number that Canvas gives the user, the column `ID` of
its gradebook; with anonymous grading it is the anonymous id, which the gradebook does not have.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from harness.errors import UsageError
from harness.exchange.columns import CanvasColumns, canvas_columns
from harness.exchange.entries import Entries, Entry
from harness.exchange.found import Attempt, Context, File, Found, Reading
from harness.handed_in import Student, same_name

_NAMED = re.compile(
    r"(?P<who>.*?)(?P<late>_LATE)?_(?P<id>\d+)_(?:(?P<number>\d+)_(?P<file>.+)|(?P<typed>text|link)\.html)",
    re.DOTALL,
)
_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<who>anon)_(?P<id>[^_]+)_"
    r"(?:(?P<number>\d+)_(?P<file>.+)|(?P<typed>text|link)\.html)",
    re.DOTALL,
)
# Names that the grader looks for; only of these is a counter known to be Canvas's.
_COUNTED = re.compile(r"(?P<stem>submission|answers)-(?P<count>\d+)(?P<ending>\.(py|ipynb|md))")


def recognises(entries: Entries) -> bool:
    """Whether some name at the top is of Canvas's form."""
    return any(
        len(e.parts) == 1 and (_NAMED.fullmatch(e.parts[0]) or _ANONYMOUS.fullmatch(e.parts[0]))
        for e in entries.files
    )


def read(entries: Entries, context: Context) -> Reading:
    """Sort the files of an archive by user.

    Raises:
        UsageError: more than one gradebook is given, or what is given is none.
    """
    reading = Reading()
    if len(context.sheets) > 1:
        raise UsageError("--sheet is given twice; Canvas has one gradebook")
    sheet = canvas_columns(context.sheets[0]) if context.sheets else None
    anonymous = all(_ANONYMOUS.fullmatch(entry.parts[0]) for entry in entries.files)
    form = _ANONYMOUS if anonymous else _NAMED
    whose: dict[tuple[str, str], list[tuple[re.Match[str], Entry]]] = {}
    for entry in entries.files:
        match = form.fullmatch(entry.parts[0]) if len(entry.parts) == 1 else None
        if match:
            whose.setdefault((match["who"], match["id"]), []).append((match, entry))
        else:
            reading.unmatched.append((entry, "its name is not as Canvas writes names"))
    for (who, user), files in sorted(whose.items()):
        reading.found.append(_found("" if anonymous else who, user, files, sheet, anonymous))
    reading.remarks.append("Canvas's archive has no times; submitted_at is left empty")
    if sheet and anonymous:
        reading.remarks.append("anonymous: the gradebook does not tell who is who")
    return reading


def _found(
    who: str,
    user: str,
    files: list[tuple[re.Match[str], Entry]],
    sheet: CanvasColumns | None,
    anonymous: bool,
) -> Found:
    student, doubts = Student(user, who), []
    if sheet and who:
        if user not in sheet.rows_by_id:
            doubts.append(f"user {user} ({who!r}) is not in the gradebook")
        else:
            row = sheet.rows_by_id[user]
            name, login = sheet.name(row), sheet.of(row, "login")
            student = Student(user, name, login if "@" in login else "")
            if _in_archive(name) != same_name(who):
                doubts.append(
                    f"the gradebook calls user {user} {name!r}, the archive {who!r}: a group? then "
                    "add a row per member to students.csv"
                )
    label = student.name if who else "anonymous" * anonymous
    typed = all(match["typed"] for match, _ in files)
    notes = ["typed into Canvas, no file"] if typed else []
    attempts = tuple(_attempts(files))
    return Found(label, user, (student,), attempts, tuple(notes), tuple(doubts))


def _in_archive(name: str) -> str:
    """A sortable name as Canvas puts it into the names of files."""
    return same_name("".join(c for c in name if c == "_" or c.isalnum() or not c.isascii()))


def _attempts(files: list[tuple[re.Match[str], Entry]]) -> list[Attempt]:
    """The versions of a student's work: the number of an attachment grows from one to the next.

    A name that is there twice, but for Canvas's counter, was handed in again; the files of an
    attempt are, for each name, the last one up to then.
    """
    versions: dict[str, dict[int, list[File]]] = {}
    late = any(match["late"] for match, _ in files)
    for match, entry in files:
        inside = _uncounted(match["file"] or f"{match['typed']}.html")
        known = versions.setdefault(inside, {})
        known.setdefault(int(match["number"] or 0), []).append(File(entry, (inside,)))
    ends = sorted({number for found in versions.values() for number in sorted(found)[1:]})
    attempts = []
    for order, end in enumerate((*ends, None)):
        last: list[File] = []
        for found in versions.values():
            so_far = [number for number in found if end is None or number < end]
            last += found[max(so_far)] if so_far else []
        attempts.append(Attempt(tuple(last), (order,), late=late))
    return attempts


def _uncounted(name: str) -> str:
    match = _COUNTED.fullmatch(PurePosixPath(name).name)
    return match["stem"] + match["ending"] if match else name
