"""Returns the map laid over the image.

Technique: class_activation_maps
Kind: presentation
Hint: return the map itself, (height, width), before it is laid over the image.
"""

import keras

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, enlarged, jet


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Image:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    colours = jet(enlarged(heatmap, image))
    return (0.6 * image + 0.4 * colours).astype("uint8")
