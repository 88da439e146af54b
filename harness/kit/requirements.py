"""What a lab needs to be installed, locked to the versions that are here, and our own wheel.

Versions are those of this environment, with the condition that each was asked for under, so that
the same file serves Linux, macOS and Windows; what only another system needs is left to its pip.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import harness
from harness.errors import UsageError

NAME = "xai-grading-harness"
# The same release under two names: with and without the libraries of graphics cards.
_TWINS = {"tensorflow": "tensorflow-cpu", "tensorflow-cpu": "tensorflow"}
# A condition on the system, which another student's may not fulfil.
_SYSTEM = re.compile("platform|os_name|implementation")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT = {"__pycache__", ".DS_Store"}
_TAG = "py3-none-any"


def wheel_name() -> str:
    """The file name of our wheel."""
    return f"{NAME.replace('-', '_')}-{harness.__version__}-{_TAG}.whl"


def locked() -> str:
    """The text of a `requirements.txt` for a folder that has our wheel.

    Raises:
        UsageError: this environment lacks something that we need.
    """
    lines = sorted(set(_pins()), key=str.lower)
    head = "# Made by `harness kit`. In this folder: pip install -r requirements.txt\n"
    return f"{head}./{wheel_name()}\n" + "".join(f"{line}\n" for line in lines)


def wheel() -> bytes:
    """Our own package as a wheel: the files that run here, the same bytes every time.

    Source: the binary distribution format of the Python Packaging User Guide.
    """
    folder = Path(harness.__file__).parent
    info = wheel_name().removesuffix(f"-{_TAG}.whl") + ".dist-info"
    files = {
        f"harness/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _LEFT_OUT & set(path.parts) and path.suffix != ".png"
    }
    about = _own()
    files[f"{info}/METADATA"] = _text(about, "METADATA", "PKG-INFO").encode()
    files[f"{info}/entry_points.txt"] = _text(about, "entry_points.txt").encode()
    kind = f"Wheel-Version: 1.0\nGenerator: {NAME}\nRoot-Is-Purelib: true\nTag: {_TAG}\n"
    files[f"{info}/WHEEL"] = kind.encode()
    record = "".join(f"{name},sha256={_hash(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    return packed(files.items())


def packed(files: Iterable[tuple[str, bytes]], executable: Iterable[str] = ()) -> bytes:
    """A zip file of these files in this order, the same bytes every time."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            entry.create_system = 3  # else a mode means nothing, and differs from system to system
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _pins() -> Iterator[str]:
    """A line for each package that ours needs, those that they need included."""
    todo = [Requirement(text) for text in _own().requires or ()]
    conditions: dict[tuple[str, str], set[str]] = {}
    while todo:
        wanted = todo.pop()
        name, marker = str(canonicalize_name(wanted.name)), wanted.marker
        here = marker is None or marker.evaluate({"extra": ""})
        found = _installed(name if here else _TWINS.get(name, ""))
        if found is None and here:
            raise UsageError(f"{name} is not installed here; run: pip install {NAME}")
        if found is None or "extra ==" in str(marker):
            continue
        condition = str(marker) if _SYSTEM.search(str(marker)) else ""
        known = conditions.setdefault((name, found.version), set())
        if here and condition not in known:
            todo += [Requirement(text) for text in found.requires or ()]
        known.add(condition)
    for (name, version), several in conditions.items():
        line = f"{name}=={version}"
        yield line if "" in several else f"{line} ; {' or '.join(sorted(several))}"


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name) if name else None
    except PackageNotFoundError:
        return None


def _own() -> Distribution:
    found = _installed(NAME)
    if found is None:
        raise UsageError(f"{NAME} is not installed, only there; run: pip install -e .")
    return found


def _text(about: Distribution, *names: str) -> str:
    return next((text for name in names if (text := about.read_text(name))), "")


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
