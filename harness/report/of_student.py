"""What the report of one submission says, worked out from the grade, the outputs and the lab."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness import techniques
from harness.answers import Answers
from harness.disclosure import (
    Shown,
    cases_of,
    hidden_in,
    is_hidden,
    shown,
    shown_diagnosis,
)
from harness.figures import Figure
from harness.lab import Case, Lab
from harness.language import gettext as _
from harness.outputs import CaseStatus, Outputs
from harness.remembered import Figures
from harness.report.of_questions import QuestionsPart, questions_part
from harness.report.photographs import Photograph, photographs
from harness.report.words import (
    kind_sentence,
    measure_name,
    outcome_word,
    run_sentence,
    technique_title,
    words,
)


@dataclass(frozen=True)
class Number:
    """One measured number and what it was held against, if anything."""

    name: str
    value: str
    limit: str


@dataclass(frozen=True)
class CaseLine:
    """One case of a check."""

    id: str
    outcome: str
    word: str
    score: float
    hidden: bool
    numbers: tuple[Number, ...]
    message: str
    hint: str
    traceback: str
    anchor: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Problem:
    """Failed cases of a check for which there is the same to do.

    Attributes:
        happened: the cases by message.
        count: how many cases.
        hint: what to do next.
        traceback: where the student's code stopped, if it did.
        command: runs just these cases again, at home; empty for hidden ones.
    """

    happened: Mapping[str, Sequence[CaseLine]]
    count: int
    hint: str
    traceback: str
    command: str


@dataclass(frozen=True)
class CheckPart:
    """One check."""

    title: str
    points: float
    max_points: float
    cases: tuple[CaseLine, ...]
    problems: tuple[Problem, ...]
    not_judged: tuple[CaseLine, ...]


@dataclass(frozen=True)
class DrawnFigure:
    """A figure of a case or group, where links find it, and whether it is shown unasked.

    Its thresholds are those of its own cases, by measure; empty where they are not to be shown.
    """

    anchor: str
    group: str
    figure: Figure
    open: bool
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TechniquePart:
    """One technique."""

    anchor: str
    title: str
    points: float
    max_points: float
    diagnosis: Mapping[str, Any] | None
    checks: tuple[CheckPart, ...]
    figures: tuple[DrawnFigure, ...]

    @property
    def percent(self) -> float:
        """Points earned of those possible."""
        return 100 * self.points / self.max_points

    @property
    def diagnosis_kind(self) -> str:
        """What the diagnosis says about the rest of the work, in a sentence."""
        return kind_sentence(self.diagnosis["kind"]) if self.diagnosis else ""


@dataclass(frozen=True)
class FixFirst:
    """The one thing to look at first, and the command that runs it again."""

    technique: TechniquePart
    check: CheckPart
    case: CaseLine
    command: str


@dataclass(frozen=True)
class StudentPage:
    """All that the report says."""

    title: str
    lab: str
    submission: str
    judged: bool
    points: float
    max_points: float
    run_well: bool
    run_sentence: str
    run: Mapping[str, Any]
    techniques: tuple[TechniquePart, ...]
    fix_first: FixFirst | None
    questions: QuestionsPart | None
    final: Mapping[str, Any] | None
    pass_mark_percent: float
    facts: tuple[tuple[str, str], ...]
    photographs: Mapping[str, Photograph]


def student_page(
    grade: Mapping[str, Any],
    outputs: Outputs,
    lab: Lab,
    figures: Figures,
    answers: Answers | None = None,
) -> StudentPage:
    """Work out all that the report says."""
    parts = tuple(_technique(name, grade, outputs, lab, figures) for name in grade["techniques"])
    facts = {**grade["environment"], **{f"{k} SHA-256": v for k, v in grade["digests"].items()}}
    return StudentPage(
        title=f"{grade['submission']}: {lab.title}",
        lab=lab.title,
        submission=grade["submission"],
        judged=grade["outcome"] == "judged",
        points=grade["points"],
        max_points=grade["max_points"],
        run_well=grade["run"]["status"] == "completed",
        run_sentence=run_sentence(grade["run"]),
        run=grade["run"],
        techniques=parts,
        fix_first=_fix_first(parts),
        questions=questions_part(grade, lab, answers),
        final=_final(grade.get("final")),
        pass_mark_percent=100 * lab.pass_mark,
        facts=tuple(facts.items()),
        photographs=photographs(lab, (one for drawn in figures.values() for one in drawn)),
    )


def _final(final: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """How the total is made, where it is more than the points of the checks."""
    return final if final and len(final["lines"]) > 1 else None


def _technique(
    name: str,
    grade: Mapping[str, Any],
    outputs: Outputs,
    lab: Lab,
    figures: Figures,
) -> TechniquePart:
    entry = grade["techniques"][name]
    checks = [check for check in grade["checks"] if check["technique"] == name]
    drawn: list[DrawnFigure] = []
    anchors: dict[str, str] = {}
    failed = _failed_groups(lab, checks)
    thresholds = _thresholds(lab, checks)
    for (technique, group), several in figures.items():
        if technique == name:
            anchors[group] = f"{name}-figure-{len(drawn) + 1}"
            for figure in several:
                # Of work that is all right, one is enough to see how it looks.
                shown = group in failed if failed else not drawn
                anchor = f"{name}-figure-{len(drawn) + 1}"
                drawn.append(DrawnFigure(anchor, group, figure, shown, thresholds.get(group, {})))
    return TechniquePart(
        anchor=name,
        title=technique_title(name),
        points=entry["points"],
        max_points=entry["max_points"],
        diagnosis=shown_diagnosis(grade, name, hidden_in(lab)),
        checks=tuple(_check(check, outputs, lab, anchors) for check in checks),
        figures=tuple(drawn),
    )


def _failed_groups(lab: Lab, checks: Sequence[Mapping[str, Any]]) -> set[str]:
    return {
        one.group
        for check in checks
        for case in check["cases"]
        if case["outcome"] == "failed"
        for one in cases_of(lab, check["technique"], case["id"])
    }


def _thresholds(lab: Lab, checks: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Of each group of cases, by measure."""
    found: dict[str, dict[str, float]] = {}
    for check in checks:
        for case in check["cases"]:
            for one in cases_of(lab, check["technique"], case["id"]):
                found.setdefault(one.group, {}).update(case["threshold"])
    return found


