"""Numbers worked out by hand on one network of 2×2 pixels.

x = [[1, 2], [3, 0]] → two filters A0 = relu(x) and A1 = relu(4 - x), that is [[1, 2], [3, 0]] and
[[3, 2], [1, 4]] → hidden units h0 = relu(ΣA0) = 6, h1 = relu(ΣA1) = 10, h2 = relu(-ΣA1) = 0 →
logits y0 = h0 - h1 + h2/2 and y1 = -h0 + 2·h1 → softmax.
"""

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow

keras = pytest.importorskip("keras")

import tensorflow as tf  # noqa: E402  (after the skip)

from reference.class_activation_maps import class_activation_map, grad_cam  # noqa: E402

IMAGE = np.array([[1, 2], [3, 0]], "uint8")[..., np.newaxis]


def with_activations(relu):
    return [
        keras.Input((2, 2, 1)),
        keras.layers.Conv2D(2, 1, activation=relu, name="conv"),
        keras.layers.Flatten(),
        keras.layers.Dense(3, activation=relu, name="hidden"),
        keras.layers.Dense(2, activation="softmax", name="out"),
    ]


def with_layers():
    return [
        keras.Input((2, 2, 1)),
        keras.layers.Conv2D(2, 1),
        keras.layers.ReLU(name="conv"),
        keras.layers.Flatten(),
        keras.layers.Dense(3),
        keras.layers.Activation("relu"),
        keras.layers.Dense(2),
        keras.layers.Softmax(),
    ]


def functional():
    start, conv, flatten, hidden, out = with_activations(None)
    inputs = keras.Input(start.shape[1:])
    features = keras.layers.Activation(tf.nn.relu, name="conv")
    conv.name = "linear"
    return keras.Model(inputs, out(keras.ops.relu(hidden(flatten(features(conv(inputs)))))))


BUILDERS = {
    "name": lambda: keras.Sequential(with_activations("relu")),
    "tf.nn.relu": lambda: keras.Sequential(with_activations(tf.nn.relu)),
    "layer as activation": lambda: keras.Sequential(with_activations(keras.layers.ReLU())),
    "layers": lambda: keras.Sequential(with_layers()),
    "functional": functional,
}


def finished(network):
    f0, f1 = [1, 0], [0, 1]
    hidden = np.stack([f0 * 4, f1 * 4, np.negative(f1 * 4)], axis=1)
    network.set_weights(
        [
            np.array([[[[1, -1]]]]),
            np.array([0, 4]),
            hidden,
            np.zeros(3),
            np.array([[1, -1], [-1, 2], [0.5, 0]]),
            np.zeros(2),
        ]
    )
    network.preprocess_input = lambda batch: np.array(batch, "float32")
    return network


@pytest.fixture
def model():
    return finished(BUILDERS["name"]())


# Weights (1), in the order α of A0, α of A1. The gradients are the same at every pixel.
#   class 0: vanilla 1, -1 (h2 is dead) · guided 1, 0 (-1 is not passed) · rectified 1, -1/2
#            (h2 is dead, but its gradient 1/2 times its weight -1 is passed)
#   class 1: vanilla -1, 2 · guided and rectified 0, 2
MAPS = {
    (0, None): [[0, 0], [2, 0]],
    (0, "guided"): [[1, 2], [3, 0]],
    (0, "rectified"): [[0, 1], [2.5, 0]],
    (0, "deconv"): [[0, 1], [2.5, 0]],
    (1, None): [[5, 2], [0, 8]],
    (1, "guided"): [[6, 4], [2, 8]],
    (1, "rectified"): [[6, 4], [2, 8]],
}


@pytest.mark.parametrize("builder", BUILDERS)
def test_maps_by_hand_however_relu_is_written(builder):
    network = finished(BUILDERS[builder]())
    for (class_index, modifier), expected in MAPS.items():
        found = class_activation_map(network, IMAGE, class_index, "conv", modifier)
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=f"{class_index} {modifier}")
        assert found.dtype == np.float32


