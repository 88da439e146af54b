"""Tasks are run however many workers die: who takes one along is found, and nobody else pays."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from harness import opened as opened_module
from harness import submission as submission_module
from harness.answers import Answers
from harness.engine import run_all
from harness.errors import GradingError
from harness.grading import NOTHING, grade_or_not
from harness.opened import prepare
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
        if submission.name == "unreadable":
            raise PermissionError(13, "Permission denied")
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


def test_a_submission_that_cannot_be_read_is_not_judged_and_ends_no_run(tmp_path):
    submissions = iter([Submission(name, Path(name)) for name in ("a", "unreadable", "b")])
    found = {one.name: made for one, made in run_all(Workers(tmp_path), submissions, None)}
    failure = found.pop("unreadable")
    assert found == {"a": "a", "b": "b"}
    assert isinstance(failure, GradingError)
    assert "PermissionError: [Errno 13] Permission denied" in str(failure)


@pytest.mark.parametrize("limits", [(10, 4), (10, 5), (1, 100), (2, 100), (3, 100)])
def test_of_a_submission_too_large_to_run_no_more_travels_than_shows_it(
    tmp_path, monkeypatch, limits
):
    cluster = pytest.importorskip("harness.cluster")
    for module in (cluster, submission_module, opened_module):
        monkeypatch.setattr(module, "MAX_FILES", limits[0])
        monkeypatch.setattr(module, "MAX_BYTES", limits[1])
    here = tmp_path / "ann"
    (here / "data").mkdir(parents=True)
    (here / "submission.py").write_text("x=1")
    (here / "data" / "a.txt").write_text("12")
    packed = cluster.pack_submission(Submission("ann", here))
    cluster.unpack_lab(packed, tmp_path / "there")
    there = Submission("ann", tmp_path / "there" / "s")
    found = prepare(there, tmp_path / "run")
    assert found == prepare(Submission("ann", here), tmp_path / "locally")
    assert bool(found.problem) == (limits in {(10, 4), (1, 100)})


def test_of_a_large_file_no_more_is_read_than_shows_it(tmp_path, monkeypatch):
    cluster = pytest.importorskip("harness.cluster")
    monkeypatch.setattr(cluster, "MAX_BYTES", 1000)
    (tmp_path / "submission.py").write_text("#" * 100_000)
    assert len(cluster.pack_submission(Submission("ann", tmp_path / "submission.py"))) < 20_000
    archive = tmp_path / "ann.zip"  # unpacked, and counted, where it is run
    for size, travels in ((1500, 1500), (100_000, 2001)):
        archive.write_bytes(b"#" * size)
        packed = cluster.pack_submission(Submission("ann", archive))
        assert packed.count(b"#") == travels


class Faulty:
    """A grader with a fault of ours, as many times as it is asked to have one."""

    def __init__(self, times):
        self.times = times

    def grade(self, submission, stored):
        self.times -= 1
        if self.times >= 0:
            raise GradingError("KeyError: 'x'; judging.py, line 1")
        return "graded"

    def not_judged(self, submission, message, stored, answers):
        return message


@pytest.mark.parametrize(
    ("times", "found"),
    [
        (0, "graded"),
        (1, "graded"),
        (
            2,
            "the harness could not grade this, tried twice (KeyError: 'x'; judging.py, line 1); "
            "please report it",
        ),
    ],
)
def test_a_fault_of_ours_is_tried_once_more_and_then_said(times, found):
    alice = Submission("alice", Path("alice"))
    assert grade_or_not(Faulty(times), alice, NOTHING, Answers()) == found
