"""Returns the index of a class where its name is asked.

Technique: top_predictions
Kind: presentation
Hint: use model.decode_predictions(probabilities, top=k) to get the names.
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> list[tuple[int, float]]:
    probabilities = np.asarray(model(model.preprocess_input(image[np.newaxis]), training=False))[0]
    order = np.argsort(-probabilities, kind="stable")[:k]
    return [(int(index), float(probabilities[index])) for index in order]
