"""What commands print: lines and the terminal summary of one submission."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from harness.texts import one_line

if TYPE_CHECKING:
    from harness.disclosure import Hidden

EXIT_OK, EXIT_BELOW, EXIT_ERROR, EXIT_NOT_JUDGED, EXIT_INTERRUPTED = 0, 1, 2, 3, 130


def teller(console: Console) -> Callable[[str], None]:
    """Prints a line as it is, with what would steer the terminal, or end it, made visible."""
    return lambda line: console.print(one_line(line), markup=False)


def line_of(grade: Mapping[str, Any], width: int) -> str:
    """One submission of a cohort, in a line."""
    name = f"{one_line(grade['submission']):{width}}"
    if grade["outcome"] != "judged":
        return f"{name}  not judged: {one_line(grade['run']['message'])}"
    status = grade["run"]["status"]
    told = "" if status == "completed" else f"  {status.replace('_', ' ')}"
    return f"{name}  {grade['points']:5.2f} / {grade['max_points']:g}{told}"


def print_checks(console: Console, grade: Mapping[str, Any], hidden: Hidden) -> None:
    """The terminal summary: each check's points, and each failed case with what to do next.

    Args:
        console: where to.
        grade: as in `grade.json`.
        hidden: tells hidden cases.
    """
    from harness.disclosure import shown_diagnosis
    from harness.results import stopped  # NumPy comes with it

    run = grade["run"]
    if run["message"]:
        message = escape(one_line(run["message"]))
        console.print(f"[bold]{run['status'].replace('_', ' ')}[/]: {message}")
    once = stopped(grade)
    if once and once[1]:
        console.print(f"  → {one_line(once[1])}", markup=False)
    for note in run["notes"]:
        console.print(f"note: {one_line(note)}", markup=False)
    for check in grade["checks"]:
        _print_check(console, check, hidden, with_cases=not once)
    for name in grade["techniques"]:
        if diagnosis := shown_diagnosis(grade, name, hidden):
            text = f"{name}: this looks like the known mistake {diagnosis['mistake']}"
            if "confidence" in diagnosis:
                text += f" ({100 * diagnosis['confidence']:.0f} % sure)"
            console.print(text, markup=False)
            console.print(f"  → {one_line(diagnosis['hint'])}", markup=False)
    console.print(f"{grade['points']:g} of {grade['max_points']:g} points", style="bold")


def _print_check(
    console: Console, check: Mapping[str, Any], hidden: Hidden, *, with_cases: bool
) -> None:
    from harness.disclosure import shown

    full = check["points"] == check["max_points"]
    colour = "green" if full else "red"
    points = f"{check['points']:5.2f} / {check['max_points']:g}"
    console.print(f"[{colour}]{points:>12}[/]  {check['technique']}  {check['id']}")
    told: dict[tuple[str, str], list[str]] = {}
    for found in check["cases"] if with_cases else ():
        case = shown(found, hidden(check["technique"], found["id"]))
        if case.outcome != "passed":
            message = case.message or case.outcome.replace("_", " ")
            told.setdefault((message, case.hint), []).append(case.id)
        elif case.message:
            told.setdefault((f"passed; {case.message}", ""), []).append(case.id)
    for (message, hint), cases in told.items():
        mark = "✓" if message.startswith("passed; ") else "✗"
        console.print(f"      {mark} {', '.join(cases)}: {one_line(message)}", markup=False)
        if hint:
            console.print(f"        → {one_line(hint)}", markup=False)
