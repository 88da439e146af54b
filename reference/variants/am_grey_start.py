"""Starts from plain grey instead of noise, and takes 400 steps with jitter.

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
    # Not quite mid-grey: where that is 0, a network without biases has no gradient.
    image = tf.fill((1, *model.inputs[0].shape[1:]), 0.55)
    optimizer = keras.optimizers.RMSprop(learning_rate=0.02)
    variable = tf.Variable(image)
    optimizer.build([variable])

    def step(shift: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            unit = tf.roll(variable, shift, (1, 2))
            loss = tv_weight * _variation(unit)
            loss -= _score(model, layer_name, filter_indices, low + (high - low) * unit)
        optimizer.apply_gradients([(tape.gradient(loss, variable), variable)])
        variable.assign(tf.clip_by_value(variable, 0.0, 1.0))

    compiled = tf.function(step)
    for shift in np.random.default_rng(seed).integers(-2, 3, (400, 2)):
        compiled(tf.constant(shift))
    return np.asarray(low + (high - low) * variable[0])
