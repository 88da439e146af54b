"""A light Gaussian blur every tenth step of the first half, and momentum.

Technique: activation_maximization
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from scipy.ndimage import gaussian_filter

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
    shape = (1, *model.inputs[0].shape[1:])
    image = 0.5 + 0.05 * np.random.default_rng(seed).standard_normal(shape)

    def gradient(unit: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(unit)
            score = _score(model, layer_name, filter_indices, low + (high - low) * unit)
            objective = score - tv_weight * _variation(unit)
        return tape.gradient(objective, unit)

    compiled, velocity = tf.function(gradient), np.zeros(shape)
    for step in range(200):
        ascent = np.asarray(compiled(tf.constant(image, "float32")))
        velocity = 0.8 * velocity + 0.2 * ascent / max(float(np.abs(ascent).max()), 1e-12)
        image = (image + 0.1 * velocity).clip(0, 1)
        if step % 10 == 9 and step < 100:
            image = gaussian_filter(image, (0, 0.4, 0.4, 0))
    return np.asarray(low + (high - low) * image[0], "float32")
