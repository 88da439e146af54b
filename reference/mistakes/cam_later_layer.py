"""Takes the map from the layer after the asked one.

Technique: class_activation_maps
Hint: take activations and gradients from model.get_layer(layer_name), not from the pooling or
    convolution after it.
"""

import keras

from reference import class_activation_maps as right
from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, enlarged, feature_layers


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    names = feature_layers(model)
    name = names[min(names.index(layer_name) + 1, len(names) - 1)]
    heatmap = right.class_activation_map(model, image, class_index, name, modifier)
    return enlarged(heatmap, image)
