"""Versions that a grade depends on."""

from __future__ import annotations

import platform
from importlib import metadata

import numpy as np
import pytest

import harness
from harness import environment
from harness.environment import versions


def test_versions_are_those_that_are_running():
    found = versions()
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert found["xai-grading-harness"] == harness.__version__
    assert platform.machine() in found["platform"]
    assert all(isinstance(version, str) and version for version in found.values())


@pytest.fixture
def installed(monkeypatch):
    """Make these distributions, and no others, look installed."""

    def install(**known: str) -> None:
        def version(name: str) -> str:
            if (key := name.replace("-", "_")) in known:
                return known[key]
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(environment.metadata, "version", version)

    return install


@pytest.mark.parametrize("name", ["tensorflow", "tensorflow_cpu"])
def test_tensorflow_goes_by_one_name_whichever_wheel_is_installed(installed, name):
    installed(**{name: "2.20.0"})
    assert versions()["tensorflow"] == "2.20.0"


def test_the_wheel_without_gpu_is_the_one_that_counts(installed):
    installed(tensorflow="2.19.0", tensorflow_cpu="2.20.0")
    assert versions()["tensorflow"] == "2.20.0"


def test_a_library_that_is_not_installed_has_no_version(installed):
    installed(numpy="2.0.0")
    assert set(versions()) == {"python", "xai-grading-harness", "numpy", "platform"}
