"""The parts of Grad-CAM, for variants to put together in another way and for mistakes to break."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from reference.class_activation_maps import MODIFIERS
from reference.graph import Activation, Floats, logits

Image = npt.NDArray[np.uint8]
Array = npt.NDArray[Any]
Score = Callable[[tf.Tensor], tf.Tensor]


def activations_and_gradients(
    model: keras.Model,
    image: Image,
    class_index: int,
    layer_name: str,
    modifier: str | None = None,
    *,
    score: Score | None = None,
    relu: Activation | None = None,
    batch: Array | None = None,
) -> tuple[Floats, Floats]:
    """What a layer puts out for one image, and the gradient of a score there, (h, w, c) each.

    Args:
        model: ends in softmax, with `preprocess_input`.
        image: (H, W, C) uint8.
        class_index: the class whose logit is the score.
        layer_name: a layer with feature maps.
        modifier: a key of `MODIFIERS`.
        score: logits (classes,) → a scalar, instead of the logit of the class.
        relu: what to run in the place of every ReLU, instead of what the modifier says.
        batch: network input (1, H, W, C), instead of the preprocessed image.
    """
    given = model.preprocess_input(image[np.newaxis]) if batch is None else batch
    features: Any = None

    def watch(name: str, output: tf.Tensor) -> None:
        nonlocal features
        if name == layer_name:
            tape.watch(output)
            features = output

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        scores = logits(
            model,
            tf.constant(given, "float32"),
            relu=relu or MODIFIERS[modifier],
            observe=watch,
        )[0]
        chosen = score(scores) if score else scores[class_index]
    gradients = tape.gradient(chosen, features)
    return np.array(features[0], "float32"), np.array(gradients[0], "float32")


def input_gradients(
    model: keras.Model, image: Image, class_index: int, modifier: str | None = None
) -> Floats:
    """The gradient (H, W, C) of a class's logit at the network input."""
    batch = tf.constant(model.preprocess_input(image[np.newaxis]), "float32")
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(batch)
        score = logits(model, batch, relu=MODIFIERS[modifier])[0, class_index]
    gradients: Any = tape.gradient(score, batch)
    return np.asarray(gradients[0], "float32")


def linear_copy(model: keras.Model, modifier: str | None = None) -> keras.Model:
    """A copy of a network with its weights, without its softmax, with other ReLUs if asked."""
    relu = MODIFIERS[modifier] or keras.activations.relu
    relus = (keras.activations.relu, tf.nn.relu)

    def copied(layer: keras.Layer) -> keras.Layer:
        if isinstance(layer, keras.layers.ReLU):
            return keras.layers.Activation(relu, name=layer.name)
        if isinstance(layer, keras.layers.Softmax):
            return keras.layers.Activation("linear", name=layer.name)
        return type(layer).from_config(layer.get_config())

    network = keras.models.clone_model(model, clone_function=copied)
    network.set_weights(model.get_weights())
    # Exchanged only now: a network with activation functions of one's own cannot be cloned.
    for layer in network.layers:
        if getattr(layer, "activation", None) in relus:
            layer.activation = relu
    network.layers[-1].activation = keras.activations.linear
    return network


def feature_layers(model: keras.Model) -> list[str]:
    """Names of the layers whose outputs are feature maps (h, w, c), first to last."""
    return [
        layer.name
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer) and len(layer.output.shape) == 4
    ]


def enlarged(heatmap: Array, image: Image) -> Floats:
    """A map brought to the image's height and width, bilinear."""
    resized = tf.image.resize(tf.constant(heatmap, "float32")[..., None], image.shape[:2])
    return np.asarray(resized[..., 0], "float32")


def relu(values: Array) -> Floats:
    """max(0, x) of every value."""
    positive: Floats = np.maximum(values, 0)
    return positive


def min_max(heatmap: Array) -> Array:
    """A map rescaled to 0 to 1 by its minimum and maximum; zeros when it is constant."""
    low, high = heatmap.min(), heatmap.max()
    rescaled: Array = (heatmap - low) / (high - low) if high > low else np.zeros_like(heatmap)
    return rescaled


def jet(heatmap: Array) -> Image:
    """A map as a picture (h, w, 3) from blue over green to red."""
    levels = min_max(heatmap)[..., np.newaxis]
    colours: Image = (255 * np.clip(1.5 - abs(4 * levels - (3, 2, 1)), 0, 1)).astype("uint8")
    return colours
