"""Returns the filters on the first axis instead of the last.

Technique: layer_activations
Kind: presentation
Hint: return (height, width, filters), as Keras gives it: no transpose.
"""

from collections.abc import Sequence

import keras
import numpy as np

from reference import layer_activations as right
from reference.graph import Floats
from reference.layer_activations import Images
from reference.submission import *  # noqa: F403


def layer_activations(  # type: ignore[no-redef]
    model: keras.Model, image: Images, layer_names: Sequence[str]
) -> dict[str, Floats]:
    activations = right.layer_activations(model, image, layer_names)
    return {name: np.moveaxis(values, -1, 0) for name, values in activations.items()}
