"""Whatever bytes a child writes, the reader gives frames or raises `WireError`, nothing else."""

from __future__ import annotations

import io
import json
import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.numpy import save

from harness.errors import WireError
from harness.execution.asking import read_answer, read_loaded
from harness.execution.wire import MAX_HEADER_BYTES, Frame, FrameReader, pack, read_frame
from harness.outputs import ARRAY_DTYPES, MAX_ITEMS, CaseStatus, decode, encode

LIMIT = 2**16


def frame(header: bytes, payload: bytes = b"", magic: bytes = b"XGH1") -> bytes:
    return struct.pack(">4sIQ", magic, len(header), len(payload)) + header + payload


def read(data: bytes, limit: int = LIMIT) -> Frame | None:
    return read_frame(io.BytesIO(data).read, limit)


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_bytes_in_any_pieces_raise_only_wire_errors(data, size):
    reader = FrameReader(LIMIT)
    try:
        for start in range(0, len(data), size):
            reader.feed(data[start : start + size])
            reader.take()
    except WireError:
        return
    assert len(data) < 16 or data.startswith(b"XGH1")


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_header_and_payload_raise_only_wire_errors(header, payload):
    try:
        found = read(frame(header, payload))
    except WireError:
        return
    assert isinstance(found.header, dict)


@given(st.binary(min_size=1, max_size=60), st.integers(0, 400))
def test_a_valid_frame_with_bytes_overwritten_raises_only_wire_errors(junk, place):
    data = bytearray(pack({"reply": "returned"}, [np.arange(12.0), np.zeros(3, "uint8")]))
    data[place : place + len(junk)] = junk
    try:
        found = read(bytes(data))
    except WireError:
        return
    assert found is None or all(array.dtype in ARRAY_DTYPES for array in found.arrays)


@pytest.mark.parametrize("dtype", sorted(ARRAY_DTYPES, key=str))
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3)])
def test_arrays_of_every_allowed_dtype_make_the_round_trip(dtype, shape):
    array = np.ones(shape, dtype)
    [back] = read(pack({"a": 1}, [array])).arrays
    assert back.dtype == dtype
    assert back.shape == shape
    np.testing.assert_array_equal(back, array)


def test_nan_infinity_and_views_are_data():
    array = np.array([[np.nan, np.inf, 1.0], [-np.inf, 0.0, 2.0]]).T
    [back] = read(pack({"value": float("inf")}, [array])).arrays
    np.testing.assert_array_equal(back, array)


@given(
    st.lists(
        st.sampled_from(sorted(ARRAY_DTYPES, key=str)).flatmap(
            lambda dtype: arrays(dtype, array_shapes(min_dims=0, min_side=0, max_side=3))
        ),
        max_size=12,
    )
)
def test_any_arrays_come_back_in_their_order_bit_by_bit(given_arrays):
    found = read(pack({}, given_arrays)).arrays
    assert len(found) == len(given_arrays)  # the eleventh, "10", does not come before "2"
    for back, array in zip(found, given_arrays, strict=True):
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        assert back.tobytes() == array.tobytes()


def test_arrays_in_the_other_byte_order_keep_their_values():
    [back] = read(pack({}, [np.array([1.5, -2.0], ">f4")])).arrays
    assert back.tolist() == [1.5, -2.0]


def test_a_payload_of_just_the_allowed_size_passes_and_one_byte_more_does_not():
    data = pack({}, [np.zeros(4)])
    size = len(data) - 16 - 2  # the prefix, and {}
    assert read(data, size).arrays[0].shape == (4,)
    with pytest.raises(WireError, match=f"at most {size - 1} bytes, found {size}"):
        read(data, size - 1)


def test_a_fault_is_noticed_before_the_rest_is_waited_for():
    reader = FrameReader(LIMIT)
    reader.feed(struct.pack(">4sIQ", b"XGH1", 2, 2**60))
    with pytest.raises(WireError, match="a payload has at most"):
        _ = reader.wanted


def test_several_frames_come_out_one_by_one_however_they_arrive():
    data = pack({"n": 1}, []) + pack({"n": 2}, [np.arange(3)])
    reader = FrameReader(LIMIT)
    found = []
    for byte in data:
        reader.feed(bytes([byte]))
        if (taken := reader.take()) is not None:
            found.append(taken.header["n"])
    assert found == [1, 2]


