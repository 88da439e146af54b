"""Writes frames for the fuzzer to begin with: `python seeds.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from harness.execution.wire import pack
from harness.outputs import ARRAY_DTYPES, encode


def main(folder: Path) -> None:
    """A frame for every kind of answer and dtype."""
    folder.mkdir(parents=True, exist_ok=True)
    values = [None, True, 1, 1.5, "text", [1, [2]], {"a": {"b": 1}}]
    values += [np.arange(6).reshape(2, 3).astype(dtype) for dtype in sorted(ARRAY_DTYPES, key=str)]
    for number, value in enumerate(values):
        arrays: list[np.ndarray] = []
        header = {"reply": "returned", "value": encode(value, arrays), "seconds": 0.1}
        (folder / f"returned-{number}").write_bytes(b"\xff" + pack(header, arrays))
    for kind in ("raised", "refused", "not_run", "out_of_memory"):
        header = {"reply": kind, "message": "m", "traceback": "t", "seconds": 0.1}
        (folder / kind).write_bytes(b"\x03" + pack(header, []))
    failure = {"file": "f", "message": "m", "traceback": "t"}
    loaded = {"reply": "loaded", "found": ["a"], "defined": ["a", "b"], "failures": [failure]}
    (folder / "loaded").write_bytes(b"\x03" + pack(loaded, []))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
