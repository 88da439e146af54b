"""Where submissions are graded: in this process, in several on this machine, or on a cluster.

A task goes to a worker, an answer comes back, all through `concurrent.futures.Executor`. What a
worker needs of the lab is on its own disk: this machine's workers read the lab where it is, a
cluster's get it once, packed, when they join (`harness.cluster`).
"""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from harness.errors import GradingError, HarnessError
from harness.execution.sandbox import Sandbox, choose
from harness.gradebook import Gradebook, read_outputs
from harness.grading import Graded, Grader, Stored, open_lab
from harness.marks import stored_marks
from harness.submission import Submission

_PARENT_SECONDS = 1.0


@dataclass(frozen=True)
class Work:
    """What all tasks of a run have in common.

    Attributes:
        lab: path of the lab file, on the worker.
        unsandboxed: run student code without walls.
        lab_files: further folders that the lab's files may lie in.
    """

    lab: str
    unsandboxed: bool
    lab_files: tuple[str, ...] = ()


# What stands for an answer: no worker survived the task, or grading it failed.
Failure: TypeAlias = BrokenExecutor | GradingError


class Part(Enum):
    """Which cases of a submission a task is about."""

    ALL = "all"
    PUBLIC = "those that are not hidden, which are run and not judged"
    HIDDEN = "the hidden ones; the others were run before, and all are judged"


@dataclass(frozen=True)
class Task:
    """One submission to grade.

    Attributes:
        name: of the submission.
        path: where it is, on the worker; or
        packed: its files.
        outputs: its stored outputs, if there are any; or
        outputs_file: their file on the worker.
        remembered: what was worked out from them before; or
        remembered_file: its file on the worker.
        marks: the marks of its written answers, as they are stored.
        handed_in: whose it is and when it was handed in, as plain data, if that is known.
        part: which cases are to be run.
    """

    name: str
    path: str = ""
    packed: bytes = b""
    outputs: bytes = b""
    outputs_file: str = ""
    remembered: bytes = b""
    remembered_file: str = ""
    marks: bytes = b""
    handed_in: Mapping[str, Any] | None = None
    part: Part = Part.ALL


@dataclass(frozen=True)
class Answer:
    """What came of a task.

    Attributes:
        grade: as in `grade.json`; empty, as the report is, where nothing was judged.
        report: the HTML page.
        outputs: to be stored; empty where the stored ones still hold.
        remembered: to be stored; empty where what is stored still holds.
        ran: whether student code was run.
        answers: the written answers, to be stored; empty where what is stored still holds.
    """

    grade: dict[str, Any]
    report: bytes
    outputs: bytes
    remembered: bytes
    ran: bool
    answers: bytes = b""


class Engine(Protocol):
    """A place where tasks are run.

    Attributes:
        jobs: how many at a time.
    """

    jobs: int

    def executor(self) -> Executor:
        """A new executor; the one of before is of no more use."""

    def task(self, submission: Submission, book: Gradebook) -> Task:
        """A task as this engine's workers need it."""

    def run(self, executor: Executor, task: Task) -> Future[Answer]:
        """Hand a task to a worker."""

    def lost(self, error: Exception) -> bool:
        """Whether an error says that workers died with a task, for good."""

    def stop(self, executor: Executor) -> None:
        """End at once, whatever is running."""

    def close(self) -> None:
        """Be of no more use."""


class LocalEngine:
    """Processes of this machine; with one job, this process itself.

    Args:
        work: what all tasks have in common.
        jobs: how many at a time.
    """

    def __init__(self, work: Work, jobs: int) -> None:
        self.work = work
        self.jobs = jobs

    def executor(self) -> Executor:
        """See `Engine`."""
        if self.jobs == 1:
            return ThreadPoolExecutor(1)
        return ProcessPoolExecutor(
            self.jobs,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=leash,
            initargs=(os.getpid(),),
        )

    def task(self, submission: Submission, book: Gradebook) -> Task:
        """See `Engine`."""
        return Task(
            submission.name,
            path=str(submission.path),
            outputs_file=str(book.outputs_file(submission.name)),
            remembered_file=str(book.remembered_file(submission.name)),
            marks=stored_marks(book, submission.name),
            handed_in=handed_in_of(submission),
        )

    def run(self, executor: Executor, task: Task) -> Future[Answer]:
        """See `Engine`."""
        return executor.submit(do, self.work, task)

    def lost(self, error: Exception) -> bool:
        """See `Engine`: a pool of processes is broken as a whole instead."""
        return False

    def stop(self, executor: Executor) -> None:
        """See `Engine`."""
        executor.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.kill()

    def close(self) -> None:
        """See `Engine`."""
        close_graders()


def leash(parent: int) -> None:
    """In a worker: leave Ctrl-C to the process that started it, and end when that is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_SECONDS)
        os._exit(1)

    if sys.platform != "win32":
        threading.Thread(target=watch, daemon=True).start()


_graders: dict[Work, Grader] = {}
_lock = threading.Lock()


def grader_of(work: Work, *, ahead: bool = False) -> Grader:
    """This process's grader for such work; it stays for the next task.

    Args:
        work: what all tasks have in common.
        ahead: student code will be run soon.

    Raises:
        HarnessError: the lab or its golden outputs are damaged, or there is no inner wall here.
    """
    with _lock:
        if work not in _graders:
            walls = Sandbox() if work.unsandboxed else choose()
            lab = open_lab(Path(work.lab), tuple(map(Path, work.lab_files)))
            _graders[work] = Grader(lab, sandbox=walls, ahead=ahead)
            # What is alive now stays; the collector need not walk through it at every submission.
            gc.collect()
            gc.freeze()
        return _graders[work]


@atexit.register
def close_graders() -> None:
    """End the processes of this process's graders."""
    with _lock:
        graders = list(_graders.values())
        _graders.clear()
    for grader in graders:
        grader.close()


