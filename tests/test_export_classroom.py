"""GitHub Classroom's `result`: always `tests`, always numbers, and they add up."""

from __future__ import annotations

import json
import math
from pathlib import Path

import exported
import jsonschema
import pytest

from harness.disclosure import nothing_hidden
from harness.exchange.classroom import classroom_result, final_result
from harness.handed_in import HandedIn, Student
from harness.results import SCHEMA_FILE

ALICE = HandedIn("alice")
SCHEMA = json.loads(Path(__file__).with_name("classroom.schema.json").read_text("utf-8"))


def reporter(result):
    """What Classroom's reporter makes of one runner's valid result; None if it tells no points."""
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    if not result["max_score"]:
        return None
    return math.fsum(test["score"] for test in result["tests"]), result["max_score"]


def test_the_scores_add_up_to_the_final_points():
    result = classroom_result(exported.grade_json(ALICE, 3))
    assert reporter(result) == (15.0, 20.0)
    assert (result["version"], result["status"]) == (3, "fail")
    assert [test["status"] for test in result["tests"]] == ["pass", "pass", "pass", "fail"]
    assert classroom_result(exported.grade_json(ALICE, 4))["status"] == "pass"


def test_a_failed_case_says_what_to_do_and_which_command_runs_it_again():
    failed = classroom_result(exported.grade_json(ALICE, 3))["tests"][3]
    assert failed["name"] == "class_activation_maps: maps: case3"
    assert failed["output"] == "the number 3 came, expected 4\nadd one" == failed["message"]
    assert failed["test_code"] == "harness check --case class_activation_maps/case3"


def test_lateness_and_answers_are_a_line_of_their_own():
    lines = [{"text": "checks", "points": 20.0}, {"text": "1 day late", "points": -2.0}]
    grade = exported.grade_json(ALICE, 4, points=18.0, lines=lines)
    result = final_result(grade, nothing_hidden)
    assert reporter(result) == (18.0, 20.0)
    assert result["tests"][-1]["name"] == "1 day late"
    assert result["tests"][-1]["score"] == -2.0
    assert result["tests"][-1]["output"] == "checks: 20\n1 day late: -2"


def test_thirds_leave_no_line_of_rounding():
    grade = exported.grade_json(ALICE, 4)
    check = grade["checks"][0]
    check["cases"], check["max_points"] = check["cases"][:3], 2.0
    grade["final"] |= {"points": 2.0, "max_points": 2.0}
    result = final_result(grade, nothing_hidden)
    assert [test["score"] for test in result["tests"]] == [0.6667, 0.6667, 0.6666]


@pytest.mark.parametrize("final", [{}, {"points": None, "held_back": "answers not marked"}])
def test_what_may_not_leave_the_house_is_an_error_and_no_points(final):
    grade = exported.grade_json(ALICE, 4, **final)
    if not final:
        grade = exported.not_judged(grade, "out of disk")
    result = final_result(grade, nothing_hidden)
    assert reporter(result) is None
    assert result["status"] == "error"
    [test] = result["tests"]
    assert test["score"] == 0
    assert (final.get("held_back") or "not all of it could be judged (out of disk)") in test[
        "output"
    ]


def test_made_up_grades_are_as_grading_writes_them():
    """What these tests rest on is held against the schema of `grade.json`."""
    schema = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text("utf-8")))
    group = HandedIn("g", (Student("1", "Ann"), Student("2", "Bo")), late=True, attempt=2)
    for grade in (exported.grade_json(group), exported.not_judged(exported.grade_json(ALICE))):
        schema.validate(grade)


def test_a_check_at_home_counts_no_answers_and_no_lateness():
    held_back = exported.grade_json(ALICE, 2, points=None, held_back="answers not marked")
    late = exported.grade_json(ALICE, 2, points=5.0)
    for grade in (held_back, late):
        assert reporter(classroom_result(grade)) == (10.0, 20.0)


def test_a_check_that_was_not_judged_is_an_error_and_no_points():
    # As much of a grade as there is where nothing could be run.
    run = {"message": "no lab file"}
    result = classroom_result(
        {"outcome": "not_judged", "points": 0, "max_points": 0, "checks": [], "run": run}
    )
    assert reporter(result) is None
    assert result["tests"][0]["output"] == "no points yet: not judged (no lab file)"


def test_a_hidden_case_shows_its_hint_only():
    result = classroom_result(exported.grade_json(ALICE, 2), lambda *case: case[1] == "case3")
    open_case, hidden = result["tests"][2:]
    assert (hidden["output"], hidden["message"], hidden["test_code"]) == ("add one", "add one", "")
    assert "the number 2 came" in open_case["output"]


def test_output_is_cut_where_classroom_would_refuse_it():
    grade = exported.grade_json(ALICE, 3)
    grade["checks"][0]["cases"][3]["message"] = "x" * 600 + "\x1b[2J"
    result = classroom_result(grade)
    assert reporter(result) == (15.0, 20.0)
    output = result["tests"][3]["output"]
    assert len(output) == 500
    assert output.endswith("x…")
    grade["checks"][0]["cases"][3]["message"] = "\x1b[2J"
    assert classroom_result(grade)["tests"][3]["output"].startswith("⟨U+001B⟩[2J")
