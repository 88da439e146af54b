"""Ignores the seed: every call draws another start, from the global generator.

Technique: activation_maximization
Hint: draw the start image, and all else that is random, from np.random.default_rng(seed).
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
        return tv_weight * total_variation(image) - tf.reduce_sum(scores)

    drawn = np.random.randint(2**31)
    return ascend(model, layer_name, filter_indices, loss, np.random.default_rng(drawn))
