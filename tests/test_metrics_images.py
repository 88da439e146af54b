"""Measures of images: what no change of contrast may alter, and what a flat sweep must show."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter

from harness.metrics.images import axis_roughness, rank_correlation, standardised_variation

IMAGES = arrays("float64", (4, 5, 1), elements=st.floats(-1, 1, width=16))


@given(IMAGES, st.sampled_from([-4.0, 0.5, 127.5]), st.floats(-10, 10))
def test_neither_contrast_nor_brightness_nor_sign_changes_either_measure(image, factor, offset):
    if image.std() <= 1e-3:
        image[0, 0] += 1
    changed = factor * image + offset
    variation = standardised_variation(image)
    assert standardised_variation(changed) == pytest.approx(variation, rel=1e-6)
    assert axis_roughness(changed) == pytest.approx(axis_roughness(image), rel=1e-6, abs=1e-12)


def test_both_measures_are_those_of_the_standardised_image_written_out():
    image = np.random.default_rng(1).random((4, 6, 3))
    x = (image - image.mean()) / image.std()
    rows = itertools.product(range(3), range(6), range(3))
    down = np.array([x[i + 1, j, c] - x[i, j, c] for i, j, c in rows])
    columns = itertools.product(range(4), range(5), range(3))
    across = np.array([x[i, j + 1, c] - x[i, j, c] for i, j, c in columns])
    expected = np.abs(down).mean() + np.abs(across).mean()
    assert standardised_variation(image) == pytest.approx(expected)
    assert axis_roughness(image) == pytest.approx(((down**2).mean(), (across**2).mean()))


def test_stripes_are_rough_along_one_axis_only():
    stripes = np.tile(np.array([0, 255], "uint8"), (4, 3))[..., None]
    # ±127.5 around the mean: each step across is 2 deviations, squared 4; each step down 0.
    assert standardised_variation(stripes) == pytest.approx(2)
    assert axis_roughness(stripes) == pytest.approx((0, 4))
    assert axis_roughness(stripes.swapaxes(0, 1)) == pytest.approx((4, 0))


def test_white_noise_has_a_roughness_of_two_along_each_axis():
    noise = np.random.default_rng(0).standard_normal((200, 200, 1))
    assert axis_roughness(noise) == pytest.approx((2, 2), rel=0.03)


def test_the_more_an_image_is_smoothed_the_smaller_both_measures():
    noise = np.random.default_rng(0).standard_normal((28, 28))
    images = [gaussian_filter(noise, sigma)[..., None] for sigma in (0, 1, 2, 4)]
    for measure in (standardised_variation, lambda image: sum(axis_roughness(image))):
        found = [measure(image) for image in images]
        assert found == sorted(found, reverse=True)
        assert found[0] > 2
        assert found[-1] < 1


def test_channels_are_not_neighbours():
    # Each channel is constant: nothing varies over the image, though the channels differ.
    image = np.broadcast_to([0.0, 0.5, 1.0], (4, 4, 3))
    assert standardised_variation(image) == 0
    assert axis_roughness(image) == (0, 0)


@pytest.mark.parametrize("order", [(3, 4, 2, 1), (4, 2, 3, 1), (4, 3, 1, 2)])
def test_one_swap_of_neighbours_among_four_is_four_fifths_and_not_less(order):
    # 1 − 6 · 2 / (4 · 15) = 0.8 exactly, which a threshold of 0.8 takes.
    assert -rank_correlation([0.7, 4, 13, 50], order) == 0.8


def test_every_order_of_five_is_spearmans_formula():
    for order in itertools.permutations(range(5)):
        distance = sum((i - j) ** 2 for i, j in enumerate(order))
        assert rank_correlation(range(5), order) == pytest.approx(1 - 6 * distance / (5 * 24))


@pytest.mark.parametrize("series", [[], [1.0], [2.0, 2.0, 2.0]])
def test_a_series_without_an_order_has_no_correlation(series):
    assert rank_correlation(series, list(range(len(series)))) == 0.0
    assert rank_correlation(list(range(len(series))), series) == 0.0
