"""Results kept by the content of arrays."""

from __future__ import annotations

import numpy as np
import pytest

from harness.content import by_content


@pytest.fixture
def asked():
    return []


@pytest.fixture
def doubled(asked):
    @by_content(2)
    def double(array, by=2):
        asked.append(array.tolist())
        return by * array

    return double


def test_the_same_content_is_worked_out_once(doubled, asked):
    first = np.arange(3.0)
    assert doubled(first).tolist() == [0, 2, 4]
    assert doubled(np.arange(6.0)[:3]).tolist() == [0, 2, 4]
    assert asked == [[0, 1, 2]]


@pytest.mark.parametrize(
    "other",
    [np.arange(3.0) + 1, np.arange(3.0)[None], np.arange(3, dtype="int64"), np.arange(3.0)[::-1]],
    ids=["values", "shape", "type", "order"],
)
def test_another_content_is_worked_out_itself(doubled, asked, other):
    doubled(np.arange(3.0))
    assert doubled(other).tolist() == (2 * other).tolist()
    assert len(asked) == 2


def test_types_of_the_same_bytes_are_told_apart(doubled):
    assert doubled(np.zeros(1, "int32")).dtype == "int32"
    assert doubled(np.zeros(1, "float32")).dtype == "float32"


def test_other_arguments_count_too(doubled):
    assert doubled(np.ones(1), 3).tolist() == [3]
    assert doubled(np.ones(1), 4).tolist() == [4]


def test_what_is_changed_afterwards_changes_no_result(doubled):
    array = np.ones(2)
    doubled(array)
    array[0] = 5
    assert doubled(array).tolist() == [10, 2]
    assert doubled(np.ones(2)).tolist() == [2, 2]


def test_a_result_cannot_be_changed_by_accident(doubled):
    with pytest.raises(ValueError, match="read-only"):
        doubled(np.ones(2))[0] = 7


def test_the_least_lately_used_result_goes(doubled, asked):
    for value in (1.0, 2.0, 1.0, 3.0, 1.0, 2.0):
        doubled(np.array([value]))
    assert asked == [[1.0], [2.0], [3.0], [2.0]]
