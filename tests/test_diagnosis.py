"""The nearest mistake is named, and below a confidence nothing is guessed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness import diagnosis
from harness.catalogue import Entry
from harness.diagnosis import Failure, KnownMistake, confidence, diagnose, likeness, nearest
from harness.errors import LabError
from harness.results import CaseResult, CheckResult, Outcome, Trace


def trace(value, right=(0.0, 0.0), kind="map"):
    return Trace(kind, np.array(value, "float32"), np.array(right, "float32"))


def mistake(name, failures, technique="class_activation_maps"):
    return KnownMistake(name, technique, f"hint of {name}", failures)


def failure(value, margin=-1.0):
    return Failure(trace(value), margin)


def check(*cases, technique="class_activation_maps"):
    return CheckResult("maps", technique, f"{technique}.agreement", 2.0, cases)


def failed(identifier, value, margin=-1.0):
    found = trace(value) if value is not None else None
    return CaseResult(identifier, Outcome.FAILED, 0.0, margin=margin, trace=found)


PASSED = CaseResult("c", Outcome.PASSED, 1.0, margin=0.5)


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (trace([3, 4]), trace([3, 4]), 1.0),
        (trace([3, 4]), trace([3, 0]), 0.2),  # 4 apart, 5 from right
        (trace([3, 4], right=[3, 3]), trace([3, 0]), 0.0),  # nearer to right than to the mistake
        (trace([3, 4]), trace([3, 4], kind="shape"), 0.0),
        (trace([3, 4]), trace([3, 4, 5]), 0.0),
        (trace([3, 4], right=[1, 2, 3]), trace([3, 0]), 0.2),  # nothing to compare with: zeros
        (trace([1, 1], right=[1, 1]), trace([0, 1]), 0.0),
        (None, trace([1, 1]), 0.0),
    ],
)
def test_likeness_is_how_much_nearer_an_output_is_to_the_mistake_than_to_right_work(
    mine, theirs, expected
):
    assert likeness(mine, theirs) == pytest.approx(expected)


def test_confidence_is_the_mean_over_the_cases_that_either_fails():
    mine = {"maps/a": failure([3, 4]), "maps/b": failure([3, 4])}
    assert confidence(mine, mine) == 1.0
    assert confidence(mine, {"maps/a": failure([3, 4]), "maps/b": failure([3, 0])}) == 0.6
    # A case that only the mistake fails counts by how clearly: 1 of 1.25.
    only = {"maps/a": failure([3, 4]), "maps/z": failure([1, 1], margin=-0.25)}
    assert confidence({"maps/a": failure([3, 4])}, only) == pytest.approx(0.8)
    assert confidence({}, {}) == 0.0


def test_the_nearest_mistake_of_the_technique_is_the_diagnosis():
    near = mistake("near", {"maps/a": failure([3, 4]), "maps/b": failure([1, 0])})
    far = mistake("far", {"maps/a": failure([-3, 4])})
    other = mistake("other", {"maps/a": failure([3, 4])}, technique="top_predictions")
    checks = [check(failed("a", [3, 4]), failed("b", [1, 0.1]), PASSED)]
    found = diagnose(checks, [far, other, near])
    assert list(found) == ["class_activation_maps"]
    assert found["class_activation_maps"].mistake == "near"
    assert found["class_activation_maps"].hint == "hint of near"
    assert found["class_activation_maps"].confidence == pytest.approx(0.95, abs=0.001)


def test_nothing_is_guessed_when_nothing_is_near():
    far = mistake("far", {"maps/a": failure([-3, 4])})
    assert diagnose([check(failed("a", [3, 4]))], [far]) == {}
    assert diagnose([check(failed("a", [3, 4]))], []) == {}


def test_who_passes_everything_is_given_no_mistake():
    near = mistake("near", {"maps/c": failure([3, 4])})
    assert diagnose([check(PASSED)], [near]) == {}


def test_cases_that_returned_nothing_say_nothing():
    near = mistake("near", {"maps/a": failure([3, 4]), "maps/b": failure([1, 0])})
    checks = [check(failed("a", [3, 4]), failed("b", None))]
    assert diagnose(checks, [near])["class_activation_maps"].confidence == 1.0
    assert diagnose([check(failed("a", None))], [near]) == {}


def test_mistakes_that_fail_other_cases_are_less_alike():
    judged = {"maps/a", "maps/c"}
    same = mistake("same", {"maps/a": failure([3, 4])})
    more = mistake("more", {"maps/a": failure([3, 4]), "maps/c": failure([3, 4])})
    found = nearest({"maps/a": failure([3, 4])}, [more, same], judged)
    assert (found.mistake, found.confidence) == ("same", 1.0)


def test_what_mistakes_return_is_kept_and_read_again(tmp_path):
    path, technique = Path("no_relu.py"), "class_activation_maps"
    entry = Entry(path, True, technique, "T.", "Apply the ReLU.", kind="presentation")
    checks = [check(failed("a", [0.25, -0.5], margin=-0.3), failed("b", None), PASSED)]
    kept = diagnosis.known_mistake(entry, checks)
    assert set(kept.failures) == {"maps/a", "maps/b"}
    diagnosis.save([kept], tmp_path)
    [back] = diagnosis.load(tmp_path)
    assert (back.name, back.technique) == ("no_relu", technique)
    assert (back.hint, back.kind) == ("Apply the ReLU.", "presentation")
    assert list(back.failures) == ["maps/a"]  # what returned nothing cannot be compared
    assert back.failures["maps/a"].margin == -0.3
    assert back.failures["maps/a"].trace.value.tolist() == [0.25, -0.5]


@pytest.mark.parametrize("damage", [None, "{}", '{"cases": 1}'])
def test_damaged_mistakes_are_an_error_that_says_what_to_do(tmp_path, damage):
    diagnosis.save([mistake("near", {"maps/a": failure([3, 4])})], tmp_path)
    path = tmp_path / "mistakes" / "outputs.json"
    if damage is None:
        data = json.loads(path.read_text())
        del data["cases"]["near"]["value"]
        damage = json.dumps(data)
    path.write_text(damage)
    with pytest.raises(LabError, match="run: harness calibrate"):
        diagnosis.load(tmp_path)
