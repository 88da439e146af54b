"""Writes what the fuzzers begin with: `python seeds.py FOLDER`, a folder per kind in it."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from harness.execution.wire import pack
from harness.outputs import ARRAY_DTYPES, encode


def frames(folder: Path) -> None:
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


CELL = "def f(model, image):\n    return f'{image:>{3}}'\n%time x = f(\n!ls \\\n -l\nx?\n"
ANSWER = """# Use
- ball: 0.93
> 1. quoted

| class | p |
|---|---|
| ball | 90 % |

Map-class
=========
```
# no heading
```
"""


def of_hand_ins() -> dict[str, list[bytes]]:
    """Small hand-ins of each kind that `reading.py` knows."""
    code = {"cell_type": "code", "source": CELL, "outputs": [], "metadata": {}}
    text = {"cell_type": "markdown", "source": ANSWER.splitlines(True), "metadata": {}}
    new = {"cells": [code, text], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    old = {"cell_type": "code", "input": CELL, "outputs": [], "language": "python"}
    sheets = {"worksheets": [{"cells": [old]}], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/submission.py", CELL)
        archive.writestr("a/answers.md", ANSWER)
    with tarfile.open(fileobj=tarred, mode="w:gz") as packed:
        info = tarfile.TarInfo("submission.py")
        info.size = len(CELL)
        packed.addfile(info, io.BytesIO(CELL.encode()))
    return {
        "notebook": [json.dumps(new).encode(), json.dumps(sheets).encode()],
        "script": [CELL.replace("%", "#").replace("!", "#").encode()],
        "answers": [ANSWER.encode(), ANSWER.encode("utf-16")],
        "returned": [bytes([n, m, *range(n, 40)]) for n in range(3) for m in range(12)],
        "claims": [ANSWER.encode(), b"1. ball (93 %)\n- dog = 0,04\n"],
        "archive": [zipped.getvalue(), tarred.getvalue()],
    }


def main(folder: Path) -> None:
    """A folder of seeds for every fuzzer."""
    frames(folder / "frames")
    for kind, seeds in of_hand_ins().items():
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(seeds):
            (folder / kind / str(number)).write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
