"""The whole of calibrating: run, choose thresholds, prove, write the file and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import report
from harness.calibrated import with_thresholds
from harness.calibration import left_out, page, proof, record, running, thresholds
from harness.catalogue import Entry, read_catalogue
from harness.errors import UsageError
from harness.execution.sandbox import choose_for_own_work
from harness.grading import Grader
from harness.lab import Lab


@dataclass(frozen=True)
class Calibration:
    """What came of it.

    Attributes:
        proof: whether it holds.
        left_out: what holds of entries that the thresholds do not know; None unless some were set.
        written: the calibration file; None when nothing was to be written.
        page: the HTML page.
    """

    proof: proof.Proof
    left_out: left_out.LeftOut | None
    written: Path | None
    page: Path


def entries_of(lab: Lab, only: Sequence[str] = ()) -> list[Entry]:
    """The catalogue of a lab, or the entries whose names begin so.

    Raises:
        UsageError: there are none.
        LabError: an entry does not say what it is.
    """
    if lab.reference is None:
        raise UsageError(f"{lab.source.path}: no 'reference' folder is named; nothing to calibrate")
    entries = read_catalogue(lab.reference)
    if only:
        entries = [entry for entry in entries if entry.name.startswith(tuple(only))]
    if not entries:
        raise UsageError(f"no variant or mistake of that name in {lab.reference}")
    return entries


def calibrate(
    lab: Lab,
    out: Path,
    *,
    jobs: int,
    on_row: Callable[[running.Row], None],
    check_only: bool = False,
    only: Sequence[str] = (),
) -> Calibration:
    """Run the catalogue over the lab's cases, and prove that they tell right from wrong.

    Args:
        lab: the lab; golden outputs are built.
        out: the folder of the page, made if need be.
        jobs: how many children at a time.
        on_row: called with each entry as it is judged, by the thresholds that stand so far.
        check_only: prove what is written, and write nothing but the page.
        only: beginnings of names of entries; then, too, nothing else is written.
    """
    entries = entries_of(lab, only)
    writes = not (check_only or only)
    choices: list[thresholds.Choice] = []
    unknown = None
    with Grader(lab, calibrated=not writes, sandbox=choose_for_own_work()) as grader:
        rows = running.run_catalogue(grader, entries, jobs=jobs, on_row=on_row)
        noise = [] if only else running.run_noise(grader, jobs=jobs)
        known = list(grader.calibrated.known)
        if writes:
            choices = thresholds.choose(lab, rows, noise)
            if choices:
                unknown = left_out.leave_each_out(
                    lab, rows, noise, lambda other, row: running.rejudge(grader, other, [row])[0]
                )
            chosen = with_thresholds(lab, thresholds.by_check(choices))
            rows = running.rejudge(grader, chosen, rows)
            noise = running.rejudge_noise(grader, chosen, noise)
            known = proof.known_mistakes(rows)
    proven = proof.prove(rows, noise, known)
    written = None
    if writes:
        uses = proof.choose_cases(rows)
        written = record.write(lab, choices, uses, proven, known, unknown)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "calibration.html"
    report.write_calibration(path, page.calibration_page(lab, rows, choices, proven, unknown))
    return Calibration(proven, unknown, written, path)
