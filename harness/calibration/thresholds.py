"""Sets thresholds between the worst correct work and the nearest mistake.

A measure is looked at as a distance from perfect: 1 − value for measures that must be high, the
value itself for those that must be low. If the worst correct work (accepted variants, and the
reference under other conditions and seeds) is at distance d, the threshold is put between
`NEAREST`·d and `FARTHEST`·d: not nearer, because students' correct work is not known in advance;
not farther, because mistakes begin there (and never beyond the farthest of them). It is put in the
middle of that, as a factor, unless more mistakes are clearly caught by two cases elsewhere; then as
near to the middle as catches most. So it moves with the worst correct work, and with a mistake only
where that would not be caught.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness import techniques
from harness.calibration.running import CLEAR, NoiseRun, Row
from harness.lab import Lab
from harness.metrics.room import room
from harness.results import CaseResult, CheckResult, Outcome
from harness.techniques.base import Metric

NEAREST, FARTHEST = 1.5, 3.0
STEPS = 15
_TINY = 1e-4


@dataclass(frozen=True)
class Found:
    """A value measured somewhere.

    Attributes:
        value: the value.
        who: variant, mistake or condition.
        case: where.
    """

    value: float
    who: str
    case: str


@dataclass(frozen=True)
class Choice:
    """A threshold and why it is there.

    Attributes:
        check: id of the check.
        name: of the threshold.
        threshold: its value.
        at_most: whether values must be below it, else above.
        correct: the worst correct work.
        mistake: the nearest mistake that it refuses; None when it refuses none.
        noise: how much the measure differs between conditions of the machine, at most.
        why: how it was chosen, in words.
    """

    check: str
    name: str
    threshold: float
    at_most: bool
    correct: Found
    mistake: Found | None
    noise: float
    why: str


def choose(lab: Lab, rows: Sequence[Row], noise: Sequence[NoiseRun]) -> list[Choice]:
    """A threshold for everything that the lab's checks measure and its file does not set."""
    choices = []
    for check in lab.checks:
        technique, metric = techniques.metric_of(check)
        own = [row for row in rows if row.entry.technique == technique.name]
        for name, default in metric.threshold.items():
            if name in check.threshold or not any(_values(check.id, name, own)):
                continue
            choices.append(_choose(check.id, name, default, metric, own, noise))
    return choices


def by_check(choices: Sequence[Choice]) -> dict[str, dict[str, float]]:
    """The thresholds chosen, by check and name."""
    found: dict[str, dict[str, float]] = {}
    for choice in choices:
        found.setdefault(choice.check, {})[choice.name] = choice.threshold
    return found


def _choose(
    check: str,
    name: str,
    default: float,
    metric: Metric,
    rows: Sequence[Row],
    noise: Sequence[NoiseRun],
) -> Choice:
    perfect = 0.0 if name in metric.at_most else 1.0
    sign = 1.0 if name in metric.at_most else -1.0

    def distance(found: Found) -> float:
        return sign * (found.value - perfect)

    right = [*_values(check, name, [row for row in rows if not row.entry.is_mistake])]
    right += _noise_values(check, name, noise)
    wrong = [*_values(check, name, [row for row in rows if row.entry.is_mistake])]
    worst = max(right, key=distance)
    base = Choice(
        check,
        name,
        default,
        name in metric.at_most,
        worst,
        None,
        _spread(check, name, noise),
        "the worst correct work is perfect, so the metric's own threshold stands",
    )
    if distance(worst) > _TINY:
        low = NEAREST * distance(worst)
        high = min(FARTHEST * distance(worst), max([low, *map(distance, wrong)]))
        middle = float(np.sqrt(low * high))
        tried = {d: sign * d + perfect for d in (middle, *np.geomspace(low, high, STEPS).tolist())}
        covered = {d: _covered(rows, check, name, at, sign) for d, at in tried.items()}
        most = max(covered.values())
        best = min((d for d in tried if covered[d] == most), key=lambda d: abs(np.log(d / middle)))
        count = sum(row.entry.is_mistake for row in rows)
        where = f"{best / distance(worst):.2g} times as far from perfect as the worst correct work"
        why = (
            f"{where}: the middle of {NEAREST:g} to {high / distance(worst):.2g}"
            if best == middle
            else f"{where}: in the middle, at {middle / distance(worst):.2g}, "
            f"{covered[middle]} of {count} mistakes are caught by two cases, here {most}"
        )
        base = replace(base, threshold=round(tried[best], 3), why=why)
    limit = sign * (base.threshold - perfect)
    refused = [found for found in wrong if distance(found) > limit]
    return replace(base, mistake=min(refused, key=distance, default=None))


def _covered(rows: Sequence[Row], check: str, name: str, threshold: float, sign: float) -> int:
    """How many mistakes clearly fail two cases if this threshold is changed alone."""
    perfect = 0.0 if sign > 0 else 1.0

    def fails(key: str, case: CaseResult) -> bool:
        clearly = case.outcome is Outcome.FAILED and case.margin <= -CLEAR
        if not key.startswith(f"{check}/") or name not in case.measured:
            return clearly
        value = case.measured[name]
        if value is not None and room(float(value), threshold, perfect) <= -CLEAR:
            return True
        return clearly and not _alone(case, name, sign)

    return sum(
        sum(fails(key, case) for key, case in row.units.items()) >= 2
        for row in rows
        if row.entry.is_mistake
    )


def _alone(case: CaseResult, name: str, sign: float) -> bool:
    """Whether it is this measure that fails the case."""
    value = case.measured[name]
    return value is not None and sign * (float(value) - case.threshold[name]) > 0


def _values(check: str, name: str, rows: Iterable[Row]) -> Iterable[Found]:
    for row in rows:
        yield from _of(check, name, row.checks, row.entry.name)


def _noise_values(check: str, name: str, noise: Iterable[NoiseRun]) -> Iterable[Found]:
    for run in noise:
        yield from _of(check, name, run.checks, f"the reference, {run.condition}")


def _of(check: str, name: str, checks: Iterable[CheckResult], who: str) -> Iterable[Found]:
    for result in checks:
        if result.id == check:
            for case in result.cases:
                value = case.measured.get(name)
                if isinstance(value, (int, float)):
                    yield Found(float(value), who, case.id)


def _spread(check: str, name: str, noise: Sequence[NoiseRun]) -> float:
    """The largest difference of the measure on one case between conditions of the machine."""
    values: dict[str, list[float]] = {}
    for run in noise:
        if not run.condition.startswith("seed"):
            for found in _of(check, name, run.checks, run.condition):
                values.setdefault(found.case, []).append(found.value)
    return max((max(found) - min(found) for found in values.values()), default=0.0)
