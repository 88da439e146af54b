"""Many submissions: graded side by side, stored one by one, taken up again where they stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from harness.engine import Answer, Engine, Failure, Part, answer, handed_in_of, run_all
from harness.errors import GradingError
from harness.finding import folder_of_submissions, is_single, table_folder
from harness.gradebook import Gradebook, summary
from harness.grading import Grader, Stored, fault, grade_or_not
from harness.handed_in import FILE, read_table
from harness.kitfiles import foreign_labs
from harness.lab import Lab
from harness.marks import locked, stored_marks
from harness.policy import unfitting_extensions
from harness.report import write_index
from harness.submission import (
    Submission,
    closed_archives,
    passed_over,
    sentence_of_passed_over,
)
from harness.written import refreshed, remarked


@dataclass(frozen=True)
class Change:
    """A grade that is not what it was.

    Attributes:
        submission: its name.
        before: points of before; of a total, None while it is held back.
        after: the same now.
        checks: the checks whose points changed, by id.
        of_total: whether it is the total that changed, and not what it is made of.
    """

    submission: str
    before: float | None
    after: float | None
    checks: tuple[str, ...]
    of_total: bool = False


@dataclass(frozen=True)
class Done:
    """One submission of the cohort.

    Attributes:
        grade: its summary.
        kept: whether the stored grade still held.
        ran: whether student code was run.
        change: how the points, or the total, have changed since the last time, if they have.
    """

    grade: Mapping[str, Any]
    kept: bool = False
    ran: bool = False
    change: Change | None = None


def told_before(lab: Lab, submissions: Sequence[Submission], folder: Path) -> list[str]:
    """What does not fit together among the submissions, their table and the extensions.

    Raises:
        UsageError: an extension fits several students.
    """
    is_cohort = folder.is_dir() and not is_single(folder)
    table = read_table(folder) if is_cohort and table_folder(folder) else {}
    known = [one.handed_in for one in submissions if one.handed_in]
    notes = [
        f"extension of {name!r}: nobody here is called so"
        for name in unfitting_extensions(lab.policy, known)
    ]
    if closed := closed_archives(folder):
        notes.append(
            f"not graded, as nothing opens them here: {', '.join(closed[:10])}; unpack them into "
            "folders, or ask for .zip"
        )
    notes += _ignored(lab, submissions, folder)
    if lab.policy.late:
        timeless = [s.name for s in submissions if s.handed_in is None or s.handed_in.at is None]
        if timeless:
            shown = ", ".join(timeless[:5]) + ", …" * (len(timeless) > 5)
            notes.append(
                f"when {len(timeless)} of {len(submissions)} were handed in is unknown ({shown}): "
                f"nothing is taken off for lateness; write submitted_at into {FILE} beside them"
            )
    if table:
        names = {one.name for one in submissions}
        notes += [f"{FILE} has no row of {one.name}" for one in submissions if not one.handed_in]
        notes += [f"{FILE} names {name}, which is not there" for name in table if name not in names]
    return notes


def _ignored(lab: Lab, submissions: Sequence[Submission], folder: Path) -> Iterator[str]:
    """What lies among the submissions and decides nothing, as students may have written it."""
    if names := passed_over(folder):
        yield sentence_of_passed_over(names)
    nearest = folder if folder.is_dir() else folder.parent
    if (nearest / FILE).is_file() and table_folder(folder) is None:
        above = folder_of_submissions(folder)
        yield f"{nearest / FILE} is not read: it lies in {above}, where students write"
    found = {one.name: foreign_labs(one.path, lab.kit) for one in submissions}
    with_labs = [f"{name}/{files[0]}" for name, files in found.items() if files]
    if with_labs:
        shown = ", ".join(with_labs[:5]) + ", …" * (len(with_labs) > 5)
        yield f"labs in what was handed in, not used: {shown}"


def grade_one(grader: Grader, submission: Submission, book: Gradebook) -> Mapping[str, Any]:
    """Grade one submission here, unless its stored grade still holds; its grade, as stored."""
    kept = _kept(grader, submission, book)
    if kept is not None:
        return kept[0]
    name = submission.name
    stored = _stored(submission, book)
    graded = grade_or_not(grader, submission, stored, book.answers(name))
    return _save(grader, book, answer(graded))


def _stored(submission: Submission, book: Gradebook) -> Stored:
    """What is stored of a submission from before."""
    name, handed_in = submission.name, handed_in_of(submission)
    return Stored(book.outputs(name), book.remembered(name), stored_marks(book, name), handed_in)


def _kept(
    grader: Grader, submission: Submission, book: Gradebook
) -> tuple[Mapping[str, Any], Change | None] | None:
    """The stored grade, if it still holds, with marks and policy of now; what those change."""
    kept = book.kept(submission.name, grader.digests(submission), grader.environment)
    if kept is None:
        return None
    with locked(book):
        now = refreshed(book, grader.lab, kept, handed_in_of(submission))
    return now, _change(kept, now)


def _save(grader: Grader, book: Gradebook, made: Answer) -> Mapping[str, Any]:
    """Store what was made; the grade as it is then, should marks have come meanwhile."""
    with locked(book):
        book.save(
            made.grade,
            made.report,
            outputs=made.outputs,
            remembered=made.remembered,
            answers=made.answers,
        )
        return refreshed(book, grader.lab, made.grade, made.grade["handed_in"])


def grade_cohort(
    grader: Grader,
    submissions: Sequence[Submission],
    book: Gradebook,
    engine: Engine,
    on_done: Callable[[Done], None],
    on_public: Callable[[int, int], None] = lambda done, count: None,
) -> list[Mapping[str, Any]]:
    """Grade all submissions whose stored grade does not hold; write index and CSV.

    Where a lab has hidden cases and others, the others are run first, of all submissions.

    Args:
        grader: of the lab; it says what still holds.
        submissions: what to grade.
        book: where to; nobody else may be at work there.
        engine: where the work is done.
        on_done: called from this thread as each submission is done.
        on_public: called from this thread with how many of how many have had their public cases
            run, where the lab has hidden ones.

    Returns:
        summaries of the grades, in the order of the submissions.

    Raises:
        UsageError: another grader is at work in the same folder.
        OSError: the disk is full, for one; what was stored before is whole.
    """
    grades: dict[str, Mapping[str, Any]] = {}

    def done(one: Done) -> None:
        grades[one.grade["submission"]] = one.grade
        on_done(one)

    def to_do() -> Iterator[Submission]:
        for submission in submissions:
            kept = _kept(grader, submission, book)
            if kept is not None:
                grade, change = kept
                done(Done(summary(grade), kept=change is None, change=change))
            else:
                yield submission

    with book.locked(), closing(engine):
        begun = _Begun()
        if grader.in_two_parts:
            begun = _run_public(list(to_do()), book, engine, on_public)
            rest = run_all(engine, iter(begun.rest), book, Part.HIDDEN)
        else:
            rest = run_all(engine, to_do(), book)
        for submission, made in chain(begun.failed, rest):
            if isinstance(made, Exception):
                made = _not_judged(grader, submission, book, made)
            before = book.read(submission.name)
            grade = _save(grader, book, made)
            ran = made.ran or submission.name in begun.ran
            done(Done(summary(grade), ran=ran, change=_change(before, grade)))
        with locked(book, "board"):
            ordered = [remarked(book, grader.lab, grades[one.name]) for one in submissions]
            book.write_csv(ordered)
            write_index(book.index, grader.lab, ordered)
    return ordered


@dataclass(frozen=True)
class _Begun:
    """A cohort whose public cases have been run.

    Attributes:
        rest: the submissions whose hidden cases come next.
        failed: those that could not be run, and why; they are not tried again beside hidden cases.
        ran: names of those whose code was run.
    """

    rest: list[Submission] = field(default_factory=list)
    failed: list[tuple[Submission, Failure]] = field(default_factory=list)
    ran: set[str] = field(default_factory=set)


def _run_public(
    submissions: Sequence[Submission],
    book: Gradebook,
    engine: Engine,
    on_public: Callable[[int, int], None],
) -> _Begun:
    """Run what is not hidden of all submissions and store the outputs; a run that ends goes on."""
    begun = _Begun(rest=list(submissions))
    made_all = run_all(engine, iter(submissions), book, Part.PUBLIC)
    for number, (submission, made) in enumerate(made_all, 1):
        if isinstance(made, Exception):
            begun.failed.append((submission, made))
            begun.rest.remove(submission)
        elif made.ran:
            begun.ran.add(submission.name)
            book.save_outputs(submission.name, made.outputs)
        on_public(number, len(submissions))
    return begun


def _not_judged(
    grader: Grader, submission: Submission, book: Gradebook, error: Exception
) -> Answer:
    message = "the process that graded this died, and did so again when it was tried once more"
    if isinstance(error, GradingError):
        message = fault(error)
    stored, answers = _stored(submission, book), book.answers(submission.name)
    return answer(grader.not_judged(submission, message, stored, answers), store=False)


def _change(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Change | None:
    """How the points have changed, if there were any and they have."""
    if before is None or "judged" not in (before.get("outcome"), after["outcome"]):
        return None
    if before["points"] == after["points"] and before["outcome"] == after["outcome"]:
        total, now = (grade.get("final", {}).get("points") for grade in (before, after))
        return None if total == now else Change(after["submission"], total, now, (), of_total=True)
    points = {check["id"]: check["points"] for check in before["checks"]}
    names = [c["id"] for c in after["checks"] if points.get(c["id"]) != c["points"]]
    return Change(after["submission"], before["points"], after["points"], tuple(names))
