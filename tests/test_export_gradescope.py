"""`results.json`: by the specification's rules, the total always seen, nothing hidden told."""

from __future__ import annotations

import json
from pathlib import Path

import exported
import jsonschema
import pytest

from harness.disclosure import Secrets
from harness.exchange.order import Order
from harness.exchange.outgoing import export
from harness.exchange.to_gradescope import results, results_of_checks
from harness.grading import open_lab
from harness.handed_in import HandedIn

SCHEMA = json.loads(Path(__file__).with_name("gradescope.schema.json").read_text("utf-8"))
ALICE = HandedIn("alice")


def check(data):
    """See that it is valid, and that a student sees the total; return what Gradescope shows."""
    jsonschema.Draft202012Validator(SCHEMA).validate(data)
    everything = [data["visibility"], *(test["visibility"] for test in data["tests"])]
    assert set(everything) == {"visible"}
    return data["score"]


def run(tmp_path, grades, out=None, **options):
    lines = []
    order = Order(exported.store(tmp_path / "reports", grades), out=out or tmp_path / "out")
    return export(order, "gradescope", lines.append, **options), lines


def test_sixty_submissions_make_sixty_valid_files(tmp_path):
    account, lines = run(tmp_path, exported.cohort())
    files = sorted((tmp_path / "out").glob("*/results.json"))
    assert [file.parent.name for file in files] == [f"s{number:02}" for number in range(60)]
    scores = [check(json.loads(file.read_bytes())) for file in files]
    assert scores == [5.0 * (number % 5) for number in range(60)]
    assert lines[0] == "60 grades: 60 matched, 60 to write, 0 unchanged"
    assert not account.needs_a_person


def test_one_submission_is_the_file_itself(tmp_path):
    run(tmp_path, exported.cohort(1), out=tmp_path / "results.json")
    assert check(json.loads((tmp_path / "results.json").read_bytes())) == 0.0


def test_one_submission_goes_into_a_folder_that_is_there(tmp_path):
    (tmp_path / "results").mkdir()
    run(tmp_path, exported.cohort(1), out=tmp_path / "results")
    assert check(json.loads((tmp_path / "results" / "results.json").read_bytes())) == 0.0


@pytest.mark.parametrize("others", [0, 2])
def test_what_is_not_judged_is_no_file_and_never_a_zero(tmp_path, others):
    grades = [exported.not_judged(exported.grade_json(ALICE)), *exported.cohort(others)]
    account, lines = run(tmp_path, grades)
    assert account.needs_a_person
    assert "  alice: not all of it could be judged (out of disk)" in lines
    assert len(list(tmp_path.glob("out/**/results.json"))) == others
    assert not list(tmp_path.glob("out/alice*"))


@pytest.mark.parametrize("others", [0, 2])
def test_a_file_of_an_earlier_export_is_removed_once_it_is_held_back(tmp_path, others):
    grades = [exported.grade_json(ALICE), *exported.cohort(others)]
    run(tmp_path, grades)
    before = sorted(tmp_path.glob("out")) if not others else sorted(tmp_path.glob("out/*/*.json"))
    file = tmp_path / "reports" / "alice" / "grade.json"
    file.write_text(json.dumps(exported.not_judged(grades[0])), "utf-8")
    lines = []
    order = Order(tmp_path / "reports", out=tmp_path / "out")
    export(order, "gradescope", lines.append, dry_run=True)
    assert before[0].exists()
    export(order, "gradescope", lines.append)
    assert [path.exists() for path in before] == [False, *[True] * others]
    assert f"removed, as it is held back now: {before[0]}" in lines


def test_answers_and_lateness_are_told_and_counted():
    lines = [{"text": "checks", "points": 20.0}, {"text": "2 days late", "points": -4.0}]
    grade = exported.grade_json(ALICE, 4, points=16.0, lines=lines)
    named = exported.question(level="named", points=1, comment="and <b>why</b>?")
    grade["questions"] = [named]
    data = results(grade, lambda *case: False)
    assert check(data) == 16.0
    assert data["output"] == "checks: 20\n2 days late: -4\n16 / 20"
    assert data["output_format"] == data["test_output_format"] == "text"
    answer = data["tests"][-1]
    assert (answer["name"], answer["score"], answer["max_score"]) == ("Why?", 1, 2)
    assert (answer["output"], answer["status"]) == ("named\nand <b>why</b>?", "failed")


def test_an_autograder_tells_the_points_of_the_checks_before_answers_are_marked():
    grade = exported.grade_json(ALICE, 3, points=None, held_back="answers not marked")
    grade["run"]["message"] = "it printed a lot"
    data = results_of_checks(grade, lambda *case: False)
    assert check(data) == 15.0
    assert data["output"] == "it printed a lot\n15 / 20"
    assert [test["score"] for test in data["tests"]] == [5.0, 5.0, 5.0, 0.0]


def test_a_passed_case_and_a_failed_one():
    data = results(exported.grade_json(ALICE, 3), lambda *case: False)
    passed, failed = data["tests"][0], data["tests"][3]
    assert (passed["status"], passed["score"], passed["max_score"]) == ("passed", 5.0, 5.0)
    assert (failed["status"], failed["score"], failed["max_score"]) == ("failed", 0.0, 5.0)
    assert failed["output"] == "the number 3 came, expected 4\nadd one"
    assert data["extra_data"]["digests"] == {"lab": "a", "submission": "b", "golden": "c"}
    assert data["execution_time"] == 2.5


def test_a_hidden_case_is_seen_with_outcome_and_hint_and_hides_no_total():
    data = results(exported.grade_json(ALICE, 2), lambda *case: case[1] == "case3")
    assert check(data) == 10.0
    shown = data["tests"][3]
    assert (shown["status"], shown["output"]) == ("failed", "add one")
    assert "the number 3" not in json.dumps(data)
    assert "the number 2" in json.dumps(data)


@pytest.fixture
def secrets(lab_file):
    """The small lab with one hidden case, and the digest that its grades have."""
    text = lab_file.read_text("utf-8")
    text = text.replace("{id: mean,", "{id: mean, hidden: true,")
    lab_file.write_text(text, "utf-8")
    lab = open_lab(lab_file)
    return Secrets(lab), lab.digest()


def test_the_lab_tells_which_cases_are_hidden(secrets):
    told, digest = secrets
    hidden = told.of({"digests": {"lab": digest}})
    assert hidden("layer_activations", "mean")
    assert not hidden("layer_activations", "photo")
    assert not hidden("activation_maximization", "cat")
    assert hidden("layer_activations", "one that the lab no longer has")
    assert not told.of({"digests": {"lab": f"{digest}-public"}})("layer_activations", "photo")


def test_with_another_lab_every_case_may_have_been_hidden(secrets, tmp_path):
    told, _ = secrets
    assert told.of({"digests": {"lab": "another"}})("layer_activations", "photo")
    assert not Secrets().knows("")
    _, lines = run(tmp_path, exported.cohort(2))
    assert any(
        "2 were graded with another lab file than the one here (s00, s01), so" in line
        for line in lines
    )
    assert "came, expected" not in (tmp_path / "out" / "s00" / "results.json").read_text("utf-8")


def test_names_that_would_turn_text_around_are_made_visible():
    grade = exported.grade_json(HandedIn("eve\u202e\udc80"), 3)
    grade["checks"][0]["cases"][3]["message"] = "\x1b[31mred\udc80"
    text = json.dumps(results(grade, lambda *case: False))
    assert "u202e" not in text
    assert "U+202E" in text
    assert "u001b" not in text
    assert "udc80" not in text
