"""Starters are known while nobody has changed their code."""

from __future__ import annotations

import json

import pytest

from harness.opened import prepare
from harness.starters import is_untouched, signed_notebook, signed_script
from harness.submission import Submission

TEXT = "import numpy as np\n\n\ndef f():\n    raise NotImplementedError\n"
CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": "# Title"},
    {"cell_type": "code", "metadata": {}, "source": "import numpy"},
    {"cell_type": "code", "metadata": {}, "source": ["def f():\n", "    pass"]},
]
NOTEBOOK = {"cells": CELLS, "metadata": {"kernelspec": {}}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def starters(tmp_path):
    (tmp_path / "submission.py").write_text(signed_script(TEXT))
    (tmp_path / "submission.ipynb").write_text(json.dumps(signed_notebook(NOTEBOOK)))
    return tmp_path / "submission.py", tmp_path / "submission.ipynb"


def changed(notebook, change):
    data = json.loads(notebook.read_text())
    change(data)
    notebook.write_text(json.dumps(data))


def test_a_starter_is_untouched_until_its_code_is_changed(starters):
    script, notebook = starters
    assert is_untouched(script)
    assert is_untouched(notebook)
    script.write_text(script.read_text().replace("raise NotImplementedError", "return 1"))
    changed(notebook, lambda data: data["cells"][2].update(source="def f(): return 1"))
    assert not is_untouched(script)
    assert not is_untouched(notebook)


def test_what_editors_do_on_their_own_is_no_change(starters):
    script, notebook = starters
    script.write_bytes(script.read_text().replace("\n", " \r\n").encode())
    assert is_untouched(script)

    def run(data):
        data["cells"][1]["source"] = ["import numpy\n"]
        data["cells"][1]["outputs"] = ["shown"]
        data["cells"][0]["source"] = "an answer"
        data["metadata"]["language_info"] = {"version": "3.12"}

    changed(notebook, run)
    assert is_untouched(notebook)


def test_lines_below_the_mark_are_a_change(starters):
    script, _ = starters
    script.write_text(script.read_text() + "\ndef g(): pass\n")
    assert not is_untouched(script)


@pytest.mark.parametrize("text", ["", TEXT, "{", "[]", '{"metadata": {}}', "[" * 100_000])
@pytest.mark.parametrize("name", ["submission.py", "submission.ipynb"])
def test_other_files_are_no_starters(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert not is_untouched(tmp_path / name)
    (tmp_path / name).write_bytes(b"\xff")
    assert not is_untouched(tmp_path / name)
    assert not is_untouched(tmp_path / "none.py")


@pytest.mark.parametrize(
    ("worked_in", "run"),
    [
        ("submission.py", ("submission.py",)),
        ("submission.ipynb", ("cell_001.py", "cell_002.py")),
    ],
)
def test_of_script_and_notebook_the_one_that_was_worked_in_is_run(
    starters, tmp_path_factory, worked_in, run
):
    script, notebook = starters
    if worked_in == script.name:
        script.write_text(script.read_text() + "x = 1\n")
    else:
        changed(notebook, lambda data: data["cells"][1].update(source="import os"))
    target = tmp_path_factory.mktemp("t") / "s"
    source = prepare(Submission("a", script.parent), target)
    assert source.files == run
    other = {script.name, notebook.name} - {worked_in}
    note = f"{other.pop()} is the starter as it was given; {worked_in} is run"
    assert source.notes == (note,)
