"""What decode_predictions returns: triples with a batch axis.

Technique: top_predictions
"""

from typing import Any

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> Any:
    batch = model.preprocess_input(np.expand_dims(image, axis=0))
    return model.decode_predictions(model.predict(batch, verbose=0), top=k)
