"""Reports' folders as grading leaves them behind, made without grading anything."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.gradebook import Gradebook
from harness.handed_in import HandedIn, Student
from harness.marks import Change, Marks, write_marks
from harness.results import CaseResult, CheckResult, Grade, Outcome, RunStatus, RunSummary

MAX_POINTS = 20.0


def grade_json(handed_in: HandedIn, passed: int = 4, **final: Any) -> dict[str, Any]:
    """A grade of which `passed` of four cases passed, with 5 points each.

    Args:
        handed_in: of which submission, and whose.
        passed: cases that passed.
        final: what differs in the key `final` from all points, unchanged.
    """
    cases = tuple(
        CaseResult(
            f"case{number}",
            Outcome.PASSED if number < passed else Outcome.FAILED,
            1.0,
            message="" if number < passed else f"the number {number} came, expected 4",
            hint="" if number < passed else "add one",
        )
        for number in range(4)
    )
    check = CheckResult("maps", "class_activation_maps", "x", MAX_POINTS, cases)
    run = RunSummary(RunStatus.COMPLETED, 2.5)
    digests = {"lab": "a", "submission": "b", "golden": "c"}
    grade = Grade(handed_in.submission, (check,), run, {"python": "3"}, digests).to_json()
    if handed_in.students:
        grade["handed_in"] = handed_in.to_json()
    points = 5.0 * passed
    automatic = {"text": "Checks", "points": points, "max_points": MAX_POINTS}
    told = {"points": points, "max_points": MAX_POINTS, "lines": [automatic], "held_back": ""}
    grade["final"] = {**told, "passed": passed > 1, "attempts": "last", **final}
    return grade


def not_judged(grade: dict[str, Any], why: str = "out of disk") -> dict[str, Any]:
    """The same grade, had the machine failed."""
    told = {"points": None, "held_back": "not all of it could be judged", "passed": None}
    final = {**grade["final"], **told}
    run = {**grade["run"], "status": "not_run", "message": why}
    return {**grade, "outcome": "not_judged", "final": final, "run": run}


def question(**differs: Any) -> dict[str, Any]:
    """A written answer's entry in the key `questions` of a grade: not marked, unless told."""
    shown = {"id": "q", "title": "Why?", "points": None, "max_points": 2.0}
    return {**shown, "level": None, "comment": "", "stale": False, **differs}


def store(folder: Path, grades: Iterable[dict[str, Any]]) -> Path:
    """Write the reports' folder of these grades, and the marks that they show."""
    for grade in grades:
        own = folder / grade["submission"]
        own.mkdir(parents=True)
        (own / "grade.json").write_text(json.dumps(grade), "utf-8")
        (own / "report.html").write_text(f"report of {grade['submission']}", "utf-8")
        marks = tuple(
            Change(one["id"], one["level"], one["points"], one["comment"], "digest", "ada")
            for one in grade.get("questions", ())
            if one["level"]
        )
        if marks:
            write_marks(Gradebook(folder), grade["submission"], Marks(marks))
    return folder


def cohort(count: int = 60, **final: Any) -> list[dict[str, Any]]:
    """Grades of so many students, with 0 to 4 cases passed, one after another."""
    return [
        grade_json(
            HandedIn(
                f"s{number:02}",
                (Student(str(100 + number), f"Student {number}", f"s{number}@example.org"),),
            ),
            number % 5,
            **final,
        )
        for number in range(count)
    ]
