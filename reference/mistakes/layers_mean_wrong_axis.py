"""Averages each class over the pixels as well as over the images.

Technique: layer_activations
Hint: average over the axis of the images only, axis 0 of the activations of a class.
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
    means = right.mean_activations(model, images, labels, layer_name)
    return np.asarray(means.mean(axis=tuple(range(1, means.ndim - 1))), "float32")
