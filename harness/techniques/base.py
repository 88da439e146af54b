"""What a technique is to the harness: its functions, its rules for outputs, its checks.

Each file beside this one defines one `TECHNIQUE`; `harness.techniques` collects them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.calls import Oracle
from harness.errors import HarnessError
from harness.figures import Figure
from harness.lab import Case, Lab
from harness.outputs import Value
from harness.results import Measured, Trace


class OutputError(Exception):
    """A returned value that does not keep the contract; the case fails with this text.

    Attributes:
        hint: what the student could do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        # Names that students choose go into messages, and may be as long as they please.
        super().__init__(message if len(message) <= 1000 else message[:999] + "…")
        self.hint = hint


class ArgumentError(HarnessError):
    """An argument of a case in the lab file is wrong; the text says what is allowed."""


@dataclass(frozen=True)
class Argument:
    """One argument of a function as the lab file gives it.

    Attributes:
        resolve: from what the lab file says to the values the function is called with, by
            parameter name; raises `ArgumentError`.
        required: whether a case must give it.
        default: what stands for it where a case does not.
    """

    resolve: Callable[[Lab, Case, Any], Mapping[str, Value]]
    required: bool = True
    default: Value = None


@dataclass(frozen=True)
class Function:
    """One function of the contract.

    Attributes:
        parameters: names in the order of the signature, `model` first.
        arguments: what a case of it gives in the lab file.
        signature: the signature as the handout and error messages show it.
        returns: what it returns, for the handout.
        accepted: what else is fine, for the handout.
    """

    parameters: tuple[str, ...]
    arguments: Mapping[str, Argument]
    signature: str
    returns: str
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """All that a metric may look at for one case; arrays are those of the output rules.

    Attributes:
        case: the case.
        lab: the lab.
        arguments: the values the function was called with.
        value: what the submission returned.
        accepted: what the reference and its accepted variants returned.
        facts: what the harness found out about the case itself when golden outputs were built.
        known: measurements of this submission that were made before.
        datasets: files of the data sets that it may be held against, by name.
    """

    case: Case
    lab: Lab
    arguments: Mapping[str, Value]
    value: Any
    accepted: Sequence[Any]
    facts: Mapping[str, Any]
    known: MutableMapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    datasets: Mapping[str, Path] = field(default_factory=dict)

    def once(self, name: str, measure: Callable[[], Any]) -> Any:
        """A measurement that takes long and knows no threshold; plain data, remembered.

        Args:
            name: of the measurement, within this case.
            measure: makes it, if it has not been made before.
        """
        key = f"{self.case.function}/{self.case.id}: {name}"
        if key not in self.known:
            self.known[key] = measure()
        return self.known[key]

    def measured(self, name: str) -> Any:
        """A measurement of `once` if it has been made, else None."""
        return self.known.get(f"{self.case.function}/{self.case.id}: {name}")


@dataclass(frozen=True)
class Judgement:
    """A metric's verdict on one case or group; the fields are those of `CaseResult`."""

    passed: bool
    score: float
    measured: Measured = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    margin: float = -1.0
    trace: Trace | None = None


@dataclass(frozen=True)
class Metric:
    """A way of judging.

    Attributes:
        functions: the functions whose cases it applies to.
        threshold: the names of its thresholds and their values where the lab gives none.
        judge: the verdict on the evidence of one case, or of all cases of a group.
        over: the parameter in which the cases of a group that it judges differ, "" for calls that
            are the same; None where it judges single cases.
        at_most: the thresholds that a value may not exceed, perfect being 0; the others it must
            reach, perfect being 1.
        passes: when a case passes, for the handout, with thresholds by name in braces.
    """

    functions: tuple[str, ...]
    threshold: Mapping[str, float]
    judge: Callable[[Sequence[Evidence], Mapping[str, float], Oracle], Judgement]
    over: str | None = None
    at_most: tuple[str, ...] = ()
    passes: str = field(kw_only=True)

    @property
    def grouped(self) -> bool:
        """Whether it judges groups (a sweep, a repetition) instead of single cases."""
        return self.over is not None


def sample(values: npt.NDArray[Any], most: int = 256) -> npt.NDArray[np.float32]:
    """At most so many values of an array, evenly from its first to its last: (n,) float32."""
    flat = np.asarray(values, "float32").ravel()
    if flat.size <= most:
        return flat
    return np.asarray(flat[np.linspace(0, flat.size - 1, most).round().astype(int)])


def batchless(value: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """The value without a batch axis of one, where that gives the expected shape."""
    return value[0] if value.shape == (1, *shape) else value


def no_figures(evidence: Sequence[Evidence]) -> Sequence[Figure]:
    """For techniques with nothing to show."""
    return ()


@dataclass(frozen=True)
class Technique:
    """One technique of the lab.

    Attributes:
        name: as in `grade.json`.
        title: for people.
        functions: by name.
        normalise: from what was returned to what is judged; raises `OutputError`.
        facts: what the harness finds out about a case when golden outputs are built, given the
            reference's own (normalised) output and those of other seeds.
        metrics: by name.
        drift: how far the reference's output on this machine is from the stored one.
        drift_tolerance: the largest drift that is only the machine's arithmetic.
        seeds: how many other seeds the reference is run with, to know its spread.
        accept: from the reference's and an accepted variant's output (normalised) to what is kept
            of the variant's among the golden outputs.
        figures: what the report shows of one case, or of all cases of a group; values keep the
            output rules, but may have the wrong shape.
        one_of_many: there are many right outputs, so that no two students return the same.
    """

    name: str
    title: str
    functions: Mapping[str, Function]
    normalise: Callable[[Lab, Case, Value], Any]
    facts: Callable[[Lab, Case, Any, Sequence[Any], Oracle], Mapping[str, Value]]
    metrics: Mapping[str, Metric]
    drift: Callable[[Case, Any, Any, Oracle], float] = lambda case, stored, fresh, oracle: (
        largest_difference(stored, fresh)
    )
    drift_tolerance: float = 1e-3
    seeds: int = 0
    accept: Callable[[Any, Any], Value] = lambda reference, variant: variant
    figures: Callable[[Sequence[Evidence]], Sequence[Figure]] = no_figures
    one_of_many: bool = False


def no_facts(
    lab: Lab, case: Case, reference: Any, reseeded: Sequence[Any], oracle: Oracle
) -> Mapping[str, Value]:
    """For techniques whose cases need no facts."""
    return {}


def largest_difference(stored: Any, fresh: Any) -> float:
    """Largest difference relative to the largest stored value; 1 where texts or shapes differ."""
    if isinstance(stored, Mapping):
        return max((largest_difference(stored[name], fresh[name]) for name in stored), default=0.0)
    if isinstance(stored, (list, tuple)):
        if len(stored) != len(fresh):
            return 1.0
        pairs = zip(stored, fresh, strict=True)
        return max((largest_difference(a, b) for a, b in pairs), default=0.0)
    if isinstance(stored, str):
        return float(stored != fresh)
    a, b = np.asarray(stored, "float64"), np.asarray(fresh, "float64")
    if a.shape != b.shape:
        return 1.0
    return float(np.abs(a - b).max() / max(float(np.abs(a).max()), 1e-12))
