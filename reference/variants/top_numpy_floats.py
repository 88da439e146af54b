"""NumPy floats in lists, in float64 by way of the logits.

Technique: top_predictions
"""

from typing import Any

import keras
import numpy as np

from reference.graph import logits
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> list[list[Any]]:
    scores = np.float64(logits(model, model.preprocess_input(image[np.newaxis])))
    powers = np.exp(scores - scores.max())
    [best] = model.decode_predictions(powers / powers.sum(), top=k)
    return [[name, np.float32(probability)] for _, name, probability in best]
