"""Runs the catalogue over the lab's cases, and the reference under other conditions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from harness import golden, techniques
from harness.catalogue import Entry
from harness.execution.runner import Runner
from harness.grading import Grader
from harness.judging import judge
from harness.lab import Case, Lab
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.results import CaseResult, CheckResult, Outcome, RunStatus, RunSummary

# What may differ between the machine that built the golden outputs and the one that grades:
# environment variables, and threads of TensorFlow.
CONDITIONS: dict[str, tuple[dict[str, str], int]] = {
    "with oneDNN": ({"TF_ENABLE_ONEDNN_OPTS": "1"}, 1),
    "without oneDNN": ({"TF_ENABLE_ONEDNN_OPTS": "0"}, 1),
    "two threads": ({}, 2),
}
# The least margin with which a mistake must fail for the case to count as one that catches it.
CLEAR = 0.1


@dataclass(frozen=True)
class Row:
    """One entry of the catalogue: what it returned, and the checks of its technique."""

    entry: Entry
    outputs: Outputs
    checks: tuple[CheckResult, ...]

    @property
    def units(self) -> dict[str, CaseResult]:
        """The results by `check/case`."""
        return {f"{check.id}/{case.id}": case for check in self.checks for case in check.cases}

    @property
    def failed(self) -> list[str]:
        """The units that failed."""
        return [key for key, case in self.units.items() if case.outcome is Outcome.FAILED]

    @property
    def caught_by(self) -> list[str]:
        """The units that failed clearly."""
        return [key for key in self.failed if self.units[key].margin <= -CLEAR]

    @property
    def not_judged(self) -> list[str]:
        """The units that could not be judged."""
        units = self.units.items()
        return [key for key, case in units if case.outcome is Outcome.NOT_JUDGED]

    @property
    def margin(self) -> float:
        """The smallest margin over all units."""
        return min(case.margin for case in self.units.values())


@dataclass(frozen=True)
class NoiseRun:
    """The reference under another condition, or with another seed."""

    condition: str
    outputs: Outputs
    checks: tuple[CheckResult, ...]


def run_catalogue(
    grader: Grader, entries: Sequence[Entry], *, jobs: int, on_row: Callable[[Row], None]
) -> list[Row]:
    """Run every entry over the cases of its technique and judge it.

    Args:
        grader: of the lab; its `reference` is what entries may import.
        entries: what to run.
        jobs: how many children at a time.
        on_row: called from this thread with each row, in the order of the entries.
    """
    rows = []
    with ThreadPoolExecutor(jobs) as pool:
        for row in pool.map(lambda entry: _run(grader, entry), entries):
            on_row(row)
            rows.append(row)
    return rows


def rejudge(grader: Grader, lab: Lab, rows: Sequence[Row]) -> list[Row]:
    """The same outputs, judged by the thresholds of another lab."""
    return [replace(row, checks=_judge(grader, lab, row.entry, row.outputs)) for row in rows]


def run_noise(grader: Grader, *, jobs: int) -> list[NoiseRun]:
    """The reference under other conditions and with other seeds, judged like any submission."""
    lab = grader.lab
    runs = []
    for name, (variables, threads) in CONDITIONS.items():
        walls = grader.runner.sandbox
        with (
            _environment(variables),
            Runner(lab, techniques.CONTRACT, threads=threads, sandbox=walls) as runner,
        ):
            outputs = golden.run_reference(lab, runner, jobs)
        runs.append(NoiseRun(name, outputs, _judge_all(grader, lab, outputs)))
    reseeded = golden.run_reseeded(lab, grader.runner, jobs)
    for number in range(max((len(values) for values in reseeded.values()), default=0)):
        values = {
            key: CaseOutput(CaseStatus.RETURNED, found[number]) for key, found in reseeded.items()
        }
        summary = RunSummary(RunStatus.COMPLETED, 0.0)
        outputs = Outputs("reference", summary, values)
        runs.append(NoiseRun(f"seed {number + 1}", outputs, _judge_all(grader, lab, outputs)))
    return runs


def rejudge_noise(grader: Grader, lab: Lab, runs: Sequence[NoiseRun]) -> list[NoiseRun]:
    """The same outputs, judged by the thresholds of another lab."""
    return [replace(run, checks=_judge_all(grader, lab, run.outputs)) for run in runs]


def cases_of(lab: Lab, entry: Entry) -> list[Case]:
    """The cases of an entry's technique."""
    return [case for case in lab.cases if techniques.technique_of(case).name == entry.technique]


def _run(grader: Grader, entry: Entry) -> Row:
    lab = grader.lab
    calls = [techniques.call_of(lab, case) for case in cases_of(lab, entry)]
    outputs = grader.runner.run(entry.submission(lab), calls)
    return Row(entry, outputs, _judge(grader, lab, entry, outputs))


def _judge(grader: Grader, lab: Lab, entry: Entry, outputs: Outputs) -> tuple[CheckResult, ...]:
    return judge(lab, cases_of(lab, entry), grader.golden, outputs, grader.oracle)


def _judge_all(grader: Grader, lab: Lab, outputs: Outputs) -> tuple[CheckResult, ...]:
    cases = [case for case in lab.cases if techniques.key(case) in outputs.cases]
    return judge(lab, cases, grader.golden, outputs, grader.oracle)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables, which children are given, for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