def do(work: Work, task: Task) -> Answer:
    """Grade a submission that is on this machine's disk."""
    stored = task.outputs or (task.outputs_file and Path(task.outputs_file).exists())
    grader = grader_of(work, ahead=not stored)
    with faults_told():
        return graded_task(grader, Path(task.path), task)


def graded_task(grader: Grader, path: Path, task: Task) -> Answer:
    """Grade a task's submission, which is at a path, and say what is to be stored of it."""
    kept = read_outputs(task.outputs or _read(task.outputs_file))
    told = task.remembered or _read(task.remembered_file)
    submission = Submission(task.name, path)
    if task.part is Part.PUBLIC:
        outputs = grader.run_public(submission, kept)
        made = outputs.to_bytes() if outputs else b""
        return Answer({}, b"", outputs=made, remembered=b"", ran=bool(made))
    stored = Stored(kept, told, task.marks, task.handed_in)
    graded = grader.grade(submission, stored, public_done=task.part is Part.HIDDEN)
    keys = kept.cases.keys() if kept is not None else None
    same = not graded.ran and keys == graded.outputs.cases.keys()
    return answer(graded, store=not same)


@contextmanager
def faults_told() -> Iterator[None]:
    """Have a fault of ours told as such, so that it ends one submission and not the whole run.

    Raises:
        GradingError: something failed that is none of our own errors.
    """
    try:
        yield
    except HarnessError:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__}: {str(error)[:300]}"
        raise GradingError(f"{what}; {Path(place.filename).name}, line {place.lineno}") from error


def answer(graded: Graded, *, store: bool = True) -> Answer:
    """What is stored of a graded submission.

    Args:
        graded: its grade, report and outputs.
        store: whether the outputs are to be stored.
    """
    found = graded.assessed
    outputs = graded.outputs.to_bytes() if store else b""
    return Answer(found.grade, found.report, outputs, found.remembered, graded.ran, found.answers)


def handed_in_of(submission: Submission) -> dict[str, Any] | None:
    """Whose a submission is and when it was handed in, as a grade keeps it."""
    return submission.handed_in.to_json() if submission.handed_in else None


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes() if file else b""
    except OSError:
        return b""


def _begun(
    engine: Engine, executor: Executor, submission: Submission, book: Gradebook, part: Part
) -> Future[Answer]:
    """A task with a worker; one that cannot be made, as where a file cannot be read, has failed."""
    try:
        with faults_told():
            task = engine.task(submission, book)
            if part is not Part.ALL:
                task = replace(task, part=part)
    except GradingError as error:
        failed: Future[Answer] = Future()
        failed.set_exception(error)
        return failed
    return engine.run(executor, task)


def _result(engine: Engine, future: Future[Answer]) -> Answer | Failure:
    """The answer, or what stands for it."""
    try:
        return future.result()
    except (BrokenExecutor, GradingError) as error:
        return error
    except Exception as error:
        if not engine.lost(error):
            raise
        return BrokenExecutor(str(error))


def run_all(
    engine: Engine, submissions: Iterator[Submission], book: Gradebook, part: Part = Part.ALL
) -> Iterator[tuple[Submission, Answer | Failure]]:
    """Run tasks, a few more at a time than there are workers, and yield answers as they come.

    A worker that dies takes the others along, and whose task it was is not known: each of those at
    hand is tried again, alone. One that takes its worker along even then, twice, has the broken
    executor for an answer. What fails otherwise is tried once more, too.

    Args:
        engine: where.
        submissions: taken as workers come free.
        book: where stored outputs are.
        part: which cases are to be run.

    Raises:
        HarnessError: of a worker; nothing else can be graded either.
    """
    executor = engine.executor()
    waiting: dict[Future[Answer], Submission] = {}
    again: list[Submission] = []
    suspects: list[Submission] = []
    failed: set[str] = set()
    deaths: set[str] = set()
    try:
        while True:
            alone = bool(suspects)
            while len(waiting) < (1 if alone else 2 * engine.jobs):
                queue = suspects or again
                item = queue.pop() if queue else next(submissions, None)
                if item is None:
                    break
                waiting[_begun(engine, executor, item, book, part)] = item
            if not waiting:
                executor.shutdown(wait=True)  # workers clear up; those that are killed do not
                return
            broken = False
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                item = waiting.pop(future)
                made = _result(engine, future)
                took_along = isinstance(made, BrokenProcessPool)
                broken |= took_along
                if took_along and item.name not in deaths:
                    deaths |= {item.name} if alone else set()
                    suspects.append(item)
                elif isinstance(made, GradingError) and item.name not in failed:
                    failed.add(item.name)
                    again.append(item)
                else:
                    yield item, made
            if broken:
                suspects += waiting.values()
                waiting.clear()
                engine.stop(executor)
                executor = engine.executor()
    finally:
        engine.stop(executor)
