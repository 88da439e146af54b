"""Preprocesses the image twice.

Technique: layer_activations
Kind: input
Hint: call model.preprocess_input exactly once; the functions are given images as loaded from
    disk.
"""

from collections.abc import Sequence

import keras
import numpy as np

from reference.graph import Floats
from reference.layer_activations import Images
from reference.submission import *  # noqa: F403


def layer_activations(  # type: ignore[no-redef]
    model: keras.Model, image: Images, layer_names: Sequence[str]
) -> dict[str, Floats]:
    outputs = {name: model.get_layer(name).output for name in layer_names}
    batch = model.preprocess_input(model.preprocess_input(image[np.newaxis]))
    activations = keras.Model(model.inputs, outputs)([batch], training=False)
    return {name: np.asarray(activations[name][0], "float32") for name in layer_names}
