"""What each student gets: the grades of a reports' folder, brought down to one per student.

Which of several attempts counts is the lab's policy, which every grade carries. A grade that may
not leave the house yet holds its student back; so does whatever cannot be told for certain.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.final import marked_points, unmarked
from harness.gradebook import Gradebook, last_cohort
from harness.handed_in import FILE, HandedIn, Student, same_name
from harness.marks import read_marks, shown_in
from harness.results import FORMAT_VERSION

LAST, BEST = "last", "best"
_OF_ANOTHER_LAB: Mapping[str, Any] = {
    "held_back": "it was graded with another lab, or with what this one was before",
    "remedy": "grade it again, or move its folder out of the reports",
}
_MARKED_SINCE: Mapping[str, Any] = {
    "held_back": "its marks were changed after the grade was made of them",
    "remedy": "run `harness grade` again: nothing is run for it",
}
_NEVER = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class Line:
    """How some of the points come about.

    Attributes:
        text: for the student, in the lab's language.
        points: earned, or taken off; None while they are not known.
        max_points: that could be earned; None where that is nothing to earn.
    """

    text: str
    points: float | None
    max_points: float | None = None

    def shown(self, number: Callable[[float], str] = "{:g}".format) -> str:
        """The line with its numbers."""
        if self.points is None:
            return self.text
        of = "" if self.max_points is None else f" / {number(self.max_points)}"
        return f"{self.text}: {number(self.points)}{of}"


@dataclass(frozen=True)
class Graded:
    """What an export needs of the grade of one submission.

    Attributes:
        folder: its folder in the reports' folder.
        submission: its name.
        students: whose it is; empty where nobody is named.
        attempt: the number of the attempt, from 1.
        at: when it was handed in, if that is known.
        late: whether it was marked as late.
        automatic: points of the checks; None where it could not be judged.
        answers: points of written answers; None where there are none, or some are not marked.
        points: what the student gets; None while it is held back.
        max_points: what could be had.
        lines: how the points come about.
        held_back: why the grade may not leave the house; empty where it may.
        remedy: what to do about that; empty where there is nothing to say.
        policy: which attempt counts, `last` or `best`.
        lab: digest of the lab that it was graded with.
    """

    folder: str
    submission: str
    students: tuple[Student, ...]
    attempt: int
    at: datetime | None
    late: bool
    automatic: float | None
    answers: float | None
    points: float | None
    max_points: float
    lines: tuple[Line, ...]
    held_back: str
    remedy: str = ""
    policy: str = LAST
    lab: str = ""

    @property
    def report(self) -> str:
        """The report, relative to the reports' folder."""
        return f"{self.folder}/report.html"


@dataclass(frozen=True)
class Total:
    """What one student gets.

    Attributes:
        student: who; empty where nobody is named.
        graded: the submission that counts.
        held_back: why nothing may be written for this student; empty where it may.
    """

    student: Student
    graded: Graded
    held_back: str = ""

    @property
    def points(self) -> float | None:
        """The points; None while they are held back."""
        return None if self.held_back else self.graded.points

    @property
    def who(self) -> str:
        """The student for people."""
        known = self.student.name or self.student.email or self.student.id
        return known or self.graded.submission


def folders_of(reports: Path) -> list[str]:
    """The names of the folders that hold a grade, sorted.

    Raises:
        UsageError: there are none.
    """
    if not reports.is_dir():
        raise UsageError(f"{reports}: expected the folder that `harness grade` left, found nothing")
    found = sorted(p.parent.name for p in reports.glob("*/grade.json"))
    if not found:
        raise UsageError(f"{reports}: no grade here; expected FOLDER/grade.json of `harness grade`")
    return found


def read_grade(reports: Path, folder: str) -> dict[str, Any]:
    """The grade in one folder.

    Raises:
        UsageError: it is damaged or of another version.
    """
    path = reports / folder / "grade.json"
    try:
        grade = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); run `harness grade` again") from None
    if not isinstance(grade, dict) or grade.get("format_version") != FORMAT_VERSION:
        raise UsageError(
            f"{path}: expected a grade of format version {FORMAT_VERSION}, found something else; "
            "run `harness grade` again"
        )
    return grade


def read_graded(reports: Path) -> Iterator[Graded]:
    """What exports need of each grade of a reports' folder, one after another.

    A grade of another lab than the last cohort's, as one that was left from the lab before or was
    not graded again with the others, is held back; so is one that does not show the marks of now,
    as where the machine stopped between the two.

    Raises:
        UsageError: there are no grades, a grade or its marks are damaged, or a grader is at work
            there.
    """
    folders = folders_of(reports)
    book = Gradebook(reports)
    if (reports / ".lock").exists():
        with book.locked():
            pass
    found = [_read(book, folder) for folder in folders]
    last = set(last_cohort(reports))
    labs = {one.lab for one in found if one.submission in last} or {one.lab for one in found}
    for one in found:
        yield one if one.lab in labs else replace(one, points=None, **_OF_ANOTHER_LAB)


def _read(book: Gradebook, folder: str) -> Graded:
    grade = read_grade(book.folder, folder)
    graded = graded_of(book.folder, folder, grade)
    questions = grade.get("questions", ())
    if shown_in(questions, read_marks(book, grade["submission"])):
        return graded
    return replace(graded, points=None, **_MARKED_SINCE)


