"""Drawing primitives: heat maps, overlays, grids of filters, plots; and what figures are made of.

Pictures are PNG or JPEG bytes, plots are inline SVG. Plots take their colours from the page's style
sheet (classes `series-0`, `series-1`, …), so that they follow light and dark, and tell their series
apart by dashes and markers too.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from PIL import Image

Pixels: TypeAlias = npt.NDArray[np.uint8]

LARGEST_SIDE = 240  # pixels along the longer side of a picture: reports stay small


def _palette(colours: str) -> Pixels:
    return np.frombuffer(bytes.fromhex(colours), "uint8").reshape(-1, 3)


# viridis (van der Walt and Smith 2015, CC0) at every tenth: perceptually uniform.
_VIRIDIS = _palette("440154 482475 414487 355f8d 2a788e 21918c 22a884 44bf70 7ad151 bddf26 fde725")
# From Tol's colour-blind safe "muted" and "light" schemes; neighbours differ.
_CATEGORIES = _palette(
    "332288 ddcc77 44aa99 cc6677 117733 aa4499 88ccee 999933 "
    "882255 ee8866 77aadd bbcc33 ffaabb aaaa00 666666 000000"
)


@dataclass(frozen=True)
class Picture:
    """An encoded picture; `alt` says in words what it shows."""

    data: bytes
    width: int
    height: int
    alt: str
    caption: str = ""

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        kind = "png" if self.data.startswith(b"\x89PNG") else "jpeg"
        return f"data:image/{kind};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True)
class Row:
    """Pictures that belong side by side."""

    kind: ClassVar[str] = "row"
    pictures: tuple[Picture, ...]
    title: str = ""


@dataclass(frozen=True)
class Plot:
    """An inline SVG."""

    kind: ClassVar[str] = "plot"
    svg: Markup
    caption: str = ""


@dataclass(frozen=True)
class Table:
    """A table; `marked` are the numbers of the rows that differ from what was expected."""

    kind: ClassVar[str] = "table"
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Note:
    """Words where there is nothing to draw."""

    kind: ClassVar[str] = "note"
    text: str


Part: TypeAlias = Row | Plot | Table | Note


@dataclass(frozen=True)
class Figure:
    """What is shown of one case or of one group of cases."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Series:
    """Points of one line, or heights of one set of bars (`x` is then unused)."""

    name: str
    y: Sequence[float]
    x: Sequence[float] = ()


def unit(array: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.float64]:
    """Scale `low` to `high` to 0 to 1, and clip; zeros when they are equal."""
    if not high > low:
        return np.zeros(np.shape(array))
    # Halved first: the difference of two very large numbers of opposite sign would be infinite.
    scaled = (np.asarray(array, "float64") / 2 - low / 2) / (high / 2 - low / 2)
    return np.clip(scaled, 0.0, 1.0)


def heatmap_rgb(
    heatmap: npt.NDArray[Any], low: float | None = None, high: float | None = None
) -> Pixels:
    """Colour a map with viridis.

    Args:
        heatmap: any shape, finite.
        low: what is dark violet; 0, or the minimum where that is negative, if not given.
        high: what is yellow; the maximum if not given.

    Returns:
        the shape with a last axis of 3.
    """
    heatmap = np.asarray(heatmap, "float64")
    low = min(0.0, float(heatmap.min(initial=0.0))) if low is None else low
    high = float(heatmap.max(initial=low)) if high is None else high
    place = (200 * unit(heatmap, low, high)).round() / 200  # few colours make small files
    steps = np.linspace(0.0, 1.0, len(_VIRIDIS))
    channels = [np.interp(place, steps, _VIRIDIS[:, channel]) for channel in range(3)]
    coloured: Pixels = np.stack(channels, axis=-1).round().astype("uint8")
    return coloured


def category_rgb(numbers: npt.NDArray[Any]) -> Pixels:
    """Colour whole numbers, one colour each for 0 to 15; others are grey."""
    numbers = np.asarray(numbers)
    known = (numbers >= 0) & (numbers < len(_CATEGORIES)) & (numbers == np.floor(numbers))
    colours: Pixels = _CATEGORIES[np.where(known, numbers, 0).astype("int64")]
    colours[~known] = 128
    return colours


def rgb(image: npt.NDArray[Any]) -> Pixels:
    """A grey or RGB uint8 image (H, W, 1 or 3 or 4) as RGB."""
    image = np.asarray(image, "uint8")
    return np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image[..., :3]


def fitted(image: Pixels, side: int = LARGEST_SIDE) -> Pixels:
    """Enlarge by a whole factor, so that pixels stay visible, or average down to suit a page."""
    height, width = image.shape[:2]
    longest = max(height, width)
    if longest <= side:
        factor = side // longest
        return np.repeat(np.repeat(image, factor, axis=0), factor, axis=1)
    size = max(1, round(width * side / longest)), max(1, round(height * side / longest))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))


