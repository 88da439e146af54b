import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow

keras = pytest.importorskip("keras")

import tensorflow as tf  # noqa: E402  (after the skip)

from reference.activation_maximization import (  # noqa: E402
    lp_norm,
    maximize,
    maximize_activation,
    total_variation,
)

PLAIN = {"seed": 0, "lp_norm_weight": 0.0, "jitter": 0}


@pytest.fixture
def model():
    """2×2 pixels x → filters relu(2 + x) and relu(2 - x); the logits are linear in the pixels."""
    inputs = keras.Input((2, 2, 1))
    features = keras.layers.Conv2D(2, 1, activation="relu", name="conv")(inputs)
    pixels = keras.layers.Flatten()(inputs)
    both = keras.layers.Concatenate()([pixels, keras.layers.Flatten()(features)])
    network = keras.Model(inputs, keras.layers.Dense(2, "softmax", name="out")(both))
    network.get_layer("conv").set_weights([np.array([[[[1.0, -1.0]]]]), np.array([2.0, 2.0])])
    kernel = np.zeros((12, 2))
    kernel[:4] = [[1, 1], [-2, 1], [3, -4], [-4, -1]]
    network.get_layer("out").set_weights([kernel, np.zeros(2)])
    network.input_range = (-1.0, 1.0)
    return network


@pytest.fixture
def network():
    """A small random network whose images have something to smooth."""
    keras.utils.set_random_seed(1)
    built = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(6, 3, activation="relu", padding="same", name="conv"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax", name="out"),
        ]
    )
    built.input_range = (0.0, 1.0)
    return built


def test_total_variation_by_hand():
    # [[0, 1], [0, 0]]: down 0 and -1, right 1 and 0; squares sum to 2; over 4 pixels.
    images = tf.reshape(tf.constant([[0.0, 1, 0, 0], [0.5] * 4]), (2, 2, 2, 1))
    np.testing.assert_allclose(total_variation(images), [0.5, 0])


def test_lp_norm_by_hand():
    # Distances from mid-range 1/2, 0, 0, 0: the norm is 1/2; over 4 pixels.
    images = tf.reshape(tf.constant([1.0, 0.5, 0.5, 0.5]), (1, 2, 2, 1))
    np.testing.assert_allclose(lp_norm(images), [0.125], rtol=1e-5)


def test_a_linear_score_drives_each_pixel_to_the_end_of_its_sign(model):
    found = maximize(model, "out", [(0,), (1,), (0, 1)], [0.0] * 3, **PLAIN)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[0, ..., 0], [[1, -1], [1, -1]])  # logit weights 1 -2 3 -4
    np.testing.assert_array_equal(found[1, ..., 0], [[1, 1], [-1, -1]])  # 1 1 -4 -1
    np.testing.assert_array_equal(found[2, ..., 0], [[1, -1], [-1, -1]])  # summed: 2 -1 -1 -5


def test_a_filter_counts_by_its_mean_over_positions(model):
    found = maximize(model, "conv", [(0,), (1,)], [0.0] * 2, **PLAIN)
    np.testing.assert_array_equal(found[0], np.ones((2, 2, 1)))  # relu(2 + x)
    np.testing.assert_array_equal(found[1], -np.ones((2, 2, 1)))  # relu(2 - x)


def test_a_huge_tv_weight_leaves_nothing_but_one_grey(model):
    found = maximize(model, "out", [(0,)], [1000.0], **PLAIN)
    assert np.ptp(found) < 0.2  # of a range of 2, which the weight 0 uses in full


def standardised_variation(image):
    image = (image[..., 0] - image.mean()) / image.std()
    return np.abs(np.diff(image, axis=0)).mean() + np.abs(np.diff(image, axis=1)).mean()


def test_variation_falls_as_its_weight_rises(network):
    found = maximize(network, "out", [(0,)] * 4, [0.1, 1.0, 4.0, 16.0], seed=3)
    variations = [standardised_variation(image) for image in found]
    assert variations == sorted(variations, reverse=True)
    assert variations[-1] < 0.9 * variations[0]


def test_same_seed_same_image_bit_for_bit_and_another_seed_another(network):
    first, again, other = (maximize_activation(network, "out", [1], 0.5, s) for s in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_contract_takes_one_index_or_several_and_stays_in_range(network):
    one = maximize_activation(network, "out", 2, 1.0, seed=0)
    assert one.shape == (12, 12, 1)
    assert one.min() >= 0
    assert one.max() <= 1
    np.testing.assert_array_equal(one, maximize_activation(network, "out", [np.int64(2)], 1.0, 0))
    pair = maximize_activation(network, "out", [0, 2], 1.0, seed=0)
    assert not np.array_equal(one, pair)


def test_given_model_is_unchanged(network):
    before = network.get_weights()
    maximize(network, "out", [(0,)], [1.0], seed=0, iterations=2)
    for weight, old in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert network.layers[-1].activation is keras.activations.softmax


@pytest.mark.parametrize(
    ("layer_name", "targets", "weights", "message"),
    [
        ("aut", [(0,)], [1.0], r"no layer 'aut'; did you mean 'out'\?"),
        ("out", [(3,)], [1.0], "filter index 3 is out of range; allowed: 0 to 2"),
        ("out", [(0,)], [1.0, 2.0], "found 2 tv_weights for 1 targets; expected one each"),
    ],
)
def test_wrong_arguments_say_what_is_allowed(network, layer_name, targets, weights, message):
    with pytest.raises(ValueError, match=message):
        maximize(network, layer_name, targets, weights, seed=0)
