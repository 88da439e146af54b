"""Makes bytes of a map that goes from 0 to 1: all but its maximum becomes 0.

Technique: class_activation_maps
Kind: presentation
Hint: multiply by 255 before you make bytes of the map, or return it as floats.
"""

import keras
import numpy as np
import numpy.typing as npt

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> npt.NDArray[np.uint8]:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    return np.asarray(heatmap / (heatmap.max() or 1), "uint8")
