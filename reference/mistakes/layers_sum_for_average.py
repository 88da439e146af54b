"""Adds up the activations of each class without dividing.

Technique: layer_activations
Hint: divide the sum of each class by the number of its images.
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
    counts = np.bincount(labels, minlength=len(means))
    return np.asarray([mean * count for mean, count in zip(means, counts, strict=True)], "float32")
