"""A coverage-guided fuzzer for the reader of frames: `tox -e fuzz`.

It raises nothing but `WireError`, whatever bytes come, in whatever pieces.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["harness", "safetensors", "json"]):
    from harness.errors import WireError
    from harness.execution.asking import read_answer, read_loaded
    from harness.execution.wire import FrameReader


def one_input(data: bytes) -> None:
    """Read frames from the data, cut where its first byte says, and the answers in them."""
    reader = FrameReader(max_payload_bytes=2**16)
    piece = 1 + (data[0] if data else 0)
    try:
        for start in range(1, len(data), piece):
            reader.feed(data[start : start + piece])
            while (frame := reader.take()) is not None:
                (read_loaded if "found" in frame.header else read_answer)(frame)
    except WireError:
        pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
