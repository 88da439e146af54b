"""Stops long before the image excites what is asked.

Technique: activation_maximization
Hint: go on until the score stops rising: more steps, or larger ones.
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

    random = np.random.default_rng(seed)
    return ascend(model, layer_name, filter_indices, loss, random, steps=10, rate=0.005)
