"""TensorFlow's registry of gradients guides the ReLUs, within tf.function.

Technique: class_activation_maps
"""

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, linear_copy


@tf.RegisterGradient("GuidedRelu")  # type: ignore[untyped-decorator]
def _guided(operation: tf.Operation, gradient: tf.Tensor) -> tf.Tensor:
    passes = (gradient > 0) & (operation.outputs[0] > 0)
    return tf.where(passes, gradient, tf.zeros_like(gradient))


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> npt.NDArray[np.float16]:
    network = linear_copy(model)
    outputs = [network.get_layer(layer_name).output, network.outputs[0]]
    both = keras.Model(network.inputs, outputs)
    replaced = {"Relu": "GuidedRelu"} if modifier == "guided" else {}

    @tf.function  # type: ignore[untyped-decorator]
    def compiled(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.compat.v1.get_default_graph().gradient_override_map(replaced):
            features, scores = both(batch, training=False)
            [gradients] = tf.gradients(scores[:, class_index], features)
        return features[0], gradients[0]

    features, gradients = compiled(tf.constant(model.preprocess_input(image[np.newaxis])))
    weights = np.einsum("ijc->c", gradients) / np.prod(gradients.shape[:2])
    return np.asarray(np.einsum("ijc,c->ij", features, weights).clip(0), "float16")
