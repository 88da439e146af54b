"""Nothing of a hidden case is on a page: its input, its golden outputs, what was returned for it.

Each search is tried on a twin as well, the same lab with the same cases public: there it must find
what it looks for. And pages of two labs that differ in what is hidden are the same to the last bit.
"""

from __future__ import annotations

import base64
import copy
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from leaks import Content, arrays_in, forms_of, has_picture, holds_bytes, resembles, revealed
from PIL import Image
from small_lab import LAB, golden_of, graded, html_of, make_lab

from harness import techniques
from harness.lab import Lab
from harness.outputs import CaseOutput, CaseStatus
from harness.report import write_index

SIZES = {"0.5": 0.9, "2": 0.5, "8": 0.1}  # of the noise, by tv_weight


@dataclass(frozen=True)
class Secrets:
    """What nobody may see: numbers and names that are nowhere else.

    Attributes:
        image: name of the hidden image.
        dataset: name of the hidden data set.
        classes: of the model that hidden cases ask.
        golden: what is expected, by case.
        returned: what a submission returned that is wrong everywhere.
        told: a number within what a submission says when it raises.
        exception: what it says.
    """

    image: str
    dataset: str
    classes: tuple[str, ...]
    golden: Mapping[str, Any]
    returned: Mapping[str, Any]
    told: float
    exception: str


def secrets(seed: int) -> Secrets:
    """Secrets of their own for every seed."""
    rng = np.random.default_rng(seed)
    image, dataset, *classes = [
        ("cellar", "attic", "heirloom", "sextant", "zither"),
        ("larder", "garret", "quern", "ocarina", "spindle"),
    ][seed]
    golden = _values(rng, classes)
    smooth = 100 * np.linspace(-1, 1, 32)[None, :, None]
    for weight, size in SIZES.items():
        key = f"activation_maximization/hidden-sweep-tv{weight}"
        golden[key] = size * golden[key] + (1 - size) * smooth
    same = "activation_maximization/hidden-same"
    golden[f"{same}-again"] = golden[same]
    returned = _values(rng, classes[::-1])
    told = float(rng.uniform(10_000, 99_999))
    exception = f"saw {image} with {told:.2f}, a {classes[0]}"
    return Secrets(image, dataset, tuple(classes), golden, returned, told, exception)


def _values(rng: np.random.Generator, names: list[str]) -> dict[str, Any]:
    def rare(*shape: int) -> Any:
        # Of five digits before the point: no other number of a page has them.
        return rng.uniform(10_000, 99_999, shape)

    first = rng.uniform(0.5, 0.6)
    chances = [first, 0.7 * (1 - first), 0.3 * (1 - first)]
    images = (*(f"sweep-tv{weight}" for weight in SIZES), "same", "same-again")
    return {
        "top_predictions/hidden-top": [list(pair) for pair in zip(names, chances, strict=True)],
        "layer_activations/hidden-layers": {"conv": rare(8, 8, 20), "dense": rare(25)},
        "layer_activations/hidden-mean": rare(3, 8, 8, 4),
        "layer_activations/hidden-dominant": rng.integers(0, 16, (3, 8, 8)),
        "class_activation_maps/hidden-map": rare(4, 4),
        "class_activation_maps/hidden-guided": rare(4, 4),
        **{
            f"activation_maximization/hidden-{name}": rng.uniform(-120, 120, (32, 32, 3))
            for name in images
        },
    }


