"""What came of a submission, held against what is expected: every check over its cases."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness import techniques
from harness.calls import Oracle
from harness.disclosure import quoted
from harness.golden import Golden
from harness.lab import Case, Lab
from harness.language import gettext as _
from harness.language import marked, speaking
from harness.outputs import CaseOutput, CaseStatus, Outputs, Value
from harness.results import CaseResult, CheckResult, Outcome, Trace
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


def judge(
    lab: Lab,
    cases: Sequence[Case],
    golden: Golden,
    outputs: Outputs,
    oracle: Oracle,
    known: MutableMapping[str, Any] | None = None,
    at: Callable[[str], None] = lambda key: None,
) -> tuple[CheckResult, ...]:
    """Hold outputs against golden ones: every check over its cases.

    What is made of an output to judge it is dropped as soon as no check needs it any more, so that
    no more is held at once than one case, or one group of cases, needs.

    Args:
        lab: checks and thresholds.
        cases: what is judged.
        golden: what is expected.
        outputs: what came.
        oracle: answers questions about the models.
        known: measurements of these outputs; those made now are added.
        at: is called with the key of each case before its output is looked at.

    Raises:
        MemoryError: an output takes more memory to be judged than this process may have.
    """
    known = {} if known is None else known
    units = _units(lab, {techniques.key(case) for case in cases})
    left = Counter(key for unit in units for key in unit.keys)
    evidence: dict[str, Evidence | _Missing] = {}
    results: dict[tuple[int, int], CaseResult] = {}
    # Case by case, and not check by check: all that is asked of one is asked while it is here.
    for unit in sorted(units, key=lambda unit: unit.keys[0]):
        for case, key in zip(unit.cases, unit.keys, strict=True):
            if key not in evidence:
                at(key)
                evidence[key] = _evidence(lab, case, golden, outputs.cases[key], known)
        results[unit.place] = _judge_one(
            unit.identifier,
            [evidence[key] for key in unit.keys],
            unit.metric,
            unit.threshold,
            oracle,
        )
        left.subtract(unit.keys)
        for key in unit.keys:
            if not left[key]:
                evidence.pop(key, None)
    return tuple(_checks(lab, results))


@dataclass(frozen=True)
class _Unit:
    """One case or group of cases of one check; `place` is the check's and its own number."""

    place: tuple[int, int]
    identifier: str
    cases: Sequence[Case]
    keys: tuple[str, ...]
    metric: Metric
    threshold: Mapping[str, float]


def _units(lab: Lab, wanted: Collection[str]) -> list[_Unit]:
    """What is judged: all of it whose cases are all wanted, by key."""
    units = []
    for number, check in enumerate(lab.checks):
        _technique, metric = techniques.metric_of(check)
        threshold = {**metric.threshold, **check.threshold}
        for index, (identifier, group) in enumerate(techniques.selected(lab, check)):
            keys = tuple(techniques.key(case) for case in group)
            if all(key in wanted for key in keys):
                units.append(_Unit((number, index), identifier, group, keys, metric, threshold))
    return units


def _checks(lab: Lab, results: Mapping[tuple[int, int], CaseResult]) -> Iterator[CheckResult]:
    """The results by check, both in the lab's order."""
    for number, check in enumerate(lab.checks):
        found = tuple(results[place] for place in sorted(results) if place[0] == number)
        if found:
            technique = techniques.metric_of(check)[0].name
            yield CheckResult(check.id, technique, check.metric, check.points, found)


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
    if output.status is CaseStatus.NOT_RUN:
        return _Missing(case, Outcome.NOT_JUDGED, output.message, "")
    if output.status is not CaseStatus.RETURNED:
        hint = _(_HINTS[output.status]).format(signature=techniques.signature_of(case))
        if output.message.startswith(NotImplementedError.__name__):
            hint = _("write this function: so far it stops where the starter does")
        message = quoted(case, output.message, _words_of(output.status))
        return _Missing(case, Outcome.FAILED, message, hint)
    try:
        return golden.evidence(lab, case, output, known)
    except OutputError as error:
        trace = _refused(_in_english(lab, case, output.value), output.value)
        message = quoted(case, str(error), _words_of(CaseStatus.REFUSED))
        return _Missing(case, Outcome.FAILED, message, error.hint, trace)
    except MemoryError:
        raise
    except Exception as error:
        return _Missing(case, Outcome.NOT_JUDGED, *_our_fault(error))


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
    except MemoryError:
        raise
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


def _words_of(status: CaseStatus) -> str:
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
