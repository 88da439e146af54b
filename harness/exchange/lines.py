"""The cases of a grade as other systems list them, a line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.disclosure import Hidden, shown
from harness.texts import visible


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
    told = shown(case, hidden)
    return Line(
        name=f"{check['technique']}: {check['id']}: {told.id}",
        key=f"{check['technique']}/{told.id}",
        hidden=told.hidden,
        outcome=told.outcome,
        points=possible if told.outcome == "passed" else 0.0,
        max_points=possible,
        text=visible("\n".join(filter(None, (told.message, told.hint)))),
    )
