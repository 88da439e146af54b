"""Grades as numbers and as `grade.json`: points, rounding, and what the schema refuses."""

from __future__ import annotations

import copy
import json

import jsonschema
import numpy as np
import pytest

from harness.results import (
    SCHEMA_FILE,
    CaseResult,
    CheckResult,
    Grade,
    Outcome,
    RunStatus,
    RunSummary,
)

SCHEMA = json.loads(SCHEMA_FILE.read_text("utf-8"))
PASSED, FAILED = CaseResult("a", Outcome.PASSED, 1.0), CaseResult("b", Outcome.FAILED, 0.25)
NOT_JUDGED = CaseResult("c", Outcome.NOT_JUDGED, 0.0)
DIGESTS = {"lab": "1", "submission": "2", "golden": "3"}


def check(points, *cases, technique="top_predictions", identifier="check"):
    return CheckResult(identifier, technique, f"{technique}.agreement", points, cases)


def grade(*checks, name="alice", run=None):
    run = run or RunSummary(RunStatus.COMPLETED, 1.0)
    return Grade(name, checks or (check(2.0, PASSED),), run, {"python": "3"}, DIGESTS)


@pytest.mark.parametrize(
    ("cases", "points"),
    [
        ((PASSED,), 6.0),
        ((FAILED,), 0.0),
        ((PASSED, FAILED), 3.0),
        ((PASSED, PASSED, FAILED), 4.0),
        ((PASSED, NOT_JUDGED), 3.0),
    ],
)
def test_points_follow_the_outcomes_and_never_the_scores(cases, points):
    assert check(6.0, *cases).points == pytest.approx(points)


def test_only_a_case_not_judged_makes_a_check_not_judged():
    assert check(1.0, PASSED, FAILED).judged
    assert not check(1.0, PASSED, NOT_JUDGED).judged


def test_many_small_points_add_up_without_drift():
    made = grade(*(check(0.1, PASSED, identifier=str(n)) for n in range(10)))
    assert made.points == made.max_points == 1.0


def test_points_of_a_technique_are_those_of_its_checks_in_the_order_of_the_rubric():
    made = grade(
        check(2.0, PASSED, technique="class_activation_maps"),
        check(3.0, FAILED),
        check(4.0, PASSED, FAILED, technique="class_activation_maps"),
    )
    # 2 + 4/2 of 2 + 4, and 0 of 3.
    assert list(made.technique_points().items()) == [
        ("class_activation_maps", (4.0, 6.0)),
        ("top_predictions", (0.0, 3.0)),
    ]


def test_numbers_in_the_json_are_rounded_and_plain():
    measured = {
        "third": 1 / 3,
        "numpy": np.float32(0.5),
        "infinite": float("inf"),
        "whole": 3,
        "yes": True,
        "text": "x",
        "none": None,
    }
    case = CaseResult("a", Outcome.PASSED, 2 / 3, measured, {"third": 0.1})
    [found] = grade(check(1.0, case)).to_json()["checks"][0]["cases"]
    assert found["score"] == 0.6667
    assert found["measured"] == {**measured, "third": 0.3333, "infinite": None}
    assert found["measured"]["yes"] is True
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("status", RunStatus)
def test_the_schema_knows_every_status_of_a_run(status):
    run = RunSummary(status, 0.0, "a message", ("a note",), "printed")
    jsonschema.validate(grade(run=run).to_json(), SCHEMA)
    assert RunSummary.from_json(run.to_json()) == run


@pytest.mark.parametrize("outcome", Outcome)
def test_the_schema_knows_every_outcome(outcome):
    case = CaseResult("a", outcome, 0.5, {"iou": 0.5}, {"iou": 0.6}, "a message", "a hint")
    jsonschema.validate(grade(check(1.0, case)).to_json(), SCHEMA)
    assert grade(check(1.0, case)).judged == (outcome is not Outcome.NOT_JUDGED)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format_version",), 2),
        (("submission",), ""),
        (("outcome",), "passed"),
        (("points",), -0.5),
        (("max_points",), 0),
        (("techniques", "top_predictions", "points"), "2"),
        (("techniques", "top_predictions", "diagnosis"), {"mistake": "no_relu"}),
        (("checks",), []),
        (("checks", 0, "cases"), []),
        (("checks", 0, "cases", 0, "outcome"), "skipped"),
        (("checks", 0, "cases", 0, "score"), 1.5),
        (("checks", 0, "cases", 0, "measured"), {"iou": [0.5]}),
        (("checks", 0, "cases", 0, "threshold"), {"iou": None}),
        (("checks", 0, "cases", 0, "verdict"), "ok"),
        (("run", "status"), "fine"),
        (("run", "seconds"), -1),
        (("run", "notes"), [1]),
        (("digests",), {"lab": "1"}),
        (("environment", "python"), 3),
    ],
)
def test_the_schema_refuses_each_value_that_is_off(path, value):
    data = copy.deepcopy(grade().to_json())
    jsonschema.validate(data, SCHEMA)
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


@pytest.mark.parametrize("name", SCHEMA["required"])
def test_the_schema_misses_each_part_that_is_not_there(name):
    data = grade().to_json()
    del data[name]
    with pytest.raises(jsonschema.ValidationError, match=f"'{name}' is a required property"):
        jsonschema.validate(data, SCHEMA)


def test_a_diagnosis_keeps_the_schema_too():
    data = grade().to_json()
    found = {
        "mistake": "no_relu",
        "confidence": 0.93,
        "hint": "the sum goes through a ReLU",
        "kind": "method",
    }
    data["techniques"]["top_predictions"]["diagnosis"] = found
    jsonschema.validate(data, SCHEMA)
    found["confidence"] = 93
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)
