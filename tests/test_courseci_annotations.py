"""What is shown at a student's own lines, and that a student cannot say more there."""

from __future__ import annotations

import dataclasses
import json
import re

import nbformat
import pytest
from github_runner import commands
from small_lab import golden_of, graded, make_lab

from harness.courseci.annotations import (
    MAX_MESSAGE,
    MOST_PER_STEP,
    Annotation,
    annotate,
    code_quality,
    github_lines,
    of_error,
)
from harness.courseci.facts import Checked, failures
from harness.kitfiles import Changed
from harness.outputs import CaseOutput, CaseStatus
from harness.results import Diagnosis, RunStatus, RunSummary

CODE = """\
import numpy as np

def top_predictions(model, image, k=5):
    return []

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return np.zeros((4, 4))
"""
WRONG = {
    "top_predictions/top": [["cup", 0.7], ["ball", 0.2], ["<b>racket</b>", 0.1]],
    "class_activation_maps/racket": [[0.0, 1.0], [0.0, 0.0]],
}
NASTY = [
    "::set-env name=PATH::evil",
    "x\n::set-env name=PATH::evil",
    "x\r::add-path::/tmp/evil",
    "x\r\n  ::stop-commands::mine",
    "##[add-mask]a",
    "a ##[set-env name=X]y",
    "%0A::set-env name=PATH::evil",
    "%250A::set-output name=result::evil",
    ",line=1::set-env name=A::b",
    "a::b,c=d%",
    "\u2028::set-env name=A::b\x85::set-env name=A::b\x0b\x1b[0m",
    "\ud800::",
]


@pytest.fixture
def lab(tmp_path):
    return make_lab(tmp_path / "lab")


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "repo" / "work"
    folder.mkdir(parents=True)
    (folder / "submission.py").write_text(CODE)
    return folder


def checked_of(lab, path, changes=None, **more):
    grade, outputs = graded(lab, changes, **more)
    return Checked(grade, outputs, lab, golden_of(lab), path)


def raised(text, status=CaseStatus.RAISED):
    return CaseOutput(status, message=text)


def test_each_function_and_message_has_one_annotation_at_its_definition(lab, work):
    checked = checked_of(lab, work, WRONG)
    said = annotate(checked, work.parent)
    assert [(one.level, one.file, one.line) for one in said] == [
        ("error", "work/submission.py", 3),  # lost both its points, the maps a third of four
        ("error", "work/submission.py", 6),
    ]
    failed = {one.function: one for one in failures(checked.grade, lab)}
    assert failed["class_activation_map"].message in said[1].message
    assert "→ " + failed["class_activation_map"].hint in said[1].message
    assert said[1].title == "class_activation_maps: maps"
    assert "case: racket" in said[1].message


def test_cases_that_fail_alike_share_one(lab, work):
    both = {f"class_activation_maps/{name}": raised("No: it") for name in ("racket", "guided")}
    [one] = annotate(checked_of(lab, work, both), work)
    assert (one.file, one.line) == ("submission.py", 6)
    assert one.message.startswith("case: racket, guided\n")


def test_all_is_well_says_nothing(lab, work):
    assert annotate(checked_of(lab, work), work) == []
    assert github_lines([]) == []
    assert json.loads(code_quality([], "x.py")) == []


def test_of_a_hidden_case_there_is_its_hint_and_nothing_else(lab, work):
    checked = checked_of(lab, work, {"class_activation_maps/secret": raised("the secret is 42")})
    [one] = annotate(checked, work)
    assert "42" not in one.message
    assert "the traceback shows the line of yours that failed" in one.message


def test_a_function_that_is_missing_is_said_at_line_one_with_the_names_there(lab, work):
    checked = checked_of(lab, work, {"top_predictions/top": raised("gone", CaseStatus.MISSING)})
    (work / "submission.py").write_text(CODE.replace("top_predictions", "top_predicitons"))
    [one] = annotate(checked, work)
    assert one.line == 1
    assert "functions that are there: top_predicitons, class_activation_map" in one.message


