"""Squares the map, so that only its peaks are left.

Technique: class_activation_maps
Kind: presentation
Hint: scale the map by a number only; a power changes how its values compare.
"""

import keras

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    squared: Array = heatmap**2
    return squared
