"""Gradients divided by their root mean square, in an eager loop of 100 steps.

Technique: activation_maximization
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from reference.graph import Floats, logits
from reference.submission import *  # noqa: F403


def _score(model: keras.Model, layer_name: str, indices: Sequence[int], x: tf.Tensor) -> tf.Tensor:
    """Sum over the targets of their mean activations: logits, or maps of filters."""
    seen: dict[str, tf.Tensor] = {}
    logits(model, x, observe=seen.__setitem__)
    maps = seen[layer_name]
    means = tf.reduce_mean(tf.reshape(maps, (-1, maps.shape[-1])), axis=0)
    return tf.reduce_sum(tf.gather(means, indices))


def _variation(x: tf.Tensor) -> tf.Tensor:
    down = tf.reduce_mean((x[:, 1:] - x[:, :-1]) ** 2)
    across = tf.reduce_mean((x[:, :, 1:] - x[:, :, :-1]) ** 2)
    return down + across


def maximize_activation(  # type: ignore[no-redef]
    model: keras.Model,
    layer_name: str,
    filter_indices: Sequence[int],
    tv_weight: float,
    seed: int,
) -> Floats:
    low, high = model.input_range
    random = np.random.default_rng(seed)
    shape = (1, *model.inputs[0].shape[1:])
    image = tf.constant(random.uniform(0.4, 0.6, shape), "float32")
    for step in range(100):
        with tf.GradientTape() as tape:
            tape.watch(image)
            score = _score(model, layer_name, filter_indices, low + (high - low) * image)
            objective = score - tv_weight * _variation(image)
        gradient = tape.gradient(objective, image)
        gradient /= tf.sqrt(tf.reduce_mean(gradient**2)) + 1e-8
        image = tf.clip_by_value(image + 0.05 * (1 - step / 100) * gradient, 0.0, 1.0)
    return np.asarray(low + (high - low) * image[0])
