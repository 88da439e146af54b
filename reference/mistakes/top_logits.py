"""Returns logits where probabilities are asked.

Technique: top_predictions
Kind: presentation
Hint: return the output of the softmax, between 0 and 1, not the scores before it.
"""

import keras
import numpy as np

from reference.graph import logits
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> list[tuple[str, float]]:
    scores = np.asarray(logits(model, model.preprocess_input(image[np.newaxis])))
    [best] = model.decode_predictions(scores, top=k)
    return [(name, score) for _, name, score in best]
