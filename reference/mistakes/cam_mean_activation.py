"""Averages the activations over the channels and uses no gradient at all.

Technique: class_activation_maps
Hint: weigh each channel by its averaged gradient: the map must change with the class.
"""

import keras
import numpy as np

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    features, _ = activations_and_gradients(model, image, class_index, layer_name, modifier)
    return np.asarray(features.mean(axis=-1))
