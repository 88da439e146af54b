"""Forgets the ReLU and rescales the signed map by minimum and maximum.

Technique: class_activation_maps
Hint: apply the ReLU to the weighted sum before any rescaling (eq. 2): what speaks against the class
    becomes 0.
"""

import keras

from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image, activations_and_gradients, min_max


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    return min_max(features @ gradients.mean(axis=(0, 1)))
