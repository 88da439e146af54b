"""What many courses do: pytest in a new process per student; run by `against.py`."""

from __future__ import annotations

import os
import runpy
from typing import Any

import pytest
from quick import CASES, passes


@pytest.fixture(scope="session")
def functions() -> dict[str, Any]:
    return runpy.run_path(os.environ["QUICK_SUBMISSION"])


@pytest.mark.parametrize("identifier", CASES)
def test_case(functions: dict[str, Any], identifier: str) -> None:
    assert passes(functions, identifier)
