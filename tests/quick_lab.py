"""The lab with predictions only: real models, real golden outputs, a moment for each submission."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from harness import golden
from harness.execution.runner import Runner
from harness.grading import open_lab
from harness.techniques import CONTRACT

ROOT = Path(__file__).parents[1]


def quick_lab(folder: Path, cases: int = 3, points: float = 4) -> Path:
    """Make the lab in a folder, with its golden outputs; each case is worth the same."""
    for part in ("models", "images", "datasets"):
        shutil.copytree(ROOT / "fixtures" / part, folder / part)
    data = yaml.safe_load((ROOT / "fixtures" / "lab.yaml").read_text())
    data["cases"] = {"top_predictions": data["cases"]["top_predictions"][:cases]}
    [check] = [check for check in data["checks"] if check["id"] == "top-5"]
    data["checks"] = [{**check, "points": points}]
    del data["calibration"], data["questions"]
    data["reference"] = str(ROOT / "reference")
    (folder / "lab.yaml").write_text(yaml.safe_dump(data))
    lab = open_lab(folder / "lab.yaml")
    with Runner(lab, CONTRACT) as runner:
        golden.build(lab, runner, 2)
    return folder
