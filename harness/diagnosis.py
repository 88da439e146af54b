"""Which known mistake a failing submission made, by what it returned.

`harness calibrate` keeps what every known mistake returns where it fails: its *traces*. A failing
submission is compared with each of them over all failing cases of a technique. In one case, their
likeness is how much nearer the submission is to the mistake than to right work::

    likeness = 1 − ‖submission − mistake‖ / ‖submission − golden‖, at least 0

and the confidence is its mean over the cases that either of them fails; a case that only one of
them fails counts as unlike, by how clearly it is failed. The nearest mistake is the diagnosis if
its confidence is at least `LEAST`; below that nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from harness.catalogue import Entry
from harness.errors import LabError
from harness.language import gettext as _
from harness.outputs import CaseOutput, CaseStatus, Outputs, Value
from harness.results import (
    CheckResult,
    Diagnosis,
    Outcome,
    RunStatus,
    RunSummary,
    Trace,
)

LEAST = 0.5
FOLDER = "mistakes"


@dataclass(frozen=True)
class Failure:
    """A failed case: its trace (None when nothing was returned) and how clearly it failed."""

    trace: Trace | None
    margin: float


Failures = Mapping[str, Failure]


@dataclass(frozen=True)
class KnownMistake:
    """What a mistake of the catalogue did, by check and case."""

    name: str
    technique: str
    hint: str
    failures: Failures
    kind: str = "method"


def failures_of(checks: Iterable[CheckResult], technique: str) -> dict[str, Failure]:
    """The failed cases of a technique by `check/case`."""
    return {
        f"{check.id}/{case.id}": Failure(case.trace, case.margin)
        for check in checks
        if check.technique == technique
        for case in check.cases
        if case.outcome is Outcome.FAILED
    }


def diagnose(checks: Sequence[CheckResult], known: Sequence[KnownMistake]) -> dict[str, Diagnosis]:
    """The nearest mistake of each technique with failed cases, where one is near enough."""
    found = {}
    for technique in dict.fromkeys(check.technique for check in checks):
        failures = failures_of(checks, technique)
        judged = {f"{check.id}/{case.id}" for check in checks for case in check.cases}
        candidates = [mistake for mistake in known if mistake.technique == technique]
        diagnosis = nearest(failures, candidates, judged)
        if diagnosis is not None and diagnosis.confidence >= LEAST:
            found[technique] = diagnosis
    return found


def nearest(
    failures: Failures, candidates: Iterable[KnownMistake], judged: set[str]
) -> Diagnosis | None:
    """The mistake with the highest confidence, however low; None when nothing can be compared.

    Args:
        failures: of the submission.
        candidates: mistakes of its technique.
        judged: all cases that were judged, failed or not.
    """
    compared = {key: failure for key, failure in failures.items() if failure.trace is not None}
    best: Diagnosis | None = None
    if not compared:
        return None
    left = judged - (failures.keys() - compared.keys())  # what returned nothing says nothing
    for mistake in candidates:
        theirs = {key: value for key, value in mistake.failures.items() if key in left}
        value = confidence(compared, theirs)
        if best is None or value > best.confidence:
            best = Diagnosis(mistake.name, value, _(mistake.hint), mistake.kind)
    return best


def confidence(mine: Failures, theirs: Failures) -> float:
    """Mean likeness over the cases that either fails, 0 to 1."""
    total = weights = 0.0
    for key in mine.keys() | theirs.keys():
        if key in mine and key in theirs:
            total += likeness(mine[key].trace, theirs[key].trace)
            weights += 1
        else:
            weights += abs((mine.get(key) or theirs[key]).margin)
    return total / weights if weights > 0 else 0.0


def likeness(mine: Trace | None, theirs: Trace | None) -> float:
    """How much nearer an output is to a mistake's than to the golden one, 0 to 1."""
    if mine is None or theirs is None:
        return 0.0
    if mine.kind != theirs.kind or mine.value.shape != theirs.value.shape:
        return 0.0
    right = mine.right if mine.right.shape == mine.value.shape else np.zeros_like(mine.value)
    apart = float(np.linalg.norm(mine.value - theirs.value))
    from_right = float(np.linalg.norm(mine.value - right))
    if apart == 0:
        return 1.0
    return max(0.0, 1 - apart / from_right) if from_right > 0 else 0.0


def save(known: Sequence[KnownMistake], folder: Path) -> None:
    """Write what mistakes return, arrays as float16."""
    cases: dict[str, CaseOutput] = {}
    for mistake in known:
        failures: dict[str, Value] = {
            key: {
                "kind": failure.trace.kind,
                "value": failure.trace.value.astype("float16"),
                "margin": failure.margin,
            }
            for key, failure in mistake.failures.items()
            if failure.trace is not None
        }
        value: dict[str, Value] = {
            "technique": mistake.technique,
            "hint": mistake.hint,
            "kind": mistake.kind,
            "failures": failures,
        }
        cases[mistake.name] = CaseOutput(CaseStatus.RETURNED, value)
    Outputs("mistakes", RunSummary(RunStatus.COMPLETED, 0.0), cases).save(folder / FOLDER)


def load(folder: Path) -> list[KnownMistake]:
    """Read what `save` wrote.

    Raises:
        LabError: it is missing or damaged.
    """
    try:
        stored = Outputs.load(folder / FOLDER)
        return [_known(name, output.value) for name, output in stored.cases.items()]
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise LabError(
            f"the mistakes in {folder / FOLDER} cannot be read ({type(error).__name__}: {error}); "
            "restore them, or run: harness calibrate"
        ) from None


def known_mistake(entry: Entry, checks: Sequence[CheckResult]) -> KnownMistake:
    """What to keep of a mistake of the catalogue that was run and judged."""
    failures = failures_of(checks, entry.technique)
    return KnownMistake(entry.name, entry.technique, entry.hint, failures, entry.kind)


def _known(name: str, value: Any) -> KnownMistake:
    failures = {
        key: Failure(
            Trace(
                str(stored["kind"]),
                np.asarray(stored["value"], "float32"),
                np.zeros(0, "float32"),
            ),
            float(stored["margin"]),
        )
        for key, stored in value["failures"].items()
    }
    texts = (str(value[key]) for key in ("technique", "hint", "kind"))
    technique, hint, kind = texts
    return KnownMistake(name, technique, hint, failures, kind)
