"""Where a contract function stands in a student's file, told without running any of it."""

from __future__ import annotations

import json

import nbformat
import pytest

from harness.courseci import places
from harness.courseci.places import definitions
from harness.courseci.rawjson import strings
from harness.opened import main_file

SCRIPT = """\
import numpy as np

def helper(x):
    def top_predictions(inner):  # within another: not the one
        pass

@helper
def top_predictions(model, image, k=5):
    return []

class Kept:
    def mean_activations(self):
        pass

if True:
    try:
        from fast import layer_activations
    except ImportError:
        def layer_activations(model, image, layer_names): return {}

dominant_filters = lambda model: None

def top_predictions(model, image, k=5):  # again: this one is called
    return []
"""


def test_the_last_definition_at_the_top_of_a_script_is_the_place(tmp_path):
    file = tmp_path / "submission.py"
    file.write_text(SCRIPT)
    found = definitions(file)
    lines = SCRIPT.split("\n")
    assert lines[found.line_of("top_predictions") - 1].endswith("# again: this one is called")
    assert "def layer_activations" in lines[found.line_of("layer_activations") - 1]
    assert lines[found.line_of("dominant_filters") - 1].startswith("dominant_filters")
    assert found.line_of("mean_activations") == 1
    assert "inner" not in found.lines
    functions = ["helper", "top_predictions", "layer_activations", "dominant_filters"]
    assert list(found.functions) == functions


def test_an_error_of_syntax_is_at_its_line(tmp_path):
    file = tmp_path / "submission.py"
    file.write_text("import os\n\ndef top_predictions(:\n    pass\n")
    found = definitions(file)
    assert (found.broken, found.line_of("top_predictions")) == (3, 3)


@pytest.mark.parametrize(
    "text",
    [b"\x00", b"# -*- coding: nonsense -*-\nx", b"\xff\xfe\xff", b"(" * 100_000, b"-" * 300_000],
)
def test_what_cannot_be_parsed_is_at_a_line_that_is_there(tmp_path, text):
    file = tmp_path / "submission.py"
    file.write_bytes(text)
    assert definitions(file).line_of("top_predictions") == 1


def test_what_cannot_be_read_or_is_too_large_is_at_line_one(tmp_path, monkeypatch):
    file = tmp_path / "submission.py"
    assert definitions(file).line_of("f") == 1
    file.write_text("\n\ndef f(): pass\n")
    assert definitions(file).line_of("f") == 3
    monkeypatch.setattr(places, "MAX_BYTES", 5)
    assert definitions(file).line_of("f") == 1


def test_nothing_is_run(tmp_path):
    file = tmp_path / "submission.py"
    file.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\ndef f(): pass\n")
    assert definitions(file).line_of("f") == 2
    assert not (tmp_path / "ran").exists()


def notebook():
    new = nbformat.v4
    cells = [
        new.new_markdown_cell("def top_predictions(model): in words\n\n    def f(x): no"),
        new.new_code_cell('%matplotlib inline\ntext = "def f(x): no \\" \\\\"\n'),
        new.new_code_cell(""),
        new.new_code_cell('"""é ☃"""\n\ndef top_predictions(model, image, k=5):\n    return []\n'),
        new.new_code_cell("%%bash\ndef f(x): no"),
        new.new_code_cell("def broken(:\n    pass"),
        new.new_code_cell("!pip install x\n\ndef f(x):\n    return 1"),
    ]
    cells[1].outputs = [new.new_output("stream", text="def f(x): no\n")]
    return new.new_notebook(cells=cells)


