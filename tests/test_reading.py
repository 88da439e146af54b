"""Files of any kind are read in proportion to their length, and within a budget."""

from __future__ import annotations

import json
import unicodedata

import budgets
import pytest
from opening import opening

from harness.archives import ArchiveError, parts_of
from harness.calls import misnamed
from harness.courseci.markdown import plain
from harness.courseci.places import definitions
from harness.courseci.rawjson import strings
from harness.opened import prepare
from harness.preflight import look
from harness.reading import NotebookError, UnparsedError, parsed, read_cells
from harness.similarity import _code_of, fingerprints
from harness.submission import Submission

CODE = {"cell_type": "code", "source": "x = 1", "outputs": [], "metadata": {}}
TEXT = {"cell_type": "markdown", "source": "yes", "metadata": {}}
MARKS = "\u0300\u0316"  # of different classes: each run of them is put in order


def notebook(tmp_path, *cells, **more):
    path = tmp_path / "submission.ipynb"
    whole = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4, **more}
    path.write_text(json.dumps(whole, separators=(",", ":")))
    return path


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ({**CODE, "outputs": [1000] * 2_000_001}, "is too large to be read; clear its outputs"),
        ({**CODE, "outputs": [{str(n): 1 for n in range(10**6)}]}, "is too large to be read"),
        ({**CODE, "source": "x" * 2_097_153}, "has more than 2097152 characters of code"),
        ({**CODE, "source": ["a\n"] * 1_048_577}, "has more than 2097152 characters of code"),
        ({**CODE, "source": {"a": 1}}, "(TypeError: the source of a cell is no text)"),
    ],
)
def test_notebooks_that_would_take_long_say_what_is_too_much(tmp_path, cell, said):
    path = notebook(tmp_path, cell)
    source = prepare(Submission("a", path), tmp_path / "run")
    assert source.files == ()
    assert said in source.problem
    assert budgets.seconds(lambda: prepare(Submission("a", path), tmp_path / "again")) < 2