@dataclass(frozen=True)
class Book:
    """A lab with hidden cases (or without, or with public ones) and how to grade in it."""

    lab: Lab
    secret: Secrets

    def pages(self, returned: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
        """Report, board and grade of a submission that returned this for the hidden cases."""
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
        grade, outputs = graded(self.lab, kept, golden=golden)
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
    on_data = {"model": "h", "dataset": secret.dataset, "layer_name": "conv"}
    on_layer = {"model": "h", "layer_name": "dense", "filter_indices": [1]}
    on_map = {**on_image, "layer_name": "conv", "class": secret.classes[0]}
    added = {
        "top_predictions": [{**on_image, "id": "hidden-top", "k": 3}],
        "layer_activations": [{**on_image, "id": "hidden-layers", "layers": ["conv", "dense"]}],
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
    return Book(make_lab(folder, described, {"h": classes}), secret)


def returned(secret: Secrets, how: str) -> dict[str, Any]:
    """What a submission returns for the hidden cases."""
    if how == "right":
        return dict(secret.golden)
    if how == "wrong":
        return dict(secret.returned)
    if how == "raises":
        raised = CaseOutput(CaseStatus.RAISED, None, secret.exception, f"in f: {secret.exception}")
        return dict.fromkeys(secret.golden, raised)
    refused = {"top": [[secret.exception, secret.exception]], "layers": {secret.exception: 1}}
    return {
        key: refused.get(key.split("-")[1], [[secret.exception, 1], [2]]) for key in secret.golden
    }


DRAWN = ("right", "wrong")
WAYS = (*DRAWN, "raises", "refused")
FIRST = secrets(0)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The lab with hidden cases, its twin with public ones, and the lab without those cases."""
    folder = tmp_path_factory.mktemp("labs")
    return {kind: book(folder / kind, FIRST, kind=kind) for kind in ("hidden", "public", "none")}


@pytest.fixture(scope="module", params=WAYS)
def pages(made, request):
    """How a submission answers; report and board of each of the labs; the grade in the first."""
    contents, grades = [], []
    for one in made.values():
        report, board, grade = one.pages(returned(FIRST, request.param))
        contents.append(Content(report + board))
        grades.append(grade)
    return request.param, *contents, grades[0]


def hidden_cases(grade):
    cases = [case for check in grade["checks"] for case in check["cases"]]
    return [case for case in cases if case["id"].startswith("hidden-")]


def hidden_arrays(made):
    """The hidden image and data, and all arrays of golden and returned values."""
    lab = made["hidden"].lab
    yield "the image", lab.images[FIRST.image].pixels()
    yield "the data", lab.dataset(FIRST.dataset)[0]
    for whose, values in (("golden", FIRST.golden), ("returned", FIRST.returned)):
        for key, value in values.items():
            for array in arrays_in(value):
                yield f"{whose} {key}", array


def test_numbers_of_hidden_cases_are_on_no_page(made, pages):
    how, hidden, public, none, grade = pages
    wanted = {form for _, array in hidden_arrays(made) for form in forms_of(array)}
    wanted |= forms_of(np.array(FIRST.told))
    for case in hidden_cases(grade):
        numbers = [value for value in case["measured"].values() if isinstance(value, float)]
        wanted |= {form for number in numbers for form in forms_of(np.array(number))}
    rare = wanted - none.numbers - points_of(grade)
    assert len(rare) > 0.95 * len(wanted)
    assert hidden.numbers & rare == set()
    if how in DRAWN:
        assert len(public.numbers & rare) > 20
    else:
        assert forms_of(np.array(FIRST.told)) & public.numbers - none.numbers


def points_of(grade):
    """What a hidden case does add to a page: points."""
    entries = [grade, *grade["techniques"].values(), *grade["checks"]]
    return {form for entry in entries for form in forms_of(np.array(entry["points"]))}


def test_bytes_of_hidden_arrays_are_on_no_page(made, pages):
    _, hidden, _, _, _ = pages
    assert [name for name, array in hidden_arrays(made) if holds_bytes(hidden, array)] == []


def data_uri(kind: str, data: bytes) -> str:
    return f"<img src='data:image/{kind};base64,{base64.b64encode(data).decode()}'>"


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["|u1", "<f4", "<f8"])
@pytest.mark.parametrize("before", [b"", b"x", b"xy"])
def test_bytes_would_be_found_however_they_are_written(kind, before):
    array = np.random.default_rng(5).uniform(0, 255, (8, 8, 3)).astype(kind)
    data = before + array.tobytes() + b"after"
    for text in (
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode(),
        data.hex(),
    ):
        assert holds_bytes(Content(f"<p data-x='{text}'>"), array)
    pixels = np.frombuffer((data + bytes(-len(data) % 3)), "uint8").reshape(1, -1, 3)
    assert holds_bytes(Content(data_uri("png", png(pixels))), array)
    other = np.random.default_rng(6).uniform(0, 255, (8, 8, 3)).astype(kind)
    assert not holds_bytes(Content(data_uri("png", png(pixels)) + data.hex()), other)


def test_no_picture_looks_like_a_hidden_one(made, pages):
    how, hidden, public, none, _ = pages
    arrays = list(hidden_arrays(made))
    assert [name for name, array in arrays if resembles(hidden, array)] == []
    shown = revealed(public, none)
    assert not has_picture(hidden, shown)
    if how in DRAWN:
        found = {name for name, array in arrays if resembles(public, array)}
        owner = "golden" if how == "right" else "returned"
        single = ("class_activation_maps/hidden-map", "activation_maximization/hidden-same")
        assert {"the image", *(f"{owner} {key}" for key in single)} <= found
        assert has_picture(public, shown)
        assert len(shown) > 12  # grids of filters and of classes among them


def test_no_line_of_a_drawing_is_that_of_a_hidden_case(pages):
    how, hidden, public, none, _ = pages
    lines = public.drawn - none.drawn
    assert hidden.drawn & lines == set()
    assert bool(lines) == (how in DRAWN)


def test_every_hidden_case_passes_or_fails_as_it_is_meant_to(pages):
    how, _, _, _, grade = pages
    outcomes = {case["id"]: case["outcome"] for case in hidden_cases(grade)}
    assert len(outcomes) == 8
    assert set(outcomes.values()) == {"passed" if how == "right" else "failed"}


# What a page says of every hidden case, and names of its style.
SAID = """
What happened: a hidden case; its pictures and numbers are not shown. What to do next.
cases passed failed bad text hint opening
"""


def test_a_hidden_case_adds_its_name_its_outcome_and_its_hint(pages):
    _, hidden, public, none, grade = pages
    told = " ".join(f"{case['id']} {case['hint']}" for case in hidden_cases(grade))
    assert hidden.words - none.words <= Content(SAID + told).words
    assert {FIRST.image, FIRST.classes[0]} <= public.words - none.words


def test_pages_are_the_same_whatever_is_hidden(tmp_path):
    """Two labs whose hidden cases have nothing in common, and submissions that do as well."""
    second = secrets(1)
    books = [book(tmp_path / str(i), secret) for i, secret in enumerate((FIRST, second))]
    twins = [book(tmp_path / f"twin{i}", s, kind="public") for i, s in enumerate((FIRST, second))]
    for how in WAYS:
        one, other = (each.pages(returned(each.secret, how)) for each in books)
        assert one[:2] == other[:2]
        assert one[2]["points"] == other[2]["points"]
        one, other = (each.pages(returned(each.secret, how)) for each in twins)
        assert one[0] != other[0]
