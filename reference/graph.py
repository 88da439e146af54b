"""What the techniques ask of a Keras graph: a layer by name, and the logits behind a softmax.

Nothing here builds a second model or changes the given one: the operations of its graph are run
one by one, and an activation function is exchanged only while its own layer runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from harness.errors import suggest

Activation = Callable[[Any], Any]
Floats = npt.NDArray[np.float32]

# The same mathematics under two names: comparing with one of them misses the other.
_RELUS = (keras.activations.relu, tf.nn.relu)
_SOFTMAXES = (keras.activations.softmax, tf.nn.softmax)


def find_layer(model: keras.Model, layer_name: str) -> keras.Layer:
    """The layer of that name.

    Raises:
        ValueError: the model has no such layer.
    """
    layers = {layer.name: layer for layer in model.layers}
    if layer_name not in layers:
        raise ValueError(f"no layer {layer_name!r}; {suggest(layer_name, layers)}")
    return layers[layer_name]


def check_indices(what: str, indices: Sequence[int], size: int) -> None:
    """Refuse indices outside 0 to size - 1.

    Raises:
        ValueError: an index is out of range.
    """
    for index in indices:
        if not 0 <= index < size:
            raise ValueError(f"{what} {index} is out of range; allowed: 0 to {size - 1}")


def logits(
    model: keras.Model,
    batch: tf.Tensor,
    *,
    relu: Activation | None = None,
    observe: Callable[[str, tf.Tensor], None] = lambda name, output: None,
) -> tf.Tensor:
    """Run a model without the softmax at its end: the logits, (n, classes) float32.

    Args:
        model: Sequential or functional, ending in softmax (a layer's activation or a layer).
        batch: network input, (n, H, W, C) float32.
        relu: what to run in the place of every ReLU (an activation function or a layer).
        observe: called with the name and the output of every operation, in order, so that a
            gradient tape can watch one of them.

    Raises:
        ValueError: the model does not end in softmax.
    """
    last = _check_softmax_layer(model)

    def observed(operation: Any) -> Callable[..., tf.Tensor]:
        def call(*args: Any, **kwargs: Any) -> tf.Tensor:
            output = _call(operation, operation is last, relu, *args, **kwargs)
            observe(operation.name, output)
            return output

        return call

    # Keras documents no other way to run a graph with other operations in it. `Function` is made
    # from the tensors of the model and calls nothing, so no layer gains a node.
    graph = keras.Function(model.inputs, model.outputs)
    [output] = graph._run_through_graph([batch], operation_fn=observed)
    return output


def _check_softmax_layer(model: keras.Model) -> keras.Layer:
    last = model.layers[-1]
    activation = getattr(last, "activation", None)
    if activation in _SOFTMAXES or isinstance(last, keras.layers.Softmax):
        return last
    found = getattr(activation, "__name__", type(last).__name__)
    raise ValueError(
        f"expected a model that ends in softmax, found {found!r} in its last layer {last.name!r}"
    )


def _call(operation: Any, is_last: bool, relu: Activation | None, *args: Any, **kw: Any) -> Any:
    if is_last:
        if isinstance(operation, keras.layers.Softmax):
            return args[0]
        with _activation(operation, keras.activations.linear):
            return operation(*args, **kw)
    if relu is None:
        return operation(*args, **kw)
    if _is_relu(operation):
        return relu(args[0])
    if _has_relu(operation):
        with _activation(operation, relu):
            return operation(*args, **kw)
    return operation(*args, **kw)


def _is_relu(operation: Any) -> bool:
    """A layer, or `keras.ops.relu` called while the graph was built, that is nothing but ReLU."""
    return isinstance(operation, keras.layers.ReLU) or type(operation).__name__ == "Relu"


def _has_relu(operation: Any) -> bool:
    activation = getattr(operation, "activation", None)
    return activation in _RELUS or isinstance(activation, keras.layers.ReLU)


@contextmanager
def _activation(layer: keras.Layer, activation: Activation) -> Iterator[None]:
    """Exchange a layer's activation function for the time of one call."""
    # Written past `Layer.__setattr__`, which refuses a layer as activation once it is built.
    attributes = vars(layer)
    given = attributes["activation"]
    attributes["activation"] = activation
    try:
        yield
    finally:
        attributes["activation"] = given
