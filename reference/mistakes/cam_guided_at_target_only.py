"""Masks the gradient at the asked layer only, not at each ReLU on the way to it.

Technique: class_activation_maps
Hint: guide every ReLU between the layer and the logits, by a custom gradient, not the final
    gradient.
"""

import keras

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name)
    if modifier == "guided":
        gradients = gradients * (gradients > 0) * (features > 0)
    return relu(features @ gradients.mean(axis=(0, 1)))
