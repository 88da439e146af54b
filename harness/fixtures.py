"""A hidden set: a whole lab on fresh probes, images and digits, drawn from a seed.

What is drawn is the course's own business: `python -m reference.models.hidden` in the checkout
draws it. Here it is started, and its golden outputs are built.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from harness import golden
from harness.errors import LabError, UsageError
from harness.execution.runner import Runner
from harness.execution.sandbox import choose_for_own_work
from harness.grading import open_lab
from harness.lab import Lab
from harness.techniques import CONTRACT


def new(base: Lab, seed: int, out: Path, *, jobs: int) -> Lab:
    """Draw a hidden set and build its golden outputs.

    Args:
        base: the lab whose checks, thresholds and limits it takes.
        seed: the same seed draws the same set.
        out: a folder that does not exist yet, or is empty.
        jobs: how many children at a time.

    Returns:
        the set as a lab.

    Raises:
        UsageError: the folder is not empty, or the lab has nothing that draws.
        LabError: drawing failed; the text has its last lines.
        GoldenError: the reference fails on it.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already and not empty; give another --out")
    drawing = base.reference / "models" / "hidden.py" if base.reference else None
    if drawing is None or not drawing.is_file():
        raise UsageError(
            f"{base.source.path}: its reference has no models/hidden.py, which draws hidden sets; "
            "run this in a checkout of the course"
        )
    assert base.reference is not None
    package = base.reference.resolve()
    command = [sys.executable, "-m", f"{package.name}.models.hidden", "--seed", str(seed)]
    command += ["--base", str(base.source.path.resolve()), "--out", str(out.resolve())]
    command += [part for folder in base.source.allowed for part in ("--lab-files", str(folder))]
    run = subprocess.run(
        command,
        cwd=package.parent,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    if run.returncode != 0:
        raise LabError(f"drawing the hidden set failed: {run.stderr.strip()[-2000:]}")
    lab = open_lab(out / "lab.yaml", base.source.allowed)
    with Runner(lab, CONTRACT, sandbox=choose_for_own_work()) as runner:
        golden.build(lab, runner, jobs)
    return lab


def name_calibration(lab: Lab) -> Lab:
    """Add the key `calibration` to the file of a set that is going to be calibrated."""
    path = lab.source.path
    path.write_text(path.read_text("utf-8") + "calibration: calibration\n", "utf-8")
    return open_lab(path, lab.source.allowed)
