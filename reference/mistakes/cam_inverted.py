"""Inverts the map: high where it should be low.

Technique: class_activation_maps
Kind: presentation
Hint: return the map itself, high where the class is seen, not 1 minus the map.
"""

import keras

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image, min_max


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    return 1 - min_max(heatmap)
