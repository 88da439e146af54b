"""Versions of what a grade depends on, found without importing any of it."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

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


@cache
def code_digest() -> str:
    """SHA-256 of the harness itself: what judges, draws and words a grade, pages included."""
    folder = Path(harness.__file__).parent
    digest = hashlib.sha256()
    names = [file.relative_to(folder) for file in folder.rglob("*") if file.is_file()]
    for name in sorted(names):
        if name.parts[0] != "docs" and name.suffix != ".pyc":
            digest.update(name.as_posix().encode() + b"\0" + (folder / name).read_bytes())
    return digest.hexdigest()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