def overlay(photo: npt.NDArray[Any], heatmap: npt.NDArray[Any]) -> Pixels:
    """A finite map (h, w) over a photograph (H, W, 1 or 3), as large as `fitted` makes that.

    Where the map is weak the photograph is grey, where it is strong it is coloured.
    """
    base = fitted(rgb(photo)).astype("float64")
    grey = base.mean(axis=-1, keepdims=True)
    low = min(0.0, float(heatmap.min()))
    small = Image.fromarray(unit(heatmap, low, float(heatmap.max())).astype("float32"))
    size = base.shape[1], base.shape[0]
    strength = np.asarray(small.resize(size, Image.Resampling.BILINEAR), "float64")
    colours = heatmap_rgb(strength, 0.0, 1.0).astype("float64")
    share = 0.35 + 0.4 * strength[..., None]
    blended: Pixels = (grey * (1 - share) + colours * share).round().astype("uint8")
    return blended


def filter_grid(
    activations: npt.NDArray[Any],
    low: float,
    high: float,
    columns: int = 0,
    side: int = LARGEST_SIDE,
) -> Pixels:
    """Maps of all filters (h, w, c) as tiles of one picture, coloured from `low` to `high`."""
    tiles = np.moveaxis(heatmap_rgb(activations, low, high), 2, 0)
    return tiled(tiles, columns, side)


