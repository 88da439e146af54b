"""Finds the weakest filter instead of the strongest.

Technique: layer_activations
Hint: use argmax over the filters, the last axis.
"""

import keras
import numpy as np
import numpy.typing as npt

from reference.layer_activations import Images, Integers
from reference.submission import *  # noqa: F403


def dominant_filters(  # type: ignore[no-redef]
    model: keras.Model, images: Images, labels: Integers, layer_name: str
) -> npt.NDArray[np.int64]:
    layer = keras.Model(model.inputs, model.get_layer(layer_name).output)
    activations = layer.predict(model.preprocess_input(images), verbose=0)
    weakest = activations.argmin(axis=-1)
    filters = activations.shape[-1]
    classes = range(model.outputs[0].shape[-1])
    votes = [np.eye(filters)[weakest[labels == label]].sum(axis=0) for label in classes]
    return np.asarray(np.stack(votes).argmax(axis=-1), "int64")
