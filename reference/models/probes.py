"""Probes: tiny random networks and images on which wrong work differs strongly from correct work.

Handsome photographs hide mistakes; these show them. The weights are signed, so that a missing ReLU
or an absolute value counts; the outputs are saturated, so that the softmax's gradient is not the
logit's; the maps are not square; the colours matter; dropout and batch normalisation make training
mode visible; a dense head stands behind the last map, so that guided differs from vanilla.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from harness.metrics.heatmaps import correlation, to_grid
from harness.models import PREPROCESSINGS
from reference.class_activation_maps import grad_cam
from reference.models.presentations import fairness
from reference.variants._cam import activations_and_gradients

NAMES = ("alder", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak", "pine")
CLASSES: tuple[tuple[str, str], ...] = tuple((f"tree_{name}", name) for name in NAMES)
SIZES = ((24, 36), (40, 28), (28, 44))
LOGITS_SPREAD = 6.0
# The least correlation of a map with itself, the ReLU taken after the enlargement instead.
ROBUST = 0.94
_USELESS = -1.0


@dataclass(frozen=True)
class Probe:
    """A random network and the preprocessing it goes with."""

    model: keras.Model
    preprocessing: str

    def preprocess(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Network input for uint8 images (n, H, W, 3)."""
        applied = PREPROCESSINGS[self.preprocessing].apply(np.asarray(images, "float32"))
        return np.asarray(applied, "float32")


@dataclass(frozen=True)
class Question:
    """A heatmap to ask for: image (by number), class, layer and modifier."""

    image: int
    class_index: int
    layer_name: str
    modifier: str | None


def draw_probe(rng: np.random.Generator, *, normalised: bool, size: tuple[int, int]) -> Probe:
    """A random network of three blocks and a dense head, ten classes.

    Args:
        rng: all that is random comes from it.
        normalised: with batch normalisation between each convolution and its ReLU; its input is
            then preprocessed as "caffe", else as "tf".
        size: height and width of its images.
    """
    preprocessing = "caffe" if normalised else "tf"
    model = _build(size, normalised=normalised)
    spread = 60.0 if preprocessing == "caffe" else 0.5  # of the pixels as the network takes them
    for layer in model.layers:
        weights = [np.asarray(weight) for weight in layer.weights]
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights(_random_statistics(rng, weights[0].shape))
        elif weights:
            kernel = weights[0]
            fan_in = float(np.prod(kernel.shape[:-1]))
            drawn = [rng.normal(0, np.sqrt(2 / fan_in) / spread, kernel.shape)]
            drawn += [rng.normal(0, 0.2, bias.shape) for bias in weights[1:]]
            layer.set_weights(drawn)
            spread = 1.0
    probe = Probe(model, preprocessing)
    _spread_logits(probe, rng)
    return probe


