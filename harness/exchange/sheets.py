"""Sheets that other systems export, read so that nothing of them is lost.

A sheet is written back byte for byte but for the cells that were set: encoding, byte order mark,
separator, line ends, quotation marks and blank lines stay as that system wrote them. What the
columns of each system mean is told by `harness.exchange.columns`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import UsageError

MAX_BYTES = 64 * 2**20
_SEPARATORS = ",;\t"
# Excel's way to say which character separates cells.
_SAID = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass
class _Record:
    """A record as it is written: each cell with its quotation marks, the line end, its line."""

    cells: list[str]
    end: str
    line: int

    def blank(self) -> bool:
        return not any(map(_value, self.cells))

    def part(self, columns: Sequence[int] | None) -> list[str]:
        if columns is None:
            return self.cells
        if self.blank():
            return []
        return [self.cells[place] if place < len(self.cells) else "" for place in columns]


@dataclass
class Sheet:
    """A table of texts with a header.

    Attributes:
        path: the file it came from.
        encoding: `utf-8`, `utf-16-le` or `utf-16-be`.
        mark: the byte order mark, often none.
        separator: what separates cells.
        header: the headings.
        rows: the cells of every row that is not blank; a row may be shorter than the header.
    """

    path: Path
    encoding: str
    mark: bytes
    separator: str
    header: list[str]
    rows: list[list[str]]
    _before: str
    _records: list[_Record] = field(repr=False)
    _places: list[int] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Sheet:
        """Read a sheet.

        Raises:
            UsageError: it cannot be read, is no UTF-8 or marked UTF-16, is empty, or a quotation
                mark in it is never closed.
        """
        try:
            size = path.stat().st_size
            data = path.read_bytes() if size <= MAX_BYTES else b""
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error}") from None
        if size > MAX_BYTES:
            raise UsageError(f"{path}: {size} bytes, expected a sheet of at most {MAX_BYTES}")
        return cls.from_bytes(data, path)

    @classmethod
    def from_bytes(cls, data: bytes, path: Path) -> Sheet:
        """The same for bytes in memory; the path is for messages.

        Raises:
            UsageError: as `read`.
        """
        mark, encoding = next((m for m in _MARKS if data.startswith(m[0])), (b"", "utf-8"))
        try:
            text = data[len(mark) :].decode(encoding)
        except UnicodeDecodeError:
            raise UsageError(
                f"{path}: not UTF-8; download it again, or save it as CSV UTF-8"
            ) from None
        if "\0" in text:
            raise UsageError(f"{path}: not a CSV file; download it as CSV, not as a workbook")
        said = _SAID.match(text)
        before = said[0] if said else ""
        separator = said[1] if said else _separator(text)
        records = _records(text[len(before) :], separator, path, before.count("\n") + 1)
        places = [place for place, record in enumerate(records) if not record.blank()]
        if not places:
            raise UsageError(f"{path}: an empty file, expected a sheet with headings")
        rows = [[_value(cell) for cell in records[place].cells] for place in places]
        header = [name.strip() for name in rows[0]]
        return cls(path, encoding, mark, separator, header, rows[1:], before, records, places[1:])

    def line(self, row: int) -> int:
        """The line that a row begins on, from 1, for messages."""
        return self._records[self._places[row]].line

    def cell(self, row: int, column: int) -> str:
        """A cell's text; empty where the row is too short to have it."""
        cells = self.rows[row]
        return cells[column] if column < len(cells) else ""

    def set(self, row: int, column: int, text: str) -> None:
        """Change a cell, keeping its quotation marks; the same text changes nothing.

        The text is written as it is: what a spreadsheet would compute is for the caller to make
        plain (`harness.texts.plain_cell`).

        Raises:
            IndexError: there is no such row, or no such column in the header.
        """
        if not 0 <= column < len(self.header):
            raise IndexError(f"column {column} of {len(self.header)}")
        if self.cell(row, column) == text:
            return
        written, cells = self._records[self._places[row]].cells, self.rows[row]
        missing = column + 1 - len(cells)
        written += [""] * missing
        cells += [""] * missing
        quoted = written[column].lstrip().startswith('"')
        written[column] = _written(text, self.separator, quoted=quoted)
        cells[column] = text

    def to_bytes(self, columns: Sequence[int] | None = None) -> bytes:
        """The sheet as a file: what was read, but for the cells that were set.

        Args:
            columns: write these only.
        """
        lines = (self.separator.join(record.part(columns)) + record.end for record in self._records)
        return self.mark + (self._before + "".join(lines)).encode(self.encoding)


def _separator(text: str) -> str:
    """What the first line that is not blank has most of, outside of quotation marks."""
    first = re.split(r"[\r\n]", re.sub(r'"[^"]*"', "", text.lstrip("\r\n")), maxsplit=1)[0]
    return max(_SEPARATORS, key=first.count)


def _records(text: str, separator: str, path: Path, line: int) -> list[_Record]:
    """Split a text into records, in which every character of it is kept."""
    # A quoted cell, with what some programs leave outside of the marks, or any other cell.
    plain_text = rf"[^{separator}\r\n]*"
    cell = re.compile(
        rf'( *"[^"]*(?:""[^"]*)*"{plain_text}|{plain_text})({separator}|\r\n|\n|\r|\Z)'
    )
    records: list[_Record] = []
    cells: list[str] = []
    place, start = 0, line
    while place < len(text) or cells:
        found = cell.match(text, place)
        if found is None or _unclosed(found[1]):
            raise UsageError(
                f"{path}:{line}: a quotation mark is opened and never closed; download it again"
            )
        cells.append(found[1])
        line += len(re.findall(r"\r\n|\n|\r", found[0]))
        place = found.end()
        if found[2] != separator:
            records.append(_Record(cells, found[2], start))
            cells, start = [], line
    return records


def _unclosed(cell: str) -> bool:
    stripped = cell.lstrip(" ")
    return stripped.startswith('"') and stripped.count('"') % 2 == 1


def _value(written: str) -> str:
    """The text of a cell as it is written."""
    stripped = written.lstrip(" ")
    if not stripped.startswith('"'):
        return written
    inside, _, after = stripped[1:].rpartition('"')
    return inside.replace('""', '"') + after


def _written(text: str, separator: str, *, quoted: bool) -> str:
    special = any(character in text for character in f'{separator}"\r\n')
    if quoted or special or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


def find_column(header: Sequence[str], *names: str) -> int | None:
    """The first column with one of these headings, whatever their case and spaces."""
    wanted = {plain(name) for name in names}
    return next((place for place, name in enumerate(header) if plain(name) in wanted), None)


def plain(heading: str) -> str:
    """A heading in the form in which two that people take for the same are equal."""
    return re.sub(r"[\s_]+", " ", heading).strip(" :").casefold()
