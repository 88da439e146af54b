"""Lets the image leave the input range and rescales it at the end, as for display.

Technique: activation_maximization
Hint: keep the image within the range at every step: rescaled afterwards, it is another image
    than the one that was optimised.
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
    image = ascend(model, layer_name, filter_indices, loss, random, clip=False)
    low, high = model.input_range
    standardised = (image - image.mean()) / (image.std() + 1e-7)
    shown = (0.5 + 0.1 * standardised).clip(0, 1)
    return np.asarray(low + (high - low) * shown, "float32")