def tiled(tiles: Pixels, columns: int = 0, side: int = LARGEST_SIDE) -> Pixels:
    """Tiles in rows, enlarged by a whole factor.

    Args:
        tiles: (n, h, w, 3).
        columns: tiles in a row; as square as can be if 0.
        side: pixels that the longer side about comes to.

    Returns:
        (H, W, 4), lines between tiles, transparent where no tile is left.
    """
    columns = columns or math.ceil(math.sqrt(len(tiles)))
    tiles = np.stack([fitted(tile, max(1, side // columns)) for tile in tiles])
    count, height, width, _ = tiles.shape
    rows = math.ceil(count / columns)
    canvas = np.full((rows * (height + 2) - 2, columns * (width + 2) - 2, 4), 160, "uint8")
    for index, tile in enumerate(tiles):
        top, left = index // columns * (height + 2), index % columns * (width + 2)
        canvas[top : top + height, left : left + width, :3] = tile
    canvas[..., 3] = 255
    last_row = count - (rows - 1) * columns
    canvas[(rows - 1) * (height + 2) :, last_row * (width + 2) - 2 :] *= last_row == columns
    return canvas


def png(image: Pixels) -> bytes:
    """Encode without loss; up to 256 colours are numbered, which takes a third of the bytes."""
    drawn = Image.fromarray(image)
    pixels = np.asarray(drawn.convert("RGBA"))
    colours, numbers = np.unique(pixels.view("uint32"), return_inverse=True)
    if len(colours) <= 256:
        drawn = Image.fromarray(numbers.reshape(pixels.shape[:2]).astype("uint8"))
        drawn.putpalette(colours.tobytes(), "RGBA")
    return _encoded(drawn, "PNG")


def picture(image: Pixels, alt: str, caption: str = "", side: int = LARGEST_SIDE) -> Picture:
    """A picture of hard edges, enlarged or reduced to suit a page."""
    image = fitted(image, side)
    return Picture(png(image), image.shape[1], image.shape[0], alt, caption)


def photograph(image: Pixels, alt: str, caption: str = "") -> Picture:
    """A picture of soft edges: a tenth of the bytes."""
    image = fitted(image)
    data = _encoded(Image.fromarray(image), "JPEG", quality=82, optimize=True)
    return Picture(data, image.shape[1], image.shape[0], alt, caption)


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


# Plots. One unit of the view box is about one pixel.
_WIDTH, _HEIGHT = 440, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 430, 34, 222


@dataclass(frozen=True)
class _Upwards:
    """The axis up, from `low` to `high` in steps, all of them round numbers."""

    low: float
    high: float
    step: float

    @classmethod
    def over(cls, values: Iterable[float]) -> _Upwards:
        """From 0, or below if need be, to above the highest value."""
        ends = [0, *values]
        low, high = min(ends), max(ends)
        span = high - low or 1.0
        power = 10.0 ** math.floor(math.log10(span / 5))
        step = next(power * i for i in (1, 2, 5, 10) if power * i >= span / 5.005)
        step = max(step, 1) if all(isinstance(value, int) for value in ends) else step
        top = max(math.ceil(high / step - 1e-9), 1)
        return cls(step * math.floor(low / step), step * top, step)

    def place(self, value: float) -> float:
        return _BOTTOM - (value - self.low) / (self.high - self.low) * (_BOTTOM - _TOP)

    def ticks(self) -> Iterator[tuple[float, str]]:
        for index in range(round((self.high - self.low) / self.step) + 1):
            value = self.low + index * self.step
            yield self.place(value), f"{value:.4g}"


def line_plot(series: Sequence[Series], *, title: str, x_label: str, y_label: str) -> Markup:
    """Lines with markers, from 0 upwards, with legend and description.

    Every x that occurs has its own tick, at even steps: sweeps grow by factors, or by steps.
    """
    every_x = sorted({x for line in series for x in line.x})
    slot = (_RIGHT - _LEFT) / max(len(every_x), 1)
    across = {x: _LEFT + slot * (index + 0.5) for index, x in enumerate(every_x)}
    up = _Upwards.over(y for line in series for y in line.y)
    drawn, described = Markup(), []
    for number, line in enumerate(series):
        points = sorted(zip(line.x, line.y, strict=True))
        places = [(across[x], up.place(y)) for x, y in points]
        tips = [f"{line.name}, {x:g}: {y:.3g}" for x, y in points]
        described += tips
        marks = [_marker(number, *at, tip) for at, tip in zip(places, tips, strict=True)]
        drawn += Markup('<g class="series series-{}"><polyline points="{}"/>{}</g>').format(
            number, " ".join(f"{x:.1f},{y:.1f}" for x, y in places), Markup().join(marks)
        )
    ticks = Markup().join(_x_tick(place, f"{x:g}") for x, place in across.items())
    content = [_frame(up, x_label, y_label), ticks, drawn, _legend(series)]
    return _svg(title, "; ".join(described), content)


def bars(
    series: Sequence[Series], labels: Sequence[str], *, title: str, x_label: str, y_label: str
) -> Markup:
    """Bars of each series side by side over each label, with legend and description."""
    up = _Upwards.over(y for one in series for y in one.y)
    slot = (_RIGHT - _LEFT) / max(len(labels), 1)
    width = 0.8 * slot / max(len(series), 1)
    drawn = Markup().join(
        Markup(
            '<rect class="bar series-{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
            "<title>{}</title></rect>"
        ).format(
            number,
            _LEFT + slot * (index + 0.1) + width * number,
            min(up.place(y), up.place(0.0)),
            width,
            abs(up.place(y) - up.place(0.0)),
            f"{one.name}, {labels[index]}: {y:.3g}",
        )
        for number, one in enumerate(series)
        for index, y in enumerate(one.y)
    )
    every = math.ceil(len(labels) / 13)
    ticks = Markup().join(
        _x_tick(_LEFT + slot * (index + 0.5), label)
        for index, label in enumerate(labels)
        if index % every == 0
    )
    described = "; ".join(f"{one.name}: " + ", ".join(f"{y:.3g}" for y in one.y) for one in series)
    named = _legend(series) if len(series) > 1 else Markup()
    return _svg(title, described, [_frame(up, x_label, y_label), ticks, drawn, named])


def category_legend(names: Sequence[str], title: str) -> Markup:
    """The colours of `category_rgb` and what they stand for, eight in a row."""
    swatch = Markup(
        '<rect x="{}" y="{}" width="16" height="16" fill="rgb({},{},{})"/><text x="{}" y="{}">{}'
        "</text>"
    )
    swatches = []
    for index, (name, colour) in enumerate(zip(names, _CATEGORIES.tolist(), strict=False)):
        x, y = index % 8 * 54, index // 8 * 24
        swatches.append(swatch.format(x, y + 3, *colour, x + 22, y + 16, name))
    return _svg(title, ", ".join(names), swatches, height=24 * math.ceil(len(swatches) / 8))


def _svg(title: str, described: str, content: Sequence[Markup], height: int = _HEIGHT) -> Markup:
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        "<title>{}</title><desc>{}</desc>{}</svg>"
    ).format(_WIDTH, height, title, title, described, Markup().join(content))


def _frame(up: _Upwards, x_label: str, y_label: str) -> Markup:
    """Lines across with their numbers, and the names of both axes."""
    lines = Markup().join(
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
            '<text x="{}" y="{:.1f}" text-anchor="end">{}</text>'
        ).format(_LEFT, _RIGHT, place, place, _LEFT - 6, place + 4, text)
        for place, text in up.ticks()
    )
    return lines + Markup(
        '<text class="axis" x="{}" y="{}" text-anchor="middle">{}</text>'
        '<text class="axis" transform="translate(14 {}) rotate(-90)" text-anchor="middle">{}</text>'
    ).format((_LEFT + _RIGHT) // 2, _HEIGHT - 8, x_label, (_TOP + _BOTTOM) // 2, y_label)


def _x_tick(place: float, text: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
        place, _BOTTOM + 18, text
    )


def _legend(series: Sequence[Series]) -> Markup:
    entry = Markup('<g class="series series-{}">{}</g><text x="{}" y="16">{}</text>')
    return Markup().join(
        entry.format(number, _marker(number, x, 12), x + 12, one.name)
        for number, (x, one) in enumerate(zip((66, 236), series, strict=False))
    )


def _marker(number: int, x: float, y: float, tip: str = "") -> Markup:
    """A disc, or a square for the second series: not told apart by colour alone."""
    return Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="9" height="9" rx="{}"><title>{}</title></rect>'
    ).format(x - 4.5, y - 4.5, 0 if number else 4.5, tip)
