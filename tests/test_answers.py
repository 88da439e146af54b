"""Written answers are found, given to their questions, and compared; nothing of them is run."""

# ruff: noqa: E501  (a table of mistakes reads best with one per line)

from __future__ import annotations

import json
import zipfile

import budgets
import pytest
from opening import opening

from harness import submission as submissions
from harness.answers import MOST_BYTES, MOST_LINES, Answers, read_answers
from harness.claims import MOST_ROWS, Claim, Verdict, compare
from harness.errors import LabError
from harness.golden import Golden
from harness.grading import open_lab
from harness.lab import read_lab
from harness.opened import opened
from harness.questions import plain
from harness.reading import NotebookError, read_cells
from harness.submission import Submission
from harness.techniques import cases_beside, key
from harness.written import written_answers

TOP = [("ball", 0.9), ("tabby cat", 0.06), ("dog", 0.004)]
NAMES = ["ball", "tabby_cat", "dog", "9"]


def notebook(*cells: str) -> str:
    """A notebook of Markdown cells and one code cell."""
    made = [{"cell_type": "markdown", "metadata": {}, "source": text} for text in cells]
    code = {"cell_type": "code", "metadata": {}, "source": "# Use\nx = 1", "outputs": []}
    return json.dumps(
        {
            "cells": [*made, {**code, "execution_count": None}],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 4,
        }
    )


@pytest.fixture
def read(asking_lab, tmp_path):
    """Read the answers of a folder of files, given by name."""

    def make(**files: str | bytes) -> Answers:
        folder = tmp_path / "alice"
        folder.mkdir(exist_ok=True)
        for name, content in {"submission.py": "x = 1", **files}.items():
            data = content if isinstance(content, bytes) else content.encode()
            (folder / name).write_bytes(data)
        return opening(read_answers, Submission("alice", folder), asking_lab.questions)

    return make


@pytest.mark.parametrize(
    "heading",
    [
        "# map-class",
        "## Does the map reflect the class?",
        "### does THE map, reflect: the class",
        "# Döes the máp reflect the class ?",
        "# 1. Does the map reflect the class?",
        "# 1) Does the map reflect the class?",
        "# Question 1: Does the map reflect the class?",
        "# Q1 – Does the map reflect the class?",
        "# Réponse à la question 1 : does the map reflect the class ?",
        "# Does the map reflect the class? (photo)",
        "# **Does the map** reflect the class? ##",
        "Does the map reflect the class?\n===",
        "Map_class\n---",
    ],
)
def test_a_heading_names_its_question_by_id_or_title(read, heading):
    made = read(**{"answers.md": f"{heading}\nIt does.\n"})
    assert dict(made.texts) == {"map-class": "It does."}
    assert made.other == ""


@pytest.mark.parametrize(
    "heading",
    [
        "Does the map reflect the class?",
        "# The map",
        "# Does the map",
        "# 1",
        "> # map-class",
        "- # map-class",
        "    # map-class",
        "```\n# map-class\n```",
        "# " + "map-class " * 60,
        "#map-class",
    ],
)
def test_what_names_no_question_is_kept_as_other_text(read, heading):
    made = read(**{"answers.md": f"{heading}\nIt does.\n"})
    assert dict(made.texts) == {}
    assert "It does." in made.other
    assert heading.strip().split("\n")[0] in made.other


def test_an_answer_ends_at_the_next_heading_that_is_not_below_its_own(read):
    text = """before
# Answers
## Map-class
first
### in detail
    indented

```
# Use
```
## Thanks
bye
### Use
second
# Map class
third
"""
    made = read(**{"answers.md": text})
    assert made.texts["map-class"] == (
        "first\n### in detail\n    indented\n\n```\n# Use\n```\n\nthird"
    )
    assert made.texts["use"] == "second"
    assert made.other == "before\n# Answers\n\n## Thanks\nbye"


def test_a_question_below_another_has_its_own_answer(read):
    made = read(**{"answers.md": "# Map-class\none\n## Use\ntwo\n### more\nthree\n"})
    assert dict(made.texts) == {"map-class": "one", "use": "two\n### more\nthree"}


def test_a_heading_with_nothing_below_is_no_answer(read):
    made = read(**{"answers.md": "# Map-class\n\n   \n# Use\n\n  it is\n\n"})
    assert dict(made.texts) == {"use": "  it is"}


@pytest.mark.parametrize("name", ["answers.md", "Answers.MD", "ANSWERS.md"])
def test_the_file_goes_by_its_name_in_any_case(read, name):
    assert read(**{name: "# Use\nyes"}).texts == {"use": "yes"}


