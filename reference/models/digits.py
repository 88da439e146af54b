"""The digits network: the lab's own small CNN, on handwritten digits that ship with scikit-learn.

1,797 real digits of 8×8 pixels, enlarged to 28×28 (the size of MNIST), 0 to 255. With `mnist`, the
same network on MNIST, where it can be downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SIZE = 28
CLASSES: tuple[tuple[str, str], ...] = tuple((f"digit_{digit}", str(digit)) for digit in range(10))


@dataclass(frozen=True)
class Digits:
    """Images (n, 28, 28, 1) uint8 and labels (n,) int64, for training and held out."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]


def load(source: str = "scikit-learn", seed: int = 0) -> Digits:
    """Digits from `scikit-learn` (always there) or `mnist` (downloaded by Keras).

    Raises:
        ValueError: no such source.
        OSError: MNIST cannot be downloaded.
    """
    if source == "mnist":
        try:
            (train, train_labels), (test, test_labels) = keras.datasets.mnist.load_data()
        except Exception as error:
            raise OSError(
                f"MNIST cannot be downloaded ({error}); use --digits-data scikit-learn"
            ) from error
        return Digits(
            train[..., None],
            train_labels.astype("int64"),
            test[..., None],
            test_labels.astype("int64"),
        )
    if source != "scikit-learn":
        raise ValueError(f"no digits {source!r}; allowed: scikit-learn, mnist")
    stored = load_digits()
    images = np.stack([enlarge(image) for image in stored.images])[..., None]
    train, test, train_labels, test_labels = train_test_split(
        images, stored.target, test_size=0.25, random_state=seed, stratify=stored.target
    )
    return Digits(train, train_labels.astype("int64"), test, test_labels.astype("int64"))


def enlarge(image: NDArray[np.float64]) -> NDArray[np.uint8]:
    """An 8×8 digit of values 0 to 16 as 28×28 uint8, with a margin as MNIST has it."""
    inner = Image.fromarray((image * (255 / 16)).astype("float32"))
    pixels = np.asarray(inner.resize((24, 24), Image.Resampling.BICUBIC))
    return np.pad(pixels.clip(0, 255).round().astype("uint8"), 2)


def build() -> keras.Model:
    """The lab's architecture, untrained: (28, 28, 1) in 0 to 1 → 10 probabilities."""
    layers = keras.layers
    inputs = x = keras.Input((SIZE, SIZE, 1), name="image")
    for name, filters, kernel in (("l1", 9, 5), ("l2", 9, 5), ("l3", 16, 3)):
        x = layers.Conv2D(filters, kernel, padding="same", activation="relu", name=name)(x)
        x = layers.MaxPooling2D(name=f"{name}_mp")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(25, activation="relu", name="l4")(x)
    outputs = layers.Dense(10, activation="softmax", name="l5")(x)
    return keras.Model(inputs, outputs, name="digits")


def train(digits: Digits, *, seed: int = 0, epochs: int = 60) -> keras.Model:
    """Train the network from a seed, on digits shifted by up to two pixels."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    model = build()
    steps = max(1, len(digits.train_images) // 64)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, epochs * steps, alpha=0.02)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        images = _shifted(digits.train_images, rng).astype("float32") / 255
        model.fit(images, digits.train_labels, batch_size=64, verbose=0)
    return model


def accuracy(model: keras.Model, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    """Share of images whose most probable class is their label."""
    predicted = model.predict(images.astype("float32") / 255, verbose=0).argmax(axis=1)
    return float((predicted == labels).mean())


def _shifted(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    shifts = rng.integers(-2, 3, (len(images), 2))
    return np.stack(
        [np.roll(image, shift, (0, 1)) for image, shift in zip(images, shifts, strict=True)]
    )
