"""Tasks are run however many workers die: who takes one along is found, and nobody else pays."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from harness.engine import GradingError, run_all
from harness.submission import Submission


def work(name, folder):
    """What a worker does with a submission of this name; its calls are counted."""
    calls = len(list(folder.glob(f"{name}#*")))
    (folder / f"{name}#{calls}").touch()
    if name.startswith("killer") or (name == "unlucky" and not calls):
        time.sleep(0.1)
        os._exit(1)
    if name == "faulty" or (name == "flaky" and not calls):
        raise GradingError("a fault of ours")
    time.sleep(0.2)
    return name


class Workers:
    """Two processes that know nothing of grading."""

    jobs = 2

    def __init__(self, folder):
        self.folder = folder

    def executor(self):
        return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))

    def task(self, submission, book):
        return submission.name

    def run(self, executor, task):
        return executor.submit(work, task, self.folder)

    def lost(self, error):
        return False

    def stop(self, executor):
        executor.shutdown(wait=True, cancel_futures=True)


@pytest.mark.parametrize(
    "names",
    [
        ["killer", "a", "b", "c", "d"],
        ["a", "b", "c", "killer", "d", "killer2"],
        ["a", "unlucky", "b"],
        ["faulty", "a", "flaky", "killer"],
    ],
    ids=" ".join,
)
def test_only_who_takes_a_worker_along_twice_is_not_judged(tmp_path, names):
    submissions = iter([Submission(name, Path(name)) for name in names])
    found = {one.name: made for one, made in run_all(Workers(tmp_path), submissions, None)}
    assert sorted(found) == sorted(names)
    for name, made in found.items():
        if name.startswith("killer"):
            assert isinstance(made, BrokenProcessPool)
            assert len(list(tmp_path.glob(f"{name}#*"))) >= 2
        elif name == "faulty":
            assert isinstance(made, GradingError)
        else:
            assert made == name
