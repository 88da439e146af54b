"""Plots as inline SVG.

They take their colours from the page's style sheet (classes `series-0`, `series-1`, …), so that
they follow light and dark, and tell their series apart by dashes and markers too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

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
            yield self.place(value), f"{value:.4g}"


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
    ticks = Markup().join(_x_tick(place, f"{x:g}") for x, place in across.items())
    content = [
        *(
            []
            if limit is None
            else [_region(up, limit, below=bool(plot.region and plot.region.below))]
        ),
        _frame(up, plot.x_label, plot.y_label),
        ticks,
        *(_line(number, line, across, up) for number, line in enumerate(plot.series)),
        _legend(plot.series),
    ]
    return _svg(plot.title, content)


def _region(up: _Upwards, limit: float, *, below: bool) -> Markup:
    """Where values pass, with its limit as a line that is named."""
    place = up.place(limit)
    top, bottom = (place, float(_BOTTOM)) if below else (float(_TOP), place)
    text = (_("passes below {limit}") if below else _("passes above {limit}")).format(
        limit=f"{limit:.3g}"
    )
    # The words stand inside the region, or just outside where it is too thin for them.
    inside = bottom - top >= 18
    at = (place + 14 if below else place - 5) if inside else (place - 5 if below else place + 14)
    return Markup(
        '<rect class="region" x="{}" y="{:.1f}" width="{}" height="{:.1f}"/>'
        '<line class="limit" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
        '<text class="axis" x="{}" y="{:.1f}" text-anchor="end">{}</text>'
    ).format(
        *(_LEFT, top, _RIGHT - _LEFT, bottom - top),
        *(_LEFT, _RIGHT, place, place),
        *(_RIGHT - 4, at, text),
    )


def _line(number: int, line: Series, across: Mapping[float, float], up: _Upwards) -> Markup:
    points = sorted(zip(line.x, line.y, strict=True))
    places = [(across[x], up.place(y)) for x, y in points]
    tips = [f"{line.name}, {x:g}: {y:.3g}" for x, y in points]
    marks = [_marker(number, *at, tip) for at, tip in zip(places, tips, strict=True)]
    return Markup('<g class="series series-{}"><polyline points="{}"/>{}</g>').format(
        number, " ".join(f"{x:.1f},{y:.1f}" for x, y in places), Markup().join(marks)
    )


def bars(
    series: Sequence[Series], labels: Sequence[str], *, title: str, x_label: str, y_label: str
) -> Markup:
    """Bars of each series side by side over each label, with legend."""
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
    named = _legend(series) if len(series) > 1 else Markup()
    return _svg(title, [_frame(up, x_label, y_label), ticks, drawn, named])


def category_legend(names: Sequence[str], title: str) -> Markup:
    """The colours of `category_picture` and what they stand for, eight in a row."""
    swatch = Markup(
        '<rect x="{}" y="{}" width="16" height="16" fill="rgb({},{},{})"/><text x="{}" y="{}">{}'
        "</text>"
    )
    swatches = []
    for index, (name, colour) in enumerate(zip(names, CATEGORIES.tolist(), strict=False)):
        x, y = index % 8 * 54, index // 8 * 24
        swatches.append(swatch.format(x, y + 3, *colour, x + 22, y + 16, name))
    return _svg(title, swatches, height=24 * math.ceil(len(swatches) / 8))


def _svg(title: str, content: Sequence[Markup], height: int = _HEIGHT) -> Markup:
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(_WIDTH, height, title, Markup().join(content))


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
