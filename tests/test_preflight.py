"""What is said of a submission before it runs; nothing of it is run to say it."""

from __future__ import annotations

import json

import pytest
from opening import opening

from harness.preflight import look, problems
from harness.submission import Submission
from harness.techniques import CONTRACT

TOP = {"top_predictions": CONTRACT["top_predictions"]}  # model, image, k
GOOD = "def top_predictions(model, image, k=5):\n    return []\n"


@pytest.fixture
def told(tmp_path):
    """Problems and everything that is said of a script with this text."""

    def make(text: str, contract=TOP) -> tuple[list[str], list[str]]:
        (tmp_path / "submission.py").write_text(text, "utf-8")
        findings = opening(look, Submission("a", tmp_path), contract)
        return problems(findings), [finding.text for finding in findings]

    return make


def test_all_is_well(told):
    found, everything = told(GOOD)
    assert found == []
    assert everything == ["submission.py can be read", "top_predictions is there"]


@pytest.mark.parametrize(
    "text",
    [
        "def top_predictions(net, picture, k): pass",
        "def top_predictions(net, picture, count, verbose=False): pass",
        "def top_predictions(k, image, model): pass",  # called by name
        "def top_predictions(*, model, image, k): pass",
        "def top_predictions(*args): pass",
        "def top_predictions(model, *args): pass",
        "def top_predictions(**kwargs): pass",
        "def top_predictions(a, b, c, /): pass",
        "top_predictions = lambda model, image, k: []",
        "from helpers import top_predictions",
        "from helpers import *",
        "class top_predictions: pass",
        "if True:\n    def top_predictions(model, image, k): pass",
        "try:\n    import a_library_of_mine\nexcept ImportError:\n    pass\n" + GOOD,
        "if __name__ == '__main__':\n    import a_library_of_mine\n" + GOOD,
        "def f():\n    import a_library_of_mine\n" + GOOD,
        "with open('x') as f:\n    y = 1\n" + GOOD,
        "import os.path, numpy as np\nfrom . import x\nimport tensorflow.keras as k\n" + GOOD,
        "text = '\\d'\n" + GOOD,
    ],
)
def test_what_would_work_is_no_problem(told, tmp_path, text):
    (tmp_path / "helpers.py").write_text(GOOD)
    assert told(text)[0] == []


def test_a_function_that_is_not_there_yet_is_no_other_one_renamed(told):
    text = "def layer_activations(model, image, layer_names): pass\ndef mean_activation(*a): pass\n"
    contract = {
        "layer_activations": ("model", "image", "layer_names"),
        "mean_activations": ("model",),
        "maximize_activation": ("model",),
    }
    assert told(text, contract)[0] == [
        "mean_activations(model) is not there, but mean_activation is; rename it",
        "maximize_activation(model) is not there; its cases will fail",
    ]
    text = text.replace("mean_activation(", "averages(")
    assert told(text, contract)[0][0] == "mean_activations(model) is not there; its cases will fail"


CALLED = "top_predictions(model, image, k)"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 1", f"{CALLED} is not there; its cases will fail"),
        (
            GOOD.replace("top_predictions", "top_prediction"),
            f"{CALLED} is not there, but top_prediction is; rename it",
        ),
        (
            "\ndef top_predictions(model, image): pass",
            f"line 2: top_predictions takes model, image; it is called as {CALLED}",
        ),
        (
            "def top_predictions(): pass",
            f"line 1: top_predictions takes nothing; it is called as {CALLED}",
        ),
        (
            "def top_predictions(model, image, k, layer): pass",
            f"line 1: top_predictions takes model, image, k, layer; it is called as {CALLED}",
        ),
        (
            "def top_predictions(a, b, c, *, d): pass",
            f"line 1: top_predictions takes a, b, c, *, d; it is called as {CALLED}",
        ),
        (
            "def top_predictions(model, image, k, *, d): pass",
            f"line 1: top_predictions takes model, image, k, *, d; it is called as {CALLED}",
        ),
        (
            "async " + GOOD,
            "top_predictions is `async`; write a plain function",
        ),
        (
            "import a_library_of_mine.part as m\n" + GOOD,
            "a_library_of_mine is imported, and is not installed; where you are graded there is "
            "what requirements.txt names, and nothing else",
        ),
        (
            "x = (1\n" + GOOD,
            "submission.py, line 1: '(' was never closed; Python cannot read it",
        ),
        ("x = '\0'", None),
        ("x = " + "(" * 500 + ")" * 500, None),
    ],
)
def test_what_will_not_work_is_told(told, text, problem):
    [found] = told(text)[0]
    assert found == problem if problem else found.endswith("Python cannot read it")