def test_wanted_never_asks_beyond_the_frame_at_hand():
    data = pack({"n": 1}, [])
    reader = FrameReader(LIMIT)
    assert reader.wanted == 16  # 4 of magic, 4 and 8 of lengths
    reader.feed(data[:20])
    assert reader.wanted == len(data) - 20


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"HTTP/1.1 200 OK\r\n", "begins with b'XGH1', found b'HTTP'"),
        (struct.pack(">4sIQ", b"XGH1", 1, 0), "a header has 2 to"),
        (struct.pack(">4sIQ", b"XGH1", MAX_HEADER_BYTES + 1, 0), "a header has 2 to"),
        (struct.pack(">4sIQ", b"XGH1", 2, LIMIT + 1), "a payload has at most 65536 bytes"),
        (frame(b"{]"), "a header is JSON"),
        (frame(b"[" * 100_000), "a header is JSON"),
        (frame(b"[1]"), "a header is a JSON object, found list"),
        (frame(b"{}", b"junk"), "a payload is safetensors"),
        (frame(b"{}", save({"x": np.zeros(2)})), "arrays are named 0, 1, 2"),
        (frame(b"{}")[:-1], "the stream ends in the middle of a frame"),
        (b"XG", "the stream ends in the middle of a frame"),
    ],
)
def test_what_is_wrong_with_a_frame_is_said(data, said):
    with pytest.raises(WireError, match=said.replace("[", r"\[").replace("(", r"\(")):
        read(data)


def test_a_dtype_that_is_not_on_the_list_does_not_cross():
    header = json.dumps({"0": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}}).encode()
    payload = struct.pack("<Q", len(header)) + header + bytes(8)
    with pytest.raises(WireError, match=r"dtype complex64 does not cross|a payload is safetensors"):
        read(frame(b"{}", payload))


def test_a_declared_shape_larger_than_its_bytes_is_refused():
    header = json.dumps({"0": {"dtype": "F64", "shape": [10**9], "data_offsets": [0, 8]}}).encode()
    payload = struct.pack("<Q", len(header)) + header + bytes(8)
    with pytest.raises(WireError, match="a payload is safetensors"):
        read(frame(b"{}", payload))


def test_the_end_of_a_stream_between_frames_is_no_error():
    assert read(b"") is None


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_values_make_the_round_trip_through_json(value):
    tree = json.loads(json.dumps(encode(value, [])))
    if depth(value) > 8:
        with pytest.raises(ValueError, match="nested more than"):
            decode(tree, [])
    else:
        assert repr(decode(tree, [])) == repr(value)


@given(st.integers(0, 2))
def test_arrays_within_values_are_referred_to_by_their_place(place):
    value: list = [1, {"a": None, "b": [True, "x"]}]
    value.insert(place, {"map": np.arange(place), "more": [np.ones(())]})
    stored: list = []
    tree = json.loads(json.dumps(encode(value, stored)))
    back = decode(tree, stored)
    assert back[place]["map"].tolist() == list(range(place))
    assert back[place]["more"][0].shape == ()
    assert len(stored) == 2


def depth(value) -> int:
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth, inner), default=0) if isinstance(value, (list, dict)) else 0


@pytest.mark.parametrize(
    "tree",
    [
        {"array": 0},
        {"array": -1},
        {"array": "0"},
        {"array": True, "dict": []},
        {"dict": {"a": 1}},
        {"dict": [["a"]]},
        {"dict": [[1, 2]]},
        {"other": 1},
        {},
    ],
)
def test_a_tree_that_encode_does_not_write_is_refused(tree):
    with pytest.raises(ValueError, match="neither a value, a list, a dict nor an array"):
        decode(tree, [])


