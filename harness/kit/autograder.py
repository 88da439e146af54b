"""The autograder of Gradescope: one zip file that imports, grades and exports a submission.

Source: Gradescope's autograder specification: `setup.sh` and `run_autograder` at the root of the
zip; everything is unpacked to `/autograder/source`, and `run_autograder` copied to `/autograder`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness.gradebook import write_whole
from harness.kit import requirements
from harness.kit.labs import FILE, copy_whole
from harness.lab import Lab

_SETUP = """\
#!/usr/bin/env bash
# Made by harness kit: installs the autograder, once, when its image is built.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends python3 python3-venv bubblewrap
cd "$(dirname "$0")"
python3 -m venv ../venv
# The versions that the lab was made with, where this Python has them.
../venv/bin/pip install --no-cache-dir -r requirements.txt ||
    ../venv/bin/pip install --no-cache-dir ./*.whl
../venv/bin/harness doctor || echo "see above: student code is not confined here"
"""
_RUN = """\
#!/usr/bin/env bash
# Made by harness kit: grades one submission. What is printed here, instructors see.
set -uo pipefail
root="$(cd "$(dirname "$0")" && pwd)"
lab="$root/source/fixtures/@FILE@"
work="$(mktemp -d)"
export PATH="$root/venv/bin:$PATH"

# 1 says that something needs a person's eye; it is printed, and grading goes on.
harness import "$root" --from gradescope --lab "$lab" --out "$work/submissions"
[ $? -le 1 ] || exit 2
# 3 says that it could not be judged: no points are reported then, rather than none given.
harness grade "$work/submissions" --lab "$lab" --out "$work/reports" --jobs 1@OPTIONS@
case $? in 0 | 3) ;; *) exit 2 ;; esac
harness export "$work/reports" --to gradescope --lab "$lab" --out "$root/results/results.json"
"""


def write_autograder(lab: Lab, out: Path, *, unsandboxed: bool = False) -> list[str]:
    """Write the autograder of a lab.

    Args:
        lab: what is graded, hidden cases included; only the reference stays at home.
        out: the zip file.
        unsandboxed: for a host without Landlock: grade without walls, and say so in every grade.

    Returns:
        the names of its files.

    Raises:
        UsageError: this environment is not installed.
        GoldenError: golden outputs are missing, damaged or stale.
    """
    files = dict(_files(lab, unsandboxed))
    programs = ("setup.sh", "run_autograder")
    write_whole(out, requirements.packed(files.items(), executable=programs))
    return list(files)


def _files(lab: Lab, unsandboxed: bool) -> Iterator[tuple[str, bytes]]:
    options = " --unsandboxed" if unsandboxed else ""
    yield "setup.sh", _SETUP.encode()
    yield "run_autograder", _RUN.replace("@FILE@", FILE).replace("@OPTIONS@", options).encode()
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        copy_whole(lab, Path(folder) / "fixtures")
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path.read_bytes()
    yield "requirements.txt", requirements.locked().encode()
    yield requirements.wheel_name(), requirements.wheel()
