"""Hidden cases: seen one at a time by a child of their own, and nothing it says is shown."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import yaml

from harness import techniques
from harness.errors import LabError
from harness.execution.runner import Runner
from harness.execution.staging import Staged
from harness.grading import Grader, open_lab
from harness.lab import Limits, read_lab
from harness.outputs import CaseStatus
from harness.report import draw, report_html
from harness.submission import Submission

ROOT = Path(__file__).parents[1]
# Tells all that it sees in every way there is, the hidden case's input among it.
TELLS_ALL = """
import base64, pathlib, sys
from harness.student import load_image, load_model
for name in ("soccer01", "digit4"):
    try:
        print(name, load_image(name).shape)
    except Exception as error:
        print(name, type(error).__name__)
seen = []
def tell(image):
    seen.append("SEEN" + base64.b64encode(image.tobytes()).decode())
    print(*seen)
    pathlib.Path.home().joinpath("seen.txt").write_text(" ".join(seen))
    left = [p.read_text() for p in pathlib.Path.home().rglob("seen.txt")]
    return " ".join(seen + left)
def top_predictions(model, image, k):
    return [(tell(image), 1.0)] * k
def class_activation_map(model, image, class_index, layer_name, modifier=None):
    raise RuntimeError(tell(image))
"""
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


def needles(lab):
    """Every form in which the hidden input could be found in a text."""
    image = lab.images["digit4"].pixels().tobytes()
    plain = base64.b64encode(image).decode()
    return [plain[start : start + 40] for start in range(200, len(plain) - 80, 97)]


@pytest.mark.tensorflow
def test_nothing_of_a_hidden_case_is_in_what_a_student_gets(whole, tmp_path):
    (tmp_path / "submission.py").write_text(TELLS_ALL)
    with Grader(whole) as grader:
        lab = few(grader.lab)
        grader.narrow(lab)
        graded = grader.grade(Submission("alice", tmp_path))
    outputs, golden, grade = graded.outputs, grader.golden, graded.grade
    hidden = outputs.cases["class_activation_maps/digit4-as-9"]
    assert "SEEN" in hidden.message  # it did tell, and the instructor can look it up
    html = report_html(grade, outputs, lab, draw(lab, golden, outputs))
    assert "SEEN" in html  # of the public cases
    assert grade["run"]["printed"].count("soccer01 (96, 96, 3)") == 1
    assert "digit4 UsageError" in grade["run"]["printed"]
    for needle in needles(lab):
        assert needle not in html
        assert needle not in str(grade)
    lines = {case["id"]: case["message"] for check in grade["checks"] for case in check["cases"]}
    assert lines["digit4-as-9"] == "the call ended: raised"
    assert outputs.cases["top_predictions/digit4"].status is CaseStatus.RETURNED


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
    lab = read_lab(tmp_path / "lab.yaml")
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
        read_lab(tmp_path / "second.yaml")
