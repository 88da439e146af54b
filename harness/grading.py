"""The pipeline: submission → outputs → checks against golden → grade. Readable top to bottom."""

from __future__ import annotations

import importlib
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

import numpy as np

from harness import calibrated as calibration
from harness import golden as golden_outputs
from harness import techniques
from harness.calibrated import Calibrated
from harness.calls import Call, Oracle
from harness.diagnosis import diagnose
from harness.environment import code_digest, versions
from harness.execution.runner import Runner
from harness.execution.sandbox import Sandbox
from harness.golden import Golden
from harness.keeping import Digests, merged, usable
from harness.lab import Case, Lab, read_lab
from harness.language import gettext as _
from harness.language import marked, speaking
from harness.outputs import CaseOutput, CaseStatus, Outputs, Value
from harness.preflight import look, problems
from harness.remembered import Remembered, digest
from harness.results import (
    CaseResult,
    CheckResult,
    Grade,
    Outcome,
    RunStatus,
    RunSummary,
    Trace,
)
from harness.similarity import Likeness, digest_of, fingerprints
from harness.submission import Submission
from harness.techniques.base import Evidence, Metric, OutputError, sample

# What a student can do about a case that returned nothing, by how it ended.
_HINTS: Mapping[CaseStatus, str] = {
    CaseStatus.NOT_LOADED: marked(
        "run your file from top to bottom in a fresh Python; it must end without an error and "
        "define the functions of the contract"
    ),
    CaseStatus.RAISED: marked("the traceback shows the line of yours that failed"),
    CaseStatus.MISSING: marked(
        "define the function with exactly this name and signature: {signature}"
    ),
    CaseStatus.TIMED_OUT: marked("look for a loop that does not end, or far too many steps"),
    CaseStatus.CRASHED: marked(
        "do not call exit() or os._exit(); look for native code that crashes"
    ),
    CaseStatus.OUT_OF_MEMORY: marked("work in smaller batches, and keep no copies of the model"),
    CaseStatus.OVER_LIMIT: marked("use less of it: the lab's limits are in its handout"),
    CaseStatus.REFUSED: marked("return what the contract says: {signature}"),
}
# How a case ended, in words that no student chose.
_ENDED: Mapping[CaseStatus, str] = {
    CaseStatus.NOT_LOADED: marked("the call ended: not loaded"),
    CaseStatus.RAISED: marked("the call ended: raised"),
    CaseStatus.MISSING: marked("the call ended: missing"),
    CaseStatus.TIMED_OUT: marked("the call ended: timed out"),
    CaseStatus.CRASHED: marked("the call ended: crashed"),
    CaseStatus.OUT_OF_MEMORY: marked("the call ended: out of memory"),
    CaseStatus.OVER_LIMIT: marked("the call ended: over limit"),
    CaseStatus.REFUSED: marked("the call ended: refused"),
}

UNSANDBOXED = marked(
    "graded without a sandbox: this code ran with all the rights of the person who graded it"
)


@dataclass(frozen=True)
class Graded:
    """A grade and the outputs that it rests on; `ran` tells whether student code was run."""

    grade: Grade
    outputs: Outputs
    remembered: Remembered
    ran: bool


def open_lab(path: Path) -> Lab:
    """Read a lab file and validate all of it.

    Raises:
        LabError: with file, line, key, what was found and what is allowed.
    """
    lab = read_lab(path)
    techniques.validate(lab)
    return lab


# What only judging needs, and takes long to import.
_LATE = ("skimage.measure", "scipy.stats", "copydetect.utils")


def _import_ahead() -> None:
    """Import what judging needs, while a template imports TensorFlow on another core."""
    for name in _LATE:
        importlib.import_module(name)


_Method = TypeVar("_Method", bound=Callable[..., Any])


def _in_the_labs_language(method: _Method) -> _Method:
    """Have a method of `Grader` make its texts in the lab's language."""

    @wraps(method)
    def speaking_it(self: Grader, *args: Any, **kwargs: Any) -> Any:
        with speaking(self.lab.language):
            return method(self, *args, **kwargs)

    return cast("_Method", speaking_it)


