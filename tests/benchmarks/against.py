"""The same ten submissions with the same checks, by what people use; part of `cohort.py`.

A pytest process per student, nbgrader's autograde and otter's run: each as its manual says, their
tests in the very process of the student. nbgrader grades one after the other, whatever it is told;
the others get as many at a time as we do.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def quick_lab(folder: Path, jobs: int) -> Path:
    """Top-k, activations and class activation maps, two cases of each: little computing."""
    from harness import golden
    from harness.execution.runner import Runner
    from harness.grading import open_lab
    from harness.techniques import CONTRACT

    lab = folder / "lab"
    shutil.copytree(ROOT / "fixtures", lab)
    shutil.rmtree(lab / "golden")
    data = yaml.safe_load((lab / "lab.yaml").read_text())
    functions = ("top_predictions", "class_activation_map", "layer_activations")
    # Two of each: what is compared is what a student costs beside the own computing.
    data["cases"] = {name: data["cases"][name][:2] for name in functions}
    kept = ("top-5", "heatmaps", "activations")
    data["checks"] = [check for check in data["checks"] if check["id"] in kept]
    data["reference"] = str(ROOT / "reference")
    del data["calibration"], data["questions"]
    (lab / "lab.yaml").write_text(yaml.safe_dump(data))
    opened = open_lab(lab / "lab.yaml")
    with Runner(opened, CONTRACT) as runner:
        golden.build(opened, runner, jobs)
    return lab / "lab.yaml"


class Others:
    """Other ways to grade a cohort; each returns the seconds that it took."""

    def __init__(self, lab: Path, cohort: Path, folder: Path, jobs: int) -> None:
        from harness.grading import open_lab

        self.submissions = sorted(cohort.iterdir())
        self.cases = [case.id for case in open_lab(lab).cases]
        self.folder, self.jobs = folder, jobs
        self.environment = {
            **os.environ,
            "QUICK_LAB": str(lab),
            # nbgrader looks for alembic's command.
            "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{HERE}{os.pathsep}{ROOT}",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }

    def run(self, folder: Path, *arguments: object, **more: str) -> None:
        """One of their commands, which must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", *map(str, arguments)],
            env={**self.environment, **more}, cwd=folder, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]

    def each(self, one: Callable[[Path], None]) -> float:
        started = time.perf_counter()
        with ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(one, self.submissions))
        return time.perf_counter() - started

    def pytest(self) -> float:
        """A process per student."""
        test = HERE / "per_student.py"
        return self.each(
            lambda path: self.run(
                ROOT, "pytest", "-q", "-p", "no:cacheprovider", test,
                QUICK_SUBMISSION=str(path / "submission.py"),
            )
        )  # fmt: skip

    def nbgrader(self) -> float:
        """`nbgrader autograde`, a test cell for each case."""
        course = self.folder / "nbgrader"
        write(course / "nbgrader_config.py", _NBGRADER)
        first, *_ = self.submissions
        write(course / "source/quick/quick.ipynb", notebook(self.nbgrader_cells(first)))
        self.run(course, "nbgrader", "generate_assignment", "quick", "--create")
        for path in self.submissions:
            handed = course / "submitted" / path.name / "quick/quick.ipynb"
            write(handed, notebook(self.nbgrader_cells(path)))
        started = time.perf_counter()
        self.run(course, "nbgrader", "autograde", "quick")
        seconds = time.perf_counter() - started
        for path in self.submissions:
            graded = json.loads(
                (course / "autograded" / path.name / "quick/quick.ipynb").read_text("utf-8")
            )
            outputs = [out for cell in graded["cells"] for out in cell.get("outputs", [])]
            assert not [out for out in outputs if out["output_type"] == "error"], outputs
            runs = [cell for cell in graded["cells"] if cell.get("execution_count")]
            assert len(runs) == 2 + len(self.cases)
        return seconds

    def nbgrader_cells(self, submission: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        kind = {"schema_version": 3, "task": False, "cell_type": "code"}
        solution = {**kind, "grade_id": "work", "grade": False, "solution": True, "locked": False}
        locked = {**kind, "grade": False, "solution": False, "locked": True}
        yield (submission / "submission.py").read_text("utf-8"), {"nbgrader": solution}
        yield "from quick import passes", {"nbgrader": {**locked, "grade_id": "setup"}}
        for number, case in enumerate(self.cases):
            test = {**locked, "grade_id": f"case{number}", "grade": True, "points": 1}
            yield f"assert passes(globals(), {case!r})", {"nbgrader": test}

    def otter(self) -> float:
        """`otter run`, a process per student, a test file for each case."""
        course = self.folder / "otter"
        for number, case in enumerate(self.cases):
            code = f">>> from quick import passes\n>>> passes(globals(), {case!r})\nTrue"
            suite = {"cases": [{"code": code, "hidden": False, "locked": False}], "scored": True,
                     "setup": "", "teardown": "", "type": "doctest"}  # fmt: skip
            test = {"name": f"case{number}", "points": 1, "suites": [suite]}
            write(course / f"tests/case{number}.py", f"OK_FORMAT = True\ntest = {test!r}\n")
        for path in self.submissions:
            code = (path / "submission.py").read_text("utf-8")
            write(course / "submitted" / f"{path.name}.ipynb", notebook([(code, {})]))
        self.run(course, "otter", "generate", "-t", "tests", "-o", "autograder.zip")

        def one(path: Path) -> None:
            handed = course / "submitted" / f"{path.name}.ipynb"
            out = course / path.name
            out.mkdir()
            self.run(course, "otter", "run", handed, "-a", course / "autograder.zip", "-o", out)
            found = json.loads((out / "results.json").read_text("utf-8"))
            scores = [test["score"] for test in found["tests"] if test.get("max_score")]
            assert scores == [1.0] * len(self.cases), found

        return self.each(one)


_NBGRADER = """c = get_config()
c.CourseDirectory.course_id = "course"
c.ExecutePreprocessor.timeout = 600
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def notebook(cells: Any) -> str:
    """A notebook of code cells."""
    made = [
        {"cell_type": "code", "id": f"cell{n}", "source": source, "metadata": metadata,
         "outputs": [], "execution_count": None}
        for n, (source, metadata) in enumerate(cells)
    ]  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
