"""What a hidden case may tell: every outlet is walked through, and searched in every encoding.

Outlets are made of grades whose hidden cases are about things found nowhere else. Each search is
tried on what it must find: the same lab with the same cases public, and leaks that are planted.
"""

from __future__ import annotations

import base64
import functools
import gzip
import io
import re
import zipfile
import zlib
from urllib.parse import quote

import numpy as np
import pytest
from leaks import Content, holding, resembles, texts_of, tokens_of
from outlets import HELD_BACK, Work, outlets
from PIL import Image
from secret_lab import WAYS, book, hidden_arrays, hidden_cases, returned, secrets
from small_lab import graded, make_lab
from texts import gathered

from harness import techniques
from harness.disclosure import (
    Secrets,
    cases_of,
    datasets_beside,
    everything_hidden,
    hidden_in,
    is_hidden,
    nothing_hidden,
    public_datasets,
    public_images,
    public_models,
    quoted,
    shown,
    shown_diagnosis,
)
from harness.grading import open_lab

FIRST, SECOND = secrets(0), secrets(1)
EVERY_WAY = (*WAYS, "nothing", "unjudged")
# Those that list cases: of public ones, they tell.
LISTING = (
    *("report", "summary.md", "JUnit", "annotations", "code quality", "pytest"),
    *("terminal of check", "output of the step", "gradescope", "classroom", "moodle feedback"),
)
OUTLETS = (
    *LISTING,
    *("board", "grades.csv", "terminal of grade"),
    *(f"account of {system}" for system in ("gradescope", "csv", "github", "moodle", "canvas")),
    *(f"sheet of {system}" for system in ("csv", "github", "moodle", "canvas")),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Outlets and grade by kind of lab, secret and way of answering; each is made once."""
    folder = tmp_path_factory.mktemp("disclosure")
    labs, known = {}, {}

    def make(kind, how, secret=FIRST):
        key = f"{kind}-{secret.image}"
        if key not in labs:
            labs[key] = book(folder / key, secret, kind=kind)
        if (key, how) not in known:
            grade, outputs, golden = labs[key].graded(returned(secret, how))
            own = folder / f"{key}-{how}"
            own.mkdir()
            known[key, how] = outlets(Work(labs[key].lab, golden, grade, outputs), own), grade
        return *known[key, how], labs[key]

    return make


@functools.lru_cache
def arrays_sought(one):
    """Bytes of the hidden image and data, of golden and of returned arrays, by name."""
    return {name: tokens_of(array) for name, array in hidden_arrays(one)}


def sought(one, grade):
    """What nobody may read, as bytes by name."""
    secret = one.secret
    words = (secret.image, secret.dataset, *secret.classes, *secret.layers, str(secret.number))
    found = {f"the word {word}": texts_of(word) for word in words}
    found["what was told"] = texts_of(f"{secret.told:.2f}")
    numbers = [value for case in hidden_cases(grade) for value in case["measured"].values()]
    texts = {f"{value:.4f}" for value in numbers if isinstance(value, float)}
    # Of 0.5000 there may be others.
    rare = {text.encode() for text in texts if len(text.strip("0")) >= 5}
    return {**arrays_sought(one), **found, "numbers measured": rare}


@pytest.mark.parametrize("name", OUTLETS)
def test_an_outlet_tells_nothing_of_hidden_cases(made, name):
    for how in EVERY_WAY:
        found, grade, one = made("hidden", how)
        if how == "unjudged" and name in HELD_BACK:
            continue
        assert holding(found[name], sought(one, grade)) == [], how


def test_there_are_no_other_outlets(made):
    for how in EVERY_WAY:
        held_back = HELD_BACK if how == "unjudged" else set()
        assert made("hidden", how)[0].keys() == set(OUTLETS) - held_back


@pytest.mark.parametrize("name", OUTLETS)
def test_an_outlet_is_the_same_whatever_is_hidden(made, name):
    """Two labs whose hidden cases have nothing in common: not one bit of the outlet is theirs."""
    for how in EVERY_WAY:
        one, other = (made("hidden", how, secret)[0].get(name) for secret in (FIRST, SECOND))
        assert (one and without_digests(one)) == (other and without_digests(other)), how


def without_digests(data: bytes) -> bytes:
    """The digest of the lab's file is shown, and tells nothing of it."""
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = b"".join(archive.read(name) for name in archive.namelist())
    return re.sub(rb"\b[0-9a-f]{64}\b", b"", data)


@pytest.mark.parametrize("name", LISTING)
def test_the_searches_find_what_an_outlet_tells_of_public_cases(made, name):
    found, grade, one = made("public", "raises")
    assert "the word cellar" in holding(found[name], sought(one, grade))
    found, grade, one = made("public", "wrong")
    assert holding(found[name], sought(one, grade)) != []
    other = made("public", "wrong", SECOND)[0]
    assert without_digests(found[name]) != without_digests(other[name])


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def zipped(data: bytes, name: str = "inner") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return stream.getvalue()


def coded(data: bytes) -> bytes:
    return base64.b64encode(data)


# How the hidden image could be carried out.
OF_PIXELS = {
    "raw": lambda image: image.tobytes(),
    "base64": lambda image: coded(image.tobytes()),
    "base64, one byte on": lambda image: coded(b"x" + image.tobytes()),
    "base64, two bytes on": lambda image: coded(b"xy" + image.tobytes()),
    "base64 for addresses": lambda image: base64.urlsafe_b64encode(image.tobytes()),
    "base64 behind letters": lambda image: b"SEEN9" + coded(image.tobytes()),
    "hexadecimal": lambda image: image.tobytes().hex().encode(),
    "hexadecimal, in pairs": lambda image: image.tobytes().hex(" ").encode(),
    "a list of numbers": lambda image: str(image.ravel().tolist()).encode(),
    "reversed": lambda image: image.tobytes()[::-1],
    "upside down": lambda image: coded(image[::-1].tobytes()),
    "turned": lambda image: coded(np.ascontiguousarray(np.swapaxes(image, 0, 1)).tobytes()),
    "negative": lambda image: coded((255 - image).tobytes()),
    "one channel": lambda image: coded(image[..., 1].tobytes()),
    "from 0 to 1": lambda image: coded((image / 255).astype("float32").tobytes()),
    "a PNG": lambda image: b"<img src='data:image/png;base64," + coded(png(image)) + b"'>",
    "zlib": lambda image: coded(zlib.compress(image.tobytes())),
    "gzip": lambda image: coded(gzip.compress(image.tobytes())),
    "deflated": lambda image: coded(zlib.compress(image.tobytes(), wbits=-15)),
    "a zip in a zip": lambda image: coded(zipped(zipped(image.tobytes()))),
}
# And a word of its arguments.
OF_WORDS = {
    "plain": lambda word: word.encode(),
    "in capitals": lambda word: word.upper().encode(),
    "reversed": lambda word: word[::-1].encode(),
    "base64": lambda word: coded(f"it is a {word}, as far as I can see".encode()),
    "HTML": lambda word: "".join(f"&#{ord(letter)};" for letter in word).encode(),
    "URL": lambda word: "".join(f"%{ord(letter):02X}" for letter in word).encode(),
    "URL, twice": lambda word: quote("".join(f"%{ord(c):02X}" for c in word)).encode(),
    "JSON": lambda word: "".join(f"\\u{ord(letter):04x}" for letter in word).encode(),
    "two bytes a letter": lambda word: word.encode("utf-16-le"),
    "compressed": lambda word: coded(zlib.compress(f"it is a {word}, I say".encode())),
}


def planted(data: bytes, leak: bytes) -> bytes:
    """An outlet with a leak in its middle; in a zip, one in the middle of its first file."""
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            [name] = archive.namelist()
            return zipped(planted(archive.read(name), leak), name)
    return data[: len(data) // 2] + b" " + leak + b" " + data[len(data) // 2 :]


@pytest.mark.parametrize("name", OUTLETS)
def test_a_leak_that_is_planted_in_an_outlet_is_found(made, name):
    found, grade, one = made("hidden", "wrong")
    secret = sought(one, grade)
    image, word = one.lab.images[FIRST.image].pixels(), FIRST.classes[0]
    for how, form in OF_PIXELS.items():
        assert "the image" in holding(planted(found[name], form(image)), secret), how
    for how, form in OF_WORDS.items():
        assert f"the word {word}" in holding(planted(found[name], form(word)), secret), how
    for key, array in FIRST.returned.items():
        if isinstance(array, np.ndarray) and array.dtype.kind == "f":
            leak = coded(array.astype("float32").tobytes())
            assert holding(planted(found[name], leak), secret) == [f"returned {key}"]
    for number in sorted(secret["numbers measured"])[:3]:
        assert holding(planted(found[name], number), secret) == ["numbers measured"]


@pytest.mark.parametrize("name", ["report", "board"])
def test_no_picture_of_a_page_resembles_a_hidden_one(made, name):
    for how in ("right", "wrong"):
        found, _, one = made("hidden", how)
        page = Content(found[name].decode())
        arrays = list(hidden_arrays(one))
        assert [key for key, array in arrays if resembles(page, array)] == []


def test_every_hint_of_a_hidden_case_is_a_text_of_the_harness(made):
    """So nothing of the case can be in it, and no student's words."""
    known = {message.id for message in gathered() if isinstance(message.id, str)}
    signatures = {f.signature for t in techniques.TECHNIQUES.values() for f in t.functions.values()}
    known |= {text.format(signature=one) for text in known if "{sig" in text for one in signatures}
    for how in EVERY_WAY:
        hints = {case["hint"] for case in hidden_cases(made("hidden", how)[1])}
        assert hints - {""} <= known, how


# The rule itself.


@pytest.fixture
def lab(tmp_path):
    return make_lab(tmp_path / "lab")


def test_a_case_that_the_lab_does_not_know_may_have_been_hidden(lab):
    hidden = hidden_in(lab)
    assert hidden("class_activation_maps", "secret")
    assert not hidden("class_activation_maps", "racket")
    assert hidden("class_activation_maps", "one that is gone")
    assert hidden("top_predictions", "racket")
    assert is_hidden([])
    assert not is_hidden(cases_of(lab, "activation_maximization", "sweep"))
    assert len(cases_of(lab, "activation_maximization", "sweep")) == 3


def test_of_a_grade_of_another_lab_every_case_may_have_been_hidden(lab):
    secrets = Secrets(lab)
    own, other = ({"digests": {"lab": text}} for text in (f"{lab.digest()}-public", "a" * 64))
    assert not secrets.of(own)("class_activation_maps", "racket")
    assert secrets.of(own)("class_activation_maps", "secret")
    assert secrets.of(other) is everything_hidden
    assert everything_hidden("class_activation_maps", "racket")
    assert not nothing_hidden("class_activation_maps", "secret")


def test_of_a_hidden_case_name_outcome_and_hint_are_shown(lab):
    grade, _ = graded(lab, {"class_activation_maps/secret": np.eye(4)})
    [case] = [c for check in grade["checks"] for c in check["cases"] if c["id"] == "secret"]
    assert case["message"]
    assert case["measured"]
    hidden, public = shown(case, True), shown(case, False)
    assert (hidden.id, hidden.outcome, hidden.hint) == ("secret", "failed", case["hint"])
    assert (hidden.score, hidden.measured, hidden.threshold, hidden.message) == (0.0, {}, {}, "")
    assert (public.score, public.measured) == (case["score"], case["measured"])
    assert (public.threshold, public.message) == (case["threshold"], case["message"])


def test_how_sure_a_diagnosis_is_is_left_out_where_a_hidden_case_failed(lab):
    grade, _ = graded(lab, {"class_activation_maps/secret": np.eye(4)})
    found = {"mistake": "no_relu", "confidence": 0.7, "hint": "apply it", "kind": "method"}
    grade["techniques"]["class_activation_maps"]["diagnosis"] = found
    name, hidden = "class_activation_maps", hidden_in(lab)
    assert "confidence" not in shown_diagnosis(grade, name, hidden)
    assert shown_diagnosis(grade, name, hidden)["hint"] == "apply it"
    assert shown_diagnosis(grade, name, nothing_hidden) == found
    assert shown_diagnosis(grade, "top_predictions", hidden) is None


def test_words_of_a_student_are_quoted_of_public_cases_only(lab):
    cases = {case.id: case for case in lab.cases}
    assert quoted(cases["racket"], "theirs", "ours") == "theirs"
    assert quoted(cases["secret"], "theirs", "ours") == "ours"


def test_what_hidden_cases_alone_are_about_is_not_public(tmp_path):
    one = book(tmp_path / "lab", FIRST)
    lab = one.lab
    assert [image.name for image in public_images(lab)] == ["photo"]
    assert [name for name, _ in public_datasets(lab)] == ["digits"]
    assert [model.name for model in public_models(lab)] == ["m"]
    cases = {case.id: case for case in lab.cases}
    assert list(datasets_beside(lab, cases["same"])) == ["digits"]
    assert set(datasets_beside(lab, cases["hidden-same"])) == {"digits", FIRST.dataset}
    _, outputs, golden = one.graded(returned(FIRST, "right"))
    output = outputs.cases["activation_maximization/same"]
    assert list(golden.evidence(lab, cases["same"], output, {}).datasets) == ["digits"]


def test_another_name_of_a_hidden_file_is_not_public_either(tmp_path):
    one = book(tmp_path / "lab", FIRST)
    path = one.lab.source.path
    text = path.read_text()
    for name, end in ((FIRST.image, "png"), (FIRST.dataset, "npz")):
        entry = f"  {name}:\n    file: {name}.{end}\n"
        assert entry in text
        text = text.replace(entry, f"{entry}  again:\n    file: {name}.{end}\n")
    path.write_text(text)
    lab = open_lab(path)
    assert {"again", FIRST.image} <= lab.images.keys()
    assert [image.name for image in public_images(lab)] == ["photo"]
    assert [name for name, _ in public_datasets(lab)] == ["digits"]