def graded_of(reports: Path, folder: str, grade: Mapping[str, Any]) -> Graded:
    """What exports need of one grade."""
    told = grade.get("handed_in")
    handed_in = HandedIn.from_json(grade["submission"], told) if told else HandedIn("")
    final = grade.get("final") or {}
    judged = grade["outcome"] == "judged"
    return Graded(
        folder=folder,
        submission=grade["submission"],
        students=handed_in.students,
        attempt=handed_in.attempt,
        at=handed_in.at,
        late=handed_in.late,
        automatic=grade["points"] if judged else None,
        answers=marked_points(grade.get("questions", ())),
        points=final.get("points"),
        max_points=final.get("max_points", grade["max_points"]),
        lines=lines_of(final),
        held_back=_held_back(grade, final, judged),
        remedy=_remedy(reports, grade, judged),
        policy=final.get("attempts", LAST),
        lab=grade["digests"]["lab"],
    )


def lines_of(final: Mapping[str, Any]) -> tuple[Line, ...]:
    """The lines of the key `final` of a grade."""
    return tuple(
        Line(sys.intern(line["text"]), line["points"], line.get("max_points"))
        for line in final.get("lines", ())
    )


def _held_back(grade: Mapping[str, Any], final: Mapping[str, Any], judged: bool) -> str:
    if not judged:
        told = final.get("held_back") or "not judged"
        reason = grade["run"]["message"]
        return f"{told} ({reason})" if reason else str(told)
    if final.get("held_back"):
        return str(final["held_back"])
    if final.get("points") is None:
        return "it has no final points; run `harness grade` again"
    return ""


def _remedy(reports: Path, grade: Mapping[str, Any], judged: bool) -> str:
    if not judged:
        return "`harness grade` tries what could not be judged again"
    if any(map(unmarked, grade.get("questions", ()))):
        return f"mark the written answers with `harness mark --out {reports}`"
    told = grade.get("handed_in") or {}
    if told.get("late") and not told["submitted_at"]:
        return f"write submitted_at into {FILE} and run `harness grade`"
    return ""


def totals(graded: Iterable[Graded]) -> list[Total]:
    """What each student gets, sorted by submission and then as the students are named."""
    by_student: dict[tuple[str, str], list[tuple[Student, Graded]]] = {}
    for one in graded:
        # A person may be written twice beside one submission.
        for student in dict.fromkeys(one.students or (Student(),)):
            by_student.setdefault(_identity(student, one), []).append((student, one))
    found = [_total(entries) for entries in by_student.values()]
    return sorted(found, key=lambda total: total.graded.submission)


def _identity(student: Student, graded: Graded) -> tuple[str, str]:
    """What two entries of one student have in common."""
    if student.id:
        return "id", student.id
    if student.email:
        return "email", student.email.casefold()
    if student.name:
        return "name", same_name(student.name)
    return "submission", graded.folder


def _total(entries: Sequence[tuple[Student, Graded]]) -> Total:
    student = entries[-1][0]
    attempts = [graded for _, graded in entries]
    latest = max(attempts, key=_when)
    if len(attempts) == 1:
        return Total(student, latest, latest.held_back)
    if problem := _people(entries) or _conflict(attempts):
        return Total(student, latest, problem)
    if latest.policy == LAST:
        return Total(student, latest, latest.held_back)
    for graded in attempts:
        if graded.held_back:
            text = f"the best attempt counts, and {graded.submission} is held back: "
            return Total(student, graded, text + graded.held_back)
    return Total(student, max(attempts, key=lambda one: (one.points or 0.0, _when(one))))


def letters_of(name: str) -> str:
    """What is left of a name whatever a system does to order, capitals and marks in it."""
    return "".join(sorted(letter for letter in same_name(name) if letter.isalnum()))


def _people(entries: Sequence[tuple[Student, Graded]]) -> str:
    """Why it may be more than one person, as where an id is written for two; else empty."""
    names = {letters_of(student.name): student.name for student, _ in entries if student.name}
    if len(names) < 2:
        return ""
    found, where = sorted(names.values()), sorted(graded.submission for _, graded in entries)
    return (
        f"{', '.join(found)} have the same id or address ({', '.join(where)}); correct "
        "students.csv and grade again"
    )


def _when(graded: Graded) -> tuple[int, datetime]:
    return graded.attempt, graded.at or _NEVER


def _conflict(attempts: Sequence[Graded]) -> str:
    """Why it cannot be told which attempt counts; empty where it can."""
    names = ", ".join(sorted(one.submission for one in attempts))
    if len({one.policy for one in attempts}) > 1:
        return f"graded under different policies ({names}); run `harness grade` again"
    if len({_when(one) for one in attempts}) == len(attempts) and _same_people(attempts):
        return ""
    if len({one.attempt for one in attempts}) == len(attempts):
        return ""
    return (
        f"in several submissions of the same attempt ({names}); "
        "correct students.csv and grade again"
    )


def _same_people(attempts: Sequence[Graded]) -> bool:
    """Whether all are the same people's, at known times: then the times tell them apart.

    Two people may have one name, so an id or an address is needed.
    """
    people = {frozenset(_identity(s, one) for s in one.students) for one in attempts}
    named = all(kind in ("id", "email") for who in people for kind, _ in who)
    return named and len(people) == 1 and all(one.at for one in attempts)
