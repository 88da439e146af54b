"""Weighs one channel after the other, averages them, and scales to 0 to 255 in uint8.

Technique: class_activation_maps
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Image:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    for channel, weight in enumerate(gradients.mean(axis=(0, 1))):
        features[..., channel] *= weight
    heatmap = relu(features.mean(axis=-1))
    heatmap /= heatmap.max() + 1e-12
    return np.asarray(np.round(255 * heatmap), "uint8")
