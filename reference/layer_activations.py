"""Layer activation maps, and two statistics of them over a data set.

Activations are what a layer hands on: after its activation function, channels last. Yosinski et
al., "Understanding neural networks through deep visualization", ICML Deep Learning Workshop 2015
(arXiv:1506.06579), section 2, look at them image by image; the statistics ask what a filter does
for a whole class:

    mean_activations[d, y, x, f] = mean over the images i of class d of A_i[y, x, f]
    dominant_filters[d, y, x]    = mode over the images i of class d of argmax_f A_i[y, x, f]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras
import numpy as np
import numpy.typing as npt

from reference.graph import Floats, find_layer

Images = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.integer]

_BATCH_SIZE = 64
# Activations of the same network differ by up to 1.2e-5 between machines and batch sizes; what is
# no further apart than this is called a tie.
_TIE = 1e-4


def layer_activations(
    model: keras.Model, image: Images, layer_names: Sequence[str]
) -> dict[str, Floats]:
    """The output of each named layer for one image.

    Args:
        model: with `preprocess_input`.
        image: (H, W, C) uint8, as loaded from disk.
        layer_names: layers of the model.

    Returns:
        By name, in the order asked: (h, w, filters) float32; (units,) for a dense layer.

    Raises:
        ValueError: the model has no such layer.
    """
    # A dict, because Keras unwraps a list of one output.
    outputs = {name: find_layer(model, name).output for name in layer_names}
    batch = model.preprocess_input(image[np.newaxis])
    activations = keras.Model(model.inputs, outputs)([batch], training=False)
    return {name: np.asarray(activations[name][0], "float32") for name in layer_names}


def mean_activations(
    model: keras.Model, images: Images, labels: Integers, layer_name: str
) -> Floats:
    """The average output of every filter for each class.

    Args:
        model: with `preprocess_input`.
        images: (n, H, W, C) uint8.
        labels: (n,) class of each image. There are as many classes as the model has outputs, or
            max(labels) + 1 if that is more.
        layer_name: a layer of the model.

    Returns:
        (classes, h, w, filters) float32; NaN for a class without images.

    Raises:
        ValueError: unknown layer; or labels that do not fit the images.
    """
    classes = _count_classes(model, images, labels)
    counts = np.bincount(labels, minlength=classes)
    sums: npt.NDArray[np.float64] | None = None
    for rows, activations in _batches(model, images, layer_name):
        if sums is None:
            sums = np.zeros((classes, *activations.shape[1:]))
        np.add.at(sums, labels[rows], activations)
    assert sums is not None  # _count_classes refused an empty data set
    sums[counts == 0] = np.nan
    shape = (-1,) + (1,) * (sums.ndim - 1)
    means: Floats = (sums / np.maximum(counts, 1).reshape(shape)).astype("float32")
    return means


def dominant_filters(
    model: keras.Model, images: Images, labels: Integers, layer_name: str
) -> npt.NDArray[np.int64]:
    """For each class and pixel, the filter that is most often the strongest.

    Ties, within an image and between filters that win equally often, go to the lowest index.

    Args:
        model: with `preprocess_input`.
        images: (n, H, W, C) uint8.
        labels: (n,) class of each image; see `mean_activations` for the number of classes.
        layer_name: a layer of the model.

    Returns:
        (classes, h, w) int64; 0 throughout for a class without images.

    Raises:
        ValueError: unknown layer; or labels that do not fit the images.
    """
    votes = dominant_filter_votes(model, images, labels, layer_name)
    winners: npt.NDArray[np.int64] = np.argmax(votes, axis=-1)
    return winners


def dominant_filter_votes(
    model: keras.Model, images: Images, labels: Integers, layer_name: str
) -> npt.NDArray[np.int64]:
    """In how many images of each class each filter is the strongest at each pixel.

    Arguments and errors as for `dominant_filters`.

    Returns:
        (classes, h, w, filters) int64; sums over filters to the number of images of the class.
    """
    classes = _count_classes(model, images, labels)
    votes: npt.NDArray[np.int64] | None = None
    for rows, activations in _batches(model, images, layer_name):
        filters = activations.shape[-1]
        if votes is None:
            votes = np.zeros((classes, *activations.shape[1:]), "int64")
        winners = np.argmax(activations, axis=-1)  # the lowest index wins a tie
        np.add.at(votes, labels[rows], np.eye(filters, dtype="int64")[winners])
    assert votes is not None
    return votes


def ambiguous_pixels(
    model: keras.Model, images: Images, labels: Integers, layer_name: str
) -> npt.NDArray[np.bool_]:
    """Where correct work may name another dominant filter than ours: not to be graded.

    In one image, every filter within 1e-4 of the strongest is a *candidate*; where all filters are
    0, all are. However ties are broken, and whether undecided images vote at all, a filter gets at
    least the images in which it is the only candidate and at most those in which it is one. A
    pixel is unambiguous if the least of its winner exceeds the most of every other filter.

    Arguments and errors as for `dominant_filters`.

    Returns:
        (classes, h, w) bool; True throughout for a class without images.
    """
    classes = _count_classes(model, images, labels)
    least: npt.NDArray[np.int64] | None = None
    most: npt.NDArray[np.int64] | None = None
    for rows, activations in _batches(model, images, layer_name):
        if least is None or most is None:
            least = np.zeros((classes, *activations.shape[1:]), "int64")
            most = np.zeros_like(least)
        candidates = activations >= activations.max(axis=-1, keepdims=True) - _TIE
        alone = candidates & (candidates.sum(axis=-1, keepdims=True) == 1)
        np.add.at(least, labels[rows], alone)
        np.add.at(most, labels[rows], candidates)
    assert least is not None
    assert most is not None
    winner = np.argmax(least, axis=-1, keepdims=True)
    guaranteed = np.take_along_axis(least, winner, axis=-1)[..., 0]
    np.put_along_axis(most, winner, -1, axis=-1)
    result: npt.NDArray[np.bool_] = guaranteed <= np.maximum(most.max(axis=-1), 0)
    return result


def _batches(model: keras.Model, images: Images, layer_name: str) -> Iterator[tuple[slice, Floats]]:
    """The layer's outputs, a batch of images at a time, with the rows they belong to."""
    layer = keras.Model(model.inputs, find_layer(model, layer_name).output)
    for start in range(0, len(images), _BATCH_SIZE):
        rows = slice(start, start + _BATCH_SIZE)
        batch = model.preprocess_input(images[rows])
        yield rows, np.asarray(layer([batch], training=False), "float32")


def _count_classes(model: keras.Model, images: Images, labels: Integers) -> int:
    if len(images) == 0:
        raise ValueError("the data set is empty; expected at least one image")
    if labels.shape != (len(images),):
        raise ValueError(
            f"labels have shape {labels.shape}; expected ({len(images)},), one for each image"
        )
    if labels.min() < 0:
        raise ValueError(f"found the label {labels.min()}; expected class indices from 0")
    return max(int(model.outputs[0].shape[-1]), int(labels.max()) + 1)
