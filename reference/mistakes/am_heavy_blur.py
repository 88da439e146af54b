"""Blurs so heavily after each step that no shape is left.

Technique: activation_maximization
Hint: smooth less, be it by blur or by total variation: the image must still excite the output
    when the ascent ends.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from scipy.ndimage import gaussian_filter

from reference.graph import Floats
from reference.mistakes._ascent import ascend, total_variation
from reference.submission import *  # noqa: F403


def _blur(image: Floats) -> Floats:
    sigma = image.shape[1] / 8
    blurred: Floats = gaussian_filter(image, (0, sigma, sigma, 0))
    return blurred


def maximize_activation(  # type: ignore[no-redef]
    model: keras.Model,
    layer_name: str,
    filter_indices: Sequence[int],
    tv_weight: float,
    seed: int,
) -> Floats:
    def loss(scores: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        return tv_weight * total_variation(image) - tf.reduce_sum(scores)

    return ascend(
        model, layer_name, filter_indices, loss, np.random.default_rng(seed), after_step=_blur
    )
