"""Preprocesses the image twice.

Technique: top_predictions
Kind: input
Hint: call model.preprocess_input exactly once; the functions are given images as loaded from
    disk.
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> list[tuple[str, float]]:
    batch = model.preprocess_input(model.preprocess_input(image[np.newaxis]))
    [best] = model.decode_predictions(np.asarray(model(batch, training=False)), top=k)
    return [(name, probability) for _, name, probability in best]
