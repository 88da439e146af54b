"""What many courses do: pytest in a new process per student, run by `cohort.py` for comparison.

The same cases as the quick lab's, called in this very process and held against golden outputs with
one correlation each; no walls, no report, no partial credit, so less work than ours.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from harness import golden, techniques
from harness.execution.child import _Flattener
from harness.grading import open_lab
from harness.models import load_model

LAB = open_lab(Path(os.environ["QUICK_LAB"]))
GOLDEN = golden.load(LAB)


@pytest.fixture(scope="session")
def student():
    spec = importlib.util.spec_from_file_location("submission", os.environ["QUICK_SUBMISSION"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", LAB.cases, ids=lambda case: case.id)
def test_case(student, case):
    call = techniques.call_of(LAB, case)
    value = getattr(student, call.function)(load_model(LAB.models[call.model]), **call.arguments)
    plain = _Flattener(2**26).plain(value)
    value = techniques.technique_of(case).normalise(LAB, case, plain)
    expected = GOLDEN.accepted[call.key][0]
    if isinstance(expected, np.ndarray) and np.shape(value) == expected.shape:
        assert np.corrcoef(np.ravel(value), expected.ravel())[0, 1] > 0.9
    assert value is not None