def draw_image(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Coloured blobs and stripes with noise, (H, W, 3) uint8."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    pixels = np.ones((*size, 3)) * rng.uniform(60, 190, 3)
    for _ in range(6):
        centre = rng.uniform(0, 1, 2) * size
        width = rng.uniform(2.5, 6)
        distance = ((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / (2 * width**2)
        pixels += np.exp(-distance)[..., None] * rng.uniform(-170, 170, 3)
    angle, period = rng.uniform(0, np.pi), rng.uniform(4, 9)
    wave = np.sin(2 * np.pi * (rows * np.sin(angle) + columns * np.cos(angle)) / period)
    window = np.exp(-(((columns / size[1]) - rng.uniform(0.2, 0.8)) ** 2) / 0.04)
    pixels += (wave * window)[..., None] * rng.uniform(-70, 70, 3)
    pixels += rng.normal(0, 10, pixels.shape)
    return np.asarray(pixels.round().clip(0, 255), "uint8")


def ask(
    probe: Probe,
    images: NDArray[np.uint8],
    layers: Sequence[str],
    modifiers: Sequence[str | None],
    rng: np.random.Generator,
) -> list[Question]:
    """One heatmap to ask for per layer and modifier, where mistakes show and correct work agrees.

    Its map has support (neither nearly empty nor nearly everywhere), is another one than that of
    the other modifier, of the most probable class and of the next class, and is nearly the same
    whether the ReLU comes before the enlargement or after it, and whatever enlarges it. Of 60
    draws the one that differs most from the others is taken; if none will do, of all.

    Args:
        probe: the network.
        images: (n, H, W, 3) uint8.
        layers: names of layers with feature maps, one question each.
        modifiers: as many modifiers.
        rng: draws.
    """
    batch = probe.preprocess(images)
    top = probe.model.predict(batch, verbose=0).argmax(axis=1)
    questions = []
    for layer, modifier in zip(layers, modifiers, strict=True):
        maps = {mode: _maps(probe, batch, layer, mode) for mode in (None, "guided")}
        drawn = rng.integers((0, 0), (len(images), len(NAMES)), size=(60, 2)).tolist()
        asked = _most_different(maps, modifier, layer, top, drawn)
        fair = next((one for one in asked if _is_fair(probe, batch, one)), None)
        if fair is None:  # where none of those drawn will do, any may
            every = list(np.ndindex(len(images), len(NAMES)))
            others = _most_different(maps, modifier, layer, top, every)
            fair = next((one for one in others if _is_fair(probe, batch, one)), asked[0])
        questions.append(fair)
    return questions


def _most_different(
    maps: Mapping[str | None, NDArray[np.float32]],
    modifier: str | None,
    layer: str,
    top: NDArray[np.int64],
    pairs: Sequence[Sequence[int]],
) -> list[Question]:
    """Questions of images and classes, the most different first; useless ones only if all are."""
    difference = {tuple(pair): _difference(maps, modifier, top, *pair) for pair in pairs}
    ordered = sorted(difference, key=lambda pair: -difference[pair])
    useful = [pair for pair in ordered if difference[pair] > _USELESS] or ordered
    return [Question(image, index, layer, modifier) for image, index in useful]


def _difference(
    maps: Mapping[str | None, NDArray[np.float32]],
    modifier: str | None,
    top: NDArray[np.int64],
    image: int,
    index: int,
) -> float:
    """How far a map is from those it could be mistaken for; `_USELESS` where it is of no use."""
    own = maps[modifier][image, index]
    support = float((own > 0.2 * own.max()).mean()) if own.max() > 0 else 0.0
    # Guided gradients are positive more often, and so are the maps.
    most = 0.6 if modifier is None else 0.95
    if index == top[image] or not 0.1 <= support <= most:
        return _USELESS
    rivals = [
        maps["guided" if modifier is None else None][image, index],
        maps[modifier][image, int(top[image])],
        maps[modifier][image, (index + 1) % len(NAMES)],
    ]
    return 1 - max(correlation(own, rival) for rival in rivals)


def _is_fair(probe: Probe, batch: NDArray[np.float32], question: Question) -> bool:
    """Whether correct maps agree: the ReLU before the enlargement or after it, by any library."""
    one = batch[question.image][None]
    features, gradients = activations_and_gradients(
        probe.model,
        np.zeros(0, "uint8"),  # not looked at where a batch is given
        question.class_index,
        question.layer_name,
        question.modifier,
        batch=one,
    )
    signed = features @ gradients.mean(axis=(0, 1))
    height, width = batch.shape[1:3]
    enlarged = tf.image.resize(signed[..., None], (height, width))[..., 0]
    last = to_grid(np.maximum(enlarged, 0), signed.shape)
    agreement = correlation(last, np.maximum(signed, 0))
    return agreement >= ROBUST and fairness(signed, (height, width)) >= 0


def _maps(
    probe: Probe, batch: NDArray[np.float32], layer: str, modifier: str | None
) -> NDArray[np.float32]:
    """Grad-CAM (images, classes, h, w) of every image for every class."""
    classes = len(NAMES)
    repeated = np.repeat(batch, classes, axis=0)
    indices = list(range(classes)) * len(batch)
    maps = grad_cam(probe.model, repeated, indices, layer, modifier)
    return maps.reshape(len(batch), classes, *maps.shape[1:])


def _build(size: tuple[int, int], *, normalised: bool) -> keras.Model:
    layers = keras.layers
    inputs = x = keras.Input((*size, 3), name="image")
    for block, filters in enumerate((6, 8, 10), start=1):
        for number in (1, 2):
            name = f"block{block}_conv{number}"
            if normalised:
                x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_linear")(x)
                x = layers.BatchNormalization(name=f"{name}_bn")(x)
                x = layers.Activation("relu", name=name)(x)
            else:
                x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
        if block < 3:
            x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(0.5, name="dropout")(x)
    x = layers.Dense(32, activation="relu", name="fc1")(x)
    outputs = layers.Dense(len(NAMES), activation="softmax", name="predictions")(x)
    return keras.Model(inputs, outputs, name="probe")


def _random_statistics(
    rng: np.random.Generator, shape: tuple[int, ...]
) -> list[NDArray[np.float64]]:
    """Gamma, beta, moving mean and moving variance, such that no channel dies."""
    return [
        rng.uniform(0.7, 1.3, shape),
        rng.normal(0.1, 0.2, shape),
        rng.normal(0, 0.3, shape),
        rng.uniform(0.5, 1.5, shape),
    ]


def _spread_logits(probe: Probe, rng: np.random.Generator) -> None:
    """Scale the last layer so that over random images each logit has mean 0 and a wide spread."""
    height, width = probe.model.inputs[0].shape[1:3]
    images = np.stack([draw_image(rng, (height, width)) for _ in range(32)])
    last = probe.model.layers[-1]
    features = keras.Model(probe.model.inputs, last.input).predict(
        probe.preprocess(images), verbose=0
    )
    kernel = np.asarray(last.weights[0])
    logits = features @ kernel
    factor = LOGITS_SPREAD / logits.std(axis=0)
    last.set_weights([kernel * factor, -logits.mean(axis=0) * factor])
