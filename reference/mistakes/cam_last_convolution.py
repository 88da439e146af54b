"""Takes the map from the last convolution, whichever layer was asked.

Technique: class_activation_maps
Hint: take activations and gradients from model.get_layer(layer_name), not from a layer found by its
    type.
"""

import keras

from reference import class_activation_maps as right
from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, enlarged


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    name = convolutions[-1].name
    return enlarged(right.class_activation_map(model, image, class_index, name, modifier), image)
