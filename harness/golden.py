"""Golden outputs: built from the reference, verified against it, loaded with suspicion.

A golden folder holds `manifest.json`, the reference's outputs (`reference/`), those of the accepted
variants that say `Golden: yes` (`variants/NAME/`), and the facts that the harness found out about
the cases (`facts/`). The manifest has the SHA-256 of every file, of every case (function,
arguments, model) and of the reference's sources, the versions and the seed.
Anything that does not fit is a `GoldenError`, never a lost point.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from harness import techniques
from harness.calls import Call
from harness.catalogue import Entry, golden_variants, read_catalogue
from harness.disclosure import datasets_beside
from harness.environment import versions
from harness.errors import GoldenError
from harness.execution.runner import Runner
from harness.lab import Case, Lab
from harness.outputs import CaseOutput, CaseStatus, Outputs, Value
from harness.results import RunStatus, RunSummary
from harness.submission import Submission
from harness.techniques.base import Evidence, OutputError

MANIFEST = "manifest.json"
_REBUILD = "run: harness golden build"
# 2: facts of maximized images have the reference's roughness.
FORMAT = 2


@dataclass(frozen=True)
class Golden:
    """Golden outputs of a lab, as the output rules leave them.

    Attributes:
        accepted: per case, what the reference (first) and accepted variants returned.
        facts: per case, what the harness found out about it.
        digest: SHA-256 of the manifest.
    """

    accepted: Mapping[str, Sequence[Any]]
    facts: Mapping[str, Mapping[str, Any]]
    digest: str

    def evidence(
        self, lab: Lab, case: Case, output: CaseOutput, known: MutableMapping[str, Any]
    ) -> Evidence:
        """A case's output beside what is expected.

        Args:
            lab: the lab.
            case: the case.
            output: what was returned for it.
            known: measurements of the submission that were made before.

        Raises:
            OutputError: it does not keep the output rules.
        """
        key = techniques.key(case)
        return Evidence(
            case=case,
            lab=lab,
            arguments=techniques.resolve_arguments(lab, case),
            value=techniques.technique_of(case).normalise(lab, case, output.value),
            accepted=self.accepted[key],
            facts=self.facts[key],
            known=known,
            datasets=datasets_beside(lab, case),
        )


@dataclass(frozen=True)
class Drift:
    """How far a fresh run of the reference is from the stored one, for one case."""

    key: str
    drift: float
    tolerance: float

    @property
    def within(self) -> bool:
        """Whether the drift is within the tolerance."""
        return self.drift <= self.tolerance


def folder_of(lab: Lab) -> Path:
    """The lab's golden folder.

    Raises:
        GoldenError: the lab names none.
    """
    if lab.golden is None:
        raise GoldenError(f"{lab.source.path}: no 'golden' folder is named; add 'golden: golden'")
    return lab.golden


def build(lab: Lab, runner: Runner, jobs: int = 1) -> Path:
    """Run the reference and store what it returns.

    Returns:
        the golden folder.

    Raises:
        GoldenError: the reference fails a case, or returns what the output rules refuse.
    """
    folder = folder_of(lab)
    outputs = run_reference(lab, runner, jobs)
    variants = _run_variants(lab, runner, outputs, jobs)
    reseeded = run_reseeded(lab, runner, jobs)
    facts: dict[str, CaseOutput] = {}
    for case in lab.cases:
        key = techniques.key(case)
        technique = techniques.technique_of(case)
        again = [technique.normalise(lab, case, value) for value in reseeded.get(key, ())]
        normal = _normalised(lab, case, outputs)
        found = technique.facts(lab, case, normal, again, runner.oracle)
        facts[key] = CaseOutput(CaseStatus.RETURNED, dict(found))
    fresh = folder.with_name(folder.name + ".partial")
    shutil.rmtree(fresh, ignore_errors=True)
    _without_times(outputs).save(fresh / "reference")
    for variant in variants:
        variant.save(fresh / "variants" / variant.submission)
    summary = RunSummary(RunStatus.COMPLETED, 0.0)
    Outputs("facts", summary, facts).save(fresh / "facts")
    manifest = {
        "format_version": FORMAT,
        "lab": lab.title,
        "seed": 0,
        "versions": versions(),
        "files": _digests_of(fresh),
        "cases": case_digests(lab),
        "reference": _source_digests(lab),
    }
    _write_manifest(fresh, manifest)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return folder


def load(lab: Lab) -> Golden:
    """Load golden outputs after checking every file and every case against the manifest.

    Raises:
        GoldenError: something is missing, damaged or stale; the text names it.
    """
    folder = folder_of(lab)
    manifest = _read_manifest(folder)
    for name, expected in manifest["files"].items():
        file = folder / name
        if not file.is_file():
            raise GoldenError(f"golden file {file} is missing; restore it, or {_REBUILD}")
        if _sha256(file) != expected:
            raise GoldenError(
                f"golden file {file} is damaged: its SHA-256 is not that of the manifest; "
                f"restore it, or {_REBUILD}"
            )
    for key, digest in case_digests(lab).items():
        if key not in manifest["cases"]:
            raise GoldenError(f"golden outputs have no case {key}; {_REBUILD}")
        if manifest["cases"][key] != digest:
            raise GoldenError(
                f"golden outputs of {key} are stale: its arguments, image, data or model changed "
                f"since they were built; {_REBUILD}"
            )
    try:
        reference = Outputs.load(folder / "reference")
        parts = [name.split("/") for name in manifest["files"]]
        names = sorted({part[1] for part in parts if part[0] == "variants"})
        variants = [Outputs.load(folder / "variants" / name) for name in names]
        facts = Outputs.load(folder / "facts")
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise GoldenError(f"golden outputs in {folder} cannot be read ({error!r})") from None
    return Golden(
        accepted={
            techniques.key(case): [
                _normalised(lab, case, outputs)
                for outputs in (reference, *variants)
                if techniques.key(case) in outputs.cases
            ]
            for case in lab.cases
        },
        facts={key: _dict(output.value) for key, output in facts.cases.items()},
        digest=_sha256(folder / MANIFEST),
    )


def write_part(lab: Lab, part: Lab) -> None:
    """Write the golden outputs of some of a lab's cases as those of another lab.

    Args:
        lab: whose golden outputs they are.
        part: has some of its cases, with the same arguments and models; nothing of the reference's
            sources is told.

    Raises:
        GoldenError: those of the lab are missing, damaged or stale.
    """
    load(lab)
    source, folder = folder_of(lab), folder_of(part)
    cases = case_digests(part)
    variants = [path for path in source.glob("variants/*") if path.is_dir()]
    for stored in (source / "reference", source / "facts", *sorted(variants)):
        outputs = Outputs.load(stored)
        kept = {key: output for key, output in outputs.cases.items() if key in cases}
        if kept or stored.parent == source:
            replace(outputs, cases=kept).save(folder / stored.relative_to(source))
    manifest = _read_manifest(source)
    about = {name: manifest[name] for name in ("format_version", "lab", "seed", "versions")}
    _write_manifest(
        folder, {**about, "files": _digests_of(folder), "cases": cases, "reference": {}}
    )


def verify(lab: Lab, runner: Runner, jobs: int = 1) -> list[Drift]:
    """Run the reference again and measure how far it is from the stored golden outputs.

    Raises:
        GoldenError: the stored ones cannot be used, or the reference fails.
    """
    golden = load(lab)
    fresh = run_reference(lab, runner, jobs)
    drifts = []
    for case in lab.cases:
        key = techniques.key(case)
        technique = techniques.technique_of(case)
        stored, now = golden.accepted[key][0], _normalised(lab, case, fresh)
        distance = technique.drift(case, stored, now, runner.oracle)
        drifts.append(Drift(key, distance, technique.drift_tolerance))
    return drifts


def changed_sources(lab: Lab) -> list[str]:
    """Files of the reference that differ from those the golden outputs were built from."""
    stored = _read_manifest(folder_of(lab))["reference"]
    now = _source_digests(lab)
    return sorted(name for name in stored.keys() | now.keys() if stored.get(name) != now.get(name))


def run_reference(lab: Lab, runner: Runner, jobs: int = 1) -> Outputs:
    """Run the reference as a submission, its cases dealt out to `jobs` children.

    Raises:
        GoldenError: there is no reference, or it fails a case.
    """
    reference = reference_of(lab)
    return _run_calls(
        runner, reference, [techniques.call_of(lab, case) for case in lab.cases], jobs
    )


def reference_of(lab: Lab) -> Submission:
    """The reference as a submission.

    Raises:
        GoldenError: there is none.
    """
    if lab.reference is None or not (lab.reference / "submission.py").is_file():
        raise GoldenError(
            f"no reference implementation at {lab.reference}; golden outputs are built in a "
            "checkout of the course, where lab.yaml's 'reference' names its folder"
        )
    return Submission("reference", lab.reference / "submission.py", (lab.reference,))


def run_reseeded(lab: Lab, runner: Runner, jobs: int = 1) -> dict[str, list[Value]]:
    """What the reference returns with other seeds, per case of a technique that wants to know.

    Raises:
        GoldenError: the reference fails.
    """
    reference = reference_of(lab)
    calls = []
    for case in lab.cases:
        call = techniques.call_of(lab, case)
        seed = call.arguments.get("seed")
        for number in range(1, 1 + techniques.technique_of(case).seeds):
            assert isinstance(seed, int)
            arguments = {**call.arguments, "seed": seed + 1000 * number}
            calls.append(replace(call, key=f"{call.key}#{number}", arguments=arguments))
    found: dict[str, list[Value]] = {}
    if calls:
        for key, output in _run_calls(runner, reference, calls, jobs).cases.items():
            found.setdefault(key.rpartition("#")[0], []).append(output.value)
    return found


def _run_calls(runner: Runner, reference: Submission, calls: Sequence[Call], jobs: int) -> Outputs:
    with ThreadPoolExecutor(jobs) as pool:
        parts = list(pool.map(lambda i: runner.run(reference, calls[i::jobs]), range(jobs)))
    merged = {key: output for part in parts for key, output in part.cases.items()}
    for key, output in merged.items():
        if output.status is not CaseStatus.RETURNED:
            raise GoldenError(
                f"the reference fails {key}: {output.message}\n{output.traceback}".rstrip()
            )
    ordered = {call.key: merged[call.key] for call in calls}
    return Outputs("reference", parts[0].run, ordered)


def _run_variants(lab: Lab, runner: Runner, reference: Outputs, jobs: int) -> list[Outputs]:
    """What the accepted variants that are golden return, as their technique keeps it."""
    chosen = [
        entry
        for entry in golden_variants(read_catalogue(lab.reference))
        if any(techniques.technique_of(case).name == entry.technique for case in lab.cases)
    ]
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda entry: _run_variant(lab, runner, reference, entry), chosen))


def _run_variant(lab: Lab, runner: Runner, reference: Outputs, entry: Entry) -> Outputs:
    cases = [case for case in lab.cases if techniques.technique_of(case).name == entry.technique]
    calls = [techniques.call_of(lab, case) for case in cases]
    outputs = runner.run(entry.submission(lab), calls)
    accept = techniques.TECHNIQUES[entry.technique].accept
    kept: dict[str, CaseOutput] = {}
    for case in cases:
        key = techniques.key(case)
        output = outputs.cases[key]
        if output.status is not CaseStatus.RETURNED:
            raise GoldenError(f"the variant {entry.name} fails {key}: {output.message}")
        value = accept(_normalised(lab, case, reference), _normalised(lab, case, outputs))
        kept[key] = CaseOutput(CaseStatus.RETURNED, value)
    return Outputs(entry.name, RunSummary(RunStatus.COMPLETED, 0.0), kept)


def case_digests(lab: Lab) -> dict[str, str]:
    """SHA-256 of each case: its function, its arguments' values and its model."""
    models = {
        name: json.dumps([spec.content(), spec.application])
        + json.dumps([spec.classes, spec.preprocessing])
        for name, spec in lab.models.items()
    }
    digests = {}
    for case in lab.cases:
        digest = hashlib.sha256(f"{case.function}\0{models[case.model]}".encode())
        for name, value in sorted(techniques.resolve_arguments(lab, case).items()):
            digest.update(name.encode() + b"\0" + _bytes(value))
        digests[techniques.key(case)] = digest.hexdigest()
    return digests


