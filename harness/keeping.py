"""Which stored outputs still hold: each is filed under a digest of all that it depends on.

That is the submission, the case's arguments, its model, the contract and the environment; neither
thresholds nor points nor golden outputs, so a changed rubric runs no student's code again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from harness.calls import Call, Contract
from harness.lab import Lab
from harness.models import ModelSpec
from harness.outputs import CaseStatus, Outputs, encode
from harness.results import RunStatus

# Raised when children would return something else for the same submission and case.
EXECUTION_VERSION = 3
# The harness itself is not among what an output depends on.
_OWN = "xai-grading-harness"


class Digests:
    """Digests of one lab's calls; what does not depend on the submission is worked out once.

    Args:
        lab: the lab.
        contract: the functions and their parameters.
        calls: all calls.
        environment: versions and walls.
    """

    def __init__(
        self, lab: Lab, contract: Contract, calls: Iterable[Call], environment: Mapping[str, str]
    ) -> None:
        models = {name: _of_model(spec) for name, spec in lab.models.items()}
        common = _digest(
            EXECUTION_VERSION,
            {name: list(names) for name, names in contract.items()},
            {name: version for name, version in environment.items() if name != _OWN},
            # What students import from the lab itself.
            models,
            {name: _of_file(image.file) for name, image in lab.images.items()},
            {name: _of_file(file) for name, file in lab.datasets.items()},
        )
        self._calls = {call.key: _digest(common, _of_call(call)) for call in calls}
        self._limits = _digest(asdict(lab.limits))

    def of(self, submission: str) -> dict[str, str]:
        """Key of a call → digest of what its output depends on, for a submission's digest.

        The last part says under which limits it was run.
        """
        return {
            key: f"{_digest(submission, call)}-{self._limits[:8]}"
            for key, call in self._calls.items()
        }


def usable(
    kept: Outputs | None, wanted: Mapping[str, str], *, just_made: Collection[str] = ()
) -> Outputs | None:
    """The stored outputs that still hold, or None.

    What returned holds under any limits; what failed, under the same only; what could not be run
    for a fault of the machine, only if its key is among what was `just_made`.
    """
    if kept is None:
        return None
    found = {}
    for key, output in kept.cases.items():
        stored = kept.digests.get(key, "")
        same = stored == wanted.get(key)
        if output.status is CaseStatus.RETURNED:
            same = stored.split("-")[0] == wanted.get(key, "").split("-")[0]
        if same and (key in just_made or output.status is not CaseStatus.NOT_RUN):
            found[key] = output
    return replace(kept, cases=found) if found else None


def merged(
    kept: Outputs | None, fresh: Outputs | None, order: Sequence[str], *, aside: bool = False
) -> Outputs:
    """Kept and fresh outputs in one, in the order of the calls.

    The run told of is the fresh one, unless it went well and the kept one did not, or it is
    `aside`: of hidden cases alone, where the kept one is of the others.
    """
    parts = [part for part in (kept, fresh) if part is not None]
    cases = {key: output for part in parts for key, output in part.cases.items()}
    runs = [part.run for part in parts[: 1 if aside else 2]]
    told = runs[-1]
    if told.status is RunStatus.COMPLETED and runs[0].status is not RunStatus.NOT_RUN:
        told = runs[0]
    run = replace(
        told,
        notes=tuple(dict.fromkeys(note for run in runs for note in run.notes)),
        seconds=sum(run.seconds for run in runs),
        memory_mb=max(run.memory_mb for run in runs),
    )
    return Outputs(parts[0].submission, run, {key: cases[key] for key in order})


def _of_call(call: Call) -> list[Any]:
    arrays: list[np.ndarray[Any, Any]] = []
    tree = encode(dict(call.arguments), arrays)
    hashes = [
        [str(a.dtype), list(a.shape), hashlib.sha256(a.tobytes()).hexdigest()] for a in arrays
    ]
    return [call.key, call.function, call.model, call.seed, call.hidden, tree, hashes]


def _of_model(spec: ModelSpec) -> list[Any]:
    places = ("file", "weights")
    described = {name: value for name, value in spec.to_json().items() if name not in places}
    return [described, spec.content()]


def _of_file(path: Any) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
