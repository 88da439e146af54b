"""Multiplies activations by their own gradients: these are not averaged over the map.

Technique: class_activation_maps
Hint: average the gradient over height and width first, one weight per channel (eq. 1): reduce_mean
    over axes 1 and 2.
"""

import keras

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    return relu((features * gradients).sum(axis=-1))
