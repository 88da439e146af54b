"""Plots as inline SVG.

They take their colours from the page's style sheet (classes `series-0`, `series-1`, …), so that
they follow light and dark, and tell their series apart by dashes and markers too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from harness.figures.parts import Plot, Series
from harness.figures.pictures import CATEGORIES
from harness.language import gettext as _

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
            yield self.place(value), f"{value:.6g}"


def plot_svg(plot: Plot, limit: float | None = None) -> Markup:
    """A plot as inline SVG, from 0 upwards, with its legend.

    Args:
        plot: what to draw.
        limit: where the region begins in which values pass, if it is known.
    """
    if plot.labels:
        return bars(
            plot.series, plot.labels, title=plot.title, x_label=plot.x_label, y_label=plot.y_label
        )
    # Every x that occurs has its own tick, at even steps: sweeps grow by factors, or by steps.
    every_x = sorted({x for line in plot.series for x in line.x})
    slot = (_RIGHT - _LEFT) / max(len(every_x), 1)
    across = {x: _LEFT + slot * (index + 0.5) for index, x in enumerate(every_x)}
    values = [y for line in plot.series for y in line.y]
    shown = [] if limit is None else [limit, plot.region.high] if plot.region else [limit]
    up = _Upwards.over([*values, *shown])
    ticks = "".join(_x_tick(place, f"{x:g}") for x, place in across.items())
    points = [
        (across[x], up.place(y))
        for line in plot.series
        for x, y in zip(line.x, line.y, strict=True)
    ]
    below = bool(plot.region and plot.region.below)
    content = [
        *([] if limit is None else [_region(up, limit, points, below=below)]),
        _frame(up, plot.x_label, plot.y_label),
        ticks,
        *(_line(number, line, across, up) for number, line in enumerate(plot.series)),
        _legend(plot.series),
    ]
    return _svg(plot.title, content)


def _region(
    up: _Upwards, limit: float, points: Sequence[tuple[float, float]], *, below: bool
) -> str:
    """Where values pass, with its limit as a line that is named where no point is near."""
    place = up.place(limit)
    top, bottom = (place, float(_BOTTOM)) if below else (float(_TOP), place)
    text = (_("passes below {limit}") if below else _("passes above {limit}")).format(
        limit=f"{limit:.3g}"
    )
    # The words stand inside the region, or just outside where it is too thin for them.
    inside = bottom - top >= 18
    at = (place + 14 if below else place - 5) if inside else (place - 5 if below else place + 14)
    room = {
        end: min((abs(y - at) for x, y in points if abs(x - end) < 120), default=math.inf)
        for end in (_RIGHT, _LEFT)
    }
    side = max(room, key=lambda end: room[end])
    x, anchor = (_RIGHT - 4, "end") if side == _RIGHT else (_LEFT + 4, "start")
    return (
        f'<rect class="region" x="{_LEFT}" y="{top:.1f}" width="{_RIGHT - _LEFT}" '
        f'height="{bottom - top:.1f}"/>'
        f'<line class="limit" x1="{_LEFT}" x2="{_RIGHT}" y1="{place:.1f}" y2="{place:.1f}"/>'
        f'<text class="axis" x="{x}" y="{at:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _line(number: int, line: Series, across: Mapping[float, float], up: _Upwards) -> str:
    points = sorted(zip(line.x, line.y, strict=True))
    places = [(across[x], up.place(y)) for x, y in points]
    tips = [f"{line.name}, {x:g}: {y:.3g}" for x, y in points]
    marks = [_marker(number, *at, tip) for at, tip in zip(places, tips, strict=True)]
    line_points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return (
        f'<g class="series series-{number}"><polyline points="{line_points}"/>{"".join(marks)}</g>'
    )


def bars(
    series: Sequence[Series], labels: Sequence[str], *, title: str, x_label: str, y_label: str
) -> Markup:
    """Bars of each series side by side over each label, with legend."""
    up = _Upwards.over(y for one in series for y in one.y)
    slot = (_RIGHT - _LEFT) / max(len(labels), 1)
    width = 0.8 * slot / max(len(series), 1)
    zero = up.place(0.0)
    drawn = "".join(
        f'<rect class="bar series-{number}" '
        f'x="{_LEFT + slot * (index + 0.1) + width * number:.1f}" '
        f'y="{min(place, zero):.1f}" width="{width:.1f}" height="{abs(place - zero):.1f}"/>'
        for number, one in enumerate(series)
        for index, place in enumerate(map(up.place, one.y))
    )
    every = math.ceil(len(labels) / 13)
    ticks = "".join(
        _x_tick(_LEFT + slot * (index + 0.5), label)
        for index, label in enumerate(labels)
        if index % every == 0
    )
    named = _legend(series) if len(series) > 1 else ""
    return _svg(title, [_frame(up, x_label, y_label), ticks, drawn, named])


def category_legend(names: Sequence[str], title: str) -> Markup:
    """The colours of `category_picture` and what they stand for, eight in a row."""
    swatches = []
    for index, (name, (r, g, b)) in enumerate(zip(names, CATEGORIES.tolist(), strict=False)):
        x, y = index % 8 * 54, index // 8 * 24
        swatches.append(
            f'<rect x="{x}" y="{y + 3}" width="16" height="16" fill="rgb({r},{g},{b})"/>'
            f'<text x="{x + 22}" y="{y + 16}">{escape(name)}</text>'
        )
    return _svg(title, swatches, height=24 * math.ceil(len(swatches) / 8))


# From here on, what is put together is numbers, escaped texts, and what was made of these.


def _svg(title: str, content: Sequence[str], height: int = _HEIGHT) -> Markup:
    return Markup(
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">{"".join(content)}</svg>'
    )


def _frame(up: _Upwards, x_label: str, y_label: str) -> str:
    """Lines across with their numbers, and the names of both axes."""
    lines = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{place:.1f}" y2="{place:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{place + 4:.1f}" text-anchor="end">{text}</text>'
        for place, text in up.ticks()
    )
    return (
        f'{lines}<text class="axis" x="{(_LEFT + _RIGHT) // 2}" y="{_HEIGHT - 8}" '
        f'text-anchor="middle">{escape(x_label)}</text><text class="axis" '
        f'transform="translate(14 {(_TOP + _BOTTOM) // 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_label)}</text>'
    )


def _x_tick(place: float, text: str) -> str:
    return f'<text x="{place:.1f}" y="{_BOTTOM + 18}" text-anchor="middle">{escape(text)}</text>'


def _legend(series: Sequence[Series]) -> str:
    return "".join(
        f'<g class="series series-{number}">{_marker(number, x, 12)}</g>'
        f'<text x="{x + 12}" y="16">{escape(one.name)}</text>'
        for number, (x, one) in enumerate(zip((66, 236), series, strict=False))
    )


def _marker(number: int, x: float, y: float, tip: str = "") -> str:
    """A disc, or a square for the second series: not told apart by colour alone."""
    said = f"<title>{escape(tip)}</title>" if tip else ""
    return (
        f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" '
        f'rx="{0 if number else 4.5}">{said}</rect>'
    )
