"""A submission that leaves the work to tf-explain: its GradCAM on a network with linear output."""

import keras
import numpy as np
from tf_explain.core.grad_cam import GradCAM


def class_activation_map(model, image, class_index, layer_name, modifier=None):
    linear = keras.models.clone_model(model)
    linear.set_weights(model.get_weights())
    linear.layers[-1].activation = keras.activations.linear
    batch = np.asarray(model.preprocess_input(image[np.newaxis]))
    outputs, gradients = GradCAM.get_gradients_and_filters(
        linear, batch, layer_name, int(class_index), modifier == "guided"
    )
    [found] = GradCAM.generate_ponderated_output(outputs, gradients)
    return np.asarray(found)
