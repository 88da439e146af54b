"""Values that student code may return, made of bytes, on their way through judging and drawing."""

from __future__ import annotations

import copy
import functools
import json
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from small_lab import LAB, FakeOracle, golden_of, make_lab, right_values

from harness import techniques
from harness.diagnosis import diagnose
from harness.execution.asking import _count
from harness.execution.wire import MAX_HEADER_BYTES
from harness.golden import Golden
from harness.judging import judge
from harness.lab import Lab
from harness.outputs import ARRAY_DTYPES, MAX_ITEMS, CaseOutput, CaseStatus, Outputs, encode
from harness.report import draw, report_html
from harness.results import Grade, Outcome, RunStatus, RunSummary
from harness.techniques import call_of

_DTYPES = sorted(ARRAY_DTYPES, key=str)
_NAMES = ("conv", "dense", "ball", "cup", "0", "1", "2", "", "\ud800\x1b", "<b>" * 9)
_DEEPEST = 4


class _Bytes:
    """Takes decisions from bytes; zeros once they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int = 1) -> bytes:
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken.ljust(count, b"\0")

    def below(self, count: int) -> int:
        return self.take()[0] % count

    def rest(self) -> bytes:
        return self.take(max(16, len(self._data) - self._at))


@functools.cache
def _lab() -> tuple[Lab, Golden]:
    """The small lab with a check of every metric, and what is expected."""
    described = copy.deepcopy(LAB)
    described["checks"] += [
        {"id": "scores", "metric": "activation_maximization.score", "points": 1},
        {"id": "smooth", "metric": "activation_maximization.smoothness", "points": 1},
    ]
    folder = Path(tempfile.mkdtemp(prefix="fuzz-lab-"))
    lab = make_lab(folder / "lab", described)
    plain = golden_of(lab)
    facts = {
        techniques.key(case): {
            **plain.facts[techniques.key(case)],
            "reference_scores": np.ones(len(case.arguments["filter_indices"])),
            "grey_scores": np.zeros(len(case.arguments["filter_indices"])),
        }
        for case in lab.cases
        if case.function == "maximize_activation"
    }
    return lab, golden_of(lab, facts=facts)


def _array(source: _Bytes, right: Any, most: int) -> Any:
    """An array of any dtype, of a shape near to the right one or of any other, within the bytes."""
    dtype = _DTYPES[source.below(len(_DTYPES))]
    near = np.shape(right) if isinstance(right, np.ndarray) else (5, 2)
    shapes = [near, near[::-1], near[1:], (1, *near), (*near, 3), (0, *near[1:]), (), near[:-1]]
    which = source.below(12)
    sizes = [source.below(70) * (1 if source.below(4) else 97) for _ in range(1 + source.below(4))]
    shape = shapes[which] if which < len(shapes) else tuple(sizes)
    size = int(np.prod(shape, dtype="int64"))
    if size * dtype.itemsize > most:
        shape, size = (1, most // dtype.itemsize), most // dtype.itemsize
    raw = np.frombuffer(source.rest().ljust(16, b"\0")[:4096].ljust(4096, b"\x3f"), "uint8")
    needed = size * dtype.itemsize
    whole = np.resize(raw, needed)
    if dtype.kind == "b":
        return (whole % 2).astype(bool).reshape(shape)
    return whole.view(dtype).reshape(shape)


def _value(source: _Bytes, right: Any, most: int, depth: int = 0) -> Any:
    """A value of plain data: arrays of at most so many bytes, within lists and dicts."""
    kind = source.below(10)
    if depth >= _DEEPEST:
        kind %= 5
    match kind:
        case 0:
            return [None, True, False, 2**63, -1][source.below(5)]
        case 1:
            return struct.unpack("<d", source.take(8))[0]
        case 2:
            return _NAMES[source.below(len(_NAMES))] * source.below(200)
        case 3 | 4:
            return _array(source, right, most)
        case 9:
            return copy.deepcopy(right)
    return _collection(source, kind, right, most, depth)


def _collection(source: _Bytes, kind: int, right: Any, most: int, depth: int) -> Any:
    """A list or a dict; of thousands of items only where these are single values."""
    match kind:
        case 5:
            count = source.below(6)
            return [_value(source, right, most // 6, depth + 1) for _ in range(count)]
        case 6:
            names = [_NAMES[source.below(len(_NAMES))] for _ in range(source.below(5))]
            return {name: _value(source, right, most // 5, depth + 1) for name in names}
        case 7:
            return [_value(source, right, 64, _DEEPEST)] * (40 * source.below(200))
    if isinstance(right, dict):
        each = right.items()
        return {name: _value(source, item, most // 2, depth + 1) for name, item in each}
    if isinstance(right, list):
        return [_value(source, item, most // 2, depth + 1) for item in right]
    return right


def _comes_over(value: Any) -> bool:
    """Whether the wire would take it."""
    if _count(value) > MAX_ITEMS:
        return False
    return len(json.dumps(encode(value, []))) <= MAX_HEADER_BYTES


def returned(data: bytes) -> None:
    """One to three cases return something else: all is judged, drawn and written up."""
    lab, golden = _lab()
    source = _Bytes(data)
    values = right_values()
    for _ in range(1 + source.below(3)):
        case = lab.cases[source.below(len(lab.cases))]
        key = techniques.key(case)
        most = call_of(lab, case, golden.accepted[key][0]).most_bytes
        assert most is not None
        value = _value(source, values[key], most)
        if _comes_over(value):
            values[key] = value
    cases = {key: CaseOutput(CaseStatus.RETURNED, value) for key, value in values.items()}
    run = RunSummary(RunStatus.COMPLETED, 1.0)
    outputs = Outputs("alice", run, cases)
    outputs = Outputs.from_bytes(outputs.to_bytes())
    with np.errstate(all="ignore"):
        checks = judge(lab, lab.cases, golden, outputs, FakeOracle())
        diagnose(checks, ())
        unjudged = [c for check in checks for c in check.cases if c.outcome is Outcome.NOT_JUDGED]
        assert unjudged == []
        grade = Grade("alice", checks, run, {}, {"lab": "", "submission": "", "golden": ""})
        page = report_html(grade.to_json(), outputs, lab, draw(lab, golden, outputs))
    assert "This figure could not be drawn" not in page
    assert len(page) < 4 * 2**20
