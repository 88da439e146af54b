"""Feeds the pixels from 0 to 255 without preprocessing.

Technique: layer_activations
Kind: input
Hint: call model.preprocess_input once on the batch before the network sees it.
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
    batch = image[np.newaxis].astype("float32")
    activations = keras.Model(model.inputs, outputs)([batch], training=False)
    return {name: np.asarray(activations[name][0], "float32") for name in layer_names}
