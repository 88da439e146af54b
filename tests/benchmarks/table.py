"""The tables of README.md beside this file: figures, each with its target if it has one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

README = Path(__file__).with_name("README.md")
# By how the name of a figure begins and ends.
TARGETS = (
    ("no-op, warm", "", "at most 40 ms"),
    ("new process / warm", "", "at least 10 ×"),
    ("harness check / ", "", "at most 1.3 ×"),
    ("judging 300 stored submissions", "", "at most 10 s"),
    ("", " / ours, ten submissions", "at least 10 ×"),
    ("grading ", " jobs", "at most 1.15 ×"),
    ("a report, drawn and rendered", "", "at most 150 ms"),
    ("a report: MB", "", "at most 1.5 MB"),
)


def write(part: str, measured_on: str, results: Mapping[str, float]) -> None:
    """Put figures into the README, between the mark of their part and the next one."""
    lines = [f"Measured on {measured_on}.", "", "| figure | measured | target |", "|---|---|---|"]
    lines += [
        f"| {name} | {shown(name, value)} | {target(name)} |" for name, value in results.items()
    ]
    before, rest = README.read_text("utf-8").split(f"<!-- {part} -->")
    _, mark, after = rest.partition("<!-- ")
    table = "\n".join(lines)
    README.write_text(
        f"{before}<!-- {part} -->\n\n{table}\n" + (mark and f"\n{mark}{after}"), "utf-8"
    )


def shown(name: str, value: float) -> str:
    """A figure with its unit."""
    if " / " in name:
        return f"{value:.2f} ×"
    if name.endswith("MB"):
        return f"{value:.3g} MB"
    return f"{value:.1f} s" if value >= 1 else f"{1000 * value:.0f} ms"


def target(name: str) -> str:
    """What a figure should be; empty for most."""
    found = [text for start, end, text in TARGETS if name.startswith(start) and name.endswith(end)]
    return found[0] if found else ""
