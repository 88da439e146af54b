"""What the cohort's page says, worked out from the grades."""

from __future__ import annotations

import heapq
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any, TypeAlias
from urllib.parse import quote

from harness.figures import Plot, Series
from harness.gradebook import Gradebook
from harness.lab import Lab
from harness.language import gettext as _
from harness.report.of_questions import QuestionLine, question_lines
from harness.report.words import state_word, technique_title, words
from harness.similarity import Likeness, find_alike

Grade: TypeAlias = Mapping[str, Any]

_SLOWEST = 10
_MOST_ALIKE = 100


@dataclass(frozen=True)
class Score:
    """Points of a technique; `None` where they are not known."""

    points: float | None
    max_points: float

    @property
    def percent(self) -> float:
        """Points earned of those possible."""
        return 100 * (self.points or 0.0) / self.max_points

    @property
    def lost(self) -> bool:
        """Whether points were lost."""
        return self.points is not None and self.points < self.max_points


@dataclass(frozen=True)
class SubmissionLine:
    """One submission of the cohort."""

    name: str
    link: str
    judged: bool
    state: str
    points: Score
    techniques: tuple[Score, ...]
    total: Score
    mistakes: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Rate:
    """How many submissions passed something."""

    title: str
    technique: str
    passed: int
    judged: int

    @property
    def percent(self) -> float | None:
        """Those that passed, of those judged."""
        return 100 * self.passed / self.judged if self.judged else None


@dataclass(frozen=True)
class CheckLine:
    """A check: its cases, and how many submissions earned all, some and none of its points."""

    rate: Rate
    whole: int
    some: int
    none: int


@dataclass(frozen=True)
class Person:
    """A submission where the page names it in passing."""

    name: str
    link: str


@dataclass(frozen=True)
class DiagnosisLine:
    """A known mistake and who made it."""

    mistake: str
    technique: str
    hint: str
    people: tuple[Person, ...]


@dataclass(frozen=True)
class AlikeLine:
    """Submissions worth a look together; see `harness.similarity.Alike`."""

    people: tuple[Person, ...]
    percent: float | None
    outputs: int


@dataclass(frozen=True)
class GoldenLine:
    """A submission that returned golden outputs of the kit, and for which cases."""

    person: Person
    cases: tuple[str, ...]


@dataclass(frozen=True)
class SlowLine:
    """A submission that took long."""

    person: Person
    seconds: float


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
    histogram: Plot
    techniques: tuple[str, ...]
    lines: tuple[SubmissionLine, ...]
    states: tuple[str, ...]
    checks: tuple[CheckLine, ...]
    cases: tuple[Rate, ...]
    diagnoses: tuple[DiagnosisLine, ...]
    golden: tuple[GoldenLine, ...]
    alike: tuple[AlikeLine, ...]
    slowest: tuple[SlowLine, ...]
    questions: tuple[QuestionLine, ...] = ()
    totals: bool = False
    held_back: tuple[tuple[str, int], ...] = ()


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
    people = _people(folder, grades)
    lines = tuple(_line(grade, people, names) for grade in grades)
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
        # Those that need the instructor come first; otherwise the order stays.
        lines=tuple(sorted(lines, key=lambda line: line.judged)),
        states=tuple(sorted({line.state for line in lines})),
        checks=_checks(grades),
        cases=tuple(sorted(_rates(grades, lambda _check, case: case["id"]), key=_lowest)),
        diagnoses=_diagnoses(grades, people),
        golden=_golden(grades, people),
        alike=_alike(grades, people),
        slowest=_slowest(grades, people),
        questions=question_lines(grades),
        held_back=tuple(_held_back(grades).most_common()),
        totals=any(len(grade["final"]["lines"]) > 1 for grade in grades if "final" in grade),
    )


def _held_back(grades: Sequence[Grade]) -> Counter[str]:
    """Why totals of judged submissions are held back, and how many."""
    return Counter(
        grade["final"]["held_back"]
        for grade in grades
        if grade["outcome"] == "judged" and grade.get("final", {}).get("held_back")
    )


def _people(folder: Path, grades: Sequence[Grade]) -> dict[str, Person]:
    book = Gradebook(folder)
    names = [grade["submission"] for grade in grades]
    return {name: Person(name, _link(book.report(name).relative_to(folder))) for name in names}


def _line(grade: Grade, people: Mapping[str, Person], names: Sequence[str]) -> SubmissionLine:
    person = people[grade["submission"]]
    judged = grade["outcome"] == "judged"
    final = grade.get("final")
    found = [entry["diagnosis"] for entry in grade["techniques"].values() if entry["diagnosis"]]
    return SubmissionLine(
        name=person.name,
        link=person.link,
        judged=judged,
        state=state_word(grade["run"]["status"]),
        points=_score(grade, grade),
        techniques=tuple(_score(grade, grade["techniques"].get(name)) for name in names),
        total=Score(final["points"], final["max_points"]) if final else Score(None, 1.0),
        mistakes=tuple(diagnosis["mistake"] for diagnosis in found),
        reason="" if judged else grade["run"]["message"],
    )


