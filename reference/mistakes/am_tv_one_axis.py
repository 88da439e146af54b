"""Takes the total variation along one axis of the image only.

Technique: activation_maximization
Hint: sum the differences between neighbours down the rows and across the columns.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from reference.graph import Floats
from reference.mistakes._ascent import ascend, squared_steps
from reference.submission import *  # noqa: F403


def maximize_activation(  # type: ignore[no-redef]
    model: keras.Model,
    layer_name: str,
    filter_indices: Sequence[int],
    tv_weight: float,
    seed: int,
) -> Floats:
    def loss(scores: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        return tv_weight * squared_steps(image, 1) - tf.reduce_sum(scores)

    return ascend(model, layer_name, filter_indices, loss, np.random.default_rng(seed))
