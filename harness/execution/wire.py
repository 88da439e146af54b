"""Frames between the harness and a child: JSON and arrays, bounded, never code.

A frame is 4 bytes of magic, the header's length (4 bytes, big-endian), the payload's length
(8 bytes, big-endian), the header (a JSON object) and the payload (arrays as safetensors, whose
own header declares dtype, shape and size of each and is checked against the bytes).

`FrameReader` takes bytes as they come and is the only thing that reads what a child wrote; no
exception but `WireError` leaves it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from safetensors import numpy as safetensors_numpy

from harness.errors import WireError
from harness.outputs import ARRAY_DTYPES, named

MAGIC = b"XGH1"
_PREFIX = struct.Struct(">4sIQ")
MAX_HEADER_BYTES = 2 * 2**20


@dataclass(frozen=True)
class Frame:
    """A JSON object and the arrays that it refers to by index."""

    header: dict[str, Any]
    arrays: list[npt.NDArray[Any]]


def pack(header: dict[str, Any], arrays: list[npt.NDArray[Any]]) -> bytes:
    """The bytes of a frame."""
    text = json.dumps(header).encode()
    payload = safetensors_numpy.save(named(arrays)) if arrays else b""
    return _PREFIX.pack(MAGIC, len(text), len(payload)) + text + payload


class FrameReader:
    """Turns a stream of bytes into frames.

    Attributes:
        max_payload_bytes: largest payload accepted, of a frame whose beginning has yet to come.
    """

    def __init__(self, max_payload_bytes: int) -> None:
        self.max_payload_bytes = max_payload_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes that have come."""
        self._buffer += data

    @property
    def wanted(self) -> int:
        """How many more bytes the frame at hand needs, at least one.

        Raises:
            WireError: what has come cannot be the beginning of a frame.
        """
        return max(1, self._size() - len(self._buffer))

    def take(self) -> Frame | None:
        """The next frame, or None while it is incomplete.

        Raises:
            WireError: the bytes are not a valid frame.
        """
        size = self._size()
        if len(self._buffer) < size or size == _PREFIX.size:
            return None
        _, header_length, _ = _PREFIX.unpack_from(self._buffer)
        body = bytes(self._buffer[_PREFIX.size : size])
        del self._buffer[:size]
        return Frame(_header(body[:header_length]), _arrays(body[header_length:]))

    def _size(self) -> int:
        """Size of the frame at hand as far as it is known: its prefix, then all of it."""
        if len(self._buffer) < _PREFIX.size:
            return _PREFIX.size
        magic, header_length, payload_length = _PREFIX.unpack_from(self._buffer)
        if magic != MAGIC:
            raise WireError(f"a frame begins with {MAGIC!r}, found {magic!r}")
        if not 2 <= header_length <= MAX_HEADER_BYTES:
            raise WireError(f"a header has 2 to {MAX_HEADER_BYTES} bytes, found {header_length}")
        if payload_length > self.max_payload_bytes:
            raise WireError(
                f"a payload has at most {self.max_payload_bytes} bytes, found {payload_length}"
            )
        return int(_PREFIX.size + header_length + payload_length)


def read_frame(read: Callable[[int], bytes], max_payload_bytes: int) -> Frame | None:
    """Read one frame from a blocking stream; None at its end.

    Raises:
        WireError: the bytes are not a valid frame, or end in the middle of one.
    """
    reader = FrameReader(max_payload_bytes)
    started = False
    while (frame := reader.take()) is None:
        data = read(reader.wanted)
        if not data:
            if started:
                raise WireError("the stream ends in the middle of a frame")
            return None
        started = True
        reader.feed(data)
    return frame


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"a header is JSON: {error!s:.200}") from None
    if not isinstance(header, dict):
        raise WireError(f"a header is a JSON object, found {type(header).__name__}")
    return header


def _arrays(payload: bytes) -> list[npt.NDArray[Any]]:
    if not payload:
        return []
    try:
        stored = safetensors_numpy.load(payload)
    # safetensors raises its own error, and NumPy its several, on bytes made to confuse them.
    except Exception as error:
        raise WireError(f"a payload is safetensors: {error!s:.200}") from None
    names = [str(index) for index in range(len(stored))]
    if set(names) != set(stored):
        raise WireError("arrays are named 0, 1, 2, … without gaps")
    arrays = [stored[name] for name in names]
    for array in arrays:
        if array.dtype not in ARRAY_DTYPES:
            raise WireError(f"dtype {array.dtype} does not cross the boundary")
    return arrays
