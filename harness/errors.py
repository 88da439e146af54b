"""The errors that people meet, as one small tree.

::

    HarnessError            anything the command line prints as one message, exit code 2
    ├── UsageError          the command was given something it cannot use
    ├── LabError            the lab file, or a file that it names, is wrong
    ├── GoldenError         golden outputs are missing, damaged or stale
    ├── WireError           bytes from a child that are not a valid frame
    └── MachineError        this machine could not do it: never costs a student a point

A student's mistake is never one of these: it is data (`harness.outputs`, `harness.results`). Apart
from the tree stands `GradingError`: a fault of ours that one submission brought out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HarnessError(Exception):
    """Base of all errors of the harness; its text says what was found, expected, and to do."""


class UsageError(HarnessError):
    """The command was given something it cannot use."""


class LabError(HarnessError):
    """The lab file, or a file that it names, is wrong."""


class GoldenError(HarnessError):
    """Golden outputs are missing, damaged or stale."""


class WireError(HarnessError):
    """Bytes that came from a child are not a valid frame."""


class MachineError(HarnessError):
    """This machine could not do it; the student is not to blame."""


class GradingError(Exception):
    """A fault of ours that one submission brought out; the text says what failed, and where."""


def suggest(found: object, allowed: Iterable[object], *, limit: int = 12) -> str:
    """Name the nearest allowed word and list the others, for the end of an error message."""
    names = [str(name) for name in allowed]
    nearest = difflib.get_close_matches(str(found), names, n=1)
    listed = ", ".join(names[:limit]) + (", …" if len(names) > limit else "")
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"{hint}allowed: {listed or 'nothing'}"
