"""Writes the calibration file: what was chosen and why, for people and for grading."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from harness import diagnosis
from harness.calibrated import FILE
from harness.calibration.left_out import LeftOut
from harness.calibration.proof import CaseUse, Proof
from harness.calibration.thresholds import Choice, Found
from harness.diagnosis import KnownMistake
from harness.errors import UsageError
from harness.lab import Lab

_HEAD = """\
# Written by `harness calibrate`, read by grading; a threshold in the lab file comes first.
# A threshold stands between the worst correct work and the nearest mistake that it refuses.
"""


def write(
    lab: Lab,
    choices: Sequence[Choice],
    uses: Sequence[CaseUse],
    proof: Proof,
    known: Sequence[KnownMistake],
    unknown: LeftOut | None = None,
) -> Path:
    """Write the lab's calibration folder, whole or not at all.

    Returns:
        the calibration file.

    Raises:
        UsageError: the lab names no folder.
    """
    if lab.calibration is None:
        raise UsageError(
            f"{lab.source.path}: no 'calibration' folder is named; add 'calibration: calibration'"
        )
    fresh = lab.calibration.with_name(lab.calibration.name + ".partial")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    data = {
        "thresholds": _thresholds(choices),
        "cases": {
            "chosen": {use.key: _use(use) for use in uses if use.needed},
            "spare": {use.key: f"catches {len(use.catches)}" for use in uses if not use.needed},
        },
        "proof": {
            "variants": f"{proof.variants_right} of {proof.variants} keep every point",
            "mistakes": f"{proof.mistakes_caught} of {proof.mistakes} are caught by two cases",
            "diagnosis": f"{proof.named} of {proof.mistakes} are their own first diagnosis",
            **({"left_out": str(unknown)} if unknown else {}),
            "notes": list(proof.notes),
        },
    }
    text = yaml.safe_dump(data, sort_keys=False, width=96, allow_unicode=True)
    (fresh / FILE).write_text(_HEAD + text, "utf-8")
    diagnosis.save(known, fresh)
    shutil.rmtree(lab.calibration, ignore_errors=True)
    fresh.rename(lab.calibration)
    return lab.calibration / FILE


def _thresholds(choices: Sequence[Choice]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for choice in choices:
        found.setdefault(choice.check, {})[choice.name] = {
            "threshold": choice.threshold,
            "is": "at most" if choice.at_most else "at least",
            "worst_correct": _found(choice.correct),
            "nearest_mistake": _found(choice.mistake) if choice.mistake else "none",
            "noise": float(f"{choice.noise:.2g}"),
            "why": choice.why,
        }
    return found


def _found(found: Found) -> str:
    return f"{found.value:.4f} ({found.who} on {found.case})"


def _use(use: CaseUse) -> str:
    return f"catches {len(use.catches)}, needed for {', '.join(use.needed)}"
