"""Activation maximization: the input that most excites chosen outputs of a layer.

Simonyan, Vedaldi and Zisserman, "Deep inside convolutional networks", 2013 (arXiv:1312.6034),
section 2, ascend the score of a class before the softmax. The regularisers are those of keras-vis
0.5 (after Mahendran and Vedaldi 2016, arXiv:1512.02017), and the weights mean what they mean there.
With u = (x - low) / (high - low), the image scaled to 0 to 1, of H·W·C values:

    loss(x) = - Σ_i mean(a_i(x)) + lp_norm_weight · ‖u - 1/2‖_6 / HWC
                                 + tv_weight · Σ ((u_y+1,x - u_y,x)² + (u_y,x+1 - u_y,x)²) / HWC

where a_i is the logit i, or the map of filter i and the mean goes over its positions. The image
starts as weak noise at mid-range, is shifted at random before every look at it, and descends by
RMSProp on the gradient divided by its L2 norm.

Where we depart from keras-vis: u instead of x, so that a weight means the same for every input
range; and u is clipped to 0 to 1 at each step. keras-vis lets x leave the range and rescales the
result for display; but such an image, cut back into the range, is not the one that was optimised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from reference.graph import Floats, check_indices, find_layer, logits

Activations = Callable[[tf.Tensor], tf.Tensor]

_NOISE_SPREAD = 0.05  # standard deviation of the first image, of the input range
_NORM_ORDER = 6
_LEARNING_RATE = 0.05  # of the input range; RMSProp moves a pixel by about this much per step
_DECAY = 0.95
_EPSILON = 1e-7


@dataclass(frozen=True)
class Objective:
    """What is minimised, for n images at once.

    Attributes:
        activations: network input (n, H, W, C) → mean activation of each unit (n, units).
        wanted: (n, units) float32, how often each unit is a target.
        tv_weights: (n,) float32.
        lp_norm_weight: one for all.
        input_range: low and high of the network input.
    """

    activations: Activations
    wanted: tf.Tensor
    tv_weights: tf.Tensor
    lp_norm_weight: float
    input_range: tuple[float, float]

    def loss(self, unit_images: tf.Tensor) -> tf.Tensor:
        """(n,) losses of images (n, H, W, C) scaled to 0 to 1."""
        low, high = self.input_range
        activations = self.activations(low + (high - low) * unit_images)
        score = tf.reduce_sum(activations * self.wanted, axis=1)
        norm = self.lp_norm_weight * lp_norm(unit_images)
        return norm + self.tv_weights * total_variation(unit_images) - score


def total_variation(unit_images: tf.Tensor) -> tf.Tensor:
    """(n,) sums of squared differences between neighbours, over H·W·C (keras-vis, β = 2)."""
    down = unit_images[:, 1:] - unit_images[:, :-1]
    right = unit_images[:, :, 1:] - unit_images[:, :, :-1]
    total = tf.reduce_sum(down**2, axis=(1, 2, 3)) + tf.reduce_sum(right**2, axis=(1, 2, 3))
    return total / _size(unit_images)


def lp_norm(unit_images: tf.Tensor) -> tf.Tensor:
    """(n,) L^6 norms of the distance from mid-range, over H·W·C: no pixel at the extremes."""
    powers = tf.reduce_sum((unit_images - 0.5) ** _NORM_ORDER, axis=(1, 2, 3))
    return (powers + _EPSILON) ** (1 / _NORM_ORDER) / _size(unit_images)


def _size(images: tf.Tensor) -> float:
    return float(np.prod(images.shape[1:]))


def maximize_activation(
    model: keras.Model,
    layer_name: str,
    filter_indices: int | Sequence[int],
    tv_weight: float,
    seed: int,
) -> Floats:
    """The image that most excites one output of a layer, or the sum of several.

    Args:
        model: ends in softmax, with `input_range`.
        layer_name: the last layer, whose logits count, or any other with activations.
        filter_indices: classes, units or filters of the layer.
        tv_weight: weight of the total variation: the higher, the smoother.
        seed: the same seed gives the same image.

    Returns:
        (H, W, C) float32, network input, within `model.input_range`.

    Raises:
        ValueError: unknown layer, an index out of range, or a model that does not end in softmax.
    """
    indices = tuple(int(index) for index in np.atleast_1d(filter_indices))
    image: Floats = maximize(model, layer_name, [indices], [tv_weight], seed=seed)[0]
    return image


def maximize(
    model: keras.Model,
    layer_name: str,
    targets: Sequence[tuple[int, ...]],
    tv_weights: Sequence[float],
    *,
    seed: int,
    lp_norm_weight: float = 10.0,
    iterations: int = 200,
    jitter: int = 1,
) -> Floats:
    """Images for a whole sweep at once, all from the same start and with the same shifts.

    Args:
        model: see `maximize_activation`, also for `layer_name`, `seed` and the errors.
        layer_name: the layer of the targets.
        targets: n tuples of indices, n at least 1; the activations of a tuple are summed.
        tv_weights: n weights.
        seed: of the start and the shifts.
        lp_norm_weight: weight of the L^6 norm.
        iterations: number of steps.
        jitter: the largest shift, in pixels.

    Returns:
        (n, H, W, C) float32 within `model.input_range`.
    """
    if len(targets) != len(tv_weights):
        raise ValueError(
            f"found {len(tv_weights)} tv_weights for {len(targets)} targets; expected one each"
        )
    units = int(find_layer(model, layer_name).output.shape[-1])
    low, high = model.input_range
    objective = Objective(
        activations=lambda batch: _mean_activations(model, layer_name, batch),
        wanted=tf.constant(_wanted(targets, units)),
        tv_weights=tf.constant(tv_weights, "float32"),
        lp_norm_weight=lp_norm_weight,
        input_range=(low, high),
    )
    start, shifts = _start_and_shifts(tuple(model.inputs[0].shape[1:]), seed, iterations, jitter)
    best = _descend(objective, tf.constant(np.stack([start] * len(targets))), tf.constant(shifts))
    # Rounding may lead out of the range by the last bit: scaled in float64, then cut.
    images: Floats = (low + (high - low) * np.float64(best)).clip(low, high).astype("float32")
    return images


def _start_and_shifts(
    shape: tuple[int, ...], seed: int, iterations: int, jitter: int
) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Weak noise (H, W, C) around mid-range, and a shift (down, right) for each iteration."""
    random = np.random.default_rng(seed)
    noise = 0.5 + _NOISE_SPREAD * random.standard_normal(shape)
    shifts = random.integers(-jitter, jitter + 1, (iterations, 2))
    return noise.clip(0, 1).astype("float32"), shifts.astype("int32")


