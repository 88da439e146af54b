"""One sub-model of many outputs; the batch axis of one is kept.

Technique: layer_activations
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
    outputs = [model.get_layer(name).output for name in layer_names]
    batch = model.preprocess_input(np.expand_dims(image, 0).astype("float32"))
    values = keras.Model(model.inputs, outputs)([batch], training=False)
    values = values if isinstance(values, list | tuple) else [values]
    return {name: np.asarray(value) for name, value in zip(layer_names, values, strict=True)}
