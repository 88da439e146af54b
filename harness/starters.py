"""Files that students start from, and whether they are still as they were given.

A starter carries the SHA-256 of its own code, so that one that was left alone is known wherever it
turns up: who works in the notebook and hands in the untouched script beside it is not graded on it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

_MARK = "# Starter, unchanged while this is the SHA-256 of the lines above: "
_KEY = "xai_grading_harness"
_MOST_BYTES = 2**20  # no starter is that long


def signed_script(text: str) -> str:
    """A script with the digest of its lines as its last."""
    return f"{text.rstrip()}\n\n{_MARK}{_digest(text)}\n"


def signed_notebook(notebook: dict[str, Any]) -> dict[str, Any]:
    """A notebook, as JSON data, with the digest of its code cells in its metadata."""
    metadata = {**notebook["metadata"], _KEY: {"starter": _of_cells(notebook)}}
    return {**notebook, "metadata": metadata}


def is_untouched(path: Path) -> bool:
    """Whether a file is a starter whose code nobody has changed; nothing of it is run."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return False
        text = path.read_text("utf-8")
        if path.suffix == ".ipynb":
            notebook = json.loads(text)
            return bool(notebook["metadata"][_KEY]["starter"] == _of_cells(notebook))
        above, mark, digest = text.rpartition(_MARK)
        return bool(mark) and digest.strip() == _digest(above)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _of_cells(notebook: dict[str, Any]) -> str:
    cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return _digest("\0".join("".join(source).strip() for source in cells))


def _digest(text: str) -> str:
    lines = (line.rstrip() for line in text.strip().splitlines())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
