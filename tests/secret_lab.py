"""A small lab whose hidden cases are about things found nowhere else, and ways to answer them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from leaks import arrays_in
from small_lab import LAB, golden_of, graded, html_of, make_lab

from harness import techniques
from harness.golden import Golden
from harness.lab import Lab
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.report import write_index
from harness.results import Diagnosis

SIZES = {"0.5": 0.9, "2": 0.5, "8": 0.1}  # of the noise, by tv_weight


@dataclass(frozen=True)
class Secrets:
    """What nobody may see: numbers and names that are nowhere else.

    Attributes:
        image: name of the hidden image.
        dataset: name of the hidden data set.
        classes: of the model that hidden cases ask.
        layers: of that model.
        number: of the output that is to be excited, and the seed to start from.
        sure: how sure a diagnosis is that rests on hidden cases.
        golden: what is expected, by case.
        returned: what a submission returned that is wrong everywhere.
        told: a number within what a submission says when it raises.
        exception: what it says.
    """

    image: str
    dataset: str
    classes: tuple[str, ...]
    layers: tuple[str, str]
    number: int
    sure: float
    golden: Mapping[str, Any]
    returned: Mapping[str, Any]
    told: float
    exception: str


def secrets(seed: int) -> Secrets:
    """Secrets of their own for every seed."""
    rng = np.random.default_rng(seed)
    image, dataset, conv, dense, *classes = [
        ("cellar", "attic", "atrium", "belfry", "heirloom", "sextant", "zither"),
        ("larder", "garret", "cloister", "turret", "quern", "ocarina", "spindle"),
    ][seed]
    golden = _values(rng, classes, (conv, dense))
    smooth = 100 * np.linspace(-1, 1, 32)[None, :, None]
    for weight, size in SIZES.items():
        key = f"activation_maximization/hidden-sweep-tv{weight}"
        golden[key] = size * golden[key] + (1 - size) * smooth
    same = "activation_maximization/hidden-same"
    golden[f"{same}-again"] = golden[same]
    returned = _values(rng, classes[::-1], (conv, dense))
    told = float(rng.uniform(10_000, 99_999))
    exception = f"saw {image} with {told:.2f}, a {classes[0]}"
    number, sure = (48611, 75079)[seed], (0.7193, 0.8867)[seed]
    about = (image, dataset, tuple(classes), (conv, dense), number, sure)
    return Secrets(*about, golden, returned, told, exception)


def _values(rng: np.random.Generator, names: list[str], layers: tuple[str, str]) -> dict[str, Any]:
    def rare(*shape: int) -> Any:
        # Of five digits before the point: no other number of a page has them.
        return rng.uniform(10_000, 99_999, shape)

    first = rng.uniform(0.5, 0.6)
    chances = [first, 0.7 * (1 - first), 0.3 * (1 - first)]
    images = (*(f"sweep-tv{weight}" for weight in SIZES), "same", "same-again")
    return {
        "top_predictions/hidden-top": [list(pair) for pair in zip(names, chances, strict=True)],
        "layer_activations/hidden-layers": {layers[0]: rare(8, 8, 20), layers[1]: rare(25)},
        "layer_activations/hidden-mean": rare(3, 8, 8, 4),
        "layer_activations/hidden-dominant": rng.integers(0, 16, (3, 8, 8)),
        "class_activation_maps/hidden-map": rare(4, 4),
        "class_activation_maps/hidden-guided": rare(4, 4),
        **{
            f"activation_maximization/hidden-{name}": rng.uniform(-120, 120, (32, 32, 3))
            for name in images
        },
    }


@dataclass(frozen=True, eq=False)
class Book:
    """A lab with hidden cases (or without, or with public ones) and how to grade in it."""

    lab: Lab
    secret: Secrets

    def graded(self, returned: Mapping[str, Any]) -> tuple[dict[str, Any], Outputs, Golden]:
        """Grade, outputs and golden outputs of a submission that returned this for hidden cases.

        Where hidden cases fail, it looks like a known mistake.
        """
        chances = [chance for _, chance in self.secret.golden["top_predictions/hidden-top"]]
        facts = {
            "top_predictions/hidden-top": {"probabilities": np.array(chances)},
            "layer_activations/hidden-dominant": {"ambiguous": np.zeros((3, 8, 8), bool)},
        }
        keys = {techniques.key(case) for case in self.lab.cases}
        golden = golden_of(
            self.lab, self.secret.golden, {key: facts[key] for key in facts.keys() & keys}
        )
        kept = {key: value for key, value in returned.items() if key in keys}
        [first, *_] = returned.values()
        unjudged = isinstance(first, CaseOutput) and first.status is CaseStatus.NOT_RUN
        right = first is next(iter(self.secret.golden.values()))
        sure = 0.5 if right or unjudged else self.secret.sure
        looks = {"class_activation_maps": Diagnosis("no_relu", sure, "apply the ReLU")}
        return *graded(self.lab, kept, golden=golden, diagnoses=looks), golden

    def pages(self, returned: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
        """Report, board and grade of a submission that returned this for the hidden cases."""
        grade, outputs, golden = self.graded(returned)
        board = self.lab.folder / "index.html"
        write_index(board, self.lab, [grade])
        return html_of(self.lab, grade, outputs, golden), board.read_text("utf-8"), grade


def book(folder: Path, secret: Secrets, *, kind: str = "hidden") -> Book:
    """A lab with a case for every function beside its public ones.

    Args:
        folder: made.
        secret: what those cases are about.
        kind: `hidden`; `public` for the twin; `none` for the lab without them.
    """
    described: Any = copy.deepcopy(LAB)
    described["models"]["h"] = {"file": "h.keras", "classes": "h.json", "preprocessing": "caffe"}
    described["images"][secret.image] = {"file": f"{secret.image}.png"}
    described["datasets"][secret.dataset] = {"file": f"{secret.dataset}.npz"}
    on_image = {"model": "h", "image": secret.image}
    conv, dense = secret.layers
    on_data = {"model": "h", "dataset": secret.dataset, "layer_name": conv}
    on_layer = {"model": "h", "layer_name": dense, "filter_indices": [secret.number]}
    on_layer["seed"] = secret.number
    on_map = {**on_image, "layer_name": conv, "class": secret.classes[0]}
    added = {
        "top_predictions": [{**on_image, "id": "hidden-top", "k": 3}],
        "layer_activations": [{**on_image, "id": "hidden-layers", "layers": [conv, dense]}],
        "mean_activations": [{**on_data, "id": "hidden-mean"}],
        "dominant_filters": [{**on_data, "id": "hidden-dominant"}],
        "maximize_activation": [
            {**on_layer, "id": "hidden-sweep", "sweep": {"tv_weight": [0.5, 2, 8]}},
            {**on_layer, "id": "hidden-same", "tv_weight": 1, "repeat": True},
        ],
        "class_activation_map": [
            {**on_map, "id": "hidden-map"},
            {**on_map, "id": "hidden-guided", "modifier": "guided"},
        ],
    }
    if kind != "none":
        for function, entries in added.items():
            for entry in entries:
                described["cases"][function].append({**entry, "hidden": kind == "hidden"})
        for check in described["checks"]:
            if "cases" in check:
                check["cases"] = [*check["cases"], f"hidden-{check['cases'][0]}"]
    classes = [[f"n{index}", name] for index, name in enumerate(secret.classes)]
    return Book(make_lab(folder, described, {"h": classes}, {"h": secret.layers}), secret)


def returned(secret: Secrets, how: str) -> dict[str, Any]:
    """What a submission returns for the hidden cases."""
    if how == "right":
        return dict(secret.golden)
    if how == "wrong":
        return dict(secret.returned)
    if how == "raises":
        raised = CaseOutput(CaseStatus.RAISED, None, secret.exception, f"in f: {secret.exception}")
        return dict.fromkeys(secret.golden, raised)
    if how == "unjudged":
        return dict.fromkeys(secret.golden, CaseOutput(CaseStatus.NOT_RUN, None, secret.exception))
    if how == "nothing":
        return dict.fromkeys(secret.golden)
    refused = {"top": [[secret.exception, secret.exception]], "layers": {secret.exception: 1}}
    return {
        key: refused.get(key.split("-")[1], [[secret.exception, 1], [2]]) for key in secret.golden
    }


def hidden_cases(grade: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a grade says of hidden cases."""
    cases = [case for check in grade["checks"] for case in check["cases"]]
    return [case for case in cases if case["id"].startswith("hidden-")]


def hidden_arrays(one: Book) -> Iterator[tuple[str, np.ndarray]]:
    """The hidden image and data, and all arrays of golden and returned values."""
    yield "the image", one.lab.images[one.secret.image].pixels()
    yield "the data", one.lab.dataset(one.secret.dataset)[0]
    for whose, values in (("golden", one.secret.golden), ("returned", one.secret.returned)):
        for key, value in values.items():
            for array in arrays_in(value):
                yield f"{whose} {key}", array


DRAWN = ("right", "wrong")
WAYS = (*DRAWN, "raises", "refused")
