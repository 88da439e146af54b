"""Returns a real picture of the class instead of making an image.

Technique: activation_maximization
Hint: start from noise and climb the gradient; a picture from the data set does not show what the
    network looks for.
"""

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt
from PIL import Image

from harness.errors import UsageError
from harness.student import load_image
from reference.graph import Floats
from reference.submission import *  # noqa: F403


def maximize_activation(  # type: ignore[no-redef]
    model: keras.Model,
    layer_name: str,
    filter_indices: Sequence[int],
    tv_weight: float,
    seed: int,
) -> Floats:
    height, width, channels = model.inputs[0].shape[1:]
    picture = _picture(f"digit{np.atleast_1d(filter_indices)[0]}" if channels == 1 else "soccer01")
    sized = Image.fromarray(picture).convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(sized.resize((width, height))).reshape(1, height, width, -1)
    image: Floats = model.preprocess_input(np.resize(pixels, (1, height, width, channels)))[0]
    return image


def _picture(name: str) -> npt.NDArray[np.uint8]:
    try:
        return load_image(name).squeeze()
    except UsageError:  # another lab
        return np.asarray(Image.radial_gradient("L"))
