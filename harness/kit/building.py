"""The kit that students get, as one zip file: the same lab, the same bytes.

::

    handout.html  handout.md          what is asked for, and how it is graded
    submission.py  submission.ipynb   starters, and answers.md where questions are asked
    requirements.txt  *.whl           what is installed
    fixtures/                         the public part of the lab
    kit.json                          SHA-256 of each file that students leave alone

With a workflow, there is a `.gitignore`, too, which students may change.
"""

from __future__ import annotations

import hashlib
import json
import platform
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness import golden
from harness.courseci.workflows import workflow
from harness.gradebook import write_whole
from harness.kit import requirements, starting
from harness.kit.handout import handout
from harness.kit.labs import copy_public
from harness.kitfiles import FILE as DIGESTS
from harness.kitfiles import FORMAT_VERSION
from harness.lab import Lab
from harness.language import speaking

# What a student makes in the kit's folder, and must not push: an environment has 2 GB.
_IGNORED = b".venv/\nreports/\n__pycache__/\n.ipynb_checkpoints/\n"
STARTERS = ("submission.py", "submission.ipynb", "answers.md")


def write_kit(lab: Lab, out: Path, ci: str = "") -> tuple[list[str], str]:
    """Write the kit of a lab.

    Args:
        lab: what is graded; its hidden cases and its reference stay at home.
        out: the zip file.
        ci: one of `harness.courseci.workflows.KINDS`, to add a workflow that checks each push.

    Returns:
        the names of its files, and the SHA-256 of its `kit.json`.

    Raises:
        UsageError: nothing of the lab is public, or this environment is not installed.
        GoldenError: golden outputs are missing, damaged or stale.
    """
    files = dict(kit_files(lab, ci))
    write_whole(out, requirements.packed(files.items()))
    return list(files), hashlib.sha256(files[DIGESTS]).hexdigest()


def kit_files(lab: Lab, ci: str = "") -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of a kit; see `write_kit`."""
    given = dict(_given(lab, ci))
    with speaking(lab.language):
        yield "submission.py", starting.script(lab).encode()
        yield "submission.ipynb", starting.notebook(lab).encode()
        if lab.questions:
            yield "answers.md", starting.answers(lab).encode()
    if ci:
        yield ".gitignore", _IGNORED
    yield from given.items()
    yield DIGESTS, _digests(given)


def _given(lab: Lab, ci: str) -> Iterator[tuple[str, bytes]]:
    """What students leave as it is."""
    python = ".".join(platform.python_version_tuple()[:2])
    with tempfile.TemporaryDirectory(prefix="kit-") as folder:
        public = copy_public(lab, Path(folder) / "fixtures")
        text, page = handout(lab, public, golden.load(public), python)
        yield "handout.md", text.encode()
        yield "handout.html", page.encode()
        for path in sorted(public.folder.rglob("*")):
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path.read_bytes()
    yield "requirements.txt", requirements.locked().encode()
    yield requirements.wheel_name(), requirements.wheel()
    if ci:
        name, text = workflow(ci, python)
        yield name, text.encode()


def _digests(files: Mapping[str, bytes]) -> bytes:
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    return (
        json.dumps({"format_version": FORMAT_VERSION, "files": digests}, indent=1) + "\n"
    ).encode()
