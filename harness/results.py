"""What grading finds out: outcomes, results of cases and checks, the grade of one submission.

`Grade.to_json` is the one input of every page and export; `grade.schema.json` beside this file
describes it and `FORMAT_VERSION` is raised when a reader would have to change.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FORMAT_VERSION = 1
SCHEMA_FILE = Path(__file__).with_name("grade.schema.json")

Measured = Mapping[str, float | int | str | bool | None]


class Outcome(str, Enum):
    """`not_judged` is our fault or the machine's: it never costs a point silently."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_JUDGED = "not_judged"


class RunStatus(str, Enum):
    """How the run of a whole submission ended."""

    COMPLETED = "completed"
    FAILED_TO_LOAD = "failed_to_load"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    OVER_LIMIT = "over_limit"
    REFUSED = "refused"
    NOT_RUN = "not_run"


@dataclass(frozen=True, eq=False)
class Trace:
    """What is compared to find the mistake behind a failed case.

    Attributes:
        kind: what sort of output it is; outputs of different kinds are not alike.
        value: (n,) float32, the output or a part of it, brought to a scale of its technique.
        right: (n,) float32, the same of the golden output; zeros where none compares.
    """

    kind: str
    value: npt.NDArray[np.float32]
    right: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Diagnosis:
    """The known mistake that explains the failed cases of a technique best.

    Attributes:
        mistake: its name in the catalogue.
        confidence: 0 to 1.
        hint: what a student can do about it.
        kind: what is wrong: the `method`; only its `input`; or only the `presentation`.
    """

    mistake: str
    confidence: float
    hint: str
    kind: str = "method"

    def to_json(self) -> dict[str, Any]:
        """The diagnosis as plain data."""
        return {
            "mistake": self.mistake,
            "confidence": round(self.confidence, 2),
            "hint": self.hint,
            "kind": self.kind,
        }


@dataclass(frozen=True)
class CaseResult:
    """How one case (or one group of cases, such as a sweep) did in one check.

    Attributes:
        id: the case's or the group's id.
        outcome: passed, failed or not judged.
        score: 0 to 1, how near to right; for people, the points follow the outcome.
        measured: the numbers the verdict rests on.
        threshold: what they were held against.
        message: what was expected and what came.
        hint: what to do next; empty when passed.
        margin: how far from the verdict changing: 0 at the threshold, above it up to 1, below it
            down to -1; not in `grade.json`.
        trace: what came, for the diagnosis; not in `grade.json`.
    """

    id: str
    outcome: Outcome
    score: float
    measured: Measured = field(default_factory=dict)
    threshold: Mapping[str, float] = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    margin: float = -1.0
    trace: Trace | None = field(default=None, compare=False)


@dataclass(frozen=True)
class CheckResult:
    """One check of one submission: `points` is `max_points` times the share of passed cases."""

    id: str
    technique: str
    metric: str
    max_points: float
    cases: tuple[CaseResult, ...]

    @property
    def points(self) -> float:
        """Points earned, 0 to `max_points`."""
        passed = sum(case.outcome is Outcome.PASSED for case in self.cases)
        return self.max_points * passed / len(self.cases)

    @property
    def judged(self) -> bool:
        """Whether every case could be judged."""
        return all(case.outcome is not Outcome.NOT_JUDGED for case in self.cases)


