"""From rows to the facts of the calibration's page."""

from __future__ import annotations

from collections.abc import Sequence

from harness import techniques
from harness.calibration.left_out import LeftOut
from harness.calibration.proof import Proof
from harness.calibration.running import Row
from harness.calibration.thresholds import Choice
from harness.lab import Lab
from harness.report.of_calibration import (
    CalibrationPage,
    Matrix,
    MatrixCell,
    MatrixLine,
    ThresholdLine,
)


def counts(proof: Proof, unknown: LeftOut | None = None) -> tuple[str, ...]:
    """The counts that the proof consists of, a sentence each; and what goes beyond it."""
    return (
        f"{proof.variants_right} of {proof.variants} variants keep every point",
        f"{proof.mistakes_caught} of {proof.mistakes} mistakes are caught by two cases or more",
        f"{proof.named} of {proof.mistakes} mistakes are their own first diagnosis",
        *([str(unknown)] if unknown else []),
    )


def calibration_page(
    lab: Lab,
    rows: Sequence[Row],
    choices: Sequence[Choice],
    proof: Proof,
    unknown: LeftOut | None = None,
) -> CalibrationPage:
    """All that the page says."""
    matrices = []
    for name, technique in techniques.TECHNIQUES.items():
        own = [row for row in rows if row.entry.technique == name]
        if own:
            columns = tuple(dict.fromkeys(key for row in own for key in row.units))
            lines = tuple(_line(row, columns) for row in own)
            matrices.append(Matrix(technique.title, columns, lines))
    return CalibrationPage(
        title=lab.title,
        counts=counts(proof, unknown),
        problems=proof.problems,
        notes=proof.notes,
        thresholds=tuple(_threshold(choice) for choice in choices),
        matrices=tuple(matrices),
    )


def verdict(row: Row) -> str:
    """How an entry comes out, in words."""
    if row.not_judged:
        return f"not judged on {len(row.not_judged)}"
    if row.entry.is_mistake:
        count = len(row.caught_by)
        return f"caught by {count}" if count else "not caught"
    return f"fails {len(row.failed)}" if row.failed else f"keeps all (least {row.margin:.2f})"


def comes_out_right(row: Row) -> bool:
    """Whether a variant keeps everything and a mistake is caught twice."""
    if row.not_judged:
        return False
    return len(row.caught_by) >= 2 if row.entry.is_mistake else not row.failed


def _line(row: Row, columns: Sequence[str]) -> MatrixLine:
    cells = tuple(
        MatrixCell(row.units[key].margin if key in row.units else None) for key in columns
    )
    entry = row.entry
    right = comes_out_right(row)
    return MatrixLine(entry.name, entry.title, entry.is_mistake, right, verdict(row), cells)


def _threshold(choice: Choice) -> ThresholdLine:
    word = "≤" if choice.at_most else "≥"
    mistake = choice.mistake
    return ThresholdLine(
        check=choice.check,
        name=choice.name,
        threshold=f"{word} {choice.threshold:g}",
        correct=f"{choice.correct.value:.3f}: {choice.correct.who}, {choice.correct.case}",
        mistake=f"{mistake.value:.3f}: {mistake.who}, {mistake.case}" if mistake else "none",
        noise=f"{choice.noise:.1g}",
    )
