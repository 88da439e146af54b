"""Reshapes to channels first without moving the axis: values land at other places.

Technique: class_activation_maps
Hint: move axes by transpose or moveaxis; reshape keeps the order of the values in memory.
"""

import keras
import numpy as np

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    height, width, channels = features.shape
    scrambled = features.reshape(channels, height, width)
    return relu(np.einsum("c,chw->hw", gradients.mean(axis=(0, 1)), scrambled))
