"""Adam on a variable in the units of the network input, without jitter.

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
    start = np.random.default_rng(seed).normal(
        (low + high) / 2, 0.05 * (high - low), (1, *model.inputs[0].shape[1:])
    )
    image = tf.Variable(start.astype("float32"))
    optimizer = keras.optimizers.Adam(learning_rate=0.05 * (high - low))

    def step() -> None:
        with tf.GradientTape() as tape:
            loss = tv_weight * _variation((image - low) / (high - low))
            loss -= _score(model, layer_name, filter_indices, image)
        optimizer.apply_gradients([(tape.gradient(loss, image), image)])
        image.assign(tf.clip_by_value(image, low, high))

    optimizer.build([image])
    compiled = tf.function(step)
    for _ in range(200):
        compiled()
    return np.asarray(image[0])
