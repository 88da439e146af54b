"""keras-vis's loss in the units of the network input; clipped to its range at each step.

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


def maximize_activation(  # type: ignore[no-redef]
    model: keras.Model,
    layer_name: str,
    filter_indices: Sequence[int],
    tv_weight: float,
    seed: int,
) -> Floats:
    low, high = model.input_range
    shape = (1, *model.inputs[0].shape[1:])
    size = float(np.prod(shape))
    start = (low + high) / 2 + 0.05 * (high - low) * np.random.RandomState(seed).randn(*shape)
    image = tf.Variable(start.clip(low, high).astype("float32"))

    def losses() -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            x = image[:, 1:, :-1] - image[:, :-1, :-1], image[:, :-1, 1:] - image[:, :-1, :-1]
            variation = tf.reduce_sum(x[0] ** 2 + x[1] ** 2) / size
            norm = (tf.reduce_sum(tf.abs(image) ** 6) + 1e-7) ** (1 / 6) / size
            score = _score(model, layer_name, filter_indices, image)
            loss = tv_weight * variation + 10 * norm - score
        return loss, tf.math.l2_normalize(tape.gradient(loss, image))

    compiled, cache, best, lowest = tf.function(losses), np.zeros(shape), image.numpy(), np.inf
    for _ in range(200):
        loss, gradient = (np.asarray(part) for part in compiled())
        if loss < lowest:
            best, lowest = image.numpy(), float(loss)
        cache = 0.95 * cache + 0.05 * gradient**2
        moved = image.numpy() - 0.05 * (high - low) * gradient / np.sqrt(cache + 1e-7)
        image.assign(moved.clip(low, high).astype("float32"))
    return np.asarray(best[0])
