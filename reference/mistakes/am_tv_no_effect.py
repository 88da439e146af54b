"""Scales the total variation down until it has no effect.

Technique: activation_maximization
Hint: divide the total variation by the number of pixels at most once, and compare its size with
    that of the score: both must count.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from reference.graph import Floats
from reference.mistakes._ascent import ascend, total_variation
from reference.submission import *  # noqa: F403


def maximize_activation(  # type: ignore[no-redef]
    model: keras.Model,
    layer_name: str,
    filter_indices: Sequence[int],
    tv_weight: float,
    seed: int,
) -> Floats:
    def loss(scores: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        size = float(np.prod(image.shape[1:]))
        return tv_weight * total_variation(image) / size - tf.reduce_sum(scores)

    return ascend(model, layer_name, filter_indices, loss, np.random.default_rng(seed))
