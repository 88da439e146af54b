"""Asks for every layer at once and returns them all, as tensors.

Technique: layer_activations
"""

from collections.abc import Sequence

import keras
import numpy as np

from reference.layer_activations import Images
from reference.submission import *  # noqa: F403


def layer_activations(  # type: ignore[no-redef]
    model: keras.Model, image: Images, layer_names: Sequence[str]
) -> dict[str, object]:
    asked = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    everything = keras.Model(model.inputs, {layer.name: layer.output for layer in asked})
    activations = everything([model.preprocess_input(image[np.newaxis])], training=False)
    return {name: values[0] for name, values in activations.items()}