@dataclass(frozen=True)
class RunSummary:
    """How the run went, as the grade tells it.

    Attributes:
        status: how it ended.
        seconds: wall time.
        message: why it did not end well.
        notes: what was noticed on the way.
        printed: what the code printed, cut.
        memory_mb: the most memory that it held, TensorFlow included; 0 where it is not known.
    """

    status: RunStatus
    seconds: float
    message: str = ""
    notes: tuple[str, ...] = ()
    printed: str = ""
    memory_mb: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The summary as plain data."""
        return {
            "status": self.status.value,
            "seconds": round(self.seconds, 3),
            "message": self.message,
            "notes": list(self.notes),
            "printed": self.printed,
            "memory_mb": round(self.memory_mb),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunSummary:
        """Read what `to_json` wrote."""
        fields = {**data, "status": RunStatus(data["status"]), "notes": tuple(data["notes"])}
        return cls(**fields)


@dataclass(frozen=True)
class Grade:
    """The checks of one submission, with all that is needed to dispute them."""

    submission: str
    checks: tuple[CheckResult, ...]
    run: RunSummary
    environment: Mapping[str, str]
    digests: Mapping[str, str]
    diagnoses: Mapping[str, Diagnosis] = field(default_factory=dict)
    likeness: Mapping[str, Any] = field(default_factory=dict)

    @property
    def judged(self) -> bool:
        """Whether every case of every check could be judged."""
        return all(check.judged for check in self.checks)

    @property
    def points(self) -> float:
        """Points earned over all checks."""
        return math.fsum(check.points for check in self.checks)

    @property
    def max_points(self) -> float:
        """Points that could be earned."""
        return math.fsum(check.max_points for check in self.checks)

    def technique_points(self) -> dict[str, tuple[float, float]]:
        """Points earned and possible per technique, in the order of the checks."""
        totals: dict[str, tuple[float, float]] = {}
        for check in self.checks:
            points, possible = totals.get(check.technique, (0.0, 0.0))
            totals[check.technique] = (points + check.points, possible + check.max_points)
        return totals

    def to_json(self) -> dict[str, Any]:
        """The grade as plain data, the layout of `grade.schema.json`."""
        return {
            "format_version": FORMAT_VERSION,
            "submission": self.submission,
            "outcome": "judged" if self.judged else "not_judged",
            "points": _round(self.points),
            "max_points": _round(self.max_points),
            "techniques": {
                name: {
                    "points": _round(points),
                    "max_points": _round(top),
                    "diagnosis": found.to_json() if (found := self.diagnoses.get(name)) else None,
                }
                for name, (points, top) in self.technique_points().items()
            },
            "checks": [_check_to_json(check) for check in self.checks],
            "run": self.run.to_json(),
            "environment": dict(self.environment),
            "digests": dict(self.digests),
            "likeness": dict(self.likeness),
        }


def stopped(grade: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why no function could be called at all, and what to do about it: to be said once.

    Args:
        grade: as in `grade.json`.

    Returns:
        None where cases ended in different ways.
    """
    cases = [case for check in grade["checks"] for case in check["cases"]]
    run = grade["run"]
    if not run["message"] or not cases or any(case["outcome"] != "failed" for case in cases):
        return None
    # Of a sweep, the message begins with the name of the case that it is about; of a hidden case,
    # it tells nothing.
    same = all(case["message"].endswith(run["message"]) for case in cases)
    not_loaded = run["status"] == RunStatus.FAILED_TO_LOAD.value
    return (run["message"], cases[0]["hint"]) if same or not_loaded else None


def _check_to_json(check: CheckResult) -> dict[str, Any]:
    return {
        "id": check.id,
        "technique": check.technique,
        "metric": check.metric,
        "points": _round(check.points),
        "max_points": _round(check.max_points),
        "cases": [_case_to_json(case) for case in check.cases],
    }


def _case_to_json(case: CaseResult) -> dict[str, Any]:
    return {
        "id": case.id,
        "outcome": case.outcome.value,
        "score": _round(case.score),
        "measured": {name: _plain(value) for name, value in case.measured.items()},
        "threshold": dict(case.threshold),
        "message": case.message,
        "hint": case.hint,
    }


def _plain(value: Any) -> Any:
    """A number as JSON can hold it: four decimals, `None` where it is not finite."""
    if isinstance(value, (bool, str)) or value is None:
        return value
    return _round(value) if math.isfinite(value) else None


def _round(value: float) -> float:
    return round(float(value), 4)
