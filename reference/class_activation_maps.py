"""Class activation maps: Grad-CAM, and what becomes of it when ReLUs guide the gradient.

Selvaraju et al., "Grad-CAM: Visual explanations from deep networks via gradient-based
localization", ICCV 2017 (arXiv:1610.02391). For the score y^c of class c before the softmax and
the feature maps A^k of a layer, Z pixels each:

    α_k^c = 1/Z Σ_ij ∂y^c / ∂A^k_ij              (1)
    L^c   = ReLU(Σ_k α_k^c A^k)                  (2)

The modifiers change how a gradient passes a ReLU y = max(x, 0) between the layer and the score:

    None       dy · [y > 0]              the chain rule
    guided     dy · [y > 0] · [dy > 0]   Springenberg et al. 2015, arXiv:1412.6806, figure 1
    rectified  dy · [dy > 0]             Zeiler and Fergus 2014, arXiv:1311.2901 ("deconvnet")

"guided" here follows the lab and keras-vis: equations 1 and 2 on guided gradients. It is not the
"Guided Grad-CAM" of Selvaraju et al., section 3.2, the product of two pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from harness.errors import suggest
from reference.graph import Activation, Floats, check_indices, find_layer, logits


@tf.custom_gradient  # type: ignore[untyped-decorator]
def guided_relu(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """ReLU that passes back only what is positive, and only where its output is."""
    y = tf.nn.relu(x)
    return y, lambda dy: tf.nn.relu(dy) * tf.cast(y > 0, dy.dtype)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def rectified_relu(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """ReLU that passes back only what is positive, whatever its output."""
    return tf.nn.relu(x), tf.nn.relu


MODIFIERS: Mapping[str | None, Activation | None] = {
    None: None,
    "guided": guided_relu,
    "rectified": rectified_relu,
    "deconv": rectified_relu,
}


def class_activation_map(
    model: keras.Model,
    image: npt.NDArray[np.uint8],
    class_index: int,
    layer_name: str,
    modifier: str | None = None,
) -> Floats:
    """Where a layer saw what speaks for a class in one image.

    Args:
        model: ends in softmax, with `preprocess_input`.
        image: (H, W, C) uint8, as loaded from disk.
        class_index: the class to explain, whatever the network predicts.
        layer_name: a layer with feature maps, usually the last convolution.
        modifier: None, "guided", or "rectified" ("deconv" is another name for it).

    Returns:
        (h, w) float32, the layer's size, at least 0, not scaled.

    Raises:
        ValueError: unknown layer or modifier, a class out of range, a layer without feature maps,
            or a model that does not end in softmax.
    """
    batch = model.preprocess_input(image[np.newaxis])
    result: Floats = grad_cam(model, batch, [class_index], layer_name, modifier)[0]
    return result


def grad_cam(
    model: keras.Model,
    batch: npt.NDArray[np.float32],
    class_indices: Sequence[int],
    layer_name: str,
    modifier: str | None = None,
) -> Floats:
    """Grad-CAM of many images at once, each for a class of its own.

    Args:
        model: ends in softmax.
        batch: (n, H, W, C) float32, network input: already preprocessed.
        class_indices: n classes.
        layer_name: see `class_activation_map`, also for the errors.
        modifier: see `class_activation_map`.

    Returns:
        (n, h, w) float32, the layer's size, at least 0, not scaled.
    """
    _check(model, batch, class_indices, layer_name, modifier)
    features = None

    def watch(name: str, output: tf.Tensor) -> None:
        nonlocal features
        if name == layer_name:
            tape.watch(output)
            features = output

    # Only what comes after the watched layer is recorded: the ReLUs before it cannot matter.
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        scores = logits(
            model, tf.constant(batch, "float32"), relu=MODIFIERS[modifier], observe=watch
        )
        chosen = tf.gather(scores, tf.constant(class_indices, "int32"), batch_dims=1)
    gradients = tape.gradient(chosen, features)
    weights = tf.reduce_mean(gradients, axis=(1, 2))  # equation 1
    maps = tf.nn.relu(tf.einsum("nhwk,nk->nhw", features, weights))  # equation 2
    return np.asarray(maps, "float32")


def _check(
    model: keras.Model,
    batch: npt.NDArray[np.float32],
    class_indices: Sequence[int],
    layer_name: str,
    modifier: str | None,
) -> None:
    if modifier not in MODIFIERS:
        raise ValueError(f"no modifier {modifier!r}; {suggest(modifier, MODIFIERS)}")
    shape = tuple(find_layer(model, layer_name).output.shape[1:])
    if len(shape) != 3:
        raise ValueError(
            f"layer {layer_name!r} has outputs of shape {shape}; expected feature maps "
            "(height, width, filters)"
        )
    if len(class_indices) != len(batch):
        raise ValueError(
            f"found {len(class_indices)} class indices for {len(batch)} images; expected one each"
        )
    check_indices("class index", class_indices, model.outputs[0].shape[-1])
