"""The measures, on numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.stats import pearsonr
from skimage.transform import resize

from harness.metrics.heatmaps import correlation, iou_above, mean_iou, scaled, to_grid
from harness.metrics.images import (
    axis_roughness,
    rank_correlation,
    standardised_variation,
)
from harness.metrics.room import least_room, room

A = np.array([[4.0, 2.0], [1.0, 0.0]])
B = np.array([[2.0, 0.0], [2.0, 0.0]])


def test_iou_is_of_the_regions_above_a_share_of_each_maximum():
    # A/4 = 1, .5, .25, 0; B/2 = 1, 0, 1, 0. At 0.5: {00, 01} and {00, 10}: 1 of 3.
    assert iou_above(A, B, 0.5) == pytest.approx(1 / 3)
    # At 0.2: {00, 01, 10} and {00, 10}: 2 of 3. At 0.6: {00} and {00, 10}: 1 of 2.
    assert iou_above(A, B, 0.2) == pytest.approx(2 / 3)
    assert mean_iou(A, B, (0.2, 0.5, 0.6)) == pytest.approx((2 / 3 + 1 / 3 + 1 / 2) / 3)


def test_iou_does_not_depend_on_scale_and_is_one_for_the_same_map():
    assert mean_iou(A, 255 * A) == 1.0
    assert iou_above(A, 7 * B, 0.5) == pytest.approx(1 / 3)


def test_two_empty_maps_agree_and_an_empty_one_with_another_does_not():
    empty = np.zeros((2, 2))
    assert iou_above(empty, empty, 0.5) == 1.0
    assert iou_above(empty, A, 0.5) == 0.0
    assert (scaled(-A) == 0).all()


def test_a_binarised_map_has_the_right_region_at_one_threshold_but_not_over_all():
    binary = (A >= 2).astype(float)
    assert iou_above(A, binary, 0.5) == 1.0
    assert mean_iou(A, binary) < 0.85


def test_correlation_is_pearsons():
    a, b = np.random.default_rng(0).random((2, 5, 7))
    assert correlation(a, b) == pytest.approx(pearsonr(a.ravel(), b.ravel()).statistic)
    assert correlation(a, 3 * a + 2) == pytest.approx(1)
    assert correlation(a, -a) == pytest.approx(-1)


def test_correlation_with_a_constant_is_zero_and_of_two_constants_one():
    assert correlation(np.ones(3), np.arange(3.0)) == 0.0
    assert correlation(np.ones(3), np.zeros(3)) == 1.0


def test_area_averages_bring_a_map_to_the_grid():
    heatmap = np.array([[1, 3, 0, 0], [5, 7, 0, 4]])
    np.testing.assert_array_equal(to_grid(heatmap, (1, 2)), [[4.0, 1.0]])
    assert to_grid(heatmap, (2, 4)).dtype == np.float64


def test_a_grid_that_does_not_divide_is_averaged_over_parts_of_pixels():
    # Two cells over three pixels 0, 3, 9: (0 + 3/2) / 1.5 and (3/2 + 9) / 1.5.
    np.testing.assert_allclose(to_grid(np.array([[0.0, 3.0, 9.0]]), (1, 2)), [[1.0, 7.0]])


@pytest.mark.parametrize("order", [0, 1, 3])
def test_enlarging_and_averaging_gives_nearly_the_map_back(order):
    heatmap = gaussian_filter(np.random.default_rng(1).random((6, 8)), 0.8)
    large = resize(heatmap, (48, 64), order=order)
    assert correlation(to_grid(large, (6, 8)), heatmap) > 0.97
    eight_bit = np.asarray(Image.fromarray((255 * large).clip(0, 255).astype("uint8")))
    assert correlation(to_grid(eight_bit, (6, 8)), heatmap) > 0.97
    assert correlation(to_grid(large[::-1], (6, 8)), heatmap) < 0.6


def test_variation_of_a_checkerboard_is_worked_out_by_hand():
    # ±1 alternating: mean 0, deviation 1, every neighbour differs by 2, in both directions.
    board = np.indices((4, 6)).sum(axis=0)[..., None] % 2 * 2.0 - 1
    assert standardised_variation(board) == pytest.approx(4)
    assert standardised_variation(10 * board + 3) == pytest.approx(4)


def test_variation_of_a_ramp_is_small_of_noise_large_and_of_a_constant_zero():
    # 0, 1, 2, 3 in a row: deviation sqrt(5)/2, one step of 1 across, none down.
    ramp = np.tile(np.arange(4.0), (5, 1))[..., None]
    assert standardised_variation(ramp) == pytest.approx(2 / np.sqrt(5))
    noise = np.random.default_rng(0).standard_normal((200, 200, 1))
    assert standardised_variation(noise) == pytest.approx(4 / np.sqrt(np.pi), rel=0.02)
    assert standardised_variation(np.ones((3, 3, 1))) == 0


def test_rank_correlation_follows_the_order_only():
    assert rank_correlation([1, 2, 3], [10, 100, 1000]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # Ranks 1 2 3 4 against 1 3 2 4: 1 - 6·2 / (4·15) = 0.8.
    assert rank_correlation([1, 2, 3, 4], [1, 9, 4, 16]) == pytest.approx(0.8)
    assert rank_correlation([1, 2, 3], [5, 5, 5]) == 0


def test_roughness_is_per_axis_and_worked_out_by_hand():
    # Columns 1, -1, 1, -1: variance 1, steps of 2 across (squared 4), none down.
    stripes = np.tile([1.0, -1.0, 1.0, -1.0], (3, 1))[..., None]
    assert axis_roughness(stripes) == pytest.approx((0, 4))
    assert axis_roughness(5 * stripes.transpose(1, 0, 2) + 2) == pytest.approx((4, 0))
    noise = np.random.default_rng(0).standard_normal((200, 200, 1))
    assert axis_roughness(noise) == pytest.approx((2, 2), rel=0.03)
    assert axis_roughness(np.ones((3, 3, 1))) == (0, 0)


@pytest.mark.parametrize(
    ("value", "threshold", "perfect", "margin"),
    [
        (0.9, 0.8, 1, 0.5),
        (0.7, 0.8, 1, -0.5),
        (0.1, 0.8, 1, -1),  # (0.1 - 0.8) / 0.2 is less
        (3, 4, 0, 0.25),
        (5, 4, 0, -0.25),
        (1, 1, 1, 0),  # perfection was asked for
        (0.999, 1, 1, -1),
        (0, 0, 0, 0),
        (1e-9, 0, 0, -1),
    ],
)
def test_a_margin_is_0_at_the_threshold_and_1_at_the_perfect_value(
    value, threshold, perfect, margin
):
    assert room(value, threshold, perfect) == pytest.approx(margin)


def test_the_least_room_tells_the_nearer_of_two_that_are_both_far():
    least = {"iou": 0.6, "correlation": 0.9}
    assert least_room({"iou": 0.8, "correlation": 0.8}, least) == pytest.approx(-1)
    assert least_room({"iou": 0.8, "correlation": 0.7}, least) == pytest.approx(-2)
    assert least_room({"iou": 0.8, "correlation": 1.0}, least) == pytest.approx(0.5)
