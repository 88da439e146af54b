"""Feeds the colour channels in the order blue, green, red.

Technique: top_predictions
Kind: input
Hint: keep the order red, green, blue: images come as RGB, and model.preprocess_input expects that.
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> list[tuple[str, float]]:
    batch = model.preprocess_input(image[np.newaxis, ..., ::-1])
    [best] = model.decode_predictions(np.asarray(model(batch, training=False)), top=k)
    return [(name, probability) for _, name, probability in best]
