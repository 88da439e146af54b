"""Returns the right classes in the order of their indices, not of their probabilities.

Technique: top_predictions
Kind: presentation
Hint: sort by probability, highest first; argpartition alone does not sort.
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> list[tuple[str, float]]:
    probabilities = np.asarray(model(model.preprocess_input(image[np.newaxis]), training=False))
    [best] = model.decode_predictions(probabilities, top=k)
    # Falling scores make decode_predictions list every class in the order of its index.
    falling = -np.arange(probabilities.size, dtype="float32")[np.newaxis]
    [every] = model.decode_predictions(falling, top=probabilities.size)
    places = {name: place for place, (_, name, _) in enumerate(every)}
    return sorted(((name, p) for _, name, p in best), key=lambda pair: places[pair[0]])
