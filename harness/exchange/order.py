"""What is to be exported, and how its files are written: whole or not at all, always the same."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness.disclosure import Secrets
from harness.errors import UsageError
from harness.gradebook import write_whole

# The earliest time that a zip can hold, so that the same files make the same bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Order:
    """What is to be exported.

    Attributes:
        reports: the folder that grading left behind.
        secrets: tells hidden cases.
        sheet: the table that was downloaded from the other system, if one is given.
        out: where to write; None for the format's own name in the current folder.
        title: the assignment's column, where there are several.
        columns: heading by meaning, where a person says it.
    """

    reports: Path
    secrets: Secrets = field(default_factory=Secrets)
    sheet: Path | None = None
    out: Path | None = None
    title: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    def needed_sheet(self, what: str) -> Path:
        """The downloaded table.

        Raises:
            UsageError: none was given.
        """
        if self.sheet is None:
            raise UsageError(f"--sheet is missing: download {what} and give its name")
        return self.sheet

    def target(self, name: str) -> Path:
        """Where to write.

        Raises:
            UsageError: it is the sheet that was downloaded, or lies in the reports' folder.
        """
        path = self.out or Path(name)
        if self.sheet and path.resolve() == self.sheet.resolve():
            raise UsageError(f"{path} is the downloaded sheet itself; give another --out")
        if path.resolve().is_relative_to(self.reports.resolve()):
            raise UsageError(f"{path} lies in the reports' folder; give an --out outside of it")
        return path


@dataclass(frozen=True)
class Output:
    """A file that an export makes, once it is asked to.

    Attributes:
        path: where.
        write: writes it whole or not at all; None to remove what an earlier export left there.
    """

    path: Path
    write: Callable[[Path], None] | None

    def check(self) -> None:
        """See that there can be a file of that name, before any is written.

        Raises:
            UsageError: there is a folder of that name, or a file where a folder is to be.
        """
        if self.path.is_dir():
            raise UsageError(f"{self.path} is a folder; give --out the name of a file")
        for folder in self.path.parents:
            if folder.exists() and not folder.is_dir():
                raise UsageError(f"{folder} is a file, so nothing can be put into it; give --out")


def file_of(path: Path, make: Callable[[], bytes]) -> Output:
    """A file of bytes that are made when it is written."""
    return Output(path, lambda target: write_whole(target, make()))


def zip_of(path: Path, members: Iterable[tuple[str, Path]]) -> Output:
    """A zip of files, each with its name in it; the same files make the same bytes."""

    def write(target: Path) -> None:
        partial = target.with_name(f".{target.name}.partial")
        try:
            with partial.open("wb") as stream:
                with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                    for name, file in members:
                        _add(archive, name, file)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(target)
        except OSError:
            with suppress(OSError):
                partial.unlink()
            raise

    return Output(path, write)


def _add(archive: zipfile.ZipFile, name: str, file: Path) -> None:
    entry = zipfile.ZipInfo(name, _NO_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, on every system: the same bytes
    entry.external_attr = 0o100644 << 16
    archive.writestr(entry, file.read_bytes())


def write_all(outputs: Iterable[Output]) -> Iterator[Output]:
    """Write the files one after another; yields each when it is done.

    Raises:
        UsageError: one cannot be; then none is written.
    """
    outputs = list(outputs)
    for output in outputs:
        output.check()
    for output in outputs:
        if output.write is None:
            output.path.unlink()
        else:
            output.path.parent.mkdir(parents=True, exist_ok=True)
            output.write(output.path)
        yield output
