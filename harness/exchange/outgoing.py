"""`harness export`: grades of a reports' folder, in the form that another system takes in."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping

from harness import techniques
from harness.disclosure import Secrets
from harness.errors import UsageError
from harness.exchange import to_canvas, to_csv, to_github, to_gradescope, to_moodle
from harness.exchange.order import Order, Output, write_all
from harness.exchange.preflight import Account
from harness.finding import find_lab
from harness.lab import read_lab

FORMATS: Mapping[str, Callable[[Order, Account], Iterator[Output]]] = {
    "moodle": to_moodle.plan,
    "canvas": to_canvas.plan,
    "gradescope": to_gradescope.plan,
    "github": to_github.plan,
    "csv": to_csv.plan,
}

_USED_BY = {
    "sheet": ("moodle", "canvas", "github"),
    "title": ("canvas",),
    "column": ("moodle",),
}
# How many files are told by name.
_NAMED = 3
# Formats that tell about single cases, and need the lab to know which are hidden.
_TELL_CASES = ("gradescope", "github")


def run(options: argparse.Namespace, tell: Callable[[str], None]) -> Account:
    """The command: options as the command line has them.

    Raises:
        UsageError: the reports, the sheet or the lab cannot be used.
    """
    secrets = Secrets()
    if options.to in _TELL_CASES:
        lab = read_lab(find_lab(options.lab), options.lab_files)
        tell(f"lab: {lab.source.path}")
        techniques.validate(lab)
        secrets = Secrets(lab)
    order = Order(
        options.reports, secrets, options.sheet, options.out, options.title, dict(options.column)
    )
    return export(order, options.to, tell, dry_run=options.dry_run)


def export(order: Order, to: str, tell: Callable[[str], None], *, dry_run: bool = False) -> Account:
    """Say what will be written and what will not, then write it.

    Args:
        order: what to export.
        to: a name of `FORMATS`.
        tell: takes the account's lines, before anything is written.
        dry_run: write nothing.

    Raises:
        UsageError: the reports or the sheet cannot be used, or an option is not for this format.
    """
    _check_used(order, to)
    account = Account()
    outputs = list(FORMATS[to](order, account))
    for line in account.lines():
        tell(line)
    if dry_run:
        files = "1 file" if len(outputs) == 1 else f"{len(outputs)} files"
        tell(f"nothing is written; it would be {files}")
        return account
    for number, output in enumerate(write_all(outputs)):
        if output.write is None:
            tell(f"removed, as it is held back now: {output.path}")
        elif number < _NAMED:
            tell(f"written: {output.path}")
    if len(outputs) > _NAMED:
        tell(f"… {len(outputs)} files in all")
    return account


def _check_used(order: Order, to: str) -> None:
    """See that nothing was given that the format does not use."""
    given = {"sheet": order.sheet, "title": order.title, "column": order.columns}
    for name, systems in _USED_BY.items():
        if given[name] and to not in systems:
            raise UsageError(f"--{name} is for {', '.join(systems)}; with --to {to}, leave it out")
