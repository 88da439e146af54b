"""Averages the gradients over the channels: one weight per pixel, not per channel.

Technique: class_activation_maps
Hint: average the gradient over height and width, axes 1 and 2 of (batch, height, width, channels),
    not over the channels.
"""

import keras

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    return relu((features * gradients.mean(axis=-1, keepdims=True)).sum(axis=-1))
