"""Makes bytes of the map before it is scaled: values above 255 start again at 0.

Technique: class_activation_maps
Kind: presentation
Hint: divide by the maximum before you multiply by 255 and convert to uint8.
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Image:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    heatmap = relu(features @ gradients.sum(axis=(0, 1)))
    return np.asarray(np.uint32(255 * heatmap), "uint8")
