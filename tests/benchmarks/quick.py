"""What a test of a student's function does elsewhere; part of `against.py`.

The same cases as the quick lab's, called in this very process and held against the golden outputs
with one correlation each; no walls, no report, no partial credit, so less work than ours.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from harness import golden, techniques
from harness.execution.child import _Flattener
from harness.grading import open_lab
from harness.models import load_model

LAB = open_lab(Path(os.environ["QUICK_LAB"]))
CASES = {case.id: case for case in LAB.cases}
GOLDEN = golden.load(LAB)


@cache
def model(name: str) -> Any:
    """A model, loaded once for all tests, as tests elsewhere do."""
    return load_model(LAB.models[name])


def passes(functions: Mapping[str, Any], identifier: str) -> bool:
    """Whether the student's function of a case returns about what is expected."""
    case = CASES[identifier]
    call = techniques.call_of(LAB, case)
    value = functions[call.function](model(call.model), **call.arguments)
    plain = _Flattener(2**26).plain(value)
    value = techniques.technique_of(case).normalise(LAB, case, plain)
    expected = GOLDEN.accepted[call.key][0]
    if isinstance(expected, np.ndarray) and np.shape(value) == expected.shape:
        return bool(np.corrcoef(np.ravel(value), expected.ravel())[0, 1] > 0.9)
    return value is not None
