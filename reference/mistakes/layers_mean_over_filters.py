"""Averages the filters of each class into one map.

Technique: layer_activations
Hint: average over the images of each class, and keep one average map for each filter.
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
    return np.asarray(means.mean(axis=-1, keepdims=True), "float32")
