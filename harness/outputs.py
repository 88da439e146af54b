"""What a submission returned for each case, or how it failed; in memory and on disk.

A *value* is plain data: None, bool, int, float, str, NumPy arrays, and lists and dicts of values.
On disk, outputs are two files: `outputs.json` (structure, texts, numbers) and
`arrays.safetensors` (arrays only: a format that can hold no code).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, load_file, save, save_file

from harness.results import RunSummary

Value: TypeAlias = (
    "bool | int | float | str | npt.NDArray[Any] | list[Value] | dict[str, Value] | None"
)

# What may cross the boundary between processes: numbers and truth values, nothing with objects.
ARRAY_DTYPES = frozenset(
    np.dtype(name)
    for name in (
        *("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
        *("float16", "float32", "float64"),
    )
)
MAX_DEPTH = 8
# Bools, numbers, texts, arrays, lists and dicts in one value.
MAX_ITEMS = 10_000
_LARGEST = 2**63


class CaseStatus(str, Enum):
    """How one call of a contract function ended."""

    RETURNED = "returned"
    NOT_LOADED = "not_loaded"
    RAISED = "raised"
    MISSING = "missing"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    OVER_LIMIT = "over_limit"
    REFUSED = "refused"
    NOT_RUN = "not_run"


@dataclass(frozen=True)
class CaseOutput:
    """What one case returned, or why it did not.

    Attributes:
        status: how the call ended.
        value: the returned value, when it did.
        message: one sentence on what went wrong, else empty.
        traceback: the student's own lines of the traceback, else empty.
        seconds: wall time of the call.
    """

    status: CaseStatus
    value: Value = None
    message: str = ""
    traceback: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Outputs:
    """All that one submission returned.

    Attributes:
        submission: its name.
        run: how the run went.
        cases: outputs, keyed `technique/case`.
        digests: what each of them depends on: while that is the same, so is the output.
    """

    submission: str
    run: RunSummary
    cases: Mapping[str, CaseOutput] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write `outputs.json` and `arrays.safetensors` into a folder, made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays: list[npt.NDArray[Any]] = []
        document = self._document(arrays)
        # Arrays first: an outputs.json that is there always finds its arrays.
        save_file(named(arrays), folder / "arrays.safetensors")
        text = json.dumps(document, ensure_ascii=False, indent=1)
        (folder / "outputs.json").write_text(text, "utf-8", errors="backslashreplace")

    @classmethod
    def load(cls, folder: Path) -> Outputs:
        """Read what `save` wrote."""
        document = json.loads((folder / "outputs.json").read_text("utf-8"))
        return cls._from_document(document, load_file(folder / "arrays.safetensors"))

    def to_bytes(self) -> bytes:
        """All of it as one safetensors file, the structure in its metadata."""
        arrays: list[npt.NDArray[Any]] = []
        text = json.dumps(self._document(arrays))  # ASCII, with half characters escaped
        return save(named(arrays), metadata={"outputs": text})

    @classmethod
    def from_bytes(cls, data: bytes) -> Outputs:
        """Read what `to_bytes` made.

        Raises:
            ValueError, KeyError, TypeError, AttributeError, SafetensorError: it is damaged.
        """
        arrays = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return cls._from_document(json.loads(header["__metadata__"]["outputs"]), arrays)

    def _document(self, arrays: list[npt.NDArray[Any]]) -> dict[str, Any]:
        cases = {
            key: {
                "status": output.status.value,
                "value": encode(output.value, arrays),
                "message": output.message,
                "traceback": output.traceback,
                "seconds": round(output.seconds, 4),
            }
            for key, output in self.cases.items()
        }
        document = {"submission": self.submission, "run": self.run.to_json(), "cases": cases}
        return {**document, "digests": dict(self.digests)} if self.digests else document

    @classmethod
    def _from_document(
        cls, document: Mapping[str, Any], stored: Mapping[str, npt.NDArray[Any]]
    ) -> Outputs:
        arrays = [stored[str(index)] for index in range(len(stored))]
        return cls(
            submission=document["submission"],
            run=RunSummary.from_json(document["run"]),
            cases={
                key: CaseOutput(
                    status=CaseStatus(case["status"]),
                    value=decode(case["value"], arrays),
                    message=case["message"],
                    traceback=case["traceback"],
                    seconds=case["seconds"],
                )
                for key, case in document["cases"].items()
            },
            digests=document.get("digests", {}),
        )


def named(arrays: list[npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Arrays under the names `encode` refers to them by, contiguous as safetensors needs them."""
    return {str(index): np.asarray(array, order="C") for index, array in enumerate(arrays)}


def encode(value: Value, arrays: list[npt.NDArray[Any]]) -> Any:
    """Turn a value into JSON data; arrays are appended to `arrays` and referred to by index."""
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, dict):
        return {"dict": [[key, encode(item, arrays)] for key, item in value.items()]}
    if isinstance(value, list):
        return [encode(item, arrays) for item in value]
    return value


def decode(tree: Any, arrays: list[npt.NDArray[Any]], *, depth: int = 0) -> Value:
    """Turn JSON data of `encode` back into a value.

    Raises:
        ValueError: the data is not what `encode` writes; the text says where it departs.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    if tree is None or isinstance(tree, (bool, float, str)):
        return tree
    if isinstance(tree, int):
        if abs(tree) > _LARGEST:
            raise ValueError("an integer of more than 64 bits")
        return tree
    if isinstance(tree, list):
        return [decode(item, arrays, depth=depth + 1) for item in tree]
    match tree:
        case {"array": int(index)} if len(tree) == 1 and 0 <= index < len(arrays):
            return arrays[index]
        case {"dict": list(items)} if len(tree) == 1 and all(map(_is_item, items)):
            return {key: decode(item, arrays, depth=depth + 1) for key, item in items}
    raise ValueError("neither a value, a list, a dict nor an array that is there")


def _is_item(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], str)
