"""What a check has found out, in the order in which a student should read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.disclosure import Shown, cases_of, hidden_in, is_hidden, shown
from harness.golden import Golden
from harness.kitfiles import Changed
from harness.lab import Case, Lab
from harness.language import gettext as _
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


def failures(grade: Mapping[str, Any], lab: Lab) -> list[Failure]:
    """All failed cases, in the order in which the report would have them fixed.

    Those of the technique and the check that lost the most points come first; of these, public ones
    furthest off.
    """
    alike: dict[Failure, list[str]] = {}
    for check in sorted(grade["checks"], key=lambda check: _lost(grade, check)):
        failed = [
            _failure(check, case, cases_of(lab, check["technique"], case["id"]))
            for case in check["cases"]
            if case["outcome"] == "failed"
        ]
        for found, case in sorted(failed, key=lambda one: (one[1].hidden, one[1].score)):
            alike.setdefault(found, []).append(case.id)
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


def not_judged(grade: Mapping[str, Any], lab: Lab) -> list[tuple[str, str]]:
    """Key and message of each case that could not be judged; no message of a hidden one."""
    hidden = hidden_in(lab)
    found = [
        (check["technique"], shown(case, hidden(check["technique"], case["id"])))
        for check in grade["checks"]
        for case in check["cases"]
        if case["outcome"] == "not_judged"
    ]
    instead = _("a hidden case; its pictures and numbers are not shown")
    return [(f"{technique}/{case.id}", case.message or instead) for technique, case in found]


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


def _failure(
    check: Mapping[str, Any], case: Mapping[str, Any], cases: Sequence[Case]
) -> tuple[Failure, Shown]:
    told = shown(case, is_hidden(cases))
    function = cases[0].function if cases else ""
    failure = Failure(
        check["technique"], check["id"], function, (), told.message, told.hint, told.hidden
    )
    return failure, told
