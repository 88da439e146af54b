"""Pages for people: one self-contained HTML file per submission, and the cohort's index."""

from harness.report.pages import write_calibration, write_index, write_report

__all__ = ["write_calibration", "write_index", "write_report"]