def _descend(objective: Objective, start: tf.Tensor, shifts: tf.Tensor) -> tf.Tensor:
    """The images of the lowest losses on the way down, as the network saw them: shifted."""

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def compiled(images: tf.Tensor, shifts: tf.Tensor) -> tf.Tensor:
        def step(
            shift: tf.Tensor, images: tf.Tensor, cache: tf.Tensor, best: tf.Tensor, low: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            images = tf.roll(images, shift, (1, 2))
            loss, gradient = _loss_and_gradient(objective, images)
            better = loss < low
            best = tf.where(better[:, None, None, None], images, best)
            cache = _DECAY * tf.roll(cache, shift, (1, 2)) + (1 - _DECAY) * gradient**2
            moved = images - _LEARNING_RATE * gradient / tf.sqrt(cache + _EPSILON)
            images = tf.clip_by_value(moved, 0.0, 1.0)
            back = tf.roll(images, -shift, (1, 2)), tf.roll(cache, -shift, (1, 2))
            return (*back, best, tf.minimum(loss, low))

        count = tf.shape(shifts)[0]
        infinite = tf.fill(tf.shape(images)[:1], np.inf)
        *_, best, _ = tf.while_loop(
            lambda i, *_: i < count,
            lambda i, *state: (i + 1, *step(shifts[i], *state)),
            (0, images, tf.zeros_like(images), images, infinite),
        )
        return best

    return compiled(start, shifts)


def _loss_and_gradient(objective: Objective, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """(n,) losses, and gradients of the length 1 for each image."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        loss = objective.loss(images)
    gradient = tape.gradient(loss, images)
    return loss, tf.math.l2_normalize(gradient, axis=(1, 2, 3))


def _mean_activations(model: keras.Model, layer_name: str, batch: tf.Tensor) -> tf.Tensor:
    """(n, units): what a layer puts out, logits instead of softmax, averaged over positions."""
    outputs: dict[str, tf.Tensor] = {}
    logits(model, batch, observe=outputs.__setitem__)
    output = outputs[layer_name]
    return tf.reduce_mean(output, axis=tuple(range(1, len(output.shape) - 1)))


def _wanted(targets: Sequence[tuple[int, ...]], units: int) -> npt.NDArray[np.float32]:
    wanted = np.zeros((len(targets), units), "float32")
    for row, target in zip(wanted, targets, strict=True):
        check_indices("filter index", target, units)
        np.add.at(row, list(target), 1.0)
    return wanted
