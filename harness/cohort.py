"""Many submissions: graded side by side, stored one by one, taken up again where they stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from harness.gradebook import Gradebook
from harness.grading import Grader
from harness.report import write_index, write_report
from harness.submission import Submission


@dataclass(frozen=True)
class Done:
    """One submission of the cohort, graded or kept from before."""

    grade: Mapping[str, Any]
    kept: bool


def grade_one(grader: Grader, submission: Submission, book: Gradebook) -> Done:
    """Grade one submission unless its stored grade still holds, and write its report."""
    kept = book.kept(submission.name, grader.digests(submission), grader.environment)
    if kept is not None:
        return Done(kept, kept=True)
    graded = grader.grade(submission)
    book.save(graded.grade, graded.outputs)
    grade = graded.grade.to_json()
    report = book.report(submission.name)
    write_report(report, grade, graded.outputs, grader.golden, grader.lab)
    return Done(grade, kept=False)


def grade_cohort(
    grader: Grader,
    submissions: Sequence[Submission],
    book: Gradebook,
    *,
    jobs: int,
    on_done: Callable[[Done], None],
) -> list[Mapping[str, Any]]:
    """Grade all submissions, `jobs` at a time; write index and CSV.

    The computing happens in child processes, so threads are enough here.

    Args:
        grader: of the lab.
        submissions: what to grade.
        book: where to.
        jobs: how many children at a time.
        on_done: called from this thread as each submission is done.

    Returns:
        the grades, as in `grade.json`, in the order of the submissions.
    """
    grades: dict[str, Mapping[str, Any]] = {}
    with ThreadPoolExecutor(jobs) as pool:
        futures: list[Future[Done]] = [
            pool.submit(grade_one, grader, submission, book) for submission in submissions
        ]
        try:
            for future in as_completed(futures):
                done = future.result()
                grades[done.grade["submission"]] = done.grade
                on_done(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    ordered = [grades[submission.name] for submission in submissions]
    book.write_csv(ordered)
    write_index(book.index, grader.lab, ordered)
    return ordered
