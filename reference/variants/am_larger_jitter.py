"""Shifts of up to three pixels at each step, 100 steps of Adam, all in one graph.

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
    start = random.normal(0.5, 0.1, (1, *model.inputs[0].shape[1:])).clip(0, 1)
    shifts = tf.constant(random.integers(-3, 4, (100, 2)), "int32")

    def gradient(unit: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(unit)
            moved = tf.roll(unit, shift, (1, 2))
            score = _score(model, layer_name, filter_indices, low + (high - low) * moved)
            objective = score - tv_weight * _variation(moved)
        return tape.gradient(objective, unit)

    def ascend(unit: tf.Tensor) -> tf.Tensor:
        mean, square = tf.zeros_like(unit), tf.zeros_like(unit)
        for step in tf.range(100):
            slope = gradient(unit, shifts[step])
            mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
            unit = tf.clip_by_value(unit + 0.03 * mean / (tf.sqrt(square) + 1e-8), 0.0, 1.0)
        return unit

    unit = tf.function(ascend)(tf.constant(start, "float32"))
    return np.asarray(low + (high - low) * unit[0])
