"""What the cohort's page says, worked out from the grades."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any, TypeAlias
from urllib.parse import quote

from markupsafe import Markup

from harness.figures import Series, bars
from harness.gradebook import Gradebook
from harness.lab import Lab
from harness.report.of_questions import QuestionLine, question_lines
from harness.report.words import technique_title, words

Grade: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Score:
    """Points of a technique; `None` where they are not known."""

    points: float | None
    max_points: float

    @property
    def percent(self) -> float:
        """Points earned of those possible."""
        return 100 * (self.points or 0.0) / self.max_points


@dataclass(frozen=True)
class SubmissionLine:
    """One submission of the cohort."""

    name: str
    link: str
    judged: bool
    state: str
    total: Score
    techniques: tuple[Score, ...]


@dataclass(frozen=True)
class CheckLine:
    """How many cases of a check passed, over all submissions."""

    title: str
    technique: str
    passed: int
    judged: int

    @property
    def percent(self) -> float | None:
        """Cases passed of those judged."""
        return 100 * self.passed / self.judged if self.judged else None


@dataclass(frozen=True)
class CohortPage:
    """All that the cohort's page says."""

    title: str
    count: int
    not_judged: int
    mean: float | None
    median: float | None
    passing: int
    pass_mark_percent: float
    max_points: float
    histogram: Markup
    techniques: tuple[str, ...]
    lines: tuple[SubmissionLine, ...]
    checks: tuple[CheckLine, ...]
    questions: tuple[QuestionLine, ...] = ()


def cohort_page(folder: Path, lab: Lab, grades: Sequence[Grade]) -> CohortPage:
    """Work out all that the page says.

    Args:
        folder: of the gradebook.
        lab: the lab.
        grades: as in `grade.json`.
    """
    judged = [grade for grade in grades if grade["outcome"] == "judged"]
    shares = [grade["points"] / grade["max_points"] for grade in judged]
    names = tuple(dict.fromkeys(name for grade in grades for name in grade["techniques"]))
    return CohortPage(
        title=lab.title,
        count=len(grades),
        not_judged=len(grades) - len(judged),
        mean=mean(grade["points"] for grade in judged) if judged else None,
        median=median(grade["points"] for grade in judged) if judged else None,
        passing=sum(share >= lab.pass_mark for share in shares),
        pass_mark_percent=100 * lab.pass_mark,
        max_points=max((grade["max_points"] for grade in grades), default=0.0),
        histogram=_histogram(shares),
        techniques=tuple(technique_title(name) for name in names),
        lines=_lines(folder, grades, names),
        checks=_checks(grades),
        questions=question_lines(grades),
    )


def _lines(
    folder: Path, grades: Sequence[Grade], names: Sequence[str]
) -> tuple[SubmissionLine, ...]:
    book = Gradebook(folder)
    # Those that need the instructor come first; otherwise the order stays.
    ordered = sorted(grades, key=lambda grade: grade["outcome"] == "judged")
    return tuple(
        SubmissionLine(
            name=grade["submission"],
            link=_link(book.report(grade["submission"]).relative_to(folder)),
            judged=grade["outcome"] == "judged",
            state=words(grade["run"]["status"]).lower(),
            total=_score(grade, grade),
            techniques=tuple(_score(grade, grade["techniques"].get(name)) for name in names),
        )
        for grade in ordered
    )


def _score(grade: Grade, entry: Mapping[str, Any] | None) -> Score:
    if entry is None:
        return Score(None, 1.0)
    known = grade["outcome"] == "judged"
    return Score(entry["points"] if known else None, entry["max_points"])


def _link(path: Path) -> str:
    """A relative address; every part quoted, whatever a submission is called."""
    return "/".join(quote(os.fsencode(part), safe="") for part in path.parts)


def _histogram(shares: Sequence[float]) -> Markup:
    counts = Counter(min(int(share * 10 + 1e-9), 9) for share in shares)
    return bars(
        [Series("submissions", [counts[tenth] for tenth in range(10)])],
        [f"{10 * tenth}+" for tenth in range(10)],
        title="How many submissions reached which share of the points",
        x_label="% of the points",
        y_label="submissions",
    )


def _checks(grades: Sequence[Grade]) -> tuple[CheckLine, ...]:
    outcomes: dict[tuple[str, str], Counter[str]] = {}
    for grade in grades:
        for check in grade["checks"]:
            counter = outcomes.setdefault((check["technique"], check["id"]), Counter())
            counter.update(case["outcome"] for case in check["cases"])
    return tuple(
        CheckLine(
            title=words(identifier),
            technique=technique_title(technique),
            passed=counter["passed"],
            judged=counter["passed"] + counter["failed"],
        )
        for (technique, identifier), counter in outcomes.items()
    )
