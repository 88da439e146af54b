"""Every place where something of a grade is shown or handed on, as bytes by name."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from test_export_canvas import gradebook
from test_export_github import grades_table
from test_export_moodle import worksheet

from harness import techniques
from harness.commands.printing import line_of, print_checks
from harness.courseci.annotations import annotate, code_quality, github_lines
from harness.courseci.facts import Checked
from harness.courseci.junit import junit
from harness.courseci.running import encoded
from harness.courseci.summary import summary
from harness.disclosure import Secrets, hidden_in
from harness.exchange.classroom import classroom_result
from harness.exchange.order import Order
from harness.exchange.outgoing import export
from harness.golden import Golden
from harness.gradebook import Gradebook
from harness.gradebook import summary as brief
from harness.handed_in import HandedIn, Student
from harness.lab import Lab
from harness.outputs import Outputs
from harness.plugin import CaseFailedError, CaseItem, NotJudgedError
from harness.remembered import Remembered
from harness.report import draw, report_html, write_index
from harness.written import settled

WHO = HandedIn("alice", (Student("100", "Student 0", "s0@example.org"),))
# What is not shown where not all of a grade could be judged.
HELD_BACK = frozenset({"gradescope", "classroom"})


@dataclasses.dataclass(frozen=True)
class Work:
    """A submission of student 0, graded with a lab."""

    lab: Lab
    golden: Golden
    grade: Mapping[str, Any]
    outputs: Outputs


def outlets(work: Work, folder: Path) -> dict[str, bytes]:
    """What each outlet makes of it, were it given all of the grade, with the instructor's folder.

    Args:
        work: all of a grade; `harness check` has public cases only, and is tried with all.
        folder: made; `reports` and `exported` in it.
    """
    digests = {**work.grade["digests"], "lab": work.lab.digest()}
    grade = settled(work.lab, {**work.grade, "digests": digests}, WHO.to_json())
    work = dataclasses.replace(work, grade=grade)
    return {
        **dict(_reports(work, folder / "reports")),
        **dict(_printed(work)),
        **dict(_checked(work, folder)),
        "pytest": _pytest(work),
        **dict(_exports(work, folder)),
    }


def _reports(work: Work, folder: Path) -> Iterator[tuple[str, bytes]]:
    book = Gradebook(folder)
    figures = draw(work.lab, work.golden, work.outputs)
    report = report_html(work.grade, work.outputs, work.lab, figures).encode()
    remembered = Remembered("", {}, figures).to_bytes()
    book.save(work.grade, report, outputs=work.outputs.to_bytes(), remembered=remembered)
    grades = [brief(work.grade)]
    yield "report", report
    yield "grades.csv", book.write_csv(grades).read_bytes()
    write_index(book.index, work.lab, grades)
    yield "board", book.index.read_bytes()


def _printed(work: Work) -> Iterator[tuple[str, bytes]]:
    stream = io.StringIO()
    print_checks(Console(file=stream, soft_wrap=True), work.grade, hidden_in(work.lab))
    yield "terminal of check", stream.getvalue().encode()
    yield "terminal of grade", line_of(brief(work.grade), 10).encode()


def _checked(work: Work, folder: Path) -> Iterator[tuple[str, bytes]]:
    code = folder / "submission.py"
    code.write_text("def top_predictions(model, image, k):\n    return []\n")
    checked = Checked(work.grade, work.outputs, work.lab, work.golden, code)
    said = annotate(checked, folder)
    yield "summary.md", summary(checked).encode()
    yield "JUnit", junit(checked)
    yield "annotations", "\n".join(github_lines(said)).encode()
    yield "code quality", code_quality(said, "submission.py").encode()
    hidden = Secrets(work.lab).of(work.grade)
    yield "output of the step", encoded(classroom_result(work.grade, hidden)).encode()


def _pytest(work: Work) -> bytes:
    """Text and properties, which `--junitxml` writes, of all of the plugin's items."""
    shown: list[Any] = []
    grades = SimpleNamespace(of=lambda _: work.grade, lab=work.lab)
    for check in work.lab.checks:
        technique, _ = techniques.metric_of(check)
        for identifier, _ in techniques.selected(work.lab, check):
            item = object.__new__(CaseItem)
            item.user_properties = []
            item.prepare(None, technique.name, identifier, grades)
            try:
                item.runtest()
            except (CaseFailedError, NotJudgedError):
                shown.append(str(item.repr_failure(pytest.ExceptionInfo.from_current())))
            shown.append(item.user_properties)
    return json.dumps(shown, ensure_ascii=False).encode()


def _exports(work: Work, folder: Path) -> Iterator[tuple[str, bytes]]:
    top = f"{work.grade['max_points']:g}"
    sheets = {
        "gradescope": None,
        "csv": None,
        "github": grades_table(1, available=top),
        "moodle": worksheet(students=1, changes=[(0, 5, top)]),
        "canvas": gradebook(1, top=top),
    }
    names = {"result.json": "classroom", ".zip": "moodle feedback", "results.json": "gradescope"}
    for system, sheet in sheets.items():
        made = folder / "exported" / system
        made.mkdir(parents=True)
        given = folder / f"{system}-sheet.csv"
        if sheet is not None:
            given.write_bytes(sheet)
        out = made / ("results.json" if system == "gradescope" else "out")
        secrets = Secrets(work.lab)
        order = Order(folder / "reports", secrets, sheet and given, out, _title(system))
        lines: list[str] = []
        export(order, system, lines.append)
        yield f"account of {system}", "\n".join(lines).replace(str(folder), "").encode()
        for path in sorted(made.rglob("*")):
            if path.is_file():
                found = [name for end, name in names.items() if path.name.endswith(end)]
                yield (found[0] if found else f"sheet of {system}"), path.read_bytes()


def _title(system: str) -> str:
    return "Lab 3: maps, and more (4711)" if system == "canvas" else ""
