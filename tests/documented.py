"""The pages of the documentation: what is in them, and their commands, run as a person would."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from harness.docs import page

ROOT = Path(__file__).parents[1]


def blocks(text: str, kind: str) -> list[str]:
    """The blocks of code of a kind."""
    return re.findall(rf"(?ms)^```{kind}\n(.*?)^```$", text)


def programs(folder: Path) -> Path:
    """Make a folder of programs, which are this environment's."""
    folder.mkdir()
    for name, module in (("harness", "harness"), ("dask", "dask")):
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
        path.chmod(0o755)
    return folder


def run_page(name: str, course: Path, without: Collection[str] = ()) -> str:
    """Run all commands of a page, one after the other, in one shell; give what they printed."""
    lines = []
    for block in blocks(page(name), "sh"):
        assert "harness" in block
        lines += [line for line in block.splitlines() if line not in without]
    path = f"{course / 'bin'}{os.pathsep}{os.environ['PATH']}"
    printed = course / f"{name}.txt"
    with printed.open("w") as stream:
        shell = subprocess.Popen(
            ["bash", "-exc", "\n".join(lines)],
            cwd=course,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        returncode = shell.wait(480)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)  # what a page has started in the background
    assert returncode == 0, printed.read_text()
    return printed.read_text()
