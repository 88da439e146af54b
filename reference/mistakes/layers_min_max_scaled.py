"""Scales each layer to 0 to 1.

Technique: layer_activations
Kind: presentation
Hint: return the activations themselves; scale them only where you draw them.
"""

from collections.abc import Sequence

import keras
import numpy as np

from reference import layer_activations as right
from reference.graph import Floats
from reference.layer_activations import Images
from reference.submission import *  # noqa: F403


def _scaled(values: Floats) -> Floats:
    scaled: Floats = (values - values.min()) / max(float(np.ptp(values)), 1e-12)
    return scaled


def layer_activations(  # type: ignore[no-redef]
    model: keras.Model, image: Images, layer_names: Sequence[str]
) -> dict[str, Floats]:
    activations = right.layer_activations(model, image, layer_names)
    return {name: _scaled(values) for name, values in activations.items()}
