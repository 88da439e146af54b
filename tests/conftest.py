"""Fixtures shared by the tests that need no TensorFlow."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness import techniques
from harness.answers import Answers
from harness.figures import Figure, Note, Picture, Row
from harness.gradebook import Gradebook
from harness.grading import open_lab
from harness.marks import Marks, questions_of
from harness.outputs import Outputs
from harness.remembered import Remembered
from harness.results import CaseResult, CheckResult, Grade, Outcome, RunStatus, RunSummary
from harness.techniques.base import Evidence
from harness.written import settled

LAB = """\
format_version: 1
title: Small
models:
  net: {file: net.keras, classes: net.json, preprocessing: tf}
images:
  photo: {file: photo.png}
  grey: {file: grey.png}
datasets:
  set: {file: set.npz}
cases:
  top_predictions:
    - {id: photo, model: net, image: photo}
  layer_activations:
    - {id: photo, model: net, image: photo, layers: [conv, dense]}
  mean_activations:
    - {id: mean, model: net, dataset: set, layer_name: conv}
  maximize_activation:
    - {id: cat, model: net, layer_name: dense, filter_indices: [1], sweep: {tv_weight: [1, 4]}}
    - {id: dog, model: net, layer_name: dense, filter_indices: [2], tv_weight: 1, repeat: true}
  class_activation_map:
    - {id: photo, model: net, image: photo, class: cat, layer_name: conv, modifier: guided}
checks:
  - {id: top, metric: top_predictions.agreement, points: 2, threshold: {tie: 0.01}}
  - {id: fall, metric: activation_maximization.fall, points: 1, cases: [cat]}
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in the order that keeps two workers busy to the end: what takes long, first.

    The red team has limits of seconds, and comes beside what leaves it some processor.
    """
    heavy = {item.path for item in items if item.get_closest_marker("tensorflow")}
    items.sort(key=lambda item: (item.path not in heavy, "redteam" in item.path.name))


@pytest.fixture
def lab_file(tmp_path: Path) -> Path:
    """A small valid lab file, with a file that looks like a Keras model."""
    layers = [{"config": {"name": name}} for name in ("image", "conv", "dense")]
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": layers}}))
    names = [["n0", "ball"], ["n1", "cat"], ["n2", "dog"]]
    (tmp_path / "net.json").write_text(json.dumps(names))
    photo = np.arange(8 * 12 * 3, dtype="uint8").reshape(8, 12, 3)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    Image.fromarray(photo[..., 0]).save(tmp_path / "grey.png")
    np.savez(tmp_path / "set.npz", images=np.zeros((4, 8, 12, 3), "uint8"), labels=np.arange(4) % 3)
    path = tmp_path / "lab.yaml"
    path.write_text(LAB, "utf-8")
    return path


@pytest.fixture
def evidence(lab_file: Path):
    """Make the evidence of a case: `evidence("top_predictions/photo", value, golden)`."""
    lab = open_lab(lab_file)
    cases = {techniques.key(case): case for case in lab.cases}

    def make(key: str, value, *accepted, facts=None) -> Evidence:
        case = cases[key]
        normalised = techniques.technique_of(case).normalise(lab, case, value)
        arguments = techniques.resolve_arguments(lab, case)
        return Evidence(case, lab, arguments, normalised, list(accepted), facts or {})

    return make


QUESTIONS = """\
questions:
  - id: map-class
    title: Does the map reflect the class?
    points: 2
    levels:
      - {points: 2, label: reasoned, description: gives a reason}
      - {points: 1, label: described}
      - {points: 0, label: missing}
    case: class_activation_maps/photo
    claims: photo
  - id: use
    title: How can activation maximization be useful?
    text: In practice.
    points: 1
    levels: [{points: 1, label: "yes"}, {points: 0, label: "no"}]
    cases: [cat]
"""


@pytest.fixture
def asking(lab_file: Path) -> str:
    """The text of the small lab file with two written questions, written to it."""
    text = LAB + QUESTIONS
    lab_file.write_text(text, "utf-8")
    return text


@pytest.fixture
def asking_lab(lab_file: Path, asking: str):
    """The small lab with two written questions."""
    return open_lab(lab_file)


RUN = RunSummary(RunStatus.COMPLETED, 1.0)
PICTURE = Picture(b"\x89PNG\r\n", 2, 3, "the map of this student")
FIGURES = {
    ("class_activation_maps", "photo"): [Figure("The map", (Row((PICTURE,)),))],
    ("activation_maximization", "cat"): [Figure("The sweep", (Note("three images"),))],
}


@pytest.fixture
def graded_book(asking_lab, tmp_path: Path):
    """Make a gradebook of submissions with these answers, as grading leaves it behind."""

    def make(answers: dict[str, dict[str, str]]) -> Gradebook:
        book = Gradebook(tmp_path / "reports")
        grades = []
        for name, texts in answers.items():
            one = CaseResult("photo", Outcome.PASSED, 1.0)
            checks = (CheckResult("maps", "class_activation_maps", "x", 2.0, (one,)),)
            digests = {"lab": "a", "submission": "b", "golden": "c"}
            grade = Grade(name, checks, RUN, {"python": "3"}, digests).to_json()
            written = Answers(texts, other=f"other text of {name}")
            grade["questions"] = questions_of(asking_lab.questions, written, Marks())
            grade = settled(asking_lab, grade, None)
            book.save(
                grade,
                f"the first report of {name}".encode(errors="backslashreplace"),
                outputs=Outputs(name, RUN, {}).to_bytes(),
                remembered=Remembered("x", {}, FIGURES).to_bytes(),
                answers=written.to_bytes(),
            )
            grades.append(grade)
        book.write_csv(grades)
        return book

    return make