def _check(
    check: Mapping[str, Any], outputs: Outputs, lab: Lab, anchors: Mapping[str, str]
) -> CheckPart:
    lines = tuple(
        _case(case, cases_of(lab, check["technique"], case["id"]), outputs, anchors)
        for case in check["cases"]
    )
    return CheckPart(
        title=words(check["id"]),
        points=check["points"],
        max_points=check["max_points"],
        cases=lines,
        problems=_problems([line for line in lines if line.outcome == "failed"]),
        not_judged=tuple(line for line in lines if line.outcome == "not_judged"),
    )


def _problems(failed: Iterable[CaseLine]) -> tuple[Problem, ...]:
    alike: dict[tuple[str, str], dict[str, list[CaseLine]]] = {}
    for line in failed:
        happened = alike.setdefault((line.hint, line.traceback), {})
        happened.setdefault(line.message, []).append(line)
    return tuple(
        Problem(
            happened, sum(map(len, happened.values())), hint, traceback, _command(happened.values())
        )
        for (hint, traceback), happened in alike.items()
    )


def _command(several: Iterable[Sequence[CaseLine]]) -> str:
    """The command that runs just these cases again, at home."""
    keys = dict.fromkeys(
        key for lines in several for line in lines if not line.hidden for key in line.keys
    )
    return (
        " ".join(["harness check", *(f"--case {shlex.quote(key)}" for key in keys)]) if keys else ""
    )


def _case(
    case: Mapping[str, Any], behind: Sequence[Case], outputs: Outputs, anchors: Mapping[str, str]
) -> CaseLine:
    tracebacks = [
        output.traceback
        for one in behind
        if (output := outputs.cases.get(techniques.key(one))) is not None
        and output.status is not CaseStatus.RETURNED
    ]
    told = shown(case, is_hidden(behind))
    return CaseLine(
        id=told.id,
        outcome=told.outcome,
        word=outcome_word(told.outcome),
        score=told.score,
        hidden=told.hidden,
        numbers=_numbers(told),
        message=told.message,
        hint=told.hint,
        traceback="" if told.hidden else next(filter(None, tracebacks), ""),
        anchor=next((anchors[one.group] for one in behind if one.group in anchors), ""),
        keys=tuple(techniques.key(one) for one in behind),
    )


def _numbers(case: Shown) -> tuple[Number, ...]:
    limits = case.threshold
    return tuple(
        Number(
            measure_name(name), _printed(value), _printed(limits[name]) if name in limits else ""
        )
        for name, value in case.measured.items()
    )


def _printed(value: Any) -> str:
    if value is None:
        return _("none")
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _fix_first(parts: Sequence[TechniquePart]) -> FixFirst | None:
    """Of the technique and the check that lost the most points, the failed case furthest off.

    A public one if there is one: it has pictures, and can be run again at home.
    """
    for part in sorted(parts, key=_lost):
        for check in sorted(part.checks, key=_lost):
            failed = [case for case in check.cases if case.outcome == "failed"]
            if failed:
                first = min(failed, key=lambda case: (case.hidden, case.score))
                return FixFirst(part, check, first, _command([[first]]))
    return None


def _lost(part: TechniquePart | CheckPart) -> float:
    """Points lost, as a negative number."""
    return part.points - part.max_points
