"""A small lab and submissions judged against made-up golden outputs: pages without TensorFlow."""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from harness import techniques
from harness.golden import Golden
from harness.grading import open_lab
from harness.judging import judge
from harness.lab import Lab
from harness.metrics.images import axis_roughness
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.report import draw, report_html
from harness.results import Diagnosis, Grade, RunStatus, RunSummary

INLINE = {"a", "bdi", "code", "span", "strong"}
VOID = {"meta", "img", "br", "hr", "link", "input"}
CLASSES = [["n0", "ball"], ["n1", "<b>racket</b>"], ["n2", "cup"]]

_CAM = {"model": "m", "image": "photo", "layer_name": "conv"}
LAB = {
    "format_version": 1,
    "title": "Deep <networks>",
    "models": {
        "m": {"file": "m.keras", "classes": "classes.json", "preprocessing": "unit"},
    },
    "images": {"photo": {"file": "photo.png"}},
    "datasets": {"digits": {"file": "digits.npz"}},
    "cases": {
        "top_predictions": [{"id": "top", "model": "m", "image": "photo", "k": 3}],
        "layer_activations": [
            {"id": "layers", "model": "m", "image": "photo", "layers": ["conv", "dense"]}
        ],
        "mean_activations": [
            {"id": "mean", "model": "m", "dataset": "digits", "layer_name": "conv"}
        ],
        "dominant_filters": [
            {"id": "dominant", "model": "m", "dataset": "digits", "layer_name": "conv"}
        ],
        "maximize_activation": [
            {
                **{"id": "sweep", "model": "m", "layer_name": "dense"},
                **{"filter_indices": [1, 2], "sweep": {"tv_weight": [0.5, 2, 8]}},
            },
            {
                **{"id": "same", "model": "m", "layer_name": "dense", "tv_weight": 1},
                **{"filter_indices": [0], "repeat": True},
            },
        ],
        "class_activation_map": [
            {**_CAM, "id": "racket", "class": 1},
            {**_CAM, "id": "guided", "class": 1, "modifier": "guided"},
            {**_CAM, "id": "secret", "class": 0, "hidden": True},
        ],
    },
    "checks": [
        {"id": "names", "metric": "top_predictions.agreement", "points": 2},
        {"id": "layers", "metric": "layer_activations.agreement", "points": 1.5},
        {"id": "means", "metric": "layer_activations.mean_agreement", "points": 1},
        {"id": "winners", "metric": "layer_activations.dominant_agreement", "points": 1},
        {
            "id": "tv-falls",
            **{"metric": "activation_maximization.fall", "points": 3, "cases": ["sweep"]},
        },
        {
            "id": "same-seed",
            **{"metric": "activation_maximization.repeat", "points": 1, "cases": ["same"]},
        },
        {"id": "maps", "metric": "class_activation_maps.agreement", "points": 4},
    ],
}


class Page(HTMLParser):
    """What a browser would see: elements with attributes, and the text between."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text("utf-8")
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(self.source)
        assert self.open == [], "every element that is opened is closed"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag not in INLINE:
            self.text += " "

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


class FakeOracle:
    """Answers as a model would whose layers pass the image's mean on to three outputs."""

    def layer_outputs(self, model, layer_name, images, *, preprocess=False):
        return np.repeat(images.reshape(len(images), -1).mean(axis=1)[:, None], 3, axis=1)

    def probabilities(self, model, images):
        return np.tile(np.array([0.7, 0.2, 0.1], "float32"), (len(images), 1))


def make_lab(
    folder: Path,
    described: Mapping[str, Any] = LAB,
    classes: Mapping[str, Any] | None = None,
    layers: Mapping[str, Sequence[str]] | None = None,
) -> Lab:
    """A small lab with every technique, a sweep, a repetition and a hidden case.

    Args:
        folder: made, with the files that the lab refers to.
        described: what the lab file says; every image and data set is noise, of its name.
        classes: of its models, where they are not `CLASSES`.
        layers: of its models, where they are not `conv` and `dense`.
    """
    folder.mkdir(parents=True)
    for name, model in described["models"].items():
        named = (layers or {}).get(name, ("conv", "dense"))
        config = {"layers": [{"config": {"name": layer}} for layer in named]}
        with zipfile.ZipFile(folder / model["file"], "w") as archive:
            archive.writestr("config.json", json.dumps({"config": config}))
        (folder / model["classes"]).write_text(json.dumps((classes or {}).get(name, CLASSES)))
    for name, image in described["images"].items():
        rng = np.random.default_rng(list(name.encode()))
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), "uint8")).save(folder / image["file"])
    for name, dataset in described["datasets"].items():
        rng = np.random.default_rng(list(name.encode()))
        images, labels = rng.integers(0, 255, (6, 8, 8, 1), "uint8"), np.arange(6) % 3
        np.savez(folder / dataset["file"], images=images, labels=labels)
    (folder / "lab.yaml").write_text(yaml.safe_dump(dict(described)))
    return open_lab(folder / "lab.yaml")


