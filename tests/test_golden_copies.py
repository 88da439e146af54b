"""Golden outputs of the kit, handed in as one's own: the board shows them; honest work, never."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_lab import graded, make_lab

from harness import cli, golden
from harness.disclosure import can_be_copied
from harness.gradebook import Gradebook, summary
from harness.grading import Grader, Stored, open_lab
from harness.report import write_index
from harness.similarity import Likeness, is_among
from harness.submission import Submission
from harness.techniques import part_of

ROOT = Path(__file__).parents[1]
# Looks up what the kit holds by what is asked for; the table is an .npz beside it.
LOOKUP = """
import os
import numpy as np
TABLE = np.load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "table.npz"))
def maximize_activation(model, layer_name, filter_indices, tv_weight, seed):
    return TABLE[f"{list(filter_indices)}-{float(tv_weight)}-{seed}"]
"""
ASKED = ["activation_maximization/digit8", "activation_maximization/pair-4-9"]


@pytest.fixture(scope="module")
def lab():
    return open_lab(ROOT / "fixtures" / "lab.yaml")


def look_up(lab, folder, change=lambda image: image):
    """A submission that returns the stored outputs, changed or not."""
    folder.mkdir()
    stored = golden.load(lab).accepted
    table = {}
    for case in lab.cases:
        if case.function == "maximize_activation":
            asked = case.arguments
            name = f"{asked['filter_indices']}-{float(asked['tv_weight'])}-{asked.get('seed', 0)}"
            [*_, last] = stored[f"activation_maximization/{case.id}"]
            table[name] = change(last)
    np.savez(folder / "table.npz", **table)
    (folder / "submission.py").write_text(LOOKUP)
    return Submission(folder.name, folder)


@pytest.mark.tensorflow
def test_stored_images_are_told_from_honest_ones_and_kept_with_the_grade(lab, tmp_path):
    copied = look_up(lab, tmp_path / "copied")
    enlarged = look_up(lab, tmp_path / "as64", lambda image: image.astype("float64")[None])
    honest = Submission("good-compact", ROOT / "submissions" / "good-compact")
    with Grader(lab) as grader:
        grader.narrow(part_of(lab, ASKED))
        keys = [f"activation_maximization/{case.id}" for case in grader.cases]
        assert len(keys) == 5
        found = {}
        for submission in (copied, enlarged, honest):
            made = grader.grade(submission)
            found[submission.name] = made.grade["likeness"]["golden"]
            assert made.grade["points"] > 0
            # What is graded again from what was stored says the same.
            again = grader.grade(submission, Stored(made.outputs, made.assessed.remembered))
            assert not again.ran
            assert again.grade["likeness"]["golden"] == found[submission.name]
    assert found == {"copied": keys, "as64": keys, "good-compact": []}


def test_only_images_that_nobody_makes_by_chance_are_golden():
    image = np.linspace(0, 1, 12).reshape(3, 4)
    assert is_among(image.copy(), [np.zeros((3, 4)), image])
    assert not is_among(np.nextafter(image, 2), [image])
    assert not is_among(image.astype("float32"), [image])
    assert not is_among(np.zeros((3, 4)), [np.zeros((3, 4))])
    assert not is_among([["cat", 0.5]], [[["cat", 0.5]]])
    assert not is_among(image, [])


def test_the_likeness_keeps_them_and_reads_grades_without():
    one = Likeness(np.array([1], "uint32"), {}, ("t/a",))
    assert Likeness.from_json(json.loads(json.dumps(one.to_json()))).golden == ("t/a",)
    assert Likeness.from_json({"code": "", "outputs": {}}).golden == ()


def test_the_board_shows_who_and_which_cases_most_first(tmp_path):
    lab = make_lab(tmp_path / "lab")
    grades = []
    for name, cases in (("ann", ["t/one"]), ("bob", []), ("<eve>", ["t/one", "t/two"])):
        grade, _ = graded(lab, name=name)
        code = Likeness(np.zeros(0, "uint32"), {}, cases)
        grades.append(summary({**grade, "likeness": code.to_json()}))
    book = Gradebook(tmp_path / "reports")
    write_index(book.index, lab, grades)
    text = book.index.read_text("utf-8")
    section = text[text.index('id="golden"') : text.index("</section>", text.index('id="golden"'))]
    assert "to the last bit; nobody makes those by chance" in section
    assert section.index("&lt;eve&gt;") < section.index("ann")
    assert "<code>one</code>, <code>two</code>" in section
    assert "bob" not in section
    write_index(book.index, lab, [grades[1]])
    assert 'id="golden"' not in book.index.read_text("utf-8")


def test_a_lab_without_hidden_cases_says_how_it_can_be_copied(lab, tmp_path, capsys, monkeypatch):
    said = can_be_copied(lab)
    assert said.startswith("This lab has no hidden cases: its golden outputs are in the students'")
    assert "harness fixtures new --seed N --out hidden/ (harness help hidden)" in said
    assert can_be_copied(make_lab(tmp_path / "lab")) == ""  # it has one
    monkeypatch.chdir(tmp_path)
    command = ["kit", "--lab", str(lab.source.path), "--out", str(tmp_path / "kit.zip")]
    assert cli.main(command) == 0
    assert capsys.readouterr().out.count(said) == 1
