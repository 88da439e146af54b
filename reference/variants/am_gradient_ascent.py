"""Plain gradient ascent: a step along the gradient, as large as the gradient is.

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
    start = 0.5 + 0.05 * np.random.default_rng(seed).standard_normal(model.inputs[0].shape[1:])
    unit = tf.constant(start[np.newaxis].clip(0, 1), "float32")

    def gradient(unit: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(unit)
            score = _score(model, layer_name, filter_indices, low + (high - low) * unit)
            objective = score - tv_weight * _variation(unit)
        return tape.gradient(objective, unit)

    compiled = tf.function(gradient)
    # The mean over the positions of a map divides the gradient by their number.
    rate = 0.1 * float(np.prod(model.get_layer(layer_name).output.shape[1:-1]))
    for _ in range(400):
        unit = tf.clip_by_value(unit + rate * compiled(unit), 0.0, 1.0)
    return np.asarray(low + (high - low) * unit[0])
