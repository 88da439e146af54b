"""Measures of heatmaps against independent implementations, and at the ends of the scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from skimage.metrics import structural_similarity as skimage_similarity
from skimage.transform import downscale_local_mean
from sklearn.metrics import jaccard_score

from harness.metrics.heatmaps import (
    correlation,
    iou_above,
    mean_iou,
    rank_agreement,
    scaled,
    soft_iou,
    structural_similarity,
    to_grid,
)

RANDOM = np.random.default_rng(7)
SMALL = arrays("float64", (3, 4), elements=st.floats(-100, 100, width=32))


@pytest.mark.parametrize("shape", [(12, 20), (3, 5), (4, 20), (1, 1)])
def test_area_averages_are_those_of_pillows_box_filter(shape):
    heatmap = RANDOM.random((12, 20)).astype("float32")
    expected = Image.fromarray(heatmap).resize(shape[::-1], Image.Resampling.BOX)
    np.testing.assert_allclose(to_grid(heatmap, shape), np.asarray(expected), atol=1e-6)


def test_area_averages_of_whole_cells_are_those_of_skimage():
    heatmap = RANDOM.random((12, 20))
    np.testing.assert_allclose(to_grid(heatmap, (4, 5)), downscale_local_mean(heatmap, (3, 4)))


@pytest.mark.parametrize(("size", "cells"), [(7, 3), (14, 4), (5, 5), (224, 14), (225, 14)])
def test_area_averages_of_parts_of_pixels_are_integrals_of_the_step_function(size, cells):
    line = RANDOM.random(size)
    # The integral of the steps is piecewise linear: its differences at the cells' edges, over
    # the cells' width.
    edges = np.linspace(0, size, cells + 1)
    total = np.interp(edges, np.arange(size + 1), np.r_[0, line.cumsum()])
    expected = np.diff(total) * cells / size
    np.testing.assert_allclose(to_grid(line[None], (1, cells))[0], expected)


def test_averages_of_eight_bit_maps_do_not_wrap_around():
    assert to_grid(np.full((4, 4), 255, "uint8"), (1, 1)).tolist() == [[255.0]]


def test_rows_and_columns_are_not_confused():
    heatmap = np.arange(8.0).reshape(2, 4)  # 0 1 2 3 / 4 5 6 7
    assert to_grid(heatmap, (2, 1)).tolist() == [[1.5], [5.5]]
    assert to_grid(heatmap, (1, 4)).tolist() == [[2.0, 3.0, 4.0, 5.0]]


@given(SMALL, SMALL, st.floats(0.05, 0.95))
def test_iou_is_the_jaccard_index_of_the_two_regions(a, b, threshold):
    regions = [(m / m.max() if m.max() > 0 else 0 * m) >= threshold for m in (a, b)]
    expected = 1.0
    if regions[0].any() or regions[1].any():
        expected = jaccard_score(regions[0].ravel(), regions[1].ravel(), zero_division=0)
    assert iou_above(a, b, threshold) == pytest.approx(expected)


def test_a_pixel_just_at_the_threshold_belongs_to_the_region():
    # 2 is half of 4: inside; 1.9 is outside. Regions {0, 1} and {0}.
    assert iou_above(np.array([[4, 2.0]]), np.array([[4, 1.9]]), 0.5) == 0.5


@given(SMALL, SMALL)
def test_both_measures_are_symmetric_and_within_their_ranges(a, b):
    assert correlation(a, b) == pytest.approx(correlation(b, a))
    assert -1 <= correlation(a, b) <= 1
    assert mean_iou(a, b) == pytest.approx(mean_iou(b, a))
    assert 0 <= mean_iou(a, b) <= 1


def test_soft_iou_is_worked_out_by_hand():
    # Over their maxima: (1, 0.5, 0) and (0.5, 0.5, 1). Least 0.5 + 0.5 + 0, most 1 + 0.5 + 1.
    assert soft_iou(np.array([[4.0, 2.0, 0.0]]), np.array([[1.0, 1.0, 2.0]])) == 1 / 2.5
    assert soft_iou(np.array([[4.0, -9.0]]), np.array([[2.0, 0.0]])) == 1.0
    assert soft_iou(np.zeros((2, 2)), np.zeros((2, 2))) == 1.0
    assert soft_iou(np.zeros((2, 2)), np.ones((2, 2))) == 0.0


def test_structural_similarity_is_that_of_one_window_written_out():
    # Three by three is a single window: the formula of the paper, with the sample covariance.
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0, 1, (2, 3, 3))
    x, y = (a / a.max()).ravel(), (b / b.max()).ravel()
    c1, c2 = 0.01**2, 0.03**2
    (vx, cov), (_, vy) = np.cov(x, y)
    expected = (
        (2 * x.mean() * y.mean() + c1)
        * (2 * cov + c2)
        / ((x.mean() ** 2 + y.mean() ** 2 + c1) * (vx + vy + c2))
    )
    assert structural_similarity(a, b) == pytest.approx(expected)
    assert structural_similarity(a, 5 * a) == pytest.approx(1)


@pytest.mark.parametrize(
    ("shape", "side"), [((14, 14), 7), ((9, 20), 7), ((7, 8), 7), ((6, 30), 5), ((4, 3), 3)]
)
def test_structural_similarity_in_many_windows_is_that_of_skimage(shape, side):
    a, b = RANDOM.uniform(-0.5, 1, (2, *shape))
    x, y = (np.clip(heatmap / heatmap.max(), -1, None) for heatmap in (a, b))
    expected = skimage_similarity(x, y, data_range=1.0, win_size=side)
    assert structural_similarity(a, b) == pytest.approx(expected, abs=1e-12)


def test_rank_agreement_follows_the_order_only():
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert rank_agreement(a, a**3) == 1.0
    assert rank_agreement(a, -a) == -1.0
    assert rank_agreement(a, np.array([[1.0, 2.0], [4.0, 3.0]])) == pytest.approx(0.8)
    assert rank_agreement(a, np.ones((2, 2))) == 0.0
    assert rank_agreement(np.zeros((2, 2)), np.ones((2, 2))) == 1.0


@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1e-13, 1.0, 1e30, 1e300])
def test_no_positive_scale_of_a_map_changes_either_measure(scale):
    a, b = RANDOM.random((2, 5, 6))
    assert correlation(scale * a, b) == pytest.approx(correlation(a, b))
    # Powers of ten round: a pixel just at a threshold may fall on its other side.
    assert mean_iou(scale * a, b) == pytest.approx(mean_iou(a, b), abs=0.02)


def test_a_constant_that_rounding_makes_uneven_is_constant():
    uneven = np.full(9, 0.1) + np.spacing(0.1) * (np.arange(9) % 2)
    assert correlation(uneven, np.arange(9.0)) == 0.0
    assert correlation(uneven, np.ones(9)) == 1.0


def test_correlation_of_eight_bit_maps_does_not_wrap_around():
    a = np.array([[0, 100, 255]], "uint8")
    assert correlation(a, a.astype(float)) == pytest.approx(1)
    assert correlation(a, 255 - a) == pytest.approx(-1)


def test_a_map_rescaled_by_its_minimum_correlates_fully_but_has_other_regions():
    signed = np.array([[-3.0, -1.0, 1.0, 3.0]])
    assert correlation(signed + 3, signed) == pytest.approx(1)
    # (signed + 3) / 6 = 0, 1/3, 2/3, 1 and relu / 3 = 0, 0, 1/3, 1. At 0.3: 2 of 3; at 0.5: 1 of 2.
    relu = signed.clip(0)
    assert iou_above(signed + 3, relu, 0.3) == pytest.approx(2 / 3)
    assert iou_above(signed + 3, relu, 0.5) == pytest.approx(1 / 2)


def test_scaling_keeps_negative_values_and_takes_eight_bit_maps():
    assert scaled(np.array([-2.0, 4.0])).tolist() == [-0.5, 1.0]
    assert scaled(np.array([0, 51, 102], "uint8")).tolist() == [0, 0.5, 1]
