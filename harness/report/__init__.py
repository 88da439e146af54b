"""Pages for people: one self-contained HTML file per submission, and the cohort's index."""

from harness.report.drawings import draw
from harness.report.pages import (
    handout_texts,
    marking_html,
    report_html,
    write_calibration,
    write_index,
)

__all__ = [
    "draw",
    "handout_texts",
    "marking_html",
    "report_html",
    "write_calibration",
    "write_index",
]