def test_nesting_has_a_limit():
    tree = [[[[[[[[[[1]]]]]]]]]]
    with pytest.raises(ValueError, match="nested more than 8 deep"):
        decode(tree, [])


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"reply": "returned"},
        {"reply": "returned", "seconds": "soon", "value": 1},
        {"reply": "returned", "seconds": 1, "value": {"array": 3}},
        {"reply": "passed", "seconds": 1, "message": "", "traceback": ""},
        {"reply": "raised", "seconds": 1, "message": ""},
        {"reply": ["raised"], "seconds": 1, "message": "", "traceback": ""},
        {"reply": "raised", "seconds": 1, "message": [[]], "traceback": ""},
        {"reply": "raised", "seconds": 1, "message": "", "traceback": 1},
        {"reply": "returned", "seconds": -1, "value": 1},
        {"reply": "returned", "seconds": float("nan"), "value": 1},
        {"reply": "returned", "seconds": 1, "value": 2**63 + 1},
        {"reply": "returned", "seconds": 1, "value": [[]] * MAX_ITEMS},
        {"reply": "returned", "seconds": 1, "value": {"dict": [["a", [1] * MAX_ITEMS]]}},
    ],
)
def test_an_answer_of_another_layout_is_refused(header):
    with pytest.raises(WireError, match="an answer has another layout"):
        read_answer(Frame(header, []))


def test_texts_of_an_answer_are_cut_and_addresses_taken_out():
    header = {
        "reply": "raised",
        "kind": "out_of_memory",
        "seconds": 1,
        "message": "at 0x7f00aa11bb22 " + "x" * 9000,
        "traceback": "y" * 9000,
    }
    output = read_answer(Frame(header, []))
    assert output.status is CaseStatus.OUT_OF_MEMORY
    assert output.message.startswith("ran out of memory: at 0x… x")
    assert len(output.message) < 3100
    assert len(output.traceback) == 8000


def test_what_is_wrong_with_an_answer_is_said_in_a_line():
    with pytest.raises(WireError) as told:
        read_answer(Frame({"reply": "x" * 10**6, "seconds": 1}, []))
    assert len(str(told.value)) < 300
    with pytest.raises(WireError) as told:
        read(frame(b"{}", struct.pack("<Q", 60_000) + b'{"0": {"dtype": "' + b"x" * 59_983))
    assert len(str(told.value)) < 300


@pytest.mark.parametrize("seconds", [10**400, float("inf"), 1e300])
def test_a_time_longer_than_a_day_is_a_day(seconds):
    assert read_answer(
        Frame({"reply": "returned", "seconds": seconds, "value": 1}, [])
    ).seconds == (86_400)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
_KEYS = ("reply", "kind", "seconds", "value", "message", "traceback", "found", "defined")


@given(
    st.fixed_dictionaries(
        {
            "failures": _VALUES
            | st.lists(st.dictionaries(st.sampled_from(["file", *_KEYS]), _VALUES))
        },
        optional={key: _VALUES | st.sampled_from(["returned", "raised"]) for key in _KEYS},
    )
)
def test_any_answer_is_read_or_raises_only_wire_errors(header):
    for read_it in (read_answer, read_loaded):
        with suppress(WireError):
            read_it(Frame(header, []))


@pytest.mark.parametrize(
    "change",
    [
        *({"found": value} for value in ("abc", [1], None, {"a": 1})),
        *({"failures": value} for value in (1, None, {"file": "x"}, "abc", [1], [{"file": "x"}])),
        {"failures": [{"file": [[]], "message": "", "traceback": ""}]},
        {"failures": [{"file": "", "message": 1, "traceback": ""}]},
        {"failures": [{"file": "", "message": "", "traceback": {}}]},
    ],
)
def test_what_was_loaded_is_told_in_one_layout(change):
    header = {"reply": "loaded", "found": [], "defined": [], "failures": []}
    with pytest.raises(WireError, match="an answer has another layout"):
        read_loaded(Frame({**header, **change}, []))


def test_what_was_loaded_is_told_in_bounded_texts():
    failure = {
        "file": "f" * 500,
        "message": "at 0x7f00aa11bb22 " + "m" * 9000,
        "traceback": "t" * 9000,
    }
    names = ["n" * 500] * 500
    told = read_loaded(Frame({"found": names, "defined": names, "failures": [failure] * 500}, []))
    assert told.found == told.defined == ["n" * 200] * 200
    assert len(told.failures) == 200
    assert told.failures[0].startswith("f" * 200 + " stopped: at 0x… m")
    assert len(told.failures[0]) < 3300
    assert len(told.traceback) == 8000
