"""Figures of layer activations: filters as maps, dense layers as bars, statistics per class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.figures import (
    LARGEST_SIDE,
    Figure,
    Legend,
    Note,
    Part,
    Plot,
    Row,
    Series,
    Table,
    category_picture,
    choices_picture,
    filter_grid,
)
from harness.language import gettext as _
from harness.techniques.base import Evidence, batchless

Array = npt.NDArray[Any]

_AGREES, _TIE, _DIFFERS = range(3)
# Pale, blue, red: none of them the grey of the lines between tiles.
_COLOURS = ((205, 219, 208), (60, 110, 190), (190, 30, 20))
# Of a layer: a picture shows no more, and reports stay small.
_MOST_FILTERS = 16
_MOST_OUTPUTS = 64


def figures(evidence: Sequence[Evidence]) -> Sequence[Figure]:
    """Activations beside the reference's: maps of filters, bars for dense layers."""
    return [_FIGURES[item.case.function](item) for item in evidence]


def _layers_figure(item: Evidence) -> Figure:
    golden: dict[str, Array] = item.accepted[0]
    parts = [_layer_part(name, item.value[name], golden[name]) for name in golden]
    title = _("What each layer makes of {image}").format(image=item.case.arguments["image"])
    rows = tuple(_layer_row(name, item.value[name], golden[name]) for name in golden)
    head = (
        *(_("Layer"), _("Your shape"), _("Expected"), _("Your range"), _("Expected range")),
        _("Largest difference"),
    )
    numbers = Table(head, rows, _("Differences are relative to the layer's largest value."))
    return Figure(title, tuple(parts), numbers)


def _layer_row(name: str, value: Array, golden: Array) -> tuple[str, ...]:
    value = batchless(value, golden.shape)
    alike = value.shape == golden.shape
    ranges = [f"{a.min():.3g} … {a.max():.3g}" if a.size else "" for a in (value, golden)]
    off = f"{_off(value, golden):.2%}" if alike else ""
    return name, str(value.shape), str(golden.shape), *ranges, off


def _off(value: Array, golden: Array) -> float:
    """The largest difference, relative to the largest value expected."""
    return float(np.abs(value - golden).max() / max(float(np.abs(golden).max()), 1e-12))


def _layer_part(name: str, value: Array, golden: Array) -> Part:
    value = batchless(value, golden.shape)
    if value.shape != golden.shape:
        text = _("Layer {name} cannot be drawn: expected shape {expected}, got {got}.")
        return Note(text.format(name=name, expected=golden.shape, got=value.shape))
    off = _("differs by up to {off:.1%}").format(off=_off(value, golden))
    off = off if _off(value, golden) >= 0.0005 else _("agrees")
    if golden.ndim == 1:
        title = _counted(name, len(golden), _MOST_OUTPUTS, _("outputs"))
        return _dense_plot(value[:_MOST_OUTPUTS], golden[:_MOST_OUTPUTS], f"{title}: {off}")
    if golden.ndim != 3:
        text = _("Layer {name} has shape {shape}, which is not drawn.")
        return Note(text.format(name=name, shape=golden.shape))
    title = _counted(name, golden.shape[-1], _MOST_FILTERS, _("filters"))
    return _on_one_scale(value[..., :_MOST_FILTERS], golden[..., :_MOST_FILTERS], f"{title}: {off}")


def _dense_plot(value: Array, golden: Array, title: str) -> Plot:
    return Plot(
        (
            Series(_("Yours"), tuple(map(float, value))),
            Series(_("Expected"), tuple(map(float, golden))),
        ),
        title,
        _("output"),
        _("activation"),
        labels=tuple(map(str, range(len(golden)))),
        caption=title,
    )


def _counted(name: str, count: int, most: int, of_what: str) -> str:
    if count > most:
        text = _("Layer {name}, the first {most} of {count} {of_what}")
        return text.format(name=name, most=most, count=count, of_what=of_what)
    return _("Layer {name}, {count} {of_what}").format(name=name, count=count, of_what=of_what)


