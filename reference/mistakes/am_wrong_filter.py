"""Maximizes the output after the one that was asked.

Technique: activation_maximization
Hint: see which outputs your image excites: they must be those of filter_indices, counted from 0,
    in the column of the layer that you climb.
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

    units = model.get_layer(layer_name).output.shape[-1]
    shifted = [(index + 1) % units for index in np.atleast_1d(filter_indices)]
    return ascend(model, layer_name, shifted, loss, np.random.default_rng(seed))
