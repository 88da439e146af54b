"""Returns the layer before the one asked: off by one.

Technique: layer_activations
Hint: get a layer by its name with model.get_layer(name); model.layers also counts the input
    layer.
"""

from collections.abc import Sequence

import keras

from reference import layer_activations as right
from reference.graph import Floats
from reference.layer_activations import Images
from reference.submission import *  # noqa: F403


def layer_activations(  # type: ignore[no-redef]
    model: keras.Model, image: Images, layer_names: Sequence[str]
) -> dict[str, Floats]:
    names = [layer.name for layer in model.layers]
    before = [names[max(names.index(name) - 1, 0)] for name in layer_names]
    activations = right.layer_activations(model, image, before)
    return {name: activations[other] for name, other in zip(layer_names, before, strict=True)}