class Grader:
    """Grades submissions of one lab; a context manager that owns the runner.

    Args:
        lab: the lab.
        public_only: leave hidden cases out, as a student's self-check does.
        calibrated: use the lab's calibration; only calibrating itself does not.
        sandbox: the walls around student code; None for those that this host has.
        ahead: student code will be run soon.

    Raises:
        UsageError: this host has no inner wall.
        GoldenError: golden outputs are missing, damaged or stale.
        LabError: the calibration is missing or damaged.
    """

    def __init__(
        self,
        lab: Lab,
        *,
        public_only: bool = False,
        calibrated: bool = True,
        sandbox: Sandbox | None = None,
        ahead: bool = False,
    ) -> None:
        self.runner = Runner(lab, techniques.CONTRACT, sandbox=sandbox)
        try:
            if ahead:
                self.runner.warm()
            self.golden = golden_outputs.load(lab)
            self.calibrated = calibration.load(lab) if calibrated else Calibrated()
            self.lab = calibration.with_thresholds(lab, self.calibrated.thresholds)
            self.cases = tuple(case for case in lab.cases if not (public_only and case.hidden))
            self._versions = versions()
            self._prepare_calls()
        except BaseException:
            self.runner.close()
            raise

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.runner.close()

    def narrow(self, lab: Lab) -> None:
        """Go on with a part of the lab: some of its cases and checks, and its limits."""
        self.lab, self.cases, self.runner.limits = lab, lab.cases, lab.limits
        self._prepare_calls()

    def _prepare_calls(self) -> None:
        self._calls = [techniques.call_of(self.lab, case) for case in self.cases]
        self._digests = Digests(self.lab, techniques.CONTRACT, self._calls, self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """What a grade was made with, walls included."""
        return {**self._versions, "sandbox": str(self.runner.sandbox)}

    @property
    def oracle(self) -> Oracle:
        """Answers the harness's own questions."""
        return self.runner.oracle

    def digests(self, submission: Submission) -> dict[str, str]:
        """What a grade depends on: while these stay the same, so does the grade."""
        public_only = len(self.cases) < len(self.lab.cases)
        return {
            "lab": self.lab.digest() + ("-public" if public_only else ""),
            "submission": submission.digest(),
            "golden": self.golden.digest,
            "calibration": self.calibrated.digest,
            "harness": code_digest(),
        }

    @_in_the_labs_language
    def grade(
        self, submission: Submission, kept: Outputs | None = None, remembered: bytes = b""
    ) -> Graded:
        """Run a submission and judge what it returned.

        Args:
            submission: what was handed in.
            kept: its stored outputs; those that still hold are not run again.
            remembered: what was worked out from them before, as it was stored.
        """
        digests = self.digests(submission)
        wanted = self._digests.of(digests["submission"])
        holds = usable(kept, wanted)
        calls = [call for call in self._calls if holds is None or call.key not in holds.cases]
        fresh = self._run(submission, calls) if calls else None
        outputs = replace(merged(holds, fresh, [call.key for call in self._calls]), digests=wanted)
        told = Remembered.from_bytes(
            remembered, digest(wanted, self.golden.digest, self.lab.language)
        )
        told = told if not calls else Remembered(told.of)
        with _numbers_of_any_size():
            checks = judge(
                self.lab, self.cases, self.golden, outputs, self.runner.oracle, told.values
            )
            found = diagnose(checks, self.calibrated.known)
        run = outputs.run
        if not self.runner.sandbox.inner:
            run = replace(run, notes=(*run.notes, _(UNSANDBOXED)))
        if "likeness" not in told.values:
            told.values["likeness"] = self._likeness(submission, outputs)
        alike = told.values["likeness"]
        grade = Grade(submission.name, checks, run, self.environment, digests, found, alike)
        return Graded(grade, outputs, told, ran=bool(calls))

    def _run(self, submission: Submission, calls: Sequence[Call]) -> Outputs:
        """What it returns, with what could be said of it before it was run."""
        threading.Thread(target=_import_ahead).start()
        outputs = self.runner.run(submission, calls)
        if outputs.run.status is RunStatus.NOT_RUN:
            return outputs
        asked = techniques.contract_of(self.cases)
        found = problems(look(submission, asked, self.lab.kit))
        told = (*outputs.run.notes, outputs.run.message)
        notes = (*outputs.run.notes, *(problem for problem in found if problem not in told))
        return replace(outputs, run=replace(outputs.run, notes=notes))

    def _likeness(self, submission: Submission, outputs: Outputs) -> dict[str, Any]:
        """What a cohort's board compares submissions by."""
        own = [case for case in self.cases if not case.hidden]
        digests = {
            key: digest
            for case in own
            if techniques.technique_of(case).one_of_many
            and (key := techniques.key(case)) in outputs.cases
            and (digest := digest_of(outputs.cases[key].value))
        }
        return Likeness(fingerprints(submission), digests).to_json()

    @_in_the_labs_language
    def not_judged(self, submission: Submission, message: str) -> Graded:
        """The grade of a submission that no process survived, for a reason that is not known."""
        failed = CaseOutput(CaseStatus.NOT_RUN, message=message)
        run = RunSummary(RunStatus.NOT_RUN, 0.0, message)
        outputs = Outputs(submission.name, run, {call.key: failed for call in self._calls})
        checks = judge(self.lab, self.cases, self.golden, outputs, self.runner.oracle)
        digests = self.digests(submission)
        grade = Grade(submission.name, checks, run, self.environment, digests)
        return Graded(grade, outputs, Remembered(""), ran=True)


@contextmanager
def _numbers_of_any_size() -> Iterator[None]:
    """What a submission returns may overflow: data, and no warning or, under pytest, an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def judge(
    lab: Lab,
    cases: Sequence[Case],
    golden: Golden,
    outputs: Outputs,
    oracle: Oracle,
    known: MutableMapping[str, Any] | None = None,
) -> tuple[CheckResult, ...]:
    """Hold outputs against golden ones: every check over its cases.

    Args:
        lab: checks and thresholds.
        cases: what is judged.
        golden: what is expected.
        outputs: what came.
        oracle: answers questions about the models.
        known: measurements of these outputs; those made now are added.
    """
    known = {} if known is None else known
    evidence = {
        techniques.key(case): _evidence(
            lab, case, golden, outputs.cases[techniques.key(case)], known
        )
        for case in cases
    }
    results = []
    for check in lab.checks:
        technique, metric = techniques.metric_of(check)
        threshold = {**metric.threshold, **check.threshold}
        case_results = tuple(
            _judge_one(
                identifier, [evidence[techniques.key(c)] for c in group], metric, threshold, oracle
            )
            for identifier, group in techniques.selected(lab, check)
            if all(techniques.key(c) in evidence for c in group)
        )
        if case_results:
            results.append(
                CheckResult(check.id, technique.name, check.metric, check.points, case_results)
            )
    return tuple(results)


@dataclass(frozen=True)
class _Missing:
    """A case without a value that could be judged, and how it counts."""

    case: Case
    outcome: Outcome
    message: str
    hint: str
    trace: Trace | None = None


def _evidence(
    lab: Lab, case: Case, golden: Golden, output: CaseOutput, known: MutableMapping[str, Any]
) -> Evidence | _Missing:
    key = techniques.key(case)
    if output.status is CaseStatus.NOT_RUN:
        return _Missing(case, Outcome.NOT_JUDGED, output.message, "")
    if output.status is not CaseStatus.RETURNED:
        hint = _(_HINTS[output.status]).format(signature=techniques.signature_of(case))
        if output.message.startswith(NotImplementedError.__name__):
            hint = _("write this function: so far it stops where the starter does")
        # What an exception says in a hidden case could be the case itself.
        message = words_of(output.status) if case.hidden else output.message
        return _Missing(case, Outcome.FAILED, message, hint)
    try:
        value = techniques.technique_of(case).normalise(lab, case, output.value)
    except OutputError as error:
        trace = _refused(_in_english(lab, case, output.value), output.value)
        message = words_of(CaseStatus.REFUSED) if case.hidden else str(error)
        return _Missing(case, Outcome.FAILED, message, error.hint, trace)
    except Exception as error:
        return _Missing(case, Outcome.NOT_JUDGED, *_our_fault(error))
    return Evidence(
        case=case,
        lab=lab,
        arguments=techniques.resolve_arguments(lab, case),
        value=value,
        accepted=golden.accepted[key],
        facts=golden.facts[key],
        known=known,
    )


def _judge_one(
    identifier: str,
    group: Sequence[Evidence | _Missing],
    metric: Metric,
    threshold: Mapping[str, float],
    oracle: Oracle,
) -> CaseResult:
    """One case's or group's result; a fault of the harness is `not_judged`, never a lost point."""
    for item in group:
        if isinstance(item, _Missing):
            prefix = f"{item.case.id}: " if item.case.id != identifier else ""
            message = prefix + item.message
            return CaseResult(
                identifier, item.outcome, 0.0, {}, threshold, message, item.hint, trace=item.trace
            )
    evidence = [item for item in group if isinstance(item, Evidence)]
    try:
        judgement = metric.judge(evidence, threshold, oracle)
    except Exception as error:
        message, hint = _our_fault(error)
        return CaseResult(identifier, Outcome.NOT_JUDGED, 0.0, {}, threshold, message, hint)
    outcome = Outcome.PASSED if judgement.passed else Outcome.FAILED
    return CaseResult(
        identifier,
        outcome,
        judgement.score,
        judgement.measured,
        threshold,
        judgement.message,
        judgement.hint,
        judgement.margin,
        judgement.trace,
    )


def words_of(status: CaseStatus) -> str:
    """How a case ended, in words that no student chose."""
    return _(_ENDED[status])


def _in_english(lab: Lab, case: Case, value: Value) -> str:
    """What is wrong with a value, whatever the lab's language: known mistakes are filed so."""
    with speaking("en"):
        try:
            techniques.technique_of(case).normalise(lab, case, value)
        except OutputError as error:
            return str(error)
    return ""


def _refused(message: str, value: Value) -> Trace:
    """The trace of an output that breaks the contract: what is wrong, and some of its values."""
    kind = "refused: " + re.sub(r"-?\d[\d.e+-]*", "#", message.split("; expected")[0])
    values = np.zeros(1, "float32")
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        finite = np.nan_to_num(sample(value))
        values = finite / max(float(np.abs(finite).max(initial=0.0)), 1e-12)
    return Trace(kind[:200], values.astype("float32"), np.zeros_like(values, "float32"))


def _our_fault(error: Exception) -> tuple[str, str]:
    """Message and hint for a fault of the harness or of the machine while it judged."""
    return (
        _("the harness could not judge this ({error})").format(
            error=f"{type(error).__name__}: {error}"
        ),
        _("this is not the student's fault; please report it with the lab and the outputs"),
    )
