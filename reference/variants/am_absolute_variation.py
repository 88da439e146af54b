"""`tf.image.total_variation`, divided by the number of values, as the smoothness term.

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
    start = 0.5 + 0.05 * np.random.default_rng(seed).standard_normal(shape)
    image = tf.Variable(start.clip(0, 1).astype("float32"))
    optimizer = keras.optimizers.Adam(learning_rate=0.05)

    def step() -> None:
        with tf.GradientTape() as tape:
            roughness = tf.image.total_variation(image)[0] / float(np.prod(shape))
            score = _score(model, layer_name, filter_indices, low + (high - low) * image)
            loss = tv_weight * roughness - score
        optimizer.apply_gradients([(tape.gradient(loss, image), image)])
        image.assign(tf.clip_by_value(image, 0.0, 1.0))

    optimizer.build([image])
    compiled = tf.function(step)
    for _ in range(200):
        compiled()
    return np.asarray(low + (high - low) * image[0])
