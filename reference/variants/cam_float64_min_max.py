"""Weighted in float64 and rescaled by minimum and maximum after the ReLU; the layer's size.

Technique: class_activation_maps
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image, activations_and_gradients, min_max, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    weights = np.float64(gradients).mean(axis=(0, 1))
    return min_max(relu(np.float64(features) @ weights))
