"""Penalises the distance from grey instead of differences between neighbours.

Technique: activation_maximization
Hint: total variation is made of differences between neighbouring pixels: x[1:] - x[:-1] along
    both axes.
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
        return tv_weight * tf.reduce_mean((image - 0.5) ** 2) - tf.reduce_sum(scores)

    return ascend(model, layer_name, filter_indices, loss, np.random.default_rng(seed))