def test_other_files_are_not_answers(read):
    made = read(**{"notes.md": "# Use\nno", "answers.md.bak": "# Use\nno", "answers": "# Use\nno"})
    assert made == Answers()


def test_a_notebook_answers_in_its_markdown_cells(asking_lab, tmp_path):
    path = tmp_path / "bob.ipynb"
    path.write_text(notebook("# Intro\nhello", "## Use\nyes\n```", "### And\nmore"))
    made = opening(read_answers, Submission("bob", path), asking_lab.questions)
    # A cell is a text of its own: an answer ends with it.
    assert made.texts == {"use": "yes\n```"}
    assert made.other == "# Intro\nhello\n\n### And\nmore"


def test_file_and_notebook_together_lose_nothing(read):
    made = read(**{"answers.md": "# Use\none", "n.ipynb": notebook("# Use\ntwo")})
    assert made.texts == {"use": "one\n\ntwo"}


def test_a_notebook_that_is_none_is_said(read):
    made = read(**{"broken.ipynb": "{", "answers.md": "# Use\nyes"})
    assert made.texts == {"use": "yes"}
    assert "answers could not be read in broken.ipynb (broken.ipynb is not a" in made.notes[0]


def test_cells_of_what_is_no_notebook_are_an_error(tmp_path):
    (tmp_path / "a.ipynb").write_text("[]")
    with pytest.raises(NotebookError, match=r"a.ipynb is not a notebook that can be read \("):
        read_cells(tmp_path / "a.ipynb", "code")


def test_a_notebook_too_large_is_said(read, monkeypatch):
    monkeypatch.setattr("harness.reading.MOST_NOTEBOOK_BYTES", 10)
    made = read(**{"n.ipynb": notebook("# Use\ntwo")})
    said = "n.ipynb is too large to be read; clear its outputs, and hand in again"
    assert made.notes == (f"answers could not be read in n.ipynb ({said})",)


@pytest.mark.parametrize("name", ["a.zip", "nested.zip"])
def test_an_archive_is_looked_into(asking_lab, tmp_path, name):
    path = tmp_path / name
    folder = "work/" if name == "nested.zip" else ""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{folder}submission.py", "x = 1")
        archive.writestr(f"{folder}Answers.md", "# Use\npacked")
    made = opening(read_answers, Submission("a", path), asking_lab.questions)
    assert made.texts == {"use": "packed"}


def test_the_file_at_the_top_comes_first(read, tmp_path):
    (tmp_path / "alice" / "a").mkdir(parents=True)
    (tmp_path / "alice" / "a" / "answers.md").write_text("# Use\nbelow")
    assert read(**{"answers.md": "# Use\ntop"}).texts == {"use": "top\n\nbelow"}


def test_a_link_is_never_followed(read, tmp_path):
    (tmp_path / "secret").write_text("# Use\nsecret")
    (tmp_path / "alice").mkdir()
    (tmp_path / "alice" / "answers.md").symlink_to(tmp_path / "secret")
    assert read() == Answers()


