"""Shows the network another image than the one given: a mirrored one.

Technique: layer_activations
Kind: input
Hint: check which array goes into the network: it must be the image of the call, neither flipped
    nor left over from an earlier call.
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
    return right.layer_activations(model, image[:, ::-1], layer_names)
