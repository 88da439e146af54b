"""What `harness grade` shows while it works: a line per submission, and how long it will take."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from harness.cohort import Done
from harness.texts import one_line

MAX_CHANGES = 50


class Progress:
    """A line per submission, with a bar below on a terminal; a context manager.

    Args:
        console: where to.
        count: how many submissions there are.
    """

    def __init__(self, console: Console, count: int) -> None:
        self._console = console
        self._count = count
        self._done: list[Done] = []
        self._number = self._kept = self._ran = self._failures = 0
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("grading", total=count, rate="")

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if kind is KeyboardInterrupt:
            self._console.print(f"{self._number} of {self._count} are graded", markup=False)

    def show_public(self, done: int, count: int) -> None:
        """Tell of how many of how many submissions the public cases have been run."""
        self._bar.update(self._task, description=f"public cases {done}/{count}", refresh=True)
        if done == count:
            self._bar.update(self._task, description="grading")

    def show(self, done: Done, line: str) -> None:
        """Tell of a submission that is done."""
        self._number += 1
        self._kept += done.kept
        self._ran += done.ran
        self._failures += done.grade["outcome"] != "judged"
        if done.change is not None:
            self._done.append(done)
        of_total = done.change is not None and done.change.of_total
        again = " (another total)" if of_total else " (judged again)"
        told = " (unchanged)" if done.kept else "" if done.ran else again
        self._bar.print(f"[{self._number}/{self._count}] {line}{told}", markup=False)
        speed = self._bar.tasks[0].speed
        rate = f"{60 * speed:.1f} a minute" if speed else ""
        failed = f", {self._failures} not judged" if self._failures else ""
        self._bar.update(self._task, advance=1, rate=rate + failed)

    def tell_changes(self) -> None:
        """Say what was not run again, and whose points have changed and where."""
        if self._ran < self._count:
            self._console.print(
                f"{self._kept} of {self._count} unchanged; student code was run for {self._ran}",
                markup=False,
            )
        if not self._done:
            return
        self._console.print(f"{len(self._done)} of {self._count} changed:", markup=False)
        for done in self._done[:MAX_CHANGES]:
            change = done.change
            assert change is not None
            points = f"{_shown(change.before)} → {_shown(change.after)}"
            where = ", ".join(change.checks) or "not judged before"
            where = "total" if change.of_total else where
            self._console.print(
                f"  {one_line(change.submission)}: {points} ({where})", markup=False
            )
        if len(self._done) > MAX_CHANGES:
            self._console.print(f"  … and {len(self._done) - MAX_CHANGES} more", markup=False)


def _shown(points: float | None) -> str:
    return "held back" if points is None else f"{points:g}"