def _lowest(rate: Rate) -> float:
    return 101.0 if rate.percent is None else rate.percent


def _diagnoses(grades: Sequence[Grade], people: Mapping[str, Person]) -> tuple[DiagnosisLine, ...]:
    """Known mistakes, those of most people first."""
    found: dict[tuple[str, str], list[Person]] = {}
    hints: dict[str, str] = {}
    for grade in grades:
        for technique, entry in grade["techniques"].items():
            if diagnosis := entry["diagnosis"]:
                hints[diagnosis["mistake"]] = diagnosis["hint"]
                key = (diagnosis["mistake"], technique_title(technique))
                found.setdefault(key, []).append(people[grade["submission"]])
    lines = (
        DiagnosisLine(mistake, technique, hints[mistake], tuple(several))
        for (mistake, technique), several in found.items()
    )
    return tuple(sorted(lines, key=lambda line: (-len(line.people), line.mistake)))


def _alike(grades: Sequence[Grade], people: Mapping[str, Person]) -> tuple[AlikeLine, ...]:
    cohort = {
        grade["submission"]: Likeness.from_json(grade["likeness"])
        for grade in grades
        if grade.get("likeness")
    }
    return tuple(
        AlikeLine(
            tuple(people[name] for name in one.names),
            None if one.code is None else 100 * one.code,
            one.outputs,
        )
        for one in find_alike(cohort)[:_MOST_ALIKE]
    )


def _golden(grades: Sequence[Grade], people: Mapping[str, Person]) -> tuple[GoldenLine, ...]:
    """Who returned golden outputs of the kit, those with most of them first."""
    found = (
        GoldenLine(
            people[grade["submission"]],
            tuple(key.partition("/")[2] for key in grade["likeness"].get("golden", ())),
        )
        for grade in grades
        if grade.get("likeness")
    )
    return tuple(sorted((line for line in found if line.cases), key=lambda line: -len(line.cases)))


def _slowest(grades: Sequence[Grade], people: Mapping[str, Person]) -> tuple[SlowLine, ...]:
    timed = [grade for grade in grades if grade["run"].get("seconds")]
    timed = heapq.nlargest(_SLOWEST, timed, key=lambda grade: grade["run"]["seconds"])
    return tuple(SlowLine(people[one["submission"]], one["run"]["seconds"]) for one in timed)


def _score(grade: Grade, entry: Mapping[str, Any] | None) -> Score:
    if entry is None:
        return Score(None, 1.0)
    known = grade["outcome"] == "judged"
    return Score(entry["points"] if known else None, entry["max_points"])


def _link(path: Path) -> str:
    """A relative address; every part quoted, whatever a submission is called."""
    return "/".join(quote(os.fsencode(part), safe="") for part in path.parts)


def _histogram(shares: Sequence[float]) -> Plot:
    counts = Counter(min(int(share * 10 + 1e-9), 9) for share in shares)
    return Plot(
        (Series(_("submissions"), tuple(counts[tenth] for tenth in range(10))),),
        _("How many submissions reached which share of the points"),
        _("% of the points"),
        _("submissions"),
        labels=tuple(f"{10 * tenth}+" for tenth in range(10)),
        caption=_("Submissions by share of the points"),
    )


def _checks(grades: Sequence[Grade]) -> tuple[CheckLine, ...]:
    earned: dict[str, Counter[str]] = {}
    for check, times in _shared(grades):
        outcomes = {case["outcome"] for case in check["cases"]}
        if "not_judged" not in outcomes:
            # A check earns its points in proportion to its cases that pass.
            found = earned.setdefault(words(check["id"]), Counter())
            found["some" if len(outcomes) > 1 else outcomes.pop()] += times
    rates = _rates(grades, lambda check, _case: words(check["id"]))
    counts = [earned.get(rate.title, Counter()) for rate in rates]
    return tuple(
        CheckLine(rate, found["passed"], found["some"], found["failed"])
        for rate, found in zip(rates, counts, strict=True)
    )


def _shared(grades: Sequence[Grade]) -> list[tuple[Mapping[str, Any], int]]:
    """Every check once, and how many submissions have it: summaries share their equal ones."""
    checks = {id(check): check for grade in grades for check in grade["checks"]}
    times = Counter(id(check) for grade in grades for check in grade["checks"])
    return [(check, times[key]) for key, check in checks.items()]


def _rates(
    grades: Sequence[Grade],
    of: Callable[[Mapping[str, Any], Mapping[str, Any]], str],
) -> tuple[Rate, ...]:
    """How many passed, by check or by case: `of` gives what is counted."""
    outcomes: dict[tuple[str, str], Counter[str]] = {}
    for check, times in _shared(grades):
        for case in check["cases"]:
            counter = outcomes.setdefault((check["technique"], of(check, case)), Counter())
            counter[case["outcome"]] += times
    return tuple(
        Rate(
            title=identifier,
            technique=technique_title(technique),
            passed=counter["passed"],
            judged=counter["passed"] + counter["failed"],
        )
        for (technique, identifier), counter in outcomes.items()
    )
