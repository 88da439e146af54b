"""Feeds the pixels from 0 to 255 without preprocessing.

Technique: top_predictions
Kind: input
Hint: call model.preprocess_input once on the batch before the network sees it.
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> list[tuple[str, float]]:
    batch = image[np.newaxis].astype("float32")
    [best] = model.decode_predictions(np.asarray(model(batch, training=False)), top=k)
    return [(name, probability) for _, name, probability in best]
