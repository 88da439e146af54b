"""A submission that leaves the work to tf-keras-vis: Gradcam and ActivationMaximization."""

import random

import keras
import numpy as np
from tf_keras_vis.activation_maximization import ActivationMaximization
from tf_keras_vis.activation_maximization.regularizers import TotalVariation2D
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.utils.model_modifiers import GuidedBackpropagation, ReplaceToLinear
from tf_keras_vis.utils.scores import CategoricalScore


def class_activation_map(model, image, class_index, layer_name, modifier=None):
    modifiers = [ReplaceToLinear()]
    if modifier == "guided":
        modifiers.append(GuidedBackpropagation())
    gradcam = Gradcam(model, model_modifier=modifiers, clone=True)
    batch = model.preprocess_input(image[np.newaxis])
    maps = gradcam(
        CategoricalScore([int(class_index)]),
        np.asarray(batch),
        penultimate_layer=layer_name,
        # By default it goes back to the nearest convolution, before its batch normalisation.
        seek_penultimate_conv_layer=False,
    )
    return np.asarray(maps[0])


def maximize_activation(model, layer_name, filter_indices, tv_weight, seed):
    random.seed(seed)
    np.random.seed(seed)
    keras.utils.set_random_seed(seed)
    low, high = model.input_range
    shape = model.inputs[0].shape[1:]
    noise = np.random.default_rng(seed).standard_normal((1, *shape))
    start = ((low + high) / 2 + 0.05 * (high - low) * noise).astype("float32")

    def score(output):
        return [sum(one[index] for index in filter_indices) for one in output]

    maximizer = ActivationMaximization(model, model_modifier=ReplaceToLinear(), clone=True)
    found = maximizer(
        score,
        seed_input=start,
        input_range=(low, high),
        steps=200,
        input_modifiers=[],  # its Jitter moves the image, but not what Adam remembers of it
        regularizers=[TotalVariation2D(weight=float(tv_weight))],
        optimizer=keras.optimizers.Adam(0.005 * (high - low)),
    )
    return np.asarray(found[0])