def test_nothing_is_run(told, tmp_path):
    mark = tmp_path / "ran"
    assert told(f"open({str(mark)!r}, 'w')\nraise SystemExit\n{GOOD}")[0] == []
    assert not mark.exists()


def test_a_file_beside_it_may_be_imported(told, tmp_path):
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "one.py").write_text("")
    assert told("import mine, parts.one\n" + GOOD)[0] == []


def test_files_that_the_lab_does_not_find_are_told_in_its_words(tmp_path):
    [finding] = opening(look, Submission("a", tmp_path), TOP)
    assert (finding.well, finding.text.startswith("expected submission.py or")) == (False, True)


def test_a_cell_of_a_notebook_is_named(tmp_path):
    def cell(source):
        return {
            **{"cell_type": "code", "id": f"c{len(source)}", "metadata": {}},
            **{"execution_count": None, "outputs": [], "source": source},
        }

    cells = [cell("%matplotlib inline"), cell("x = 1\ny = ("), cell(GOOD)]
    about = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "submission.ipynb").write_text(json.dumps(about))
    findings = opening(look, Submission("a", tmp_path), TOP)
    assert problems(findings) == ["cell 2, line 2: '(' was never closed; Python cannot read it"]
    about["cells"] = [cell(GOOD)]
    (tmp_path / "submission.ipynb").write_text(json.dumps(about))
    assert problems(opening(look, Submission("a", tmp_path), TOP)) == []


@pytest.mark.parametrize(
    "text",
    [
        "#" * 2**18 + "\nx = (",
        "import " + "a." * 100_000 + "b",  # would take ten gigabytes
        "import a\\\n" + ".  \\\n_é1" * 600,
        "# coding: punycode\n" + "a" * 300_000 + "-" + "b" * 100_000,  # a minute
        "\r# vim: set fileencoding=utf_7 :\rx = (",
    ],
    ids=["long", "dots", "dots and lines", "punycode", "utf-7"],
)
def test_what_could_take_all_memory_or_time_to_read_is_left_to_the_sandbox(told, text):
    found, everything = told(text)
    assert found == []
    assert everything[-1] == "top_predictions is defined, or may be"


@pytest.mark.parametrize("coding", ["utf-8", "UTF8", "latin-1", "iso-8859-15", "cp1252", "ascii"])
def test_files_in_usual_encodings_are_read(told, coding):
    assert told(f"#!/usr/bin/python\n# -*- coding: {coding} -*-\n{GOOD}")[0] == []
    assert told(f"encoding = 'utf-7'\n{GOOD}")[0] == []


def test_what_is_nested_too_deep_is_told_as_far_as_it_can_be(told):
    found, _ = told("if 1:\n pass\n" + "elif 1:\n pass\n" * 300 + GOOD)
    assert found in ([], ["submission.py: RecursionError: maximum recursion depth exceeded"])
    [found] = told(f"def top_predictions(a={'-' * 600}1): pass\n")[0]
    assert found == f"line 1: top_predictions takes a; it is called as {CALLED}"


def test_a_broken_package_is_not_there(told, monkeypatch):
    def fail(name):
        raise ValueError(f"{name}.__spec__ is None")

    monkeypatch.setattr("importlib.util.find_spec", fail)
    [found] = told("import odd\n" + GOOD)[0]
    assert found.startswith("odd is imported, and is not installed")