@pytest.mark.parametrize(
    "extra",
    [
        {"attachments": {f"{n}.png": {"image/png": "aa"} for n in range(100_000)}},
        {"outputs": [[]] * 400_000},
        {"id": ["x"] * 400_000},
        {"metadata": {"a": "\U0001f600" + "x" * 10**7}},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_whatever_stands_beside_the_text_of_a_cell_costs_little(tmp_path, extra):
    path = notebook(tmp_path, {**CODE, **extra}, {**TEXT, **extra})
    found = []
    assert budgets.seconds(lambda: found.append(read_cells(path, "code"))) < budgets.SECONDS
    assert budgets.megabytes(lambda: read_cells(path, "code")) < budgets.MEGABYTES
    assert found == [["x = 1"]]
    assert read_cells(path, "markdown") == ["yes"]


def test_long_texts_of_a_notebook_are_cut_and_its_code_is_run(tmp_path):
    picture = {**TEXT, "source": "x" * 3_000_000}
    path = notebook(tmp_path, picture, TEXT, CODE)
    assert read_cells(path, "code") == ["x = 1"]
    assert list(map(len, read_cells(path, "markdown"))) == [2_097_152, 0]


@pytest.mark.parametrize("number", [9, 99_999])
def test_numbers_that_python_does_not_convert_are_a_fault_of_the_file(tmp_path, number):
    path = notebook(tmp_path, CODE)
    path.write_text(path.read_text().replace('"nbformat":4', '"nbformat":' + "9" * number))
    with pytest.raises(NotebookError, match="is not a notebook that can be read"):
        read_cells(path, "code")


@pytest.mark.parametrize(
    "code",
    [
        "x = f'" + "{a}" * 80_000 + "'",
        "x" + MARKS * 60_000,
        "x = a" + ".b" * 500,
        "x = 1\n" * 50_000,
        "#" * 2**18 + "\n",
    ],
    ids=["fields", "marks", "parts", "lines", "bytes"],
)
def test_code_that_takes_python_long_is_not_parsed_here(code, tmp_path):
    with pytest.raises(UnparsedError):
        parsed(code)
    (tmp_path / "submission.py").write_text(code, "utf-8")
    findings = []

    def work():
        findings.extend(opening(look, Submission("a", tmp_path), {"f": ("x",)}))
        assert definitions(tmp_path / "submission.py").lines == {}

    assert budgets.seconds(work) < budgets.SECONDS
    assert findings[-1].well
    assert findings[-1].text == "f is defined, or may be"


def test_code_of_all_cells_together_is_parsed_up_to_a_length(tmp_path):
    cell = {**CODE, "source": "def f(x):\n    pass\n" + "x=1\n" * 20_000}
    path = notebook(tmp_path, *[cell] * 16)
    found = []
    work = lambda: found.extend(opening(look, Submission("a", path), {"f": ("x",), "g": ("x",)}))  # noqa: E731
    assert budgets.seconds(work) < 2 * budgets.SECONDS
    assert [one.text for one in found[-2:]] == ["f is there", "g is defined, or may be"]
    assert definitions(path).functions == ("f",)


def test_code_within_the_limits_is_parsed():
    assert len(parsed("é" * 400 + "=" + "{a: b}\n" + "x = a" + ".b" * 400).body) == 2


def test_very_many_names_and_packages_cost_little(tmp_path):
    names = [f"top_prediction{n}" for n in range(100_000)]
    assert budgets.seconds(lambda: misnamed("top_predictions", names, {"top_predictions": ()})) < 1
    (tmp_path / "submission.py").write_text("".join(f"import a{n}\n" for n in range(15_000)))
    found = opening(look, Submission("a", tmp_path), {})
    assert sum("is not installed" in one.text for one in found) == 20


@pytest.mark.parametrize(
    "piece", ["\n ", "\r ", " ", "\t\n", "'", '"""', "(", "f'{", "a.", "1_", "@"]
)
def test_code_is_compared_in_proportion_to_its_length(tmp_path, piece):
    def work(text):
        (tmp_path / "submission.py").write_text(text, "utf-8", newline="")
        opening(fingerprints, Submission("a", tmp_path))

    assert budgets.growth(work, lambda size: piece * (size // len(piece)), 8000) < 3


def test_blank_lines_do_not_count_where_code_is_compared(tmp_path):
    code = "".join(f"def f{n}(a, b):\n    return a[{n}] + b * {n}\n" for n in range(20))
    prints = []
    for text in (code, code.replace("\n", "\n" * 50)):
        (tmp_path / "submission.py").write_text(text)
        prints.append(opening(fingerprints, Submission("a", tmp_path)).tolist())
    assert prints[0] == prints[1] != []


def test_code_beyond_what_is_compared_is_not_read(tmp_path):
    (tmp_path / "submission.py").write_text("x = 1\n" * 5 * 10**6)
    assert budgets.megabytes(lambda: opening(_code_of, Submission("a", tmp_path))) < 10


@pytest.mark.parametrize("piece", ['"a":1,', '"\\n"', "[", '"\\\\\\n', " "])
def test_strings_of_json_are_found_in_proportion_to_its_length(piece):
    def sample(size):
        text = piece * (size // len(piece))
        return "{" + text + '"z":1}' if ":" in piece else json.dumps([text] * 3)

    assert budgets.growth(lambda text: list(strings(text)), sample, 60_000) < 3


def test_names_of_many_marks_are_refused_before_they_are_put_in_order():
    with pytest.raises(ArchiveError, match="too long, or too deep"):
        parts_of("a" + MARKS * 16_000)
    work = lambda: [parts_of("/".join(["a" + MARKS * 50] * 9)) for _ in range(100)]  # noqa: E731
    assert budgets.seconds(work) < 1
    assert parts_of("e\u0301/b\\c") == [unicodedata.normalize("NFC", "e\u0301"), "b", "c"]


def test_messages_with_long_gaps_become_markdown_in_little_time():
    assert budgets.growth(plain, lambda size: "a" + " " * size + "b", 20_000) < 3
    assert plain("a \n\n b\n") == "a<br>b"
