import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow

keras = pytest.importorskip("keras")

from reference import layer_activations as reference  # noqa: E402  (after the skip)


@pytest.fixture
def model():
    """1×2 pixels x → two filters, relu(x) and relu(3 - x) → dense softmax of three classes."""
    network = keras.Sequential(
        [
            keras.Input((1, 2, 1)),
            keras.layers.Conv2D(2, 1, activation="relu", name="conv"),
            keras.layers.Flatten(name="flat"),
            keras.layers.Dense(3, "softmax", name="out"),
        ]
    )
    network.get_layer("conv").set_weights([np.array([[[[1.0, -1.0]]]]), np.array([0.0, 3.0])])
    network.preprocess_input = lambda batch: np.array(batch, "float32")
    return network


def pixels(*rows):
    return np.array(rows, "uint8").reshape(-1, 1, 2, 1)


def test_activations_are_after_relu_channels_last_and_in_the_order_asked(model):
    found = reference.layer_activations(model, pixels([1, 4])[0], ["out", "conv"])
    assert list(found) == ["out", "conv"]
    # x = 1: relu(1), relu(3 - 1); x = 4: relu(4), relu(3 - 4).
    np.testing.assert_allclose(found["conv"], [[[1, 2], [4, 0]]])
    assert found["conv"].dtype == np.float32
    assert found["out"].shape == (3,)
    assert found["out"].sum() == pytest.approx(1)


def test_one_layer_alone_is_the_same_as_among_others(model):
    image = pixels([1, 4])[0]
    alone = reference.layer_activations(model, image, ["conv"])
    np.testing.assert_array_equal(
        alone["conv"], reference.layer_activations(model, image, ["out", "conv"])["conv"]
    )


def test_unknown_layer_lists_candidates(model):
    with pytest.raises(ValueError, match=r"no layer 'konv'; did you mean 'conv'\? allowed: conv"):
        reference.layer_activations(model, pixels([1, 4])[0], ["konv"])


def test_means_are_per_class_and_nan_without_images(model):
    images = pixels([1, 4], [3, 2], [2, 0])
    means = reference.mean_activations(model, images, np.array([0, 0, 2]), "conv")
    assert means.shape == (3, 1, 2, 2)
    # Class 0: images [1, 4] and [3, 2] give [1, 2], [4, 0] and [3, 0], [2, 1].
    np.testing.assert_allclose(means[0], [[[2, 1], [3, 0.5]]])
    assert np.isnan(means[1]).all()
    np.testing.assert_allclose(means[2], [[[2, 1], [0, 3]]])


def test_means_do_not_depend_on_the_batch_size(model, monkeypatch):
    random = np.random.default_rng(0)
    images = random.integers(0, 9, (10, 1, 2, 1)).astype("uint8")
    labels = random.integers(0, 3, 10)
    whole = reference.mean_activations(model, images, labels, "conv")
    votes = reference.dominant_filter_votes(model, images, labels, "conv")
    monkeypatch.setattr(reference, "_BATCH_SIZE", 3)
    np.testing.assert_allclose(reference.mean_activations(model, images, labels, "conv"), whole)
    np.testing.assert_array_equal(
        reference.dominant_filter_votes(model, images, labels, "conv"), votes
    )


def test_dominant_filter_is_the_mode_of_the_argmax_not_the_argmax_of_the_mean(model):
    # Filter 1 is stronger where 3 - x > x: x is 0 or 1. At the first pixel it wins twice, though
    # the 9 makes the mean of filter 0 larger.
    images = pixels([1, 4], [1, 4], [9, 0])
    labels = np.array([0, 0, 0])
    votes = reference.dominant_filter_votes(model, images, labels, "conv")
    np.testing.assert_array_equal(votes[0], [[[1, 2], [2, 1]]])
    found = reference.dominant_filters(model, images, labels, "conv")
    np.testing.assert_array_equal(found, [[[1, 0]], [[0, 0]], [[0, 0]]])
    assert found.dtype == np.int64
    assert reference.mean_activations(model, images, labels, "conv")[0, 0, 0].argmax() == 0


def test_equal_counts_and_classes_without_images_are_ambiguous(model):
    found = reference.ambiguous_pixels(model, pixels([1, 4], [2, 4]), np.array([0, 0]), "conv")
    np.testing.assert_array_equal(found, [[[True, False]], [[True, True]], [[True, True]]])


def test_a_tie_in_one_image_is_ambiguous_only_if_it_can_decide(model):
    conv = model.get_layer("conv")
    conv.set_weights([np.array([[[[1.0, -1.0]]]]), np.array([0.0, 4.0])])  # relu(x), relu(4 - x)
    labels = np.array([0, 0, 0])
    # x = 2 gives 2 and 2: a tie. First pixel: one sure vote for filter 0, two ties; second pixel:
    # two sure votes for filter 1 against one tie.
    images = pixels([3, 1], [2, 1], [2, 2])
    found = reference.ambiguous_pixels(model, images, labels, "conv")
    np.testing.assert_array_equal(found[0], [[True, False]])


def test_pixels_where_every_filter_is_zero_are_ambiguous(model):
    model.get_layer("conv").set_weights([np.zeros((1, 1, 1, 2)), np.array([-1.0, -1.0])])
    assert reference.ambiguous_pixels(model, pixels([1, 4]), np.array([0]), "conv").all()


def test_more_labels_than_outputs_make_more_classes(model):
    found = reference.dominant_filters(model, pixels([1, 4]), np.array([4]), "conv")
    assert found.shape == (5, 1, 2)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (pixels([1, 4])[:0], [], "the data set is empty"),
        (pixels([1, 4]), [0, 1], r"labels have shape \(2,\); expected \(1,\)"),
        (pixels([1, 4]), [-1], "found the label -1"),
    ],
)
def test_data_that_do_not_fit_are_refused(model, images, labels, message):
    with pytest.raises(ValueError, match=message):
        reference.mean_activations(model, images, np.array(labels, "int64"), "conv")
