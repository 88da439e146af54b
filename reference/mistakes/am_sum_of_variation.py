"""Adds the total variation up over all pixels: nothing but grey survives a larger weight.

Technique: activation_maximization
Hint: divide the total variation by the number of values (tf.image.total_variation is a sum), so
    that tv_weight weighs a mean.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from reference.graph import Floats
from reference.mistakes._ascent import ascend
from reference.submission import *  # noqa: F403


def maximize_activation(  # type: ignore[no-redef]
    model: keras.Model,
    layer_name: str,
    filter_indices: Sequence[int],
    tv_weight: float,
    seed: int,
) -> Floats:
    def loss(scores: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        variation = tf.reduce_sum(tf.image.total_variation(image))
        return tv_weight * variation - tf.reduce_sum(scores)

    return ascend(model, layer_name, filter_indices, loss, np.random.default_rng(seed))
