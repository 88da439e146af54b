"""Guides the gradients even when no modifier was asked.

Technique: class_activation_maps
Hint: leave the gradients as they are when modifier is None.
"""

import keras

from reference import class_activation_maps as right
from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    return right.class_activation_map(model, image, class_index, layer_name, "guided")
