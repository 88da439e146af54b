"""Files of the kit that are not as they were given out, told by the digests in `kit.json`.

`kit.json`, at the kit's root, has the SHA-256 of every file that students do not edit::

    {"format_version": 1, "files": {"lab/lab.yaml": "<64 hexadecimal digits>", …}}

It lies in the student's own repository: nothing it says is believed before it is checked, and that
it is the one given out can be told only by whoever knows its digest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

FILE = "kit.json"
FORMAT_VERSION = 1
MAX_BYTES = 2**20
MAX_FILES = 5000
_CHUNK = 2**20
_LABS = ("lab.yaml", "fixtures/lab.yaml", "*/lab.yaml", "*/fixtures/lab.yaml")
_DIGEST = re.compile(r"[0-9a-f]{64}")
# Names that Windows or a shell would take for another place.
_OUTSIDE = re.compile(r'[\x00-\x1f\\:*?"<>|\ud800-\udfff]')


@dataclass(frozen=True)
class Changed:
    """A file of the kit that is not as it was given out.

    Attributes:
        file: its path in the kit, with slashes.
        how: `changed`, `missing`, or what is wrong with `kit.json`.
    """

    file: str
    how: str


def find_kit(start: Path) -> Path | None:
    """The nearest folder upward that holds a `kit.json`, within the repository if there is one."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
        if (folder / ".git").exists():
            return None
    return None


def changed_files(folder: Path, expected: str = "") -> list[Changed]:
    """Compare a folder with its `kit.json`; nothing outside the folder is ever opened.

    Line endings of Windows, which git may have made, are no change.

    Args:
        folder: holds `kit.json`.
        expected: the SHA-256 of the `kit.json` that was given out, where it is known.

    Returns:
        what differs, sorted by file; empty where all is as it was given out.
    """
    data = _bounded(folder / FILE)
    if data is None:
        return [Changed(FILE, "missing, or no file that can be read")]
    if expected and expected not in (_sha256(data), _sha256(_with_lf(data))):
        return [Changed(FILE, "changed")]
    files = _read(data)
    if isinstance(files, str):
        return [Changed(FILE, files)]
    found = []
    for name, digest in sorted(files.items()):
        if how := _compare(folder, name, digest):
            found.append(Changed(name, how))
    return found


def foreign_labs(folder: Path, expected: str = "") -> list[str]:
    """Lab files in what was handed in that are not the kit's own, as it was given out.

    Args:
        folder: what was handed in; a file has none.
        expected: the SHA-256 of the `kit.json` that was given out, where it is known.

    Returns:
        their names, relative to the folder, sorted; no deeper than the kit in a folder of its own.
    """
    if not folder.is_dir():
        return []
    found = set()
    for path in (path for pattern in _LABS for path in folder.glob(pattern)):
        kit = path.parent.parent if path.parent.name == "fixtures" else path.parent
        if not _is_given_out(kit, path, expected):
            found.add(path.relative_to(folder).as_posix())
    return sorted(found)


def _is_given_out(kit: Path, path: Path, expected: str) -> bool:
    """Whether a file is as a kit's `kit.json` has it; that it is the one given out, if known."""
    data = _bounded(kit / FILE)
    if data is None or (expected and expected not in (_sha256(data), _sha256(_with_lf(data)))):
        return False
    files = _read(data)
    name = path.relative_to(kit).as_posix()
    return isinstance(files, dict) and name in files and not _compare(kit, name, files[name])


def sentence(changed: Sequence[Changed]) -> str:
    """What a student is told of changed files."""
    shown = ", ".join(f"{one.file} ({one.how})" for one in changed[:10])
    more = f" and {len(changed) - 10} more" if len(changed) > 10 else ""
    return (
        f"these files of the kit were changed: {shown}{more}; what you see here may differ from "
        "your grade; take them from the kit again"
    )


def _read(data: bytes) -> dict[str, str] | str:
    """Names and digests, or what is wrong."""
    try:
        content: Any = json.loads(data)
    except (ValueError, RecursionError):
        return "damaged: not JSON"
    if not isinstance(content, dict) or content.get("format_version") != FORMAT_VERSION:
        return f"damaged: expected an object of format_version {FORMAT_VERSION}"
    files = content.get("files")
    if not isinstance(files, dict) or not 0 < len(files) <= MAX_FILES:
        return f"damaged: expected 'files' with 1 to {MAX_FILES} entries"
    for name, digest in files.items():
        if not _inside(name):
            return "damaged: it names a file outside the kit"
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            return "damaged: expected 64 hexadecimal digits for each file"
    return files


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        bool(path.parts)
        and not _OUTSIDE.search(name)
        and not path.is_absolute()
        and ".." not in path.parts
    )


def _compare(folder: Path, name: str, digest: str) -> str:
    """How a file differs from what was given out; empty where it does not."""
    path = folder
    for part in PurePosixPath(name).parts:
        path /= part
        try:
            if path.is_symlink():
                return "changed"
        except OSError:
            return "missing"
    if not path.is_file():
        return "missing"
    try:
        return "" if digest in _digests(path) else "changed"
    except OSError:
        return "changed"


def _digests(path: Path) -> tuple[str, str]:
    """SHA-256 of a file as it is, and with LF for every CRLF."""
    plain, with_lf, kept = hashlib.sha256(), hashlib.sha256(), b""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            plain.update(chunk)
            # A CR at the end waits for what follows it.
            chunk, kept = kept + chunk, b""
            if chunk.endswith(b"\r"):
                chunk, kept = chunk[:-1], b"\r"
            with_lf.update(_with_lf(chunk))
    with_lf.update(kept)
    return plain.hexdigest(), with_lf.hexdigest()


def _bounded(path: Path) -> bytes | None:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _with_lf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