def test_a_damaged_archive_has_no_answers(asking_lab, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK junk")
    made = opening(read_answers, Submission("a", tmp_path / "a.zip"), asking_lab.questions)
    assert made == Answers()


def test_a_lab_without_questions_looks_for_none(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "files_of", None)
    assert opening(read_answers, Submission("a", tmp_path), ()) == Answers()


@pytest.mark.parametrize(
    "data",
    [
        "# Use\né".encode(),
        "# Use\né".encode("utf-8-sig"),
        "# Use\né".encode("utf-16"),
        b"\xfe\xff" + "# Use\né".encode("utf-16-be"),
        "# Use\né".encode("cp1252"),
        b"# Use\r\n\xc3\xa9",
        b"# Use\r\xc3\xa9",
    ],
)
def test_encodings_and_line_ends_of_editors_give_the_same_answer(read, data):
    made = read(**{"answers.md": data})
    assert made.texts == {"use": "é"}
    assert made.digest("use") == Answers({"use": "é"}).digest("use")


def test_bytes_that_are_no_text_are_read_all_the_same(read):
    made = read(**{"answers.md": b"# Use\n\xff\x81\x00yes"})
    assert made.texts["use"].endswith("yes")


def test_a_long_file_is_cut_and_that_is_said(read):
    made = read(**{"answers.md": "# Use\n" + "é" * MOST_BYTES})
    # Six bytes of heading leave this many of two bytes each.
    assert made.texts["use"] == "é" * ((MOST_BYTES - 6) // 2)
    assert made.notes == (f"answers.md was cut: answers may have {MOST_BYTES} characters in all",)


def test_all_texts_together_have_one_limit(read):
    half = "x" * (MOST_BYTES * 2 // 3)
    made = read(**{"answers.md": "# Use\n" + half, "n.ipynb": notebook("# Map-class\n" + half)})
    assert sum(map(len, made.texts.values())) <= MOST_BYTES
    assert made.notes == (f"n.ipynb was cut: answers may have {MOST_BYTES} characters in all",)


@pytest.mark.parametrize("line", ["#\n", "> ", "- ", "[a]: x\n", "<a\n", "`", "*", "a\n===\n"])
def test_hostile_markdown_ends(read, line):
    text = line * (MOST_BYTES // len(line))
    made = read(**{"answers.md": text})
    assert made.texts == {}
    assert made.other.strip() == text.strip()


LAZY = "b\n" * 98_000
SLOW = {
    "quotes and lazy lines": ">" * 2000 + "a\n" + LAZY,
    "quotes and lists and lazy lines": "> - " * 9 + "a\n" + LAZY,
    "quotes": (">" * 18 + "a\n\n") * 9000,
    "lists": ("- " * 9 + "a\n") * 9000,
    "lists in quotes": (">- " * 6 + "a\n") * 9000,
    "items": "- a\n+ a\n* a\n" * 16_000,
    "headings": "# a\n" * 48_000,
    "underlines": "a\n=\n" * 48_000,
    "a title without end": '[a]: b "' + "x\n" * 96_000,
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
def test_answers_of_any_kind_are_read_within_the_budget_and_are_all_there(read, text):
    made = []
    data = "# Use\nyes\n# Else\n" + text
    assert budgets.seconds(lambda: made.append(read(**{"answers.md": data}))) < budgets.SECONDS
    assert made[0].texts == {"use": "yes"}
    assert made[0].other.endswith(text.strip()[-1000:])
    assert made[0].notes[-1] == (
        f"answers have more than {MOST_LINES} lines; headings below those were not looked for"
    )


def test_answers_of_most_tokens_are_read_within_the_memory(read):
    data = ("- " * 9 + "a\n") * 9000
    assert budgets.megabytes(lambda: read(**{"answers.md": data})) < budgets.MEGABYTES / 2


def test_headings_below_the_last_line_that_is_looked_at_belong_to_the_answer_above(read):
    above = "# Use\n" + "x\n" * (MOST_LINES - 1)
    made = read(**{"answers.md": above + "# Map-class\nyes"})
    assert made.texts == {"use": f"{above[6:]}# Map-class\nyes"}
    assert len(made.notes) == 1
    assert read(**{"answers.md": above[:-2] + "# Map-class"}).notes == ()
    # All files together have that many.
    cells = read(**{"answers.md": above, "n.ipynb": notebook("# Map-class\nyes")})
    assert list(cells.texts) == ["use"]


@pytest.mark.parametrize("piece", ["[", "`", "*", "> ", "- ", "a ", "<a b='", "#", "|-", "\\"])
def test_answers_of_one_line_are_read_in_proportion_to_their_length(read, piece):
    def sample(size):
        return piece * (size // len(piece))

    assert budgets.growth(lambda text: read(**{"answers.md": text}), sample, 60_000) < 3


def test_a_file_that_cannot_be_read_is_said(read, monkeypatch):
    def denied(data, *, cut):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("harness.answers._decoded", denied)
    made = read(**{"answers.md": "# Use\nyes"})
    assert made.notes == ("answers could not be read in answers.md ([Errno 13] Permission denied)",)


def test_answers_make_the_round_trip():
    claim = Claim("ball", "0.9", Verdict.WRONG_PROBABILITY, 0.5)
    made = Answers({"use": "yes\ud800"}, "other", ("note",), {"use": (claim,)})
    assert Answers.from_bytes(made.to_bytes()) == made
    for damaged in (b"", b"[]", b"{}", b'{"texts": 1}', made.to_bytes()[:-5]):
        assert Answers.from_bytes(damaged) is None


def test_an_answer_has_a_digest_of_its_own_even_if_there_is_none():
    one, other = Answers({"use": "a"}), Answers({"use": "b"})
    assert len({one.digest("use"), other.digest("use"), Answers().digest("use")}) == 3
    assert one.digest("map-class") == Answers().digest("use")


# Claimed tables.


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("| class | p |\n|---|---|\n| ball | 0.9 |\n| dog | 0.004 |", "ball=0.9 dog=0.004"),
        ("ball | 0.90\n-----|-----\ndog | 0.00", "ball=0.90 dog=0.00"),
        ("| 1 | ball | 90 % |\n| 2 | dog | 0,4 % |", "ball=90 % dog=0,4 %"),
        ("| ball | 90 | yes |\n| dog | 0.4 % | no |", "ball=90 dog=0.4 %"),
        ("- ball: 0.9\n- dog: 0.004", "ball=0.9 dog=0.004"),
        ("1. ball (90 %)\n\n2. dog (0.4%)", "ball=90 % dog=0.4%"),
        ("ball 90 %\ndog ~0.4 %", "ball=90 % dog=~0.4 %"),
        ("* **ball**: `0.9`\n* _dog_ – 0.004", "ball=0.9 dog=0.004"),
        ("ball = 0.9\nTabby-Cat: 0.06 (6 %)", "ball=0.9 Tabby-Cat=6 %"),
        ("| 9 | 0.9 |\n| ball | 0.1 |", "9=0.9 ball=0.1"),
        ("| 1 | 9 | 0.9 |\n| 2 | 9 | 0.1 |", "9=0.9 9=0.1"),
        # No tables: one row alone, no class of the model, numbers that are no probabilities.
        ("- ball: 0.9", ""),
        ("- tv_weight: 0.125\n- seed: 1", ""),
        ("ball: 300\ndog: 0.004", ""),
        ("The ball has 0.9 and\nthe dog 0.004 of it.", ""),
        ("x" * 400 + ": 0.9\nball: 0.9", ""),
        ("", ""),
    ],
)
def test_claimed_tables_are_found_in_the_ways_people_write_them(text, rows):
    found = compare(text, TOP, NAMES)
    assert " ".join(f"{claim.name}={claim.said}" for claim in found) == rows


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("ball: 0.9", Verdict.RIGHT),
        ("ball: 90 %", Verdict.RIGHT),
        ("ball: 90", Verdict.RIGHT),
        # Half a unit of the last digit, and 0.001 for the machine: 0.849 to 0.951, 0.889 to 0.911.
        ("ball: 0.95", Verdict.WRONG_PROBABILITY),
        ("ball: 0.906", Verdict.WRONG_PROBABILITY),
        ("ball: 0.901", Verdict.RIGHT),
        ("ball: 1", Verdict.RIGHT),
        ("BALL: 0.89", Verdict.WRONG_PROBABILITY),
        ("tabby-cat: 0.06", Verdict.RIGHT),
        ("tabby_cat: 6 %", Verdict.RIGHT),
        ("tabby cat: 0.6", Verdict.WRONG_PROBABILITY),
        ("9: 0.9", Verdict.NOT_LISTED),
        ("football: 0.9", Verdict.NOT_LISTED),
    ],
)
def test_a_claimed_row_is_right_within_its_rounding(said, verdict):
    [claim, _] = compare(f"- {said}\n- dog: 0.004", TOP, NAMES)
    assert claim.verdict is verdict
    assert (claim.true is None) == (verdict is Verdict.NOT_LISTED)


def test_two_classes_of_one_name_are_each_as_good():
    twice = [("crane", 0.7), ("crane", 0.2)]
    found = compare("crane: 0.20\ncrane: 0.70", twice, ["crane"])
    assert [(claim.verdict, claim.true) for claim in found] == [
        (Verdict.RIGHT, 0.2),
        (Verdict.RIGHT, 0.7),
    ]


def test_rows_without_end_are_cut():
    assert len(compare("ball: 0.9\n" * 1000, TOP, NAMES)) == MOST_ROWS


def test_a_claim_is_compared_with_the_golden_output_of_its_case(asking_lab, tmp_path):
    (tmp_path / "alice").mkdir()
    (tmp_path / "alice" / "submission.py").write_text("")
    text = "# Map-class\n- ball: 0.9\n- cat: 0.5\n# Use\n- ball: 0.9\n- cat: 0.5\n"
    (tmp_path / "alice" / "answers.md").write_text(text)
    golden = Golden({"top_predictions/photo": [[("ball", 0.9), ("dog", 0.1)]]}, {}, "")
    with opened(Submission("alice", tmp_path / "alice")) as found:
        made = written_answers(asking_lab, golden, found)
    assert made.claims == {
        "map-class": (
            Claim("ball", "0.9", Verdict.RIGHT, 0.9),
            Claim("cat", "0.5", Verdict.NOT_LISTED),
        )
    }


# The lab's questions.


def test_questions_are_read_with_their_levels_and_cases(asking_lab):
    first, second = asking_lab.questions
    assert (first.id, first.points, first.text, second.text) == ("map-class", 2, "", "In practice.")
    assert [(level.label, level.points) for level in first.levels] == [
        ("reasoned", 2),
        ("described", 1),
        ("missing", 0),
    ]
    assert first.level("described").points == 1
    assert first.level("gone") is None
    assert [key(case) for case in cases_beside(asking_lab, first)] == [
        "class_activation_maps/photo"
    ]
    # A group is all of its cases.
    assert [case.id for case in cases_beside(asking_lab, second)] == ["cat-tv1", "cat-tv4"]


def test_a_case_without_its_technique_is_every_case_of_that_name(lab_file, asking):
    lab_file.write_text(asking.replace("class_activation_maps/photo", "photo"), "utf-8")
    lab = open_lab(lab_file)
    assert [key(case).split("/")[0] for case in cases_beside(lab, lab.questions[0])] == [
        "top_predictions",
        "layer_activations",
        "class_activation_maps",
    ]


def test_questions_change_neither_points_nor_golden_outputs(lab_file, asking, asking_lab):
    lab_file.write_text(asking.partition("questions:")[0], "utf-8")
    plain_lab = read_lab(lab_file)
    assert plain_lab.questions == ()
    assert [case.id for case in plain_lab.cases] == [case.id for case in asking_lab.cases]
    assert sum(check.points for check in asking_lab.checks) == 3
    assert plain_lab.digest() != asking_lab.digest()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("    points: 2\n", "", "lab.yaml:26, questions.0: missing 'points'; required here"),
        ("    points: 2\n", "    points: 0\n", "questions.0.points: found 0"),
        ("    points: 2\n", "    point: 2\n", "lab.yaml:28, questions.0.point: unknown key 'point'; did you mean 'points'?"),
        ("    text: In practice.", "    txt: a", "unknown key 'txt'; did you mean 'text'?"),
        ("{points: 2, label: reasoned", "{points: 3, label: reasoned", "lab.yaml:30, questions.0.levels.0.points: found 3; allowed: 0 to 2, the question's points"),
        ("{points: 0, label: missing}", "{points: -1, label: missing}", "found -1"),
        ("label: described", "label: reasoned", "lab.yaml:31, questions.0.levels.1.label: label 'reasoned' is used twice; rename one"),
        ("id: use", "id: Map_Class", "lab.yaml:35, questions.1.id: 'Map_Class' names an earlier question too"),
        ("title: How can activation maximization be useful?", "title: map class!", "questions.1.title: 'map class!' names an earlier question too"),
        ("title: How can activation maximization be useful?", "title: '?!'", "questions.1.title: found '?!'; expected words"),
        ("id: use", "id: a/b", "found 'a/b'"),
        ("levels: [{points: 1, label: \"yes\"}, ", "levels: [", "is too short"),
        ("    cases: [cat]\n", "    cases: [cot]\n", "lab.yaml:40, questions.1.cases: no case 'cot'; did you mean 'cat'?"),
        ("    cases: [cat]\n", "    cases: []\n", "questions.1.cases: found []"),
        ("    cases: [cat]", "    cases: [cat]\n    case: cat", "questions.1: found both 'case' and 'cases'; give one of them"),
        ("case: class_activation_maps/photo", "case: layer_activations/cat", "lab.yaml:33, questions.0.case: no case 'layer_activations/cat'"),
        ("claims: photo", "claims: cat", "lab.yaml:34, questions.0.claims: no case 'cat'; allowed: photo"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_question_is_named_with_its_line(lab_file, asking, before, after, said):
    assert before in asking
    lab_file.write_text(asking.replace(before, after), "utf-8")
    with pytest.raises(LabError) as error:
        open_lab(lab_file)
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["claims: photo", "case: top_predictions/photo"])
def test_a_hidden_case_is_never_shown_beside_an_answer(lab_file, asking, name):
    case = "{id: photo, model: net, image: photo}"
    text = asking.replace(case, case.replace("}", ", hidden: true}"))
    both = "    case: class_activation_maps/photo\n    claims: photo\n"
    lab_file.write_text(text.replace(both, f"    {name}\n"), "utf-8")
    with pytest.raises(LabError, match=r"case '.*photo' is hidden, and this would show it"):
        open_lab(lab_file)


def test_plain_names_leave_out_what_people_write_differently():
    assert plain("  L'Été — où_est-IL ? ") == "l ete ou est il"
    assert plain("Cœur ﬁn ß") == "coeur fin ss"
    assert plain("?!") == ""
