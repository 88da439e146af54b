"""Averages over the whole data set for every class alike.

Technique: layer_activations
Hint: select the images of one class, labels == class, before you average.
"""

import keras
import numpy as np

from reference import layer_activations as right
from reference.graph import Floats
from reference.layer_activations import Images, Integers
from reference.submission import *  # noqa: F403


def mean_activations(  # type: ignore[no-redef]
    model: keras.Model, images: Images, labels: Integers, layer_name: str
) -> Floats:
    everything = right.mean_activations(model, images, np.zeros_like(labels), layer_name)
    return np.stack([everything[0]] * len(everything))
