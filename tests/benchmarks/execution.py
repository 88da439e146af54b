"""What running a submission costs beyond its own computing: `tox -e bench`.

Ratios within one run, so that the machine's speed cancels; nothing here passes or fails.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import table

from harness import techniques
from harness.calls import Call
from harness.execution.processes import ColdStarter
from harness.execution.runner import Runner
from harness.execution.sandbox import Sandbox, choose
from harness.execution.session import clean_environment
from harness.grading import open_lab
from harness.submission import Submission

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NO_OP = "def nothing(): return 1\n"
CONTRACT = {"nothing": ()}


def timed(run: Callable[[], Any], times: int) -> list[float]:
    """Seconds of each run after a first one that is not counted."""
    run()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return seconds


def measure() -> dict[str, Any]:
    """Run everything once; seconds and ratios by name."""
    lab = open_lab(ROOT / "fixtures" / "lab.yaml")
    case = next(case for case in lab.cases if case.function == "class_activation_map")
    cam = techniques.call_of(lab, case)
    nothing = Call("nothing", "nothing", "", {})
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "submission.py").write_text(NO_OP)
        no_op = Submission("no-op", Path(folder))
        for name, walls in (
            ("bubblewrap and inner wall", choose()),
            ("inner wall", choose(bubblewrap=False)),
            ("no wall", Sandbox()),
        ):
            with Runner(lab, CONTRACT, sandbox=walls) as runner:
                seconds = timed(lambda runner=runner: runner.run(no_op, [nothing]), 50)
            results[f"no-op, warm, {name}"] = statistics.median(seconds)
    good = Submission("good", ROOT / "submissions" / "good-plain")
    with Runner(lab, techniques.CONTRACT) as runner:
        results["one Grad-CAM, warm"] = statistics.median(
            timed(lambda: runner.run(good, [cam]), 15)
        )
        warm = runner._starter
        runner._starter = ColdStarter(
            clean_environment(runner._staged.folders[0]), confined=runner.sandbox.inner
        )
        results["one Grad-CAM, a new process each"] = statistics.median(
            timed(lambda: runner.run(good, [cam]), 4)
        )
        warm.close()
    results["new process / warm"] = (
        results["one Grad-CAM, a new process each"] / results["one Grad-CAM, warm"]
    )
    return results


def write(results: dict[str, Any]) -> None:
    """Write the figures as JSON, and as a table into the README beside this file."""
    machine = f"{platform.system()} {platform.release()}, {os.cpu_count()} cores"
    versions = f"Python {platform.python_version()}"
    (HERE / "execution.json").write_text(
        json.dumps({"machine": machine, "python": versions, **results}, indent=1) + "\n"
    )
    table.write("execution", f"{machine}, {versions}", results)


if __name__ == "__main__":
    write(measure())
