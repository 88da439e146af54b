"""Adds the weighted channels to ones instead of zeros.

Technique: class_activation_maps
Hint: start the sum over the channels at zero: np.zeros, not np.ones.
"""

import keras

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    return relu(1 + features @ gradients.mean(axis=(0, 1)))
