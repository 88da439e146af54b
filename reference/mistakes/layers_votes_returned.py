"""Returns how often the winning filter wins, not which one it is.

Technique: layer_activations
Hint: take argmax of the votes over the filters, not their maximum.
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
    votes = right.dominant_filter_votes(model, images, labels, layer_name)
    return np.asarray(votes.max(axis=-1), "int64")
