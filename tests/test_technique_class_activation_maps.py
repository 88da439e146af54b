"""Heatmaps on a grid of 14×14 under an image of 112×112: what may differ, and what may not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.transform import resize

from harness.techniques.base import OutputError
from harness.techniques.class_activation_maps import judge_agreement
from harness.techniques.figures.class_activation_maps import share_inside, where_strongest

KEY = "class_activation_maps/photo"
THRESHOLD = {"iou": 0.62, "correlation": 0.92}
SIDE = 112


def blobs():
    """A weighted sum as before the ReLU: two unequal blobs, one below zero, on a low ground."""
    sums = np.full((14, 14), -0.35)
    for row, column, height, width in ((4, 9, 1.6, 1.8), (9, 4, 1.3, 1.4), (10, 10, -1.4, 1.5)):
        spot = np.zeros((14, 14))
        spot[row, column] = 1
        sums += height * 2 * np.pi * width**2 * gaussian_filter(spot, width)
    return sums


SIGNED = blobs()
GOLDEN = SIGNED.clip(0)


def nearest(heatmap):
    return np.kron(heatmap, np.ones((8, 8)))


def bilinear(heatmap):
    return resize(heatmap, (SIDE, SIDE), order=1)


def bicubic(heatmap):
    return resize(heatmap, (SIDE, SIDE), order=3)


def pillow_float(heatmap):
    image = Image.fromarray(heatmap.astype("float32"))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def pillow_uint8(heatmap):
    image = Image.fromarray((255 * heatmap / heatmap.max()).clip(0).astype("uint8"))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def min_max(heatmap):
    return (heatmap - heatmap.min()) / np.ptp(heatmap)


SIZES = [np.array, nearest, bilinear, bicubic]


@pytest.fixture
def judge(evidence):
    """Judge a map over an image of 112×112."""

    def judge(value, *accepted):
        item = evidence(KEY, value, *(accepted or (GOLDEN,)))
        arguments = {**item.arguments, "image": np.zeros((SIDE, SIDE, 3), "uint8")}
        return judge_agreement([dataclasses.replace(item, arguments=arguments)], THRESHOLD, None)

    return judge


@pytest.mark.parametrize("enlarge", [*SIZES, pillow_float, pillow_uint8])
def test_every_enlargement_of_the_right_map_passes(judge, enlarge):
    judgement = judge(enlarge(GOLDEN))
    assert judgement.passed
    assert judgement.score > 0.95
    assert (judgement.message, judgement.hint) == ("", "")


def test_the_relu_may_come_after_the_enlargement(judge):
    assert judge(bilinear(SIGNED).clip(0)).passed


@pytest.mark.parametrize("scale", [1e-250, 1e-14, 1e-3, 255.0, 1e250])
@pytest.mark.parametrize("enlarge", SIZES)
def test_any_positive_scaling_passes(judge, enlarge, scale):
    assert judge(scale * enlarge(GOLDEN)).passed


@pytest.mark.parametrize(
    "form",
    [
        lambda m: m[None],
        lambda m: m[..., None],
        lambda m: m[None, ..., None],
        lambda m: m.tolist(),
        lambda m: m.astype("float16"),
        lambda m: (255 * m / m.max()).astype("uint8"),
    ],
)
def test_axes_of_one_lists_and_other_dtypes_are_tolerated(judge, form):
    assert judge(form(GOLDEN)).passed
    assert judge(form(bilinear(GOLDEN))).passed


@pytest.mark.parametrize("enlarge", SIZES)
@pytest.mark.parametrize(
    "wrong",
    [
        min_max(SIGNED),  # rescaled where the ReLU should have been
        SIGNED,
        np.abs(SIGNED),
        GOLDEN.T,
        GOLDEN[::-1],
        GOLDEN[:, ::-1],
        GOLDEN.max() - GOLDEN,
        np.roll(GOLDEN, 2, axis=1),
        np.where(np.arange(14)[:, None] < 7, GOLDEN, 0),  # one of the two blobs
    ],
)
def test_what_is_nearly_right_fails_at_either_size(judge, enlarge, wrong):
    judgement = judge(enlarge(wrong))
    assert not judgement.passed
    assert judgement.score < 1
    assert judgement.hint


def test_no_relu_is_caught_by_correlation_alone_as_regions_have_no_negative_values(judge):
    assert judge(SIGNED).measured["iou"] == 1.0
    assert judge(SIGNED).measured["correlation"] < THRESHOLD["correlation"]
    assert judge(min_max(SIGNED)).measured["iou"] < THRESHOLD["iou"]


def test_a_binarised_map_is_caught_though_one_of_its_regions_is_right(judge):
    assert judge((0.5 * GOLDEN.max() <= GOLDEN).astype(float)).measured["iou"] < 0.7


def test_any_of_the_accepted_maps_will_do_and_the_nearest_is_reported(judge):
    other = GOLDEN[::-1]
    assert judge(GOLDEN, other, GOLDEN).passed
    assert judge(GOLDEN, GOLDEN, other).passed
    both = judge(np.roll(GOLDEN, 2, axis=1), other, GOLDEN)
    alone = judge(np.roll(GOLDEN, 2, axis=1), GOLDEN)
    assert not both.passed
    assert both.measured == alone.measured


def test_a_map_that_is_rightly_empty_is_judged_like_any_other(judge):
    empty = np.zeros((14, 14))
    assert judge(empty, empty).passed
    assert judge(np.zeros((SIDE, SIDE)), empty).passed
    judgement = judge(GOLDEN, empty)
    assert not judgement.passed
    assert judgement.measured["iou"] == judgement.measured["correlation"] == 0.0


@pytest.mark.parametrize("shape", [(7, 7), (14, 7), (SIDE, 14), (224, 224)])
def test_a_map_of_another_layer_or_image_says_which_sizes_are_right(judge, shape):
    judgement = judge(np.ones(shape))
    assert not judgement.passed
    assert judgement.message == (
        f"expected a map of the layer's size (14, 14) or of the image's (112, 112), got {shape}"
    )
    assert judgement.hint.startswith(
        "take the map from the asked layer, and enlarge it to image.shape"
    )


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_hints_do_not_depend_on_the_scale_of_the_map(judge, scale):
    assert "negative values" in judge(scale * SIGNED).hint
    assert "empty or constant" in judge(scale * np.ones((14, 14))).hint
    assert "guided at every ReLU" in judge(scale * GOLDEN.T).hint  # the case asks for guided


@pytest.mark.parametrize("enlarge", [lambda heatmap: heatmap, nearest])
@pytest.mark.parametrize(
    "bend", [lambda heatmap: np.log1p(100 * heatmap), np.square, lambda heatmap: heatmap + 1]
)
def test_a_map_that_is_only_bent_is_told_so(judge, bend, enlarge):
    judgement = judge(enlarge(bend(GOLDEN / GOLDEN.max())))
    assert not judgement.passed
    assert "right order but not the right proportions" in judgement.hint
    assert "right order" not in judge(bend(GOLDEN.T)).hint


def test_vanilla_is_not_told_to_be_guided(evidence):
    item = evidence(KEY, GOLDEN.T, GOLDEN)
    arguments = {**item.arguments, "modifier": None}
    item = dataclasses.replace(item, arguments=arguments)
    assert "guided" not in judge_agreement([item], THRESHOLD, None).hint


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        (
            np.zeros((14, 14, 4)),
            "returned shape (14, 14, 4); expected one heatmap (h, w)",
            "coloured",
        ),
        (np.zeros((2, 14, 14)), "returned shape (2, 14, 14)", "two axes"),
        (np.zeros(14), "returned shape (14,)", "two axes"),
        (np.zeros((0, 0)), "returned shape (0, 0)", "two axes"),
        (0.5, "returned shape ()", "two axes"),
        (GOLDEN * np.where(GOLDEN > 1, np.inf, 1), "holds NaN or infinity", "division"),
        (None, "returned object values", ""),
        ({"map": GOLDEN}, "returned object values", ""),
        ([["a"]], "returned <U1 values", ""),
    ],
)
def test_what_is_no_map_is_said_with_a_hint(evidence, value, message, hint):
    with pytest.raises(OutputError) as caught:
        evidence(KEY, value)
    assert message in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((0, 0), "strongest at the top left"),
        ((13, 13), "strongest at the bottom right"),
        ((7, 7), "strongest in the centre"),
        ((7, 0), "strongest at the left"),
        ((0, 7), "strongest at the top"),
    ],
)
def test_where_a_map_is_strongest_is_told_in_words(place, words):
    heatmap = np.zeros((14, 14))
    heatmap[place] = 1
    assert where_strongest(heatmap) == words
    assert where_strongest(np.ones((3, 3))) == "the same everywhere"


def test_share_of_a_map_inside_a_mask():
    """Half of the map's weight lies in the left column, half of which the mask covers."""
    heatmap = np.array([[2.0, 1.0], [2.0, 3.0]])
    mask = np.zeros((4, 4))
    mask[:2, :2] = 1  # the top left cell
    assert share_inside(heatmap, mask) == 2 / 8
    mask[:, :1] = 1  # and half of the one below
    assert share_inside(heatmap, mask) == (2 + 1) / 8
    assert share_inside(np.array([[-1.0, 0.0]]), mask) == 0.0
    assert share_inside(np.array([[-5.0, 1.0], [0.0, 0.0]]), np.ones((4, 4))) == 1.0
