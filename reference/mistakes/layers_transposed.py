"""Swaps rows and columns of each map.

Technique: layer_activations
Kind: presentation
Hint: the axes of a map are rows, columns, filters, as the layer gives them.
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
    return {name: np.swapaxes(a, 0, -2) if a.ndim > 1 else a for name, a in activations.items()}