def test_a_sequential_model_read_from_a_file_is_no_exception(model):
    # Reading builds it layer by layer, each time anew, so that `layer.output` is no part of the
    # graph that leads to `model.outputs`: a submodel of the two has the gradient None.
    loaded = keras.Sequential.from_config(model.get_config())
    loaded.set_weights(model.get_weights())
    features = loaded.get_layer("hidden")
    assert features.output is not features._inbound_nodes[-1].outputs[0]  # the trap is there
    batch = IMAGE[np.newaxis].astype("float32")
    np.testing.assert_allclose(grad_cam(loaded, batch, [0], "conv"), [MAPS[0, None]], atol=1e-5)


def test_given_model_is_unchanged(model):
    before = model.get_weights()
    activations = [getattr(layer, "activation", None) for layer in model.layers]
    nodes = [len(layer._inbound_nodes) for layer in model.layers]
    class_activation_map(model, IMAGE, 0, "conv", "guided")
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert [getattr(layer, "activation", None) for layer in model.layers] == activations
    assert [len(layer._inbound_nodes) for layer in model.layers] == nodes
    assert np.sum(model(IMAGE[np.newaxis])) == pytest.approx(1)


def test_softmax_gradient_gives_another_map(model):
    # The gradient of p1 is p0·p1 times that of y1 - y0: α is -2, 3, and the map [[7, 2], [0, 12]]
    # up to a factor; the logit's is [[5, 2], [0, 8]].
    features = keras.Model(model.inputs, [model.get_layer("conv").output, model.outputs[0]])
    # The hidden units are shrunk, or p0·p1 would round to 0; that scales all gradients alike.
    hidden = model.get_layer("hidden")
    hidden.set_weights([weight / 10 for weight in hidden.get_weights()])
    with tf.GradientTape() as tape:
        maps, probabilities = features([tf.constant(IMAGE[np.newaxis], "float32")])
        chosen = probabilities[:, 1]
    weights = tf.reduce_mean(tape.gradient(chosen, maps), axis=(1, 2))
    softmax = np.maximum(np.einsum("hwk,k->hw", maps[0], weights[0]), 0)
    np.testing.assert_allclose(softmax / softmax.max() * 12, [[7, 2], [0, 12]], atol=1e-4)
    logit = class_activation_map(model, IMAGE, 1, "conv")
    np.testing.assert_allclose(logit / logit.max() * 8, [[5, 2], [0, 8]], atol=1e-4)


def test_a_batch_explains_each_image_by_its_own_class(model):
    batch = np.stack([IMAGE, IMAGE, 4 - IMAGE]).astype("float32")
    found = grad_cam(model, batch, [0, 1, 0], "conv")
    np.testing.assert_allclose(found[:2], [MAPS[0, None], MAPS[1, None]], atol=1e-5)
    # 4 - x exchanges the two filters: [[3, 2], [1, 4]] - [[1, 2], [3, 0]], cut at 0.
    np.testing.assert_allclose(found[2], [[2, 0], [0, 4]], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, "konv"), r"no layer 'konv'; did you mean 'conv'\?"),
        ((0, "hidden"), r"layer 'hidden' has outputs of shape \(3,\); expected feature maps"),
        ((2, "conv"), "class index 2 is out of range; allowed: 0 to 1"),
        ((-1, "conv"), "class index -1 is out of range"),
        ((0, "conv", "guidet"), r"no modifier 'guidet'; did you mean 'guided'\? allowed: None, "),
    ],
)
def test_arguments_out_of_range_say_what_is_allowed(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        class_activation_map(model, IMAGE, *arguments)


def test_one_class_index_for_each_image(model):
    with pytest.raises(ValueError, match="found 1 class indices for 2 images"):
        grad_cam(model, np.zeros((2, 2, 2, 1), "float32"), [0], "conv")


def test_a_model_that_does_not_end_in_softmax_is_refused(model):
    model.layers[-1].activation = keras.activations.sigmoid
    with pytest.raises(ValueError, match="ends in softmax, found 'sigmoid' in its last layer"):
        class_activation_map(model, IMAGE, 0, "conv")
