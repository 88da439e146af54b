"""Averages the gradient over the channels and leaves the activations out.

Technique: class_activation_maps
Hint: multiply the averaged gradients with the activations of the layer and sum over the channels
    (eq. 2).
"""

import keras

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    _, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    return relu(gradients.mean(axis=-1))
