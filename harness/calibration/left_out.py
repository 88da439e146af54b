"""Each entry of the catalogue, held against thresholds that were set without it.

Thresholds are set by the very entries that prove them. What work that nobody here has seen can
expect is told by leaving each entry out in turn (Stone 1974): a variant should keep every point,
and a mistake be caught, all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness import techniques
from harness.calibrated import with_thresholds
from harness.calibration import thresholds
from harness.calibration.proof import CATCHES
from harness.calibration.running import NoiseRun, Row
from harness.lab import Check, Lab


@dataclass(frozen=True)
class LeftOut:
    """What came of it.

    Attributes:
        variants: how many there are.
        kept: how many keep every point under thresholds set without them.
        mistakes: how many there are.
        caught: how many are clearly caught by two cases under thresholds set without them.
        missed: the names of the others.
    """

    variants: int
    kept: int
    mistakes: int
    caught: int
    missed: tuple[str, ...]

    def __str__(self) -> str:
        """The counts in a sentence."""
        others = f" (not: {', '.join(self.missed)})" if self.missed else ""
        return (
            f"{self.kept} of {self.variants} variants and {self.caught} of {self.mistakes} "
            f"mistakes come out right under thresholds set without them{others}"
        )


def leave_each_out(
    lab: Lab,
    rows: Sequence[Row],
    noise: Sequence[NoiseRun],
    judge: Callable[[Lab, Row], Row],
) -> LeftOut:
    """Set the thresholds of each entry's technique without it, and judge it by them.

    Args:
        lab: with the thresholds that its own file sets.
        rows: as that lab judges them.
        noise: the same.
        judge: a row by the thresholds of another lab.
    """
    right: dict[str, bool] = {}
    for row in rows:
        own = [check for check in lab.checks if _technique(check) == row.entry.technique]
        part = replace(lab, checks=tuple(own))
        others = [other for other in rows if other is not row]
        chosen = thresholds.by_check(thresholds.choose(part, others, noise))
        judged = judge(with_thresholds(lab, chosen), row)
        right[row.entry.name] = (
            len(judged.caught_by) >= CATCHES if row.entry.is_mistake else not judged.failed
        )
    mistakes = [row.entry.name for row in rows if row.entry.is_mistake]
    caught = sum(right[name] for name in mistakes)
    return LeftOut(
        variants=len(rows) - len(mistakes),
        kept=sum(right.values()) - caught,
        mistakes=len(mistakes),
        caught=caught,
        missed=tuple(name for name, held in right.items() if not held),
    )


def _technique(check: Check) -> str:
    return techniques.metric_of(check)[0].name
