"""What a figure is made of; a page's template presents each kind in its own way."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from harness.metrics.room import least_room


@dataclass(frozen=True)
class Picture:
    """An encoded picture.

    Attributes:
        data: PNG or JPEG.
        width: pixels of the page that it takes across; its own pixels may be fewer.
        height: and down.
        alt: what it shows, in words.
        caption: what stands below it.
    """

    data: bytes
    width: int
    height: int
    alt: str
    caption: str = ""

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return data_uri(self.data)


@dataclass(frozen=True)
class Row:
    """Pictures that belong side by side."""

    kind: ClassVar[str] = "row"
    pictures: tuple[Picture, ...]
    title: str = ""


@dataclass(frozen=True)
class Gallery:
    """Pictures in rows and columns that have names, as a film strip.

    Attributes:
        corner: what the columns' names are.
        columns: their names.
        rows: name and pictures of each; None where there is no picture.
        texts: rows of words below the pictures: name, and a text per column.
    """

    kind: ClassVar[str] = "gallery"
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Picture | None, ...]], ...]
    texts: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Line:
    """Lines over a photograph.

    Attributes:
        owner: `student`, `reference` or `object`: how they are drawn.
        path: of SVG, in shares of the photograph: 0 to 1000 across and down.
    """

    owner: str
    path: str


@dataclass(frozen=True)
class View:
    """A photograph of the lab with what is laid over it.

    Attributes:
        image: name of the lab's image, which a page holds once for all views.
        alt: what it shows, in words.
        caption: what stands below it.
        heat: PNG of a map, transparent in parts, to be stretched over the photograph; or empty.
        lines: to be drawn over both.
    """

    image: str
    alt: str
    caption: str
    heat: bytes = b""
    lines: tuple[Line, ...] = ()

    @property
    def heat_uri(self) -> str:
        """The map as a data URI."""
        return data_uri(self.heat)


@dataclass(frozen=True)
class Views:
    """Views side by side, and pictures after them.

    Attributes:
        plain: views that stay as they are.
        compare: none, or two that can be wiped over each other.
        pictures: what comes after them.
    """

    kind: ClassVar[str] = "views"
    plain: tuple[View, ...]
    compare: tuple[View, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Series:
    """Points of one line, or heights of one set of bars (`x` is then unused)."""

    name: str
    y: Sequence[float]
    x: Sequence[float] = ()


@dataclass(frozen=True)
class Region:
    """Where values pass: on one side of `low + threshold * (high - low)`.

    Attributes:
        measure: names the threshold, which is known when a page is made.
        below: values pass below it, else above.
        low: the limit at a threshold of 0.
        high: the limit at a threshold of 1.
    """

    measure: str
    below: bool = False
    low: float = 0.0
    high: float = 1.0

    def limit(self, threshold: float) -> float:
        """Where the region begins."""
        return self.low + threshold * (self.high - self.low)


@dataclass(frozen=True)
class Plot:
    """Lines (or bars, where `labels` are given) with axes; drawn when the page is made."""

    kind: ClassVar[str] = "plot"
    series: tuple[Series, ...]
    title: str
    x_label: str
    y_label: str
    labels: tuple[str, ...] = ()
    caption: str = ""
    region: Region | None = None


@dataclass(frozen=True)
class Nearest:
    """The same plot against each accepted output; a page shows that of the one it is judged by.

    Attributes:
        names: of the measures.
        measured: their values, for each accepted output.
        plots: one for each accepted output.
    """

    kind: ClassVar[str] = "nearest"
    names: tuple[str, ...]
    measured: tuple[tuple[float, ...], ...]
    plots: tuple[Plot, ...]

    def plot(self, thresholds: Mapping[str, float]) -> Plot:
        """That of the nearest one, as judging finds it; by the first measure without thresholds."""
        known = {name: thresholds[name] for name in self.names if name in thresholds}
        known = known or {self.names[0]: 0.0}
        found = [dict(zip(self.names, one, strict=True)) for one in self.measured]
        rooms = [least_room(one, known) for one in found]
        return self.plots[rooms.index(max(rooms))]


@dataclass(frozen=True)
class Legend:
    """The colours of `category_picture`, in their order, and what they stand for."""

    kind: ClassVar[str] = "legend"
    names: tuple[str, ...]
    caption: str


@dataclass(frozen=True)
class Table:
    """A table; `marked` are the numbers of the rows that differ from what was expected."""

    kind: ClassVar[str] = "table"
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    marked: tuple[int, ...] = ()


@dataclass(frozen=True)
class Note:
    """Words."""

    kind: ClassVar[str] = "note"
    text: str


Part: TypeAlias = Row | Gallery | Views | Plot | Nearest | Legend | Table | Note


@dataclass(frozen=True)
class Figure:
    """What is shown of one case or of one group of cases.

    Attributes:
        title: what it is about.
        parts: in order.
        numbers: what the pictures show, as a table for those who want or need it.
    """

    title: str
    parts: tuple[Part, ...]
    numbers: Table | None = None


def data_uri(data: bytes) -> str:
    """Bytes of a PNG or JPEG file as an address that holds them."""
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def numbers_of(series: Sequence[Series], labels: Sequence[str], x_label: str) -> Table:
    """The values of a plot as a table: a row per place on the x axis."""
    if labels:
        columns = [dict(zip(labels, one.y, strict=True)) for one in series]
        places = list(labels)
    else:
        columns = [{f"{x:g}": y for x, y in zip(one.x, one.y, strict=True)} for one in series]
        places = [f"{x:g}" for x in sorted({x for one in series for x in one.x})]
    rows = tuple(
        (place, *(_shown(column[place]) if place in column else "" for column in columns))
        for place in places
    )
    return Table((x_label, *(one.name for one in series)), rows)


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4g}"
