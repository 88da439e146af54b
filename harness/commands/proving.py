"""`calibrate`, `fixtures`, `golden`, `doctor`, `redteam`: is the lab right, is the sandbox?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.commands.printing import EXIT_BELOW, EXIT_OK
from harness.texts import one_line


def calibrate(options: argparse.Namespace, console: Console) -> int:
    """Prove that the lab tells right from wrong."""
    from harness.finding import find_lab
    from harness.grading import open_lab

    lab = open_lab(find_lab(options.lab), options.lab_files)
    return _prove(lab, options, console, check_only=options.check, only=options.only)


def fixtures_new(options: argparse.Namespace, console: Console) -> int:
    """Draw a hidden set of cases."""
    from harness import fixtures
    from harness.finding import find_lab
    from harness.grading import open_lab

    base = open_lab(find_lab(options.lab), options.lab_files)
    lab = fixtures.new(base, options.seed, options.out, jobs=options.jobs)
    console.print(f"hidden set of {len(lab.cases)} cases: {lab.source.path}", markup=False)
    if options.unproven:
        return EXIT_OK
    return _prove(fixtures.name_calibration(lab), options, console)


def _prove(
    lab: Any,
    options: argparse.Namespace,
    console: Console,
    *,
    check_only: bool = False,
    only: Sequence[str] = (),
) -> int:
    from harness.calibration import page
    from harness.calibration.running import Row
    from harness.calibration.whole import calibrate

    def show(row: Row) -> None:
        kind = "mistake" if row.entry.is_mistake else "variant"
        word = "ok   " if page.comes_out_right(row) else "WRONG"
        console.print(f"{word} {kind} {row.entry.name}: {page.verdict(row)}", markup=False)

    done = calibrate(
        lab, options.out, jobs=options.jobs, on_row=show, check_only=check_only, only=only
    )
    texts = [*done.proof.notes, *done.proof.problems, *page.counts(done.proof, done.left_out)]
    if done.written:
        texts.append(f"calibration: {done.written}")
    for text in (*texts, f"page: {done.page}"):
        console.print(text, markup=False)
    return EXIT_BELOW if done.proof.problems else EXIT_OK


def doctor(options: argparse.Namespace, console: Console) -> int:
    """Say what of the sandbox holds here."""
    from harness.execution import doctor, sandbox
    from harness.execution.runner import Runner

    if problem := sandbox.inner_problem():
        found = doctor.no_inner_wall(problem)
    else:
        walls = sandbox.choose()
        with Runner(None, {}, sandbox=walls) as runner:
            found = doctor.findings(walls, runner.probe())
    width = max(len(finding.name) for finding in found)
    for finding in found:
        word = "ok  " if finding.holds else "FAIL" if finding.needed else "weak"
        console.print(f"{word} {finding.name:{width}}  {finding.found}", markup=False)
        if finding.fix:
            console.print(f"     {'':{width}}  → {finding.fix}", markup=False)
    return EXIT_OK if all(f.holds for f in found if f.needed) else EXIT_BELOW


def redteam(options: argparse.Namespace, console: Console) -> int:
    """Run the hostile submissions."""
    from harness import redteam
    from harness.execution.sandbox import choose
    from harness.finding import find_lab
    from harness.grading import open_lab

    lab = open_lab(find_lab(options.lab), options.lab_files)
    beside = lab.reference.parent / "tests" / "attacks" if lab.reference else Path("attacks")
    walls = choose(bubblewrap=not options.without_bubblewrap)
    console.print(f"walls: {walls}", markup=False)
    width = 0

    def show(result: redteam.Result) -> None:
        word = "FAIL" if result.problems else "held"
        name = f"{result.attack.name:{width}}"
        console.print(f"{word} {name}  {result.attack.about}", markup=False)
        for problem in result.problems:
            console.print(f"     {'':{width}}  → {one_line(problem)}", markup=False)

    with redteam.RedTeam(lab, options.attacks or beside, walls) as team:
        width = max(len(attack.name) for attack in team.attacks)
        results = team.run(show)
    console.print(redteam.held(results), markup=False)
    return EXIT_BELOW if any(result.problems for result in results) else EXIT_OK


def golden_build(options: argparse.Namespace, console: Console) -> int:
    """Store what the reference returns."""
    from harness import golden

    lab, runner = _open(options)
    with runner:
        folder = golden.build(lab, runner, options.jobs)
    console.print(f"golden outputs of {len(lab.cases)} cases: {folder}", markup=False)
    return EXIT_OK


def golden_verify(options: argparse.Namespace, console: Console) -> int:
    """Run the reference again and tell the drift."""
    from harness import golden

    lab, runner = _open(options)
    with runner:
        drifts = golden.verify(lab, runner, options.jobs)
    for name in golden.changed_sources(lab):
        console.print(f"changed since they were built: {lab.reference}{os.sep}{name}", markup=False)
    for drift in drifts:
        word = "ok   " if drift.within else "DRIFT"
        line = f"{word} {drift.key}: {drift.drift:.2g} (at most {drift.tolerance:g})"
        console.print(line, markup=False)
    beyond = sum(not drift.within for drift in drifts)
    console.print(f"{len(drifts) - beyond} of {len(drifts)} cases within tolerance", markup=False)
    return EXIT_BELOW if beyond else EXIT_OK


def _open(options: argparse.Namespace) -> tuple[Any, Any]:
    from harness.execution.runner import Runner
    from harness.execution.sandbox import choose_for_own_work
    from harness.finding import find_lab
    from harness.grading import open_lab
    from harness.techniques import CONTRACT

    lab = open_lab(find_lab(options.lab), options.lab_files)
    return lab, Runner(lab, CONTRACT, sandbox=choose_for_own_work())
