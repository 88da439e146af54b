"""From facts to HTML files: templates only present what the modules beside this one worked out."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from harness.answers import Answers
from harness.figures import Plot, category_legend, numbers_of, plot_svg
from harness.gradebook import write_whole
from harness.lab import Lab
from harness.language import gettext, ngettext, speaking, spoken
from harness.outputs import Outputs
from harness.remembered import Figures
from harness.report.of_calibration import CalibrationPage
from harness.report.of_cohort import cohort_page
from harness.report.of_student import student_page
from harness.texts import visible


def report_html(
    grade: Mapping[str, Any],
    outputs: Outputs,
    lab: Lab,
    figures: Figures,
    answers: Answers | None = None,
) -> str:
    """The report of one submission.

    Args:
        grade: as in `grade.json`.
        outputs: what the grade rests on.
        lab: the lab.
        figures: of `draw`.
        answers: the written ones.

    Returns:
        an HTML page that loads nothing.
    """
    with speaking(lab.language):
        return _render("report.html", student_page(grade, outputs, lab, figures, answers))


def write_index(path: Path, lab: Lab, grades: Sequence[Mapping[str, Any]]) -> None:
    """Write the cohort's page, which links to the reports in the folder beside it.

    Args:
        path: the HTML file, in the gradebook's folder.
        lab: the lab.
        grades: as in `grade.json`.
    """
    with speaking(lab.language):
        _write(path, "index.html", cohort_page(path.parent, lab, grades))


def write_calibration(path: Path, page: CalibrationPage) -> None:
    """Write the calibration's page: what tells right from wrong."""
    _write(path, "calibration.html", page)


def marking_html(page: object, lab: Lab) -> str:
    """The page on which answers are marked.

    Args:
        page: a `harness.marking.pages.MarkingPage`.
        lab: the lab.
    """
    with speaking(lab.language):
        return _render("marking.html", page)


def handout_texts(page: object) -> tuple[str, str]:
    """The handout in the present language, in Markdown and as a page that loads nothing.

    Args:
        page: a `harness.kit.handout.Handout`.
    """
    plain = _environment().overlay(autoescape=False)
    plain.filters = {**plain.filters, "code": _code, "cell": _cell, "capital": _capital}
    text = re.sub(r"\n{3,}", "\n\n", plain.get_template("handout.md").render(page=page))
    body = _markdown().render(text)
    title = getattr(page, "title", "")
    return text.strip() + "\n", _render("handout.html", {"title": title, "body": Markup(body)})


def _markdown() -> MarkdownIt:
    """Markdown whose tables can be scrolled and read aloud, as those of the other pages."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    scroll = f'<div class="scroll" tabindex="0" role="group" aria-label="{gettext("Table")}">'
    rules = parser.renderer.rules  # type: ignore[attr-defined]
    rules["table_open"] = lambda *_: f"{scroll}<table>"
    rules["table_close"] = lambda *_: "</table></div>"
    rules["th_open"] = _head_open
    return parser


def _head_open(tokens: Sequence[Token], at: int, *_: object) -> str:
    """The head of a column; above numbers, it is at the right as they are."""
    style = tokens[at].attrGet("style")
    return f'<th scope="col" style="{style}">' if style else '<th scope="col">'


def _code(text: str) -> str:
    return f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _opening(text: str) -> str:
    """The class of a text whose first letter is shown as a capital: not that of an identifier."""
    return " opening" if re.match(r"(?:[^\W\d_]{2,}|[aà])(?:['’,:;]?\s|['’])", text) else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def points(value: float) -> str:
    """Points with two decimals at most."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if spoken() == "fr" else text


def _write(path: Path, template: str, page: object) -> None:
    """Write a page whole or not at all."""
    write_whole(path, _render(template, page).encode(errors="backslashreplace"))


def _render(template: str, page: object) -> str:
    script = _beside(template, "js")
    return (
        _environment()
        .get_template(template)
        .render(
            page=page,
            style=Markup(_beside(template, "css")),
            script=Markup(script),
            # The only script that the page's policy lets run, whatever else gets into the page.
            script_source=Markup(f"'sha256-{_sha256(script)}'" if script else "'none'"),
        )
    )


@cache
def _beside(template: str, kind: str) -> str:
    """A page's own style or script: the file of its template's name, if there is one."""
    path = Path(__file__).with_name(template).with_suffix(f".{kind}")
    return path.read_text("utf-8") if path.is_file() else ""


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness", "report"),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = points
    environment.filters["opening"] = _opening
    # What the extension above adds; its types are not known.
    install: Any = environment.install_gettext_callables  # type: ignore[attr-defined]
    install(gettext, ngettext, newstyle=True)
    environment.globals["spoken"] = spoken
    environment.globals["drawn"] = _drawn
    environment.globals["legend_of"] = category_legend
    environment.globals["numbers_of"] = numbers_of
    return environment


def _drawn(plot: Plot, thresholds: Mapping[str, float]) -> Markup:
    """A plot, with the region in which values pass where the threshold is known."""
    region = plot.region
    known = region is not None and region.measure in thresholds
    return plot_svg(plot, region.limit(thresholds[region.measure]) if region and known else None)


def _finalize(value: object) -> object:
    """What every expression of a template goes through on its way to the page."""
    if isinstance(value, Markup):
        text = str(value)
        seen = visible(text)
        return value if seen is text else Markup(seen)
    return visible(value) if isinstance(value, str) else value
