"""Nothing of a hidden case is on a page: its input, its golden outputs, what was returned for it.

Each search is tried on a twin as well, the same lab with the same cases public: there it must find
what it looks for. And pages of two labs that differ in what is hidden are the same to the last bit.
"""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from leaks import Content, forms_of, has_picture, holds_bytes, resembles, revealed
from PIL import Image
from secret_lab import DRAWN, WAYS, book, hidden_arrays, hidden_cases, returned, secrets

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


def test_numbers_of_hidden_cases_are_on_no_page(made, pages):
    how, hidden, public, none, grade = pages
    wanted = {form for _, array in hidden_arrays(made["hidden"]) for form in forms_of(array)}
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
    assert [
        name for name, array in hidden_arrays(made["hidden"]) if holds_bytes(hidden, array)
    ] == []


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
    arrays = list(hidden_arrays(made["hidden"]))
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
