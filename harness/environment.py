"""Versions of what a grade depends on, found without importing any of it."""

from __future__ import annotations

import platform
from importlib import metadata

import harness

_LIBRARIES = ("keras", "numpy", "scikit-image", "scipy", "pillow")


def versions() -> dict[str, str]:
    """Name → version of Python, the harness and the libraries that student code computes with."""
    found = {"python": platform.python_version(), "xai-grading-harness": harness.__version__}
    for name in ("tensorflow-cpu", "tensorflow"):
        if version := _version(name):
            found["tensorflow"] = version
            break
    found |= {name: version for name in _LIBRARIES if (version := _version(name))}
    return {**found, "platform": f"{platform.system()} {platform.machine()}"}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
