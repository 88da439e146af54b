"""Whether what is installed is what the kit was made with."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from harness.preflight import Finding

FILE = "requirements.txt"
_FIX = f"run: pip install -r {FILE}"


def look(folder: Path) -> Iterator[Finding]:
    """Compare what is installed with the versions that a kit's folder locks.

    Args:
        folder: of the kit; without its requirements there is nothing to compare.
    """
    path = folder / FILE
    if not path.is_file():
        return
    wrong = list(_differences(path))
    if wrong:
        for text in wrong:
            yield Finding(False, f"{text}; {_FIX}")
    else:
        yield Finding(True, f"installed is what {FILE} names")


def _differences(path: Path) -> Iterator[str]:
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue  # a comment, or our wheel by its path
        if wanted.marker and not wanted.marker.evaluate():
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            yield f"{wanted.name} is not installed"
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            yield f"{wanted.name} {found} is installed, the kit has {wanted.specifier}"