def test_names_that_the_message_has_already_are_not_said_again(lab, work):
    told = raised("no 'top_predictions'; found: top_predicitons", CaseStatus.MISSING)
    (work / "submission.py").write_text(CODE.replace("top_predictions", "top_predicitons"))
    [one] = annotate(checked_of(lab, work, {"top_predictions/top": told}), work)
    assert "functions that are there" not in one.message


def test_many_cases_are_counted(lab, work):
    checked = checked_of(lab, work, {"top_predictions/top": raised("No")})
    [case] = checked.grade["checks"][0]["cases"]
    checked.grade["checks"][0]["cases"] = [{**case, "id": f"top{n}"} for n in range(13)]
    [top] = [case for case in lab.cases if case.id == "top"]
    several = tuple(dataclasses.replace(top, id=f"top{n}") for n in range(13))
    checked = dataclasses.replace(checked, lab=dataclasses.replace(lab, cases=several))
    [one] = annotate(checked, work)
    shown = ", ".join(f"top{n}" for n in range(10))
    assert one.message.startswith(f"case: {shown} and 3 more\nNo\n")


def test_a_function_that_fails_in_several_checks_has_one(lab, work):
    names = ("sweep-tv0.5", "sweep-tv2", "sweep-tv8", "same", "same-again")
    failed = {f"activation_maximization/{name}": raised("No: it") for name in names}
    [one] = annotate(checked_of(lab, work, failed), work)
    assert one.title == "activation_maximization: tv-falls, same-seed"
    assert one.message.startswith("case: sweep, same\nNo: it\n")


def test_a_file_that_is_not_python_is_said_once_at_the_line(lab, work):
    message = "your file could not be imported: SyntaxError: invalid syntax"
    everything = dict.fromkeys(graded(lab)[1].cases, raised(message, CaseStatus.NOT_LOADED))
    (work / "submission.py").write_text("x = 1\n\ndef f(:\n")
    run = RunSummary(RunStatus.FAILED_TO_LOAD, 0.1, message)
    [one] = annotate(checked_of(lab, work, everything, run=run), work)
    assert (one.file, one.line, one.title) == ("submission.py", 3, "this file cannot be run")
    hint = "run your file from top to bottom in a fresh Python; it must end without an error and "
    assert one.message.startswith(f"{message}\n→ {hint}")


def test_a_function_of_a_cell_that_is_not_python_is_said_at_the_cell(lab, work):
    (work / "submission.py").unlink()
    cells = [nbformat.v4.new_code_cell(code) for code in ("def f(): pass", "x\n\ndef g(:")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), work / "submission.ipynb")
    gone = {"top_predictions/top": raised("gone", CaseStatus.MISSING)}
    [one] = annotate(checked_of(lab, work, gone), work)
    lines = (work / "submission.ipynb").read_text().split("\n")
    assert (one.file, lines[one.line - 1].strip()) == ("submission.ipynb", '"def g(:"')
    assert "the code at this line cannot be read as Python" in one.message


def test_the_hint_of_a_diagnosis_comes_first(lab, work):
    diagnoses = {"class_activation_maps": Diagnosis("no_relu", 0.9, "put a ReLU there")}
    said = annotate(checked_of(lab, work, WRONG, diagnoses=diagnoses), work)
    assert said[1].message.endswith("→ put a ReLU there")


def test_what_could_not_be_judged_and_changed_files_are_warnings(lab, work):
    run = RunSummary(RunStatus.NOT_RUN, 0.0, "the machine died")
    checked = checked_of(
        lab, work, {"top_predictions/top": raised("the machine died", CaseStatus.NOT_RUN)}, run=run
    )
    changed = (Changed("lab.yaml", "changed"), Changed("check.yml", "missing"))
    checked = Checked(checked.grade, checked.outputs, lab, checked.golden, work, changed)
    judged, kit = annotate(checked, work)
    assert (judged.level, judged.title) == ("warning", "1 cases could not be judged")
    assert judged.message == "top_predictions/top: the machine died"
    assert (kit.level, kit.file) == ("warning", "")
    assert kit.message == "lab.yaml: changed\ncheck.yml: missing"


