"""Activation maximization as the reference does it, its loss left to each mistake to get wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from reference.graph import Floats, logits

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

_LEARNING_RATE = 0.05
_DECAY = 0.95
_SMALL = 1e-7


def start_image(model: keras.Model, random: np.random.Generator) -> Floats:
    """Weak noise (1, H, W, C) around mid-range, scaled to 0 to 1."""
    shape = (1, *model.inputs[0].shape[1:])
    return (0.5 + 0.05 * random.standard_normal(shape)).clip(0, 1).astype("float32")


def in_input_range(model: keras.Model, unit_image: Floats) -> Floats:
    """An image (1, H, W, C) scaled to 0 to 1 as network input (H, W, C)."""
    low, high = model.input_range
    image: Floats = (low + (high - low) * unit_image[0]).astype("float32")
    return image


def squared_steps(unit_image: tf.Tensor, axis: int) -> tf.Tensor:
    """Sum of squared differences between neighbours along one axis, over H·W·C."""
    size = float(np.prod(unit_image.shape[1:]))
    steps = unit_image[:, 1:] - unit_image[:, :-1]
    if axis == 2:
        steps = unit_image[:, :, 1:] - unit_image[:, :, :-1]
    return tf.reduce_sum(steps**2) / size


def total_variation(unit_image: tf.Tensor) -> tf.Tensor:
    """Sum of squared differences between neighbours, down and across, over H·W·C."""
    return squared_steps(unit_image, 1) + squared_steps(unit_image, 2)


def ascend(
    model: keras.Model,
    layer_name: str,
    filter_indices: int | Sequence[int],
    loss: Loss,
    random: np.random.Generator,
    *,
    softmax: bool = False,
    clip: bool = True,
    steps: int = 200,
    rate: float = _LEARNING_RATE,
    after_step: Callable[[Floats], Floats] = lambda image: image,
) -> Floats:
    """The image of the lowest loss on the way down by RMSProp.

    Args:
        model: ends in softmax.
        layer_name: the layer of the targets.
        filter_indices: the targets.
        loss: of the targets' activations (targets,) and the image (1, H, W, C), 0 to 1.
        random: draws the first image and the shifts.
        softmax: whether the last layer gives probabilities instead of logits.
        clip: whether the image is kept within 0 to 1.
        steps: how many.
        rate: about how far a pixel moves per step.
        after_step: what is done to the image after each step.

    Returns:
        (H, W, C) float32, network input.
    """
    indices = np.atleast_1d(filter_indices)
    low, high = model.input_range
    probabilities = keras.Model(model.inputs, model.get_layer(layer_name).output)

    def loss_and_gradient(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            batch = low + (high - low) * image
            seen: dict[str, Any] = {layer_name: probabilities([batch])} if softmax else {}
            if not softmax:
                logits(model, batch, observe=seen.__setitem__)
            maps = tf.reshape(seen[layer_name], (-1, seen[layer_name].shape[-1]))
            value = loss(tf.gather(tf.reduce_mean(maps, axis=0), indices), image)
        return value, tape.gradient(value, image)

    compiled = tf.function(loss_and_gradient)
    image: npt.NDArray[Any] = start_image(model, random)
    best, lowest = image, np.inf
    cache: npt.NDArray[Any] = np.zeros_like(image)
    for shift in random.integers(-1, 2, (steps, 2)):
        image = np.roll(image, shift, (1, 2))
        value, gradient = (np.asarray(part) for part in compiled(tf.constant(image)))
        if value < lowest:
            best, lowest = image, float(value)
        gradient = gradient / max(float(np.linalg.norm(gradient)), 1e-12)
        cache = _DECAY * np.roll(cache, shift, (1, 2)) + (1 - _DECAY) * gradient**2
        image = image - rate * gradient / np.sqrt(cache + _SMALL)
        image = after_step(image.clip(0, 1) if clip else image).astype("float32")
        image, cache = np.roll(image, -shift, (1, 2)), np.roll(cache, -shift, (1, 2))
    return in_input_range(model, best)