@pytest.mark.parametrize("indent", [None, 0, 1, 4])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_in_a_notebook_the_line_is_that_of_the_raw_text(tmp_path, indent, ascii_only):
    file = tmp_path / "submission.ipynb"
    document = json.loads(nbformat.writes(notebook()))
    file.write_text(json.dumps(document, indent=indent, ensure_ascii=ascii_only), "utf-8")
    lines = file.read_text("utf-8").split("\n")
    found = definitions(file)
    assert '"def top_predictions(model, image' in lines[found.line_of("top_predictions") - 1]
    assert '"def f(x):\\n"' in lines[found.line_of("f") - 1]
    assert '"def broken(:\\n"' in lines[found.line_of("broken") - 1]
    assert list(found.functions) == ["top_predictions", "f"]
    if indent is not None:
        assert len({found.line_of(name) for name in ("top_predictions", "f", "broken")}) == 3


def test_a_cell_as_one_string_stands_on_one_line(tmp_path):
    file = tmp_path / "submission.ipynb"
    file.write_text(json.dumps(notebook(), indent=1))
    lines = file.read_text("utf-8").split("\n")
    found = definitions(file)
    assert "def top_predictions(model, image" in lines[found.line_of("top_predictions") - 1]
    assert found.line_of("top_predictions") < found.line_of("f")


def test_pieces_that_are_not_lines_are_counted_as_they_are_joined(tmp_path):
    file = tmp_path / "submission.ipynb"
    document = json.loads(nbformat.writes(notebook()))
    document["cells"][3]["source"] = ["import os", "\nimport re\n", "", "def g", "(x):\n  pass\n"]
    file.write_text(json.dumps(document, indent=1))
    lines = file.read_text("utf-8").split("\n")
    assert lines[definitions(file).line_of("g") - 1].strip() == '"def g",'
    assert '"\\nimport re\\n"' in lines[definitions(file).line_of("re") - 1]


def test_the_notebook_format_of_before_is_read_too(tmp_path):
    file = tmp_path / "submission.ipynb"
    code = {"cell_type": "code", "input": ["x = 1\n", "def f(x):\n", "  pass"], "outputs": []}
    code |= {"collapsed": False, "language": "python", "metadata": {}}
    sheet = {"cells": [code], "metadata": {}}
    document = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [sheet]}
    file.write_text(json.dumps(document, indent=1))
    lines = file.read_text("utf-8").split("\n")
    assert '"def f(x):\\n"' in lines[definitions(file).line_of("f") - 1]


@pytest.mark.parametrize("text", ["", "{", '{"cells": 3}', "[" * 3000, '"' * 3001])
def test_what_is_no_notebook_is_at_line_one(tmp_path, text):
    file = tmp_path / "submission.ipynb"
    file.write_text(text)
    assert definitions(file).line_of("f") == 1


def test_a_notebook_that_says_its_cells_twice_is_at_line_one(tmp_path):
    file = tmp_path / "submission.ipynb"
    text = nbformat.writes(notebook())
    file.write_text(text.replace('"nbformat":', '"cells": [], "nbformat":', 1))
    assert definitions(file).line_of("top_predictions") == 1


def test_strings_of_json_have_their_keys_and_lines():
    text = '{"a": ["x", 1, {"b,c": "y\\"]"},\n [], "z"],\n "d": {"e": {}, "f": "w"}, "g": null}'
    assert list(strings(text)) == [
        (("a", 0), "x", 1),
        (("a", 2, "b,c"), 'y"]', 1),
        (("a", 4), "z", 2),
        (("d", "f"), "w", 3),
    ]


def test_strings_that_are_nested_very_deep_are_left_out():
    text = "[" * 50_000 + '"x"' + "]" * 50_000
    assert list(strings(text)) == []


def test_the_main_file_is_the_one_that_is_run(tmp_path):
    assert main_file(tmp_path) is None
    assert main_file(tmp_path / "gone") is None
    inner = tmp_path / "my work" / "really"
    inner.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (inner / "lab.ipynb").write_text("")
    assert main_file(tmp_path) == inner / "lab.ipynb"
    (inner / "submission.py").write_text("")
    assert main_file(tmp_path) == inner / "submission.py"
    assert main_file(inner / "lab.ipynb") == inner / "lab.ipynb"
    (tmp_path / "work.zip").write_text("")
    assert main_file(tmp_path / "work.zip") is None
    assert main_file(tmp_path) is None
