"""The dominant filters with ties going to the highest index; a dict per class.

Technique: layer_activations
"""

import keras
import numpy as np
import numpy.typing as npt

from reference.layer_activations import Images, Integers
from reference.submission import *  # noqa: F403


def dominant_filters(  # type: ignore[no-redef]
    model: keras.Model, images: Images, labels: Integers, layer_name: str
) -> dict[int, npt.NDArray[np.int64]]:
    layer = keras.Model(model.inputs, model.get_layer(layer_name).output)
    activations = layer.predict(model.preprocess_input(images), verbose=0)
    filters = activations.shape[-1]
    strongest = filters - 1 - activations[..., ::-1].argmax(axis=-1)
    dominant = {}
    for label in range(model.outputs[0].shape[-1]):
        votes = [(strongest[labels == label] == index).sum(axis=0) for index in range(filters)]
        dominant[label] = filters - 1 - np.argmax(votes[::-1], axis=0)
    return dominant
