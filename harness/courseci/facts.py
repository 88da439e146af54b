"""What a check has found out, in the order in which a student should read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import techniques
from harness.golden import Golden
from harness.kitfiles import Changed
from harness.lab import Case, Lab
from harness.outputs import Outputs


@dataclass(frozen=True)
class Checked:
    """One submission, checked.

    Attributes:
        grade: as in `grade.json`.
        outputs: what it returned.
        lab: what was checked.
        golden: what was expected.
        path: the file or folder that was checked.
        changed: files of the kit that are not as they were given out.
        report: the page, if one was written.
    """

    grade: Mapping[str, Any]
    outputs: Outputs
    lab: Lab
    golden: Golden
    path: Path
    changed: tuple[Changed, ...] = ()
    report: Path | None = None

    @property
    def judged(self) -> bool:
        """Whether every case could be judged."""
        return bool(self.grade["outcome"] == "judged")

    @property
    def passed(self) -> bool:
        """Whether the points reach the pass mark."""
        return bool(self.grade["points"] >= self.lab.pass_mark * self.grade["max_points"])


@dataclass(frozen=True)
class Failure:
    """Failed cases of a check with the same thing to say of them.

    Attributes:
        technique: its name.
        check: its id.
        function: the function of the contract; empty where the lab knows the case no longer.
        cases: their ids.
        message: what was expected and what came; empty of hidden cases.
        hint: what to do next.
        hidden: whether they are hidden ones.
    """

    technique: str
    check: str
    function: str
    cases: tuple[str, ...]
    message: str
    hint: str
    hidden: bool = False


def behind(lab: Lab, technique: str, identifier: str) -> list[Case]:
    """The case of that id, or all cases of the group of that id."""
    return [
        case
        for case in lab.cases
        if identifier in (case.id, case.group) and techniques.technique_of(case).name == technique
    ]


def failures(grade: Mapping[str, Any], lab: Lab) -> list[Failure]:
    """All failed cases, in the order in which the report would have them fixed.

    Those of the technique and the check that lost the most points come first; of these, public ones
    furthest off.
    """
    alike: dict[Failure, list[str]] = {}
    for check in sorted(grade["checks"], key=lambda check: _lost(grade, check)):
        failed = [
            (_failure(check, case, behind(lab, check["technique"], case["id"])), case)
            for case in check["cases"]
            if case["outcome"] == "failed"
        ]
        for found, case in sorted(failed, key=lambda one: (one[0].hidden, one[1]["score"])):
            alike.setdefault(found, []).append(case["id"])
    return [
        Failure(
            one.technique,
            one.check,
            one.function,
            tuple(cases),
            one.message,
            one.hint,
            one.hidden,
        )
        for one, cases in alike.items()
    ]


def not_judged(grade: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Key and message of each case that could not be judged."""
    return [
        (f"{check['technique']}/{case['id']}", case["message"])
        for check in grade["checks"]
        for case in check["cases"]
        if case["outcome"] == "not_judged"
    ]


def diagnosis_of(grade: Mapping[str, Any], technique: str) -> str:
    """The hint of the known mistake that a technique's failures look like; else empty."""
    found = grade["techniques"][technique]["diagnosis"]
    return str(found["hint"]) if found else ""


def _lost(grade: Mapping[str, Any], check: Mapping[str, Any]) -> tuple[float, float]:
    """Points lost in the technique and in the check, as negative numbers."""
    technique, own = (
        float(entry["points"] - entry["max_points"])
        for entry in (grade["techniques"][check["technique"]], check)
    )
    return technique, own


def _failure(check: Mapping[str, Any], case: Mapping[str, Any], cases: Sequence[Case]) -> Failure:
    # A case that the lab does not know, or knows no longer, may have been a hidden one.
    hidden = not cases or any(one.hidden for one in cases)
    return Failure(
        check["technique"],
        check["id"],
        cases[0].function if cases else "",
        (),
        "" if hidden else case["message"],
        case["hint"],
        hidden,
    )
