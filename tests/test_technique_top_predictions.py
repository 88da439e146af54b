"""Top predictions at the edges: ties, tolerances, classes that share a name, names without end."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.techniques.base import OutputError
from harness.techniques.top_predictions import TECHNIQUE, judge_agreement

THRESHOLD = {"tolerance": 0.01, "tie": 0.001}


@pytest.fixture
def judge(evidence):
    """Judge predictions against classes and their probabilities; as many as are returned."""

    def judge(value, classes, k=None):
        expected = sorted(classes, key=lambda pair: -pair[1])[: k or len(value)]
        item = evidence("top_predictions/photo", value, expected)
        net = item.lab.models["net"]
        named = tuple((f"n{index}", name) for index, (name, _) in enumerate(classes))
        lab = dataclasses.replace(item.lab, models={"net": dataclasses.replace(net, classes=named)})
        facts = {"probabilities": np.array([p for _, p in classes], "float32")}
        return judge_agreement([dataclasses.replace(item, lab=lab, facts=facts)], THRESHOLD, None)

    return judge


SIX = [("a", 0.5), ("b", 0.3), ("c", 0.1), ("d", 0.05), ("e", 0.03), ("f", 0.0295)]


def test_the_right_five_of_six_pass_with_full_score(judge):
    judgement = judge([list(pair) for pair in SIX[:5]], SIX)
    assert judgement.passed
    assert judgement.score == 1.0
    assert judgement.measured["predictions_agreeing"] == 5
    assert judgement.measured["largest_difference"] == pytest.approx(0, abs=1e-7)
    assert (judgement.message, judgement.hint) == ("", "")


def test_the_sixth_may_stand_in_for_the_fifth_when_they_are_a_tie(judge):
    assert judge([["a", 0.5], ["b", 0.3], ["c", 0.1], ["d", 0.05], ["f", 0.0295]], SIX).passed
    clear = [*SIX[:5], ("f", 0.028)]  # 0.002 less than the fifth
    judgement = judge([["a", 0.5], ["b", 0.3], ["c", 0.1], ["d", 0.05], ["f", 0.028]], clear)
    assert not judgement.passed
    assert judgement.message == "place 5: expected 'e', got 'f'"
    assert judgement.score == pytest.approx(0.8)


@pytest.mark.parametrize(("difference", "passed"), [(0.0009, True), (0.0011, False)])
def test_two_classes_may_swap_just_within_the_tie(judge, difference, passed):
    classes = [("a", 0.4), ("b", 0.4 - difference)]
    judgement = judge([["b", classes[1][1]], ["a", 0.4]], classes)
    assert judgement.passed == passed
    assert ("of b, a are so near to each other" in judgement.message) == passed
    assert judge([["a", 0.4], ["b", classes[1][1]]], classes).message == ""


@pytest.mark.parametrize(("off", "passed"), [(0.009, True), (-0.009, True), (0.011, False)])
def test_probabilities_may_be_off_by_just_the_tolerance(judge, off, passed):
    judgement = judge([["a", 0.5 + off], ["b", 0.3]], SIX)
    assert judgement.passed == passed
    assert judgement.measured["largest_difference"] == pytest.approx(abs(off), abs=1e-6)


def test_classes_that_share_a_name_are_told_apart_by_their_probabilities(judge):
    # ImageNet has a crane that flies and one that lifts.
    classes = [("crane", 0.6), ("dog", 0.3), ("crane", 0.1)]
    assert judge([["crane", 0.6], ["dog", 0.3], ["crane", 0.1]], classes).passed
    assert judge([["crane", 0.6], ["dog", 0.3]], classes).passed
    twice = judge([["crane", 0.6], ["dog", 0.3], ["dog", 0.3]], classes)
    assert twice.message == "a class is named twice"
    wrong = judge([["crane", 0.1], ["dog", 0.3]], classes)
    assert wrong.message == "place 1: expected 'crane', got 'crane'"
    assert not wrong.passed


def test_the_lifting_crane_first_is_the_wrong_place(judge):
    classes = [("crane", 0.1), ("dog", 0.3), ("crane", 0.6)]
    assert judge([["crane", 0.6], ["dog", 0.3], ["crane", 0.1]], classes).passed
    assert not judge([["crane", 0.1], ["dog", 0.3], ["crane", 0.6]], classes).passed


@pytest.mark.parametrize("name", ["Soccer Ball", "soccer-ball", " soccer__ball ", "SOCCER_BALL"])
def test_people_write_names_differently(judge, name):
    assert judge([[name, 0.9]], [("soccer_ball", 0.9), ("dog", 0.1)]).passed


def test_more_predictions_than_asked_fail_though_the_first_are_right(judge):
    judgement = judge([list(pair) for pair in SIX], SIX, k=5)
    assert judgement.message == "expected 5 predictions, got 6"
    assert judgement.hint == "return as many classes as `k` says"
    assert judgement.score == 0.99


def test_no_prediction_at_all_fails_with_its_own_message(judge):
    judgement = judge([], SIX, k=5)
    assert (judgement.passed, judgement.score) == (False, 0.0)
    assert judgement.message == "expected 5 predictions, got 0"


def test_logits_are_recognised_and_probabilities_that_rounding_lifts_over_one_are_not(judge):
    classes = [("a", 1.0), ("b", 0.0)]
    assert "not the logits" in judge([["a", 12.5], ["b", -3.0]], classes).hint
    assert judge([["a", 1.00001], ["b", 0.0]], classes).passed


def test_one_triple_in_a_batch_of_one_is_one_prediction(judge):
    assert judge([[["n0", "a", 0.5]]], SIX, k=1).passed
    assert judge([["a", 0.5]], SIX, k=1).passed


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "returned NoneType None; expected a list of (class name, probability)"),
        (0.5, "returned float 0.5; expected a list"),
        ([["a", 0.5, 1, 2]], "an entry is list ['a', 0.5, 1, 2]; expected a list"),
        ([["a", None]], "the probability of 'a' is NoneType None; expected a number"),
        ([["a", [0.5]]], "the probability of 'a' is list [0.5]; expected a number"),
        ([["a", float("inf")]], "the probability of 'a' is inf; expected a number from 0 to 1"),
        ([["a", np.zeros(2)]], "the probability of 'a' is ndarray array([0., 0.])"),
        ([[None, 0.5]], "an entry names its class NoneType None; expected the class's name"),
        ({"a": "x"}, "the probability of 'a' is str 'x'"),
    ],
)
def test_what_is_no_prediction_is_said_with_what_came(evidence, value, message):
    with pytest.raises(OutputError) as caught:
        evidence("top_predictions/photo", value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        [["a", "b"], [0.5, 0.3]],  # as many as two pairs, which they are not
        [["a", "b"], np.array([0.5, 0.3])],
        [[0.5, "a"], [0.3, "b"]],
        [{"name": "a", "probability": 0.5}, {"probability": 0.3, "name": "b"}],
    ],
)
def test_names_and_probabilities_are_told_apart_wherever_they_stand(judge, value):
    assert judge(value, SIX, k=2).passed


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ([["a", "b", "c"], [0.5, 0.2]], "list(zip(names, probabilities))"),
        ([["a", "b", "c", "d"], ["e", "f", "g", "h"]], "list(zip(names, probabilities))"),
        (["a", "b"], "list(zip(names, probabilities))"),
        ([["a", "50%"]], "its name and a number from 0 to 1"),
        ([[7, 0.5]], "use model.decode_predictions"),
    ],
)
def test_what_belongs_together_is_said_where_it_cannot_be_told(evidence, value, hint):
    with pytest.raises(OutputError) as caught:
        evidence("top_predictions/photo", value)
    assert hint in caught.value.hint


def test_names_and_values_without_end_do_not_make_messages_without_end(judge, evidence):
    assert len(judge([["x" * 10**6, 0.5]], SIX).message) < 300
    for value in ("x" * 10**6, [["x" * 10**6, "y"]], [["a", "y" * 10**6]]):
        with pytest.raises(OutputError) as caught:
            evidence("top_predictions/photo", value)
        assert len(str(caught.value)) <= 1000


def test_the_defaults_of_the_thresholds_are_those_used_here():
    assert TECHNIQUE.metrics["agreement"].threshold == THRESHOLD
