"""Returns the map as a picture in the colours of jet.

Technique: class_activation_maps
Kind: presentation
Hint: return the map itself, (height, width), before it is coloured for display.
"""

import keras

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, enlarged, jet


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Image:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    return jet(enlarged(heatmap, image))
