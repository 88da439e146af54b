"""Drops the negative gradients before they are averaged, though no modifier was asked.

Technique: class_activation_maps
Hint: average the gradients with their signs; the ReLU belongs on the weighted sum (eq. 2).
"""

import keras

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    return relu(features @ relu(gradients).mean(axis=(0, 1)))
