"""The command `harness mark`: opens what it is about, if the server's libraries are there."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from harness.errors import UsageError
from harness.finding import find_lab
from harness.gradebook import Gradebook
from harness.grading import open_lab
from harness.submission import find_submissions


def run(options: Namespace, say: Callable[[str], None]) -> None:
    """Serve the marking pages until Ctrl-C.

    Args:
        options: of the command line: `submissions`, `lab`, `lab_files`, `out`, `port` and `marker`.
        say: prints a line.

    Raises:
        HarnessError: there is nothing to mark, or no way to serve it.
    """
    try:
        from harness.marking import serve
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("starlette", "uvicorn"):
            raise
        raise UsageError(f"mark needs {missing}: pip install 'xai-grading-harness[mark]'") from None
    given: Path | None = options.submissions
    lab = open_lab(find_lab(options.lab, given), options.lab_files)
    say(f"lab: {lab.source.path}")
    serve.mark(
        lab,
        Gradebook(options.out),
        say,
        port=options.port,
        marker=options.marker,
        submissions=find_submissions(given) if given else (),
    )
