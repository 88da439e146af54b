"""Layer activations at the edges, and which pixels of the dominant filters cannot be judged."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.techniques.base import OutputError
from harness.techniques.layer_activations import (
    ambiguous_pixels,
    facts,
    judge_dominant,
    judge_layers,
    judge_mean,
    normalise,
)

LAYERS, MEAN = "layer_activations/photo", "layer_activations/mean"
TOLERANCE = {"tolerance": 1e-3}
CONV = np.linspace(-4, 2, 24).reshape(2, 3, 4)
DENSE = np.array([0.0, 8.0])
GOLDEN = {"conv": CONV, "dense": DENSE}


@pytest.mark.parametrize(("off", "passed"), [(0.0039, True), (-0.0039, True), (0.0041, False)])
def test_the_tolerance_is_relative_to_the_largest_size_in_the_layer(evidence, off, passed):
    # The largest size of conv is 4: a thousandth of it is 0.004.
    value = {"conv": CONV.copy(), "dense": DENSE}
    value["conv"][1, 2, 3] += off
    judgement = judge_layers([evidence(LAYERS, value, GOLDEN)], TOLERANCE, None)
    assert judgement.passed == passed
    assert judgement.measured == {
        "layers_agreeing": 2 if passed else 1,
        "layers": 2,
        "largest_difference": pytest.approx(abs(off) / 4),
    }
    assert judgement.margin == pytest.approx(1 - abs(off) / 4 / 0.001)
    if not passed:
        # One of 24 values; the last is 2.
        assert judgement.message == (
            "layer conv: 4.2% of the values differ; first at [1, 2, 3]: expected 2, got 2.004"
        )
        assert judgement.score == 0.5
        assert "preprocessing once" in judgement.hint


def test_a_layer_of_zeros_allows_nothing_else(evidence):
    golden = {"conv": np.zeros((2, 3, 4)), "dense": DENSE}
    item = evidence(LAYERS, {"conv": np.full((2, 3, 4), 1e-9), "dense": DENSE}, golden)
    assert not judge_layers([item], TOLERANCE, None).passed
    item = evidence(LAYERS, {"conv": np.zeros((2, 3, 4), "float16"), "dense": DENSE}, golden)
    assert judge_layers([item], TOLERANCE, None).passed


def test_before_and_after_the_activation_is_told_apart(evidence):
    relu = {"conv": CONV.clip(0), "dense": DENSE}
    assert judge_layers([evidence(LAYERS, relu, relu)], TOLERANCE, None).passed
    assert not judge_layers([evidence(LAYERS, GOLDEN, relu)], TOLERANCE, None).passed


def test_one_array_stands_for_the_only_layer_that_was_asked(evidence):
    item = evidence(LAYERS, GOLDEN, GOLDEN)
    case = dataclasses.replace(item.case, arguments={"image": "photo", "layers": ["conv"]})
    for value in (CONV, [CONV], {"conv": CONV[None]}):
        found = normalise(item.lab, case, value)
        judged = judge_layers(
            [dataclasses.replace(item, value=found, accepted=[{"conv": CONV}])], TOLERANCE, None
        )
        assert judged.passed


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([CONV], "returned a list of 1; expected a dict from layer name to array, for conv, dense"),
        (None, "returned a NoneType; expected a dict"),
        ({}, "no activations for conv, dense; found an empty dict"),
        ({"Conv": CONV, "dense": DENSE}, "no activations for conv; found Conv, dense"),
        ({"conv": None, "dense": DENSE}, "returned a NoneType; expected an array of numbers"),
        ({"conv": {"a": 1}, "dense": DENSE}, "returned a dict of 1; expected an array"),
        ({"conv": CONV, "dense": np.array([np.inf, 1])}, "layer dense holds NaN or infin"),
    ],
)
def test_what_is_missing_or_no_array_is_said(evidence, value, message):
    with pytest.raises(OutputError) as caught:
        evidence(LAYERS, value)
    assert message in str(caught.value)


def test_keys_without_end_do_not_make_messages_without_end(evidence):
    with pytest.raises(OutputError) as caught:
        evidence(LAYERS, {"x" * 10**6: 1})
    assert len(str(caught.value)) <= 1000


# Averages per class.


def test_averages_are_told_from_sums_medians_and_averages_over_all(evidence):
    rng = np.random.default_rng(0)
    activations, labels = rng.exponential(size=(12, 2, 3, 4)), np.arange(12) % 3
    per_class = [activations[labels == label] for label in range(3)]
    golden = np.stack([maps.mean(axis=0) for maps in per_class])
    mistakes = {
        "sum": np.stack([maps.sum(axis=0) for maps in per_class]),
        "median": np.stack([np.median(maps, axis=0) for maps in per_class]),
        "all": np.broadcast_to(activations.mean(axis=0), golden.shape),
        "shuffled": golden[[1, 2, 0]],
    }
    right = judge_mean([evidence(MEAN, golden.astype("float32")[None], golden)], TOLERANCE, None)
    assert (right.passed, right.score, right.hint) == (True, 1.0, "")
    for value in mistakes.values():
        judgement = judge_mean([evidence(MEAN, value, golden)], TOLERANCE, None)
        assert not judgement.passed
        assert judgement.measured["classes_agreeing"] == 0
        assert "average over the images of each class" in judgement.hint


def test_averages_of_another_shape_have_a_message_of_their_own(evidence):
    golden = np.ones((3, 2, 3, 4))
    judgement = judge_mean([evidence(MEAN, golden[:2], golden)], TOLERANCE, None)
    assert judgement.message == "expected shape (3, 2, 3, 4), got (2, 2, 3, 4)"
    assert "return shape (classes, h, w, c)" in judgement.hint


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"0": [1], "2": [1]}, "returned a dict with keys 0, 2; expected an array, or keys 0, 1"),
        ([[1], [1, 2]], "returned lists of unequal length; expected one array"),
        ("x", "returned a str; expected an array of numbers"),
        ([float("nan")], "the result holds NaN or infinity"),
    ],
)
def test_what_is_no_statistic_is_said(evidence, value, message):
    with pytest.raises(OutputError) as caught:
        evidence(MEAN, value)
    assert message in str(caught.value)


# Dominant filters.


class Oracle:
    """Gives these activations, if it is asked as it should be."""

    def __init__(self, activations):
        self.activations = activations

    def layer_outputs(self, model, layer_name, images, *, preprocess=False):
        assert (model, layer_name, len(images), preprocess) == ("net", "conv", 4, True)
        return self.activations


def test_facts_of_dominant_filters_are_the_pixels_with_ties(evidence):
    # Labels 0, 1, 2, 0; one pixel, two filters. Class 0 votes 0 and 0; class 1 is a tie;
    # class 2 votes 1.
    activations = np.array([[[[2, 1]]], [[[3, 3]]], [[[0, 1]]], [[[5, 0]]]], "float32")
    item = evidence(MEAN, np.zeros((3, 1, 1, 2)))
    case = dataclasses.replace(item.case, function="dominant_filters")
    found = facts(item.lab, case, np.zeros((3, 1, 1)), [], Oracle(activations))
    assert found["ambiguous"].tolist() == [[[False]], [[True]], [[False]]]
    assert facts(item.lab, item.case, None, [], None) == {}


def winners(votes):
    """Every filter that some way of breaking all ties makes the most frequent one."""
    found = set()
    for choice in itertools.product(*votes):
        counts = [choice.count(index) for index in range(3)]
        found |= {index for index, count in enumerate(counts) if count == max(counts)}
    return found


@given(arrays("int64", (4, 1, 1, 3), elements=st.integers(0, 2)))
def test_a_pixel_is_ambiguous_exactly_when_breaking_ties_can_change_its_winner(activations):
    votes = [np.flatnonzero(row == row.max()).tolist() for row in activations[:, 0, 0]]
    [[[found]]] = ambiguous_pixels(activations.astype(float), np.zeros(4, int), 1)
    assert found == (len(winners(votes)) > 1)


def test_a_difference_that_is_only_rounding_is_a_tie():
    labels = np.zeros(1, int)
    near = np.array([[[[1.0, 1.0 - 1e-7, 0.0]]]])
    clear = np.array([[[[1.0, 1.0 - 1e-3, 0.0]]]])
    assert ambiguous_pixels(near, labels, 1).tolist() == [[[True]]]
    assert ambiguous_pixels(clear, labels, 1).tolist() == [[[False]]]


def test_a_class_without_images_is_ambiguous_everywhere():
    found = ambiguous_pixels(np.ones((2, 2, 2, 3)) * [3, 2, 1], np.zeros(2, int), 2)
    assert not found[0].any()
    assert found[1].all()


def dominant(evidence, value, golden, ambiguous, least=0.99):
    item = evidence(MEAN, value, golden, facts={"ambiguous": ambiguous})
    return judge_dominant([item], {"pixels_agreeing": least}, None)


def test_the_share_of_right_pixels_is_of_those_without_a_tie(evidence):
    golden = np.arange(8.0).reshape(2, 2, 2)
    ambiguous = np.zeros((2, 2, 2), bool)
    ambiguous[0] = True
    value = golden.copy()
    value[0] = 9  # ties, all four
    assert dominant(evidence, value, golden, ambiguous).measured == {
        "pixels_agreeing": 1.0,
        "pixels_judged": 4,
    }
    value[1, 1, 1] = 9  # one of the other four
    wrong = dominant(evidence, value, golden, ambiguous)
    assert (wrong.passed, wrong.score) == (False, 0.75)
    assert wrong.message.startswith("75.0% of the pixels without a tie have the right filter")
    assert "integers" in wrong.hint
    assert dominant(evidence, value, golden, ambiguous, least=0.75).passed


def test_every_pixel_may_be_asked_for(evidence):
    golden = np.arange(8).reshape(2, 2, 2)
    no_tie = np.zeros((2, 2, 2), bool)
    right = dominant(evidence, golden.astype(float), golden, no_tie, least=1)
    assert (right.passed, right.margin) == (True, 0.0)
    value = golden.copy()
    value[0, 0, 0] = 9
    wrong = dominant(evidence, value, golden, no_tie, least=1)
    assert (wrong.passed, wrong.margin) == (False, -1.0)


def test_filters_counted_from_one_are_wrong_everywhere(evidence):
    golden = np.arange(8).reshape(2, 2, 2)
    judgement = dominant(evidence, golden + 1, golden, np.zeros((2, 2, 2), bool))
    assert judgement.measured["pixels_agreeing"] == 0.0


def test_where_all_is_a_tie_nothing_can_be_wrong(evidence):
    golden = np.zeros((2, 2, 2), "int64")
    judgement = dominant(evidence, golden + 5, golden, np.ones((2, 2, 2), bool))
    assert (judgement.passed, judgement.measured["pixels_judged"]) == (True, 0)


def test_a_batch_axis_of_one_is_tolerated_and_of_two_is_not(evidence):
    golden, tie = np.zeros((2, 2, 2)), np.zeros((2, 2, 2), bool)
    assert dominant(evidence, golden[None], golden, tie).passed
    two = dominant(evidence, np.stack([golden, golden]), golden, tie)
    assert two.message == "expected shape (2, 2, 2), got (2, 2, 2, 2)"
