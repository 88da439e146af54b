"""When a model may be used again, and that a changed one never is."""

from __future__ import annotations

import numpy as np
import pytest

from harness.execution.pristine import Pristine


class Thing:
    """A layer, a variable or a model, as far as attributes go."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Variable(Thing):
    def __array__(self, dtype=None, copy=None):
        return np.array(self.__dict__["values"], dtype)


def model():
    values = np.array([1.0, 2.0])
    weights = Variable(values=values, trainable=True)
    layer = Thing(activation=abs, nodes=[1], table={"a": weights}, kernel=weights)
    return Thing(name="m", layers=[layer], variables=[weights], optimizer=None)


def write(place):
    place[0] = 7.0


@pytest.mark.parametrize(
    "change",
    [
        lambda m: setattr(m, "optimizer", 1),
        lambda m: setattr(m, "preprocess_input", abs),
        lambda m: setattr(m.layers[0], "activation", max),
        lambda m: delattr(m.layers[0], "activation"),
        lambda m: m.layers[0].nodes.append(2),
        lambda m: m.layers[0].table.update(a=1),
        lambda m: m.layers[0].table.update(b=1),
        lambda m: m.layers.append(m.layers[0]),
        lambda m: setattr(m.variables[0], "trainable", False),
        lambda m: write(m.variables[0].__dict__["values"]),
        lambda m: m.variables.pop(),
        lambda m: setattr(m, "layers", None),
        lambda m: delattr(m, "variables"),
    ],
)
def test_any_change_of_attributes_or_values_is_one(change):
    pristine = Pristine(model())
    assert pristine.unchanged()
    change(pristine.model)
    assert not pristine.unchanged()


def test_an_equal_value_in_the_place_of_another_is_a_change():
    """What compares equal may behave otherwise: only the very same object is the same."""
    pristine = Pristine(model())
    pristine.model.layers[0].nodes = [1]
    assert not pristine.unchanged()


def test_what_predict_leaves_behind_is_no_change():
    pristine = Pristine(model())
    pristine.model.predict_function = abs
    pristine.model._called = True
    assert pristine.unchanged()