def _on_one_scale(
    value: Array, golden: Array, what: str, columns: int = 0, side: int = LARGEST_SIDE
) -> Row:
    """Grids of maps (h, w, n), both on the reference's scale, so that a wrong scale shows."""
    low, high = min(0.0, float(golden.min())), float(golden.max())
    pictures = [
        filter_grid(
            maps,
            low,
            high,
            _("{owner}: {what}, values from {low:.3g} to {high:.3g}").format(
                owner=owner, what=what, low=maps.min(), high=maps.max()
            ),
            owner,
            columns=columns,
            side=side,
        )
        for owner, maps in ((_("Yours"), value), (_("Expected"), golden))
    ]
    return Row(tuple(pictures), what)


def _mean_figure(item: Evidence) -> Figure:
    golden: Array = item.accepted[0]
    value = batchless(item.value, golden.shape)
    title = _("Average activation of layer {layer} for each class").format(
        layer=item.case.arguments["layer_name"]
    )
    if value.shape != golden.shape or golden.ndim != 4:
        return Figure(title, (_cannot_be_drawn(value, golden),))
    filters = min(golden.shape[-1], _MOST_FILTERS)
    rows = [
        np.moveaxis(maps[..., :filters], 0, 2).reshape(*maps.shape[1:3], -1)
        for maps in (value, golden)
    ]
    what = _("A row per class, from class 0 down; a column per filter, {n} in all")
    scale = max(float(np.abs(golden).max()), 1e-12)
    numbers = Table(
        (_("Class"), _("Your mean"), _("Expected mean"), _("Largest difference")),
        tuple(
            (
                *(str(label), f"{mine.mean():.4g}", f"{right.mean():.4g}"),
                f"{np.abs(mine - right).max() / scale:.2%}",
            )
            for label, (mine, right) in enumerate(zip(value, golden, strict=True))
        ),
    )
    row = _on_one_scale(rows[0], rows[1], what.format(n=filters), filters, 400)
    return Figure(title, (row,), numbers)


def _dominant_figure(item: Evidence) -> Figure:
    golden: Array = item.accepted[0]
    value = batchless(item.value, golden.shape)
    title = _("The filter of layer {layer} that dominates each pixel").format(
        layer=item.case.arguments["layer_name"]
    )
    if value.shape != golden.shape or golden.ndim != 3:
        return Figure(title, (_cannot_be_drawn(value, golden),))
    tie = np.asarray(item.facts["ambiguous"], bool)
    wrong = (value != golden) & ~tie
    maps = _("{n} maps, one per class, in rows from class 0 at the top left").format(n=len(golden))
    pictures = [
        category_picture(numbers, f"{owner}: {maps}", owner)
        for owner, numbers in ((_("Yours"), value), (_("Expected"), golden))
    ]
    agreement = np.where(tie, _TIE, np.where(wrong, _DIFFERS, _AGREES))
    caption = _("Red: {wrong} pixels differ. Blue: {ties} ties, not judged").format(
        wrong=int(wrong.sum()), ties=int(tie.sum())
    )
    pictures.append(choices_picture(agreement, _COLOURS, caption, caption))
    names = tuple(f"{index}" for index in range(int(golden.max()) + 1))
    numbers = Table(
        (_("Class"), _("Pixels that differ"), _("Pixels judged")),
        tuple(
            (str(label), str(int(wrong[label].sum())), str(int((~tie[label]).sum())))
            for label in range(len(golden))
        ),
    )
    legend = Legend(names, _("Colours of the filters"))
    return Figure(title, (Row(tuple(pictures), maps), legend), numbers)


def _cannot_be_drawn(value: Array, golden: Array) -> Note:
    text = _("Cannot be drawn: expected shape {expected}, got {got}.")
    return Note(text.format(expected=golden.shape, got=value.shape))


_FIGURES = {
    "layer_activations": _layers_figure,
    "mean_activations": _mean_figure,
    "dominant_filters": _dominant_figure,
}
