"""Outputs on disk: all that was returned comes back, and what was tampered with is noticed."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from safetensors import SafetensorError

from harness.outputs import MAX_DEPTH, CaseOutput, CaseStatus, Outputs, decode, encode
from harness.results import RunStatus, RunSummary

RUN = RunSummary(RunStatus.CRASHED, 2.5, "a message", ("one", "two"), "printed")


def outputs(**values):
    cases = {name: CaseOutput(CaseStatus.RETURNED, value) for name, value in values.items()}
    return Outputs("alice", RUN, cases)


def stored(folder, **values):
    outputs(**values).save(folder)
    return {name: case.value for name, case in Outputs.load(folder).cases.items()}


def test_every_kind_of_value_comes_back(tmp_path):
    found = stored(
        tmp_path / "new" / "folder",
        nothing=None,
        yes=True,
        whole=2**62,
        real=0.1,
        text="naïve 😀\udc80",
        pairs=[["cat", 0.5], []],
        nested={"1": {"a": [np.arange(6).reshape(2, 3)]}, "array": 3, "dict": []},
    )
    nested = found.pop("nested")
    assert found == {
        "nothing": None,
        "yes": True,
        "whole": 2**62,
        "real": 0.1,
        "text": "naïve 😀\udc80",
        "pairs": [["cat", 0.5], []],
    }
    assert nested["1"]["a"][0].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (nested["array"], nested["dict"]) == (3, [])


def test_numbers_that_json_has_no_word_for_come_back(tmp_path):
    found = stored(tmp_path, nan=float("nan"), inf=-math.inf)
    assert math.isnan(found["nan"])
    assert found["inf"] == -math.inf


def test_arrays_keep_dtype_shape_and_values_and_are_not_mixed_up(tmp_path):
    given = {
        f"a{n}": np.full((n % 3, 2), n, dtype)
        for n, dtype in enumerate(("uint8", "float16", "bool", "int64", "float64") * 3)
    }
    given |= {"scalar": np.array(7.0), "view": np.arange(6.0).reshape(2, 3).T}
    for name, array in stored(tmp_path, **given).items():
        assert array.dtype == given[name].dtype
        np.testing.assert_array_equal(array, given[name])


def test_how_a_case_failed_comes_back(tmp_path):
    failed = CaseOutput(CaseStatus.RAISED, None, "ValueError: x", "line 3", 1.23456789)
    Outputs("alice", RUN, {"t/one": failed}).save(tmp_path)
    found = Outputs.load(tmp_path)
    assert (found.submission, found.run) == ("alice", RUN)
    assert found.cases["t/one"] == CaseOutput(
        CaseStatus.RAISED, None, "ValueError: x", "line 3", 1.2346
    )


def test_outputs_without_any_case_or_array_are_stored(tmp_path):
    Outputs("alice", RUN).save(tmp_path)
    assert Outputs.load(tmp_path).cases == {}


def test_the_two_files_hold_data_only(tmp_path):
    stored(tmp_path, map=np.zeros(3))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "arrays.safetensors",
        "outputs.json",
    ]
    document = json.loads((tmp_path / "outputs.json").read_text("utf-8"))
    assert document["cases"]["map"]["value"] == {"array": 0}


def test_an_array_that_is_not_there_is_noticed(tmp_path):
    stored(tmp_path, map=np.zeros(3))
    path = tmp_path / "outputs.json"
    path.write_text(path.read_text("utf-8").replace('"array": 0', '"array": 1'), "utf-8")
    with pytest.raises(ValueError, match="nor an array that is there"):
        Outputs.load(tmp_path)


def test_damaged_arrays_and_an_unknown_status_are_noticed(tmp_path):
    stored(tmp_path, map=np.zeros(3))
    path = tmp_path / "outputs.json"
    text = path.read_text("utf-8")
    path.write_text(text.replace('"returned"', '"perfect"'), "utf-8")
    with pytest.raises(ValueError, match="'perfect' is not a valid CaseStatus"):
        Outputs.load(tmp_path)
    path.write_text(text, "utf-8")
    (tmp_path / "arrays.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(SafetensorError):
        Outputs.load(tmp_path)


def test_a_value_of_just_the_allowed_depth_comes_back_and_one_deeper_does_not():
    value: list = []
    for _ in range(MAX_DEPTH):
        value = [value]
    assert decode(encode(value, []), []) == value
    with pytest.raises(ValueError, match=f"nested more than {MAX_DEPTH} deep"):
        decode(encode([value], []), [])
    deep = {"dict": [["a", encode(value, [])]]}
    with pytest.raises(ValueError, match=f"nested more than {MAX_DEPTH} deep"):
        decode(deep, [])
