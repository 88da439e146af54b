"""The command `harness import`: what it prints."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from harness.exchange.incoming import Wanted, bring_in
from harness.handed_in import FILE


def run_import(options: argparse.Namespace, tell: Callable[[str], None]) -> bool:
    """Import an archive and tell the account; whether nothing needs a person's eye.

    Raises:
        UsageError: the archive, a sheet or an earlier table cannot be used; nothing is changed.
        LabError: the lab file is wrong.
    """
    account = bring_in(
        Wanted(
            options.archive,
            options.system,
            options.out,
            options.sheet,
            options.attempts,
            options.lab,
            options.lab_files,
            dict(options.column),
        )
    )
    for line in (account.summary(), *account.lines, f"who is who: {options.out / FILE}"):
        tell(line)
    return not account.doubtful
