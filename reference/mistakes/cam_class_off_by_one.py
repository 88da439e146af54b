"""Explains the class after the asked one: the index is off by one.

Technique: class_activation_maps
Hint: class indices count from 0: use class_index as it is given.
"""

import keras

from reference import class_activation_maps as right
from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    following = (class_index + 1) % model.outputs[0].shape[-1]
    return right.class_activation_map(model, image, following, layer_name, modifier)
