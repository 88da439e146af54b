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


def everything_hidden(technique: str, case: str) -> bool:
    """For grades of a lab that is not at hand: any case may have been a hidden one."""
    return True


class Secrets:
    """Which cases of a grade are hidden, as far as a lab tells.

    Args:
        lab: that the grades were made with; None where it is not at hand.
    """

    def __init__(self, lab: Lab | None = None) -> None:
        self._digest = lab.digest() if lab else ""
        secret: dict[tuple[str, str], bool] = {}
        for case in lab.cases if lab else ():
            name = techniques.technique_of(case).name
            for identifier in {case.id, case.group}:
                secret[name, identifier] = secret.get((name, identifier), False) or case.hidden
        self._secret = secret

    def knows(self, lab_digest: str) -> bool:
        """Whether this is the lab of that digest, as a grade has it."""
        return bool(self._digest) and lab_digest.removesuffix("-public") == self._digest

    def of(self, grade: Mapping[str, Any]) -> Hidden:
        """Tells hidden cases of a grade by technique and id (a case's, or a group's).

        A case that the lab does not know, or knows no longer, may have been a hidden one.
        """
        if not self.knows(grade["digests"]["lab"]):
            return everything_hidden
        return lambda technique, case: self._secret.get((technique, case), True)


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
