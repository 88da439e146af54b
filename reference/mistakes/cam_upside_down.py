"""Turns the map upside down.

Technique: class_activation_maps
Kind: presentation
Hint: keep the order of the rows: the first row of the map is the top of the image.
"""

import keras

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    return heatmap[::-1]
