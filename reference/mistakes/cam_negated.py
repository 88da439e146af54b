"""Shows what speaks against the class: the sign is flipped.

Technique: class_activation_maps
Hint: differentiate the logit itself, not a loss such as its negative, and subtract nothing from it.
"""

import keras

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    return relu(-features @ gradients.mean(axis=(0, 1)))
