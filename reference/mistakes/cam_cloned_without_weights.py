"""Explains a copy of the network that has none of its trained weights.

Technique: class_activation_maps
Hint: keras.models.clone_model copies the layers only: call set_weights(model.get_weights()) on the
    copy.
"""

import keras

from reference import class_activation_maps as right
from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    copy = keras.models.clone_model(model)
    copy.preprocess_input = model.preprocess_input
    return right.class_activation_map(copy, image, class_index, layer_name, modifier)
