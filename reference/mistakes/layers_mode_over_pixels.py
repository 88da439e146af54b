"""Takes the mode over the pixels too: one filter for the whole map of a class.

Technique: layer_activations
Hint: take the mode over the images of a class, for each pixel on its own.
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
    winners = votes.sum(axis=tuple(range(1, votes.ndim - 1))).argmax(axis=-1)
    shape = (-1,) + (1,) * (votes.ndim - 2)
    return np.broadcast_to(winners.reshape(shape), votes.shape[:-1]).astype("int64")
