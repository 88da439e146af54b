"""Applies a softmax to the probabilities once more.

Technique: top_predictions
Hint: the model ends in softmax already: its output is the probabilities.
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> list[tuple[str, float]]:
    powers = np.exp(np.asarray(model(model.preprocess_input(image[np.newaxis]), training=False)))
    [best] = model.decode_predictions(powers / powers.sum(), top=k)
    return [(name, probability) for _, name, probability in best]
