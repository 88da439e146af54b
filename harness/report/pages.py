"""From facts to HTML files: templates only present what the modules beside this one worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.gradebook import write_whole
from harness.lab import Lab
from harness.outputs import Outputs
from harness.remembered import Figures
from harness.report.of_calibration import CalibrationPage
from harness.report.of_cohort import cohort_page
from harness.report.of_student import student_page
from harness.texts import visible


def report_html(grade: Mapping[str, Any], outputs: Outputs, lab: Lab, figures: Figures) -> str:
    """The report of one submission.

    Args:
        grade: as in `grade.json`.
        outputs: what the grade rests on.
        lab: the lab.
        figures: of `draw`.

    Returns:
        an HTML page that loads nothing.
    """
    return _render("report.html", student_page(grade, outputs, lab, figures))


def write_index(path: Path, lab: Lab, grades: Sequence[Mapping[str, Any]]) -> None:
    """Write the cohort's page, which links to the reports in the folder beside it.

    Args:
        path: the HTML file, in the gradebook's folder.
        lab: the lab.
        grades: as in `grade.json`.
    """
    _write(path, "index.html", cohort_page(path.parent, lab, grades))


def write_calibration(path: Path, page: CalibrationPage) -> None:
    """Write the calibration's page: what tells right from wrong."""
    _write(path, "calibration.html", page)


def points(value: float) -> str:
    """Points with two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _write(path: Path, template: str, page: object) -> None:
    """Write a page whole or not at all."""
    write_whole(path, _render(template, page).encode(errors="backslashreplace"))


def _render(template: str, page: object) -> str:
    return _environment().get_template(template).render(page=page)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = points
    return environment


def _finalize(value: object) -> object:
    """What every expression of a template goes through on its way to the page."""
    if isinstance(value, Markup):
        return Markup(visible(str(value)))
    return visible(value) if isinstance(value, str) else value
