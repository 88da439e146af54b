"""Stands in for an `Assessor` in the examining process: does as it is asked, well or not."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass

import numpy as np

from harness.answers import Answers
from harness.assessing import Assessed
from harness.errors import UsageError
from harness.opened import Opened, Source


@dataclass(frozen=True)
class Strange:
    """What it does with a submission is the submission's name."""

    def open(self, submission, folder, at):
        at("files")
        getattr(self, submission.name)(at, None)
        return Opened(submission, folder, Source(("a.py",), ("a note",), ""), ("a problem",))

    def answers(self, submission, folder, at):
        at("answers")
        getattr(self, submission.name)(at, None)
        return Answers({"q": "because"})

    def assess(self, work, oracle, at):
        found = getattr(self, work.submission.name)(at, oracle)
        return Assessed({"found": found}, b"<html>", b"", b"{}")

    def well(self, at, oracle):
        return os.getpid()

    def threads(self, at, oracle):
        return os.environ["OPENBLAS_NUM_THREADS"]

    def where(self, at, oracle):
        return [os.getcwd(), random.__file__]

    def takes_memory(self, at, oracle):
        at("cam/a")
        return len(bytearray(2**31))

    def takes_memory_bit_by_bit(self, at, oracle):
        at("cam/b")
        kept = []
        while True:
            kept.append(np.ones(2**20))

    def takes_time(self, at, oracle):
        at("cam/c")
        while True:
            pass

    def sleeps(self, at, oracle):
        time.sleep(60)

    def crashes(self, at, oracle):
        at("cam/d")
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(60)

    def is_killed(self, at, oracle):
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)

    def exits(self, at, oracle):
        os.write(2, b"out of luck\n")
        os._exit(3)

    def has_a_fault(self, at, oracle):
        return {}["not there"]

    def misuses(self, at, oracle):
        raise UsageError("the marks are damaged")

    def cannot_read(self, at, oracle):
        raise OSError(13, "Permission denied")

    def asks(self, at, oracle):
        images = np.full((2, 3, 3, 1), 7, "uint8")
        layer = oracle.layer_outputs("net", "conv", images, preprocess=True)
        return [layer.tolist(), oracle.probabilities("net", images).tolist()]

    def says_nonsense(self, at, oracle):
        for descriptor in range(3, 16):
            try:
                os.write(descriptor, b"no frame at all, and long enough to be one")
            except OSError:
                continue
        time.sleep(60)
