"""Networks of `keras.applications`, made files of, so that a child needs neither network nor cache.

Run as `python -m harness.execution.applications NAME WEIGHTS FILE` it makes one, with TensorFlow
and, for ImageNet's weights, a download.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

from harness.environment import versions
from harness.errors import LabError
from harness.models import ModelSpec


def saved(spec: ModelSpec) -> Path:
    """The model as a `.keras` file; made on first use, and kept beside what Keras downloads.

    Args:
        spec: of an application.

    Raises:
        LabError: it could not be made; with what Keras says of it.
    """
    made_of = f"{spec.application} {spec.content()} {versions()['keras']}"
    digest = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "harness"
    file = folder / f"{spec.application}-{digest}.keras"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock"):
            if not file.exists():  # nobody has made it while we waited
                _make(spec, file)
    return file


def _make(spec: ModelSpec, file: Path) -> None:
    """In a process of its own: TensorFlow stays out of this one."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        whole = Path(folder, "whole.keras")  # a file of the right name is a whole one
        command = [sys.executable, "-m", __name__, str(spec.application), str(spec.weights)]
        done = subprocess.run(
            [*command, str(whole)],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            raise LabError(
                f"model {spec.name!r}: {spec.application} of keras.applications could not be made "
                f"with weights {spec.weights}: {' '.join(lines[-1:])[:500]}; 'imagenet' is "
                "downloaded once, which needs the network; else name a weights file"
            )
        whole.replace(file)


def main(name: str, weights: str, file: str) -> None:
    """Make a file of a network."""
    import keras

    getattr(keras.applications, name)(weights=weights).save(file)


if __name__ == "__main__":
    main(*sys.argv[1:])
