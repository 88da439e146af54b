"""Averages images made for one output each, instead of one image for all.

Technique: activation_maximization
Hint: put the sum of the scores of all filter_indices into one loss and climb it with one image.
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

    singles = [
        ascend(model, layer_name, index, loss, np.random.default_rng(seed))
        for index in np.atleast_1d(filter_indices)
    ]
    return np.asarray(np.mean(singles, axis=0), "float32")
