"""The facts of the calibration's page: which case tells which mistake from correct work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class MatrixCell:
    """One entry on one case.

    Attributes:
        margin: −1 to 1, above 0 for a pass; None where the entry has no such case.
    """

    margin: float | None

    @property
    def word(self) -> str:
        """The margin as people read it."""
        if self.margin is None:
            return ""
        return f"{self.margin:+.2f}".replace("-", "−")

    @property
    def style(self) -> str:
        """Class of the style sheet: passed or failed, and in which of five strengths."""
        if self.margin is None:
            return ""
        strength = min(4, int(abs(self.margin) * 5))
        return f"{'pass' if self.margin >= 0 else 'fail'}-{strength}"


@dataclass(frozen=True)
class MatrixLine:
    """One variant or mistake.

    Attributes:
        name: its name.
        title: what it does.
        is_mistake: a mistake, else a variant.
        right: whether it comes out as it should.
        verdict: how it comes out, in words.
        cells: one per column.
    """

    name: str
    title: str
    is_mistake: bool
    right: bool
    verdict: str
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True)
class Matrix:
    """All entries of a technique down, its cases across."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[MatrixLine, ...]


@dataclass(frozen=True)
class ThresholdLine:
    """One threshold, where it stands and between what."""

    check: str
    name: str
    threshold: str
    correct: str
    mistake: str
    noise: str


@dataclass(frozen=True)
class CalibrationPage:
    """All that the page says."""

    title: str
    counts: tuple[str, ...]
    problems: Sequence[str]
    notes: Sequence[str]
    thresholds: tuple[ThresholdLine, ...]
    matrices: tuple[Matrix, ...]
