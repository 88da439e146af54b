"""Does every case tell right from wrong? Accepted variants and known mistakes, run and judged.

The catalogue is two folders beside the reference: `variants/` (another correct way) and
`mistakes/` (a known wrong way). Each file is a submission whose docstring says what it is::

    One sentence that people read.

    Technique: class_activation_maps
    Hint: what a student can do about it.          (mistakes only)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness import techniques
from harness.errors import LabError, suggest
from harness.grading import Grader, judge
from harness.results import Outcome
from harness.submission import Submission

VARIANTS, MISTAKES = "variants", "mistakes"


@dataclass(frozen=True)
class Entry:
    """One file of the catalogue.

    Attributes:
        path: the file.
        is_mistake: a mistake, else a variant.
        technique: the technique that it does in another way, or wrong.
        title: what it does, for people.
        hint: what a student can do about it; empty for a variant.
    """

    path: Path
    is_mistake: bool
    technique: str
    title: str
    hint: str


@dataclass(frozen=True)
class Finding:
    """What came of one entry: the cases of its technique that failed, or were not judged."""

    entry: Entry
    failed: tuple[str, ...]
    not_judged: tuple[str, ...]

    @property
    def as_it_should_be(self) -> bool:
        """A variant keeps every point; a mistake is caught by two cases at least."""
        caught = len(set(self.failed))
        return not self.not_judged and (caught >= 2 if self.entry.is_mistake else caught == 0)


def read_catalogue(reference: Path) -> list[Entry]:
    """All variants and mistakes, in the order of their names.

    Raises:
        LabError: a file does not say what it is.
    """
    return [
        _read(path, is_mistake=kind == MISTAKES)
        for kind in (VARIANTS, MISTAKES)
        for path in sorted((reference / kind).glob("[!_]*.py"))
    ]


def calibrate(
    grader: Grader, entries: Sequence[Entry], *, jobs: int, on_found: Callable[[Finding], None]
) -> list[Finding]:
    """Run every entry over the cases of its technique and judge it.

    Args:
        grader: of the lab; its `reference` is what entries may import.
        entries: what to run.
        jobs: how many children at a time.
        on_found: called from this thread with each finding, in the order of the entries.
    """
    findings = []
    with ThreadPoolExecutor(jobs) as pool:
        for finding in pool.map(lambda entry: _find(grader, entry), entries):
            on_found(finding)
            findings.append(finding)
    return findings


def _find(grader: Grader, entry: Entry) -> Finding:
    lab = grader.lab
    cases = [case for case in lab.cases if techniques.technique_of(case).name == entry.technique]
    calls = [techniques.call_of(lab, case) for case in cases]
    libraries = (lab.reference,) if lab.reference else ()
    outputs = grader.runner.run(Submission(entry.path.stem, entry.path, libraries), calls)
    checks = judge(lab, cases, grader.golden, outputs, grader.runner.oracle)
    results = [(f"{check.id}/{case.id}", case.outcome) for check in checks for case in check.cases]
    return Finding(
        entry,
        failed=tuple(name for name, outcome in results if outcome is Outcome.FAILED),
        not_judged=tuple(name for name, outcome in results if outcome is Outcome.NOT_JUDGED),
    )


def _read(path: Path, *, is_mistake: bool) -> Entry:
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    technique = re.search(r"^Technique: (\w+)$", text, re.MULTILINE)
    hint = re.search(r"^Hint: (.+)", text, re.MULTILINE | re.DOTALL)
    if technique is None or technique[1] not in techniques.TECHNIQUES:
        found = technique[1] if technique else "nothing"
        raise LabError(
            f"{path}: expected a line 'Technique: …' in its docstring, found {found}; "
            + suggest(found, techniques.TECHNIQUES)
        )
    if is_mistake and hint is None:
        raise LabError(f"{path}: a mistake's docstring ends with 'Hint: …', for the student")
    title = " ".join(text.split("\n\n")[0].split())
    return Entry(path, is_mistake, technique[1], title, " ".join(hint[1].split()) if hint else "")
