"""What a student may read of a case outside the report: of a hidden one, outcome and hint only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness import techniques
from harness.lab import Lab
from harness.texts import visible

Hidden = Callable[[str, str], bool]


def nothing_hidden(technique: str, case: str) -> bool:
    """For grades of `harness check`, which runs public cases only."""
    return False


def hidden_cases(lab: Lab | None) -> Hidden:
    """Tell hidden cases by technique and id (a case's, or a group's).

    A case that the lab does not know, or knows no longer, may have been a hidden one.
    """
    public: set[tuple[str, str]] = set()
    secret: set[tuple[str, str]] = set()
    for case in lab.cases if lab else ():
        name = techniques.technique_of(case).name
        for identifier in {case.id, case.group}:
            (secret if case.hidden else public).add((name, identifier))
    shown = public - secret
    return lambda technique, case: (technique, case) not in shown


@dataclass(frozen=True)
class Line:
    """One case, or group of cases, of a check, with the points that it carries.

    Attributes:
        name: technique, check and case.
        key: as `harness check --case` takes it.
        hidden: whether it is a hidden one.
        outcome: `passed`, `failed` or `not_judged`.
        points: earned.
        max_points: that could be earned.
        text: message and hint; of a hidden case the hint.
    """

    name: str
    key: str
    hidden: bool
    outcome: str
    points: float
    max_points: float
    text: str


def lines_of(grade: Mapping[str, Any], hidden: Hidden) -> list[Line]:
    """A line per case of every check; their points add up to those of the grade."""
    return [
        _line(check, case, hidden(check["technique"], case["id"]))
        for check in grade["checks"]
        for case in check["cases"]
    ]


def _line(check: Mapping[str, Any], case: Mapping[str, Any], hidden: bool) -> Line:
    possible = check["max_points"] / len(check["cases"])
    texts = (case["hint"],) if hidden else (case["message"], case["hint"])
    return Line(
        name=f"{check['technique']}: {check['id']}: {case['id']}",
        key=f"{check['technique']}/{case['id']}",
        hidden=hidden,
        outcome=case["outcome"],
        points=possible if case["outcome"] == "passed" else 0.0,
        max_points=possible,
        text=visible("\n".join(text for text in texts if text)),
    )
