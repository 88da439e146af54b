"""Feeds the negative of the image: bright and dark are exchanged.

Technique: layer_activations
Kind: input
Hint: hand the image to the network as it is loaded, through model.preprocess_input and nothing
    else.
"""

from collections.abc import Sequence

import keras

from reference import layer_activations as right
from reference.graph import Floats
from reference.layer_activations import Images
from reference.submission import *  # noqa: F403


def layer_activations(  # type: ignore[no-redef]
    model: keras.Model, image: Images, layer_names: Sequence[str]
) -> dict[str, Floats]:
    return right.layer_activations(model, 255 - image, layer_names)
