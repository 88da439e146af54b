"""Takes the maximum over the images of a class instead of their average.

Technique: layer_activations
Hint: take np.mean over the images of each class.
"""

import keras
import numpy as np

from reference.graph import Floats
from reference.layer_activations import Images, Integers
from reference.submission import *  # noqa: F403


def mean_activations(  # type: ignore[no-redef]
    model: keras.Model, images: Images, labels: Integers, layer_name: str
) -> Floats:
    layer = keras.Model(model.inputs, model.get_layer(layer_name).output)
    activations = layer.predict(model.preprocess_input(images), verbose=0)
    classes = range(model.outputs[0].shape[-1])
    return np.asarray([activations[labels == label].max(axis=0) for label in classes], "float32")
