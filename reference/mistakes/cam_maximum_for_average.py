"""Takes the largest gradient of each channel for its weight instead of the average.

Technique: class_activation_maps
Hint: the weight of a channel is the average of its gradient over the map (eq. 1), not its maximum.
"""

import keras

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    return relu(features @ gradients.max(axis=(0, 1)))