def test_an_archive_is_named_itself_and_a_place_elsewhere_by_its_name(lab, tmp_path):
    path = tmp_path / "work.zip"
    path.write_bytes(b"")
    [one] = annotate(checked_of(lab, path, {"top_predictions/top": raised("no")}), tmp_path)
    assert (one.file, one.line) == ("work.zip", 1)
    assert "functions that are there" not in one.message
    [one] = annotate(checked_of(lab, path, {"top_predictions/top": raised("no")}), tmp_path / "x")
    assert one.file == "work.zip"


def test_a_command_is_read_back_as_it_was_meant():
    message = "first: 100 %\nsecond, ::third:: %0A %25 %2C"
    one = Annotation("error", "50 %: a, b %3A %250A", message, "a:b,c%.py", 7)
    [line] = github_lines([one])
    assert "\n" not in line
    [command] = commands(line)
    assert command.name == "error"
    assert command.properties == {
        "file": "a:b,c%.py",
        "line": "7",
        "title": "50 %: a, b %3A %250A",
    }
    assert command.data == message


@pytest.mark.parametrize("text", NASTY)
def test_no_text_becomes_another_command(text):
    said = [Annotation("error", text, text, text, 3), Annotation("warning", text, text)]
    printed = "\n".join(github_lines(said)) + "\n"
    assert [command.name for command in commands(printed)] == ["error", "warning"]
    assert [command.properties["title"] for command in commands(printed)] == [
        commands(printed)[0].data
    ] * 2
    printed.encode()


@pytest.mark.parametrize("text", NASTY)
def test_no_text_of_a_student_becomes_another_command(lab, work, text):
    nasty = {"top_predictions/top": raised(text)}
    (work / "submission.py").write_text(f"def f(): pass\n#{text}\n", errors="replace")
    printed = "\n".join(github_lines(annotate(checked_of(lab, work, nasty), work)))
    assert [command.name for command in commands(printed)] == ["error"]


def test_the_model_of_the_runner_does_take_commands():
    """Otherwise the tests above would prove nothing."""
    taken = [commands(text) for text in NASTY[:6]]
    assert [one[0].name if one else "" for one in taken] == [
        *("set-env", "set-env", "add-path", "", "add-mask", "set-env")
    ]
    assert commands(NASTY[3] + "\n::set-env name=a::b") == []
    assert commands(NASTY[3] + "\n::set-env name=a::b\n::mine::\n::debug::x")[0].name == "debug"


def test_more_than_github_shows_is_said():
    said = [Annotation("error", f"t{number}", "m", "f.py", number) for number in range(1, 15)]
    lines = github_lines(said)
    assert len(lines) == MOST_PER_STEP
    last = commands(lines[-1])[0]
    assert last.properties["title"] == "5 more, in the summary of this run"
    assert last.properties["line"] == "10"
    assert len(github_lines(said[:10])) == 10
    assert "more" not in github_lines(said[:10])[-1]


def test_a_long_message_is_cut():
    [command] = commands(github_lines([Annotation("error", "t", "x" * 100_000)])[0])
    assert len(command.data) == MAX_MESSAGE
    assert command.data.endswith("…")


def test_gitlab_gets_each_finding_with_a_fingerprint_of_its_own(lab, work):
    said = [*annotate(checked_of(lab, work, WRONG), work.parent), of_error("no lab")]
    said += [Annotation("error", "t", "m", "a.py", 1), Annotation("error", "t", "m", "a.py", 9)]
    found = json.loads(code_quality(said, "submission.py"))
    assert all(
        set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        for one in found
    )
    assert len({one["fingerprint"] for one in found}) == len(found) == 5
    assert all(re.fullmatch("[0-9a-f]{64}", one["fingerprint"]) for one in found)
    assert {one["severity"] for one in found} <= {"info", "minor", "major", "critical", "blocker"}
    assert found[0]["location"] == {"path": "work/submission.py", "lines": {"begin": 3}}
    assert found[2]["location"] == {"path": "submission.py", "lines": {"begin": 1}}
    assert found[2]["description"] == "the check could not be made: no lab"


def test_a_finding_stays_the_same_when_lines_move():
    one, moved = (
        json.loads(code_quality([Annotation("error", "t", "m", "a.py", line)], "x"))[0]
        for line in (1, 40)
    )
    assert one["fingerprint"] == moved["fingerprint"]
    json.loads(code_quality([Annotation("error", "\ud800", "\ud800", "\ud800")], "x").encode())