def right_values() -> dict[str, Any]:
    """What a right submission returns, by case."""
    rng = np.random.default_rng(1)
    smooth = np.linspace(0, 1, 32)[:, None, None] * np.ones((32, 32, 3))
    noise = rng.random((32, 32, 3))
    maximized = {
        f"activation_maximization/sweep-tv{weight}": (1 - share) * smooth + share * noise
        for weight, share in ((0.5, 0.9), (2, 0.5), (8, 0.1))
    }
    return {
        "top_predictions/top": [["ball", 0.7], ["<b>racket</b>", 0.2], ["cup", 0.1]],
        "layer_activations/layers": {"conv": rng.random((8, 8, 20)), "dense": rng.random(25)},
        "layer_activations/mean": rng.random((3, 8, 8, 4)),
        "layer_activations/dominant": rng.integers(0, 4, (3, 8, 8)),
        **maximized,
        "activation_maximization/same": noise,
        "activation_maximization/same-again": noise,
        **{
            f"class_activation_maps/{case}": np.clip(rng.random((4, 4)) - 0.3, 0, 1)
            for case in ("racket", "guided", "secret")
        },
    }


def golden_of(
    lab: Lab, values: Mapping[str, Any] | None = None, facts: Mapping[str, Any] | None = None
) -> Golden:
    """What is expected: the right values, and facts of each case.

    Args:
        lab: of `make_lab`.
        values: of cases that other tests have added, by key.
        facts: of those cases.
    """
    values = {**right_values(), **(values or {})}
    cases = {techniques.key(case): case for case in lab.cases}
    accepted = {
        key: [techniques.technique_of(case).normalise(lab, case, values[key])]
        for key, case in cases.items()
    }
    known: dict[str, dict[str, Any]] = {key: {} for key in cases}
    known["top_predictions/top"] = {"probabilities": np.array([0.7, 0.2, 0.1])}
    known["layer_activations/dominant"] = {"ambiguous": np.zeros((3, 8, 8), bool)}
    for key in known:
        if key.startswith("activation_maximization"):
            roughness = np.array(axis_roughness(accepted[key][0]))
            known[key] = {"shape": np.array([32, 32, 3]), "roughness": roughness}
    return Golden(accepted, {**known, **(facts or {})}, "0" * 64)


def graded(
    lab: Lab,
    changes: Mapping[str, Any] | None = None,
    run: RunSummary | None = None,
    name: str = "alice",
    golden: Golden | None = None,
    diagnoses: Mapping[str, Diagnosis] | None = None,
) -> tuple[dict[str, Any], Outputs]:
    """The grade and outputs of a submission that is right but for some changes."""
    values = {**right_values(), **(changes or {})}
    outputs = Outputs(
        name,
        run or RunSummary(RunStatus.COMPLETED, 1.25),
        {
            key: value
            if isinstance(value, CaseOutput)
            else CaseOutput(CaseStatus.RETURNED, copy.deepcopy(value))
            for key, value in values.items()
        },
    )
    checks = judge(lab, lab.cases, golden or golden_of(lab), outputs, FakeOracle())
    digests = {"lab": "a" * 64, "submission": "b" * 64, "golden": "c" * 64}
    grade = Grade(name, checks, outputs.run, {"python": "3.x"}, digests, diagnoses or {})
    return grade.to_json(), outputs


def html_of(
    lab: Lab, grade: Mapping[str, Any], outputs: Outputs, golden: Golden | None = None
) -> str:
    """The report as it is made from a grade and outputs."""
    return report_html(grade, outputs, lab, draw(lab, golden or golden_of(lab), outputs))


def report(
    lab: Lab, grade: Mapping[str, Any], outputs: Outputs, golden: Golden | None = None
) -> Page:
    """The report, written beside the lab and read again."""
    path = lab.folder.parent / "report.html"
    path.write_text(html_of(lab, grade, outputs, golden), "utf-8")
    return Page(path)
