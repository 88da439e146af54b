"""Enlarges the signed map by TensorFlow, bilinear, and applies the ReLU after that.

Technique: class_activation_maps
Golden: yes
"""

import keras

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, enlarged, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    signed = features @ gradients.mean(axis=(0, 1))
    return relu(enlarged(signed, image))
