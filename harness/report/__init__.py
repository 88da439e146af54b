"""Pages for people: one self-contained HTML file per submission, and the cohort's index."""

from harness.report.pages import report_html, write_calibration, write_index

__all__ = ["report_html", "write_calibration", "write_index"]
