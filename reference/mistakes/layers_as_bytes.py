"""Returns the activations as bytes: fractions are lost.

Technique: layer_activations
Kind: presentation
Hint: return the activations as floats; make bytes only of what you draw.
"""

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt

from reference import layer_activations as right
from reference.layer_activations import Images
from reference.submission import *  # noqa: F403


def layer_activations(  # type: ignore[no-redef]
    model: keras.Model, image: Images, layer_names: Sequence[str]
) -> dict[str, npt.NDArray[np.uint8]]:
    activations = right.layer_activations(model, image, layer_names)
    return {name: np.clip(a, 0, 255).astype("uint8") for name, a in activations.items()}
