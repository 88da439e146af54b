"""Counts the filters from 1.

Technique: layer_activations
Kind: presentation
Hint: filters are counted from 0, as argmax does.
"""

import keras
import numpy as np
import numpy.typing as npt

from reference import layer_activations as right
from reference.layer_activations import Images, Integers
from reference.submission import *  # noqa: F403


def dominant_filters(  # type: ignore[no-redef]
    model: keras.Model, images: Images, labels: Integers, layer_name: str
) -> npt.NDArray[np.int64]:
    return right.dominant_filters(model, images, labels, layer_name) + 1
