"""Hidden cases: their materials stay apart, and a child that cannot be loaded for them is silent.

That nothing of them is shown: `test_disclosure.py` and `test_disclosure_graded.py`.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import yaml

from harness import techniques
from harness.errors import LabError
from harness.execution.runner import Runner
from harness.execution.staging import Staged
from harness.grading import open_lab
from harness.lab import Limits, read_lab
from harness.submission import Submission

ROOT = Path(__file__).parents[1]
HIDDEN = ("digit4", "digit4-as-9")


SHOWN = ("digit7", "digit7-as-1", "soccer01")


@pytest.fixture(scope="module")
def whole():
    """The public lab with what is asked of one digit hidden."""
    lab = open_lab(ROOT / "fixtures" / "lab.yaml")
    cases = tuple(dataclasses.replace(case, hidden=case.id in HIDDEN) for case in lab.cases)
    return dataclasses.replace(lab, cases=cases)


def few(lab):
    """Some of its cases, and the checks that judge them."""
    functions = ("top_predictions", "class_activation_map")
    cases = [c for c in lab.cases if c.function in functions and c.id in SHOWN + HIDDEN]
    checks = [
        dataclasses.replace(check, cases=tuple(c.id for c in cases if c.function == function))
        for check in lab.checks
        for name, function in zip(("top-5", "heatmaps"), functions, strict=True)
        if check.id == name
    ]
    limits = Limits(case_seconds=20, submission_seconds=60)
    return dataclasses.replace(lab, cases=tuple(cases), checks=tuple(checks), limits=limits)


@pytest.fixture
def lab(whole):
    return few(whole)


@pytest.mark.tensorflow
def test_a_child_for_hidden_cases_that_cannot_import_says_nothing(lab, tmp_path):
    (tmp_path / "submission.py").write_text("""
import os, pathlib
from harness.student import load_model
def top_predictions(model, image, k):
    return []
if any("hidden" in name for name in os.listdir(pathlib.Path.home().parent.parent)):
    raise RuntimeError("SEEN")
""")
    calls = [techniques.call_of(lab, case) for case in lab.cases]
    with Runner(lab, techniques.CONTRACT) as runner:
        outputs = runner.run(Submission("alice", tmp_path), calls)
    assert "SEEN" not in str(outputs.run)


def test_hidden_images_are_not_staged_and_hidden_models_apart(lab, tmp_path):
    probes = [
        dataclasses.replace(case, hidden=True)
        for case in read_lab(ROOT / "fixtures" / "lab.yaml").cases
        if case.model == "probe1"
    ]
    lab = dataclasses.replace(lab, cases=(*lab.cases, *probes))
    staged = Staged(tmp_path)
    staged.take(lab)
    materials, hidden = staged.folders
    assert not list(materials.glob("*digit4*"))
    assert len(list(materials.glob("*-digit7.png"))) == 1
    assert not list(materials.glob("*probe1*"))
    assert len(list(materials.glob("*-probe2.npz"))) == 1
    assert [path.name for path in hidden.iterdir()] == ["probe1.keras"]
    assert "probe1" not in staged.models(hidden=False)
    assert {"probe1", "digits"} <= set(staged.models(hidden=True))


def test_a_hidden_lab_gives_submissions_the_public_labs_models_and_images(tmp_path):
    data = yaml.safe_load((ROOT / "fixtures" / "lab.yaml").read_text())
    for entries in data["cases"].values():
        for entry in entries:
            entry["hidden"] = True
    del data["questions"]  # they would show cases that are hidden now
    data["public_lab"] = str(ROOT / "fixtures" / "lab.yaml")
    for part in ("models", "images", "datasets", "golden"):
        (tmp_path / part).symlink_to(ROOT / "fixtures" / part)
    (tmp_path / "lab.yaml").write_text(yaml.safe_dump(data))
    allowed = [ROOT / "fixtures"]
    lab = read_lab(tmp_path / "lab.yaml", allowed)
    made = tmp_path / "staged"
    made.mkdir()
    staged = Staged(made)
    staged.take(lab)
    materials, hidden = staged.folders
    assert len(list(materials.glob("*-soccer01.png"))) == 1
    assert {"digits.keras", "objects.keras"} <= {path.name for path in materials.iterdir()}
    assert staged.models(hidden=False) == {}
    assert np.all([str(hidden) in m["file"] for m in staged.models(hidden=True).values()])
    data["public_lab"] = "lab.yaml"
    (tmp_path / "second.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(LabError, match=r"lab.yaml has a public_lab itself"):
        read_lab(tmp_path / "second.yaml", allowed)