def _normalised(lab: Lab, case: Case, outputs: Outputs) -> Any:
    key = techniques.key(case)
    try:
        return techniques.technique_of(case).normalise(lab, case, outputs.cases[key].value)
    except OutputError as error:
        raise GoldenError(
            f"the output of the {outputs.submission} for {key} breaks the contract: {error}"
        ) from None


def _without_times(outputs: Outputs) -> Outputs:
    """The same outputs without what differs between two runs."""
    cases = {key: CaseOutput(out.status, out.value) for key, out in outputs.cases.items()}
    return Outputs(outputs.submission, RunSummary(RunStatus.COMPLETED, 0.0), cases)


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise GoldenError(f"no golden outputs: {path} is missing; {_REBUILD}")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if manifest["format_version"] != FORMAT:
            raise GoldenError(
                f"golden manifest {path} has format {manifest['format_version']}, this version of "
                f"the harness reads {FORMAT}; {_REBUILD}"
            )
        return {**manifest, **{name: dict(manifest[name]) for name in ("files", "cases")}}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GoldenError(
            f"golden manifest {path} is damaged ({error}); restore it, or {_REBUILD}"
        ) from None


def _write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def _digests_of(folder: Path) -> dict[str, str]:
    """Name → SHA-256 of the files in a golden folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {file.relative_to(folder).as_posix(): _sha256(file) for file in files}


def _source_digests(lab: Lab) -> dict[str, str]:
    folder = lab.reference
    if folder is None or not folder.is_dir():
        return {}
    variants = [entry.path for entry in golden_variants(read_catalogue(folder))]
    files = [*sorted(folder.glob("*.py")), *variants]
    return {file.relative_to(folder).as_posix(): _sha256(file) for file in files}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _bytes(value: Value) -> bytes:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}".encode() + value.tobytes()
    return json.dumps(value).encode()


def _dict(value: Value) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value
