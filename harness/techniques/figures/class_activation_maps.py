"""Figures of class activation maps: where the map lies, on what, and how far it agrees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.figures import (
    Figure,
    Nearest,
    Note,
    Part,
    Plot,
    Region,
    Series,
    Table,
    View,
    Views,
    difference_picture,
    outlines,
    overlay,
)
from harness.lab import LabImage, read_image
from harness.language import gettext as _
from harness.metrics.heatmaps import THRESHOLDS, iou_above, measure, scaled, to_grid
from harness.techniques.base import Evidence

Map = npt.NDArray[np.float64]

_CONTOURS = (THRESHOLDS[0], THRESHOLDS[len(THRESHOLDS) // 2], THRESHOLDS[-1])


def figures(evidence: Sequence[Evidence]) -> Sequence[Figure]:
    """The photograph, both maps over it, their difference and overlap."""
    return [_figure(item) for item in evidence]


def _figure(item: Evidence) -> Figure:
    arguments = item.case.arguments
    index: Any = item.arguments["class_index"]
    asked = item.lab.models[item.case.model].classes[index][1]
    title = _("Where is {name} in {image}? Layer {layer}").format(
        name=asked, image=arguments["image"], layer=arguments["layer_name"]
    )
    if arguments.get("modifier"):
        title += f", {arguments['modifier']}"
    golden: Map = item.accepted[0]
    height, width = golden.shape
    if problem := size_problem(item):
        return Figure(title, (Note(_("Cannot be drawn: {why}.").format(why=problem)),))
    mine = to_grid(item.value, (height, width))
    mask = _mask(item.lab.images[arguments["image"]], asked)
    parts: list[Part] = [_views(item, asked, mine, mask), *_words(item, asked, mine, mask)]
    parts.append(_overlap(item, mine))
    return Figure(title, tuple(parts), _numbers(item, mine, mask))


def size_problem(item: Evidence) -> str:
    """What is wrong with the size of a map; empty if it is the layer's or the image's.

    A map of any other size is neither compared nor drawn: bringing it to the layer's grid could
    take any amount of memory.
    """
    pixels: Any = item.arguments["image"]
    layer, image = item.accepted[0].shape, pixels.shape[:2]
    if item.value.shape in (layer, image):
        return ""
    return _(
        "expected a map of the layer's size {layer} or of the image's {image}, got {got}"
    ).format(layer=layer, image=image, got=item.value.shape)


def _views(item: Evidence, asked: str, mine: Map, mask: Map | None) -> Views:
    image = item.case.arguments["image"]
    golden: Map = item.accepted[0]
    half = [outlines(scaled(mine), 0.5, "student"), outlines(scaled(golden), 0.5, "reference")]
    caption = _("The image, and where each map reaches half of its maximum: yours ━, expected ╍")
    if mask is not None:
        half.insert(0, outlines(mask, 0.5, "object", tolerance=4))
        caption += _("; outline of the object ┈")
    laid = [
        View(
            image,
            _("{owner} map for {name} over {image}: {place}").format(
                owner=owner, name=asked, image=image, place=where_strongest(heatmap)
            ),
            caption,
            overlay(heatmap),
            tuple(outlines(scaled(grid), level, "contour") for level in _CONTOURS),
        )
        for owner, caption, heatmap, grid in (
            (_("Your"), _("Your map (yellow: strongest)"), item.value, mine),
            (_("The expected"), _("Expected (yellow: strongest)"), golden, golden),
        )
    ]
    off = scaled(mine) - scaled(golden)
    difference = difference_picture(
        off,
        1.0,
        _(
            "Your map minus the expected one, both over their maximum: from {low:.2f} to {high:.2f}"
        ).format(low=off.min(), high=off.max()),
        _("Difference: orange where yours is stronger, blue where it is weaker"),
    )
    plain = View(image, _("The image {image}").format(image=image), caption, b"", tuple(half))
    return Views((plain,), (laid[0], laid[1]), (difference,))


def _words(item: Evidence, asked: str, mine: Map, mask: Map | None) -> Iterator[Part]:
    text = _("Thin lines on the maps: where each reaches {levels} of its maximum.")
    yield Note(text.format(levels=", ".join(f"{100 * level:.0f} %" for level in _CONTOURS)))
    if mask is not None:
        text = _(
            "Does the map lie on the object? {mine:.0f} % of your map lies on {name}; of the "
            "expected one {expected:.0f} %. The object covers {area:.0f} % of the "
            "image."
        )
        shares = share_inside(mine, mask), share_inside(item.accepted[0], mask)
        mine_on, expected_on, area = (100 * share for share in (*shares, float(mask.mean())))
        yield Note(text.format(mine=mine_on, name=asked, expected=expected_on, area=area))
    if item.value.min() < 0:
        text = _(
            "Your map goes down to {low:.3g}; it is drawn from its lowest value (violet) to its "
            "highest (yellow). A Grad-CAM map has no negative values."
        )
        yield Note(text.format(low=item.value.min()))


def _overlap(item: Evidence, mine: Map) -> Nearest:
    measured = item.once("maps", lambda: [measure(mine, golden) for golden in item.accepted])
    return Nearest(
        tuple(measured[0]),
        tuple(tuple(one.values()) for one in measured),
        tuple(
            _overlap_with(golden, mine, one["iou"])
            for golden, one in zip(item.accepted, measured, strict=True)
        ),
    )


def _overlap_with(golden: Map, mine: Map, mean: float) -> Plot:
    every = [round(0.1 * step, 1) for step in range(1, 10)]
    overlap = [iou_above(mine, golden, threshold) for threshold in every]
    return Plot(
        (Series(_("IoU"), tuple(overlap), tuple(every)),),
        _("Overlap with the nearest accepted map, by threshold"),
        _("threshold, as a share of each map's maximum"),
        _("intersection over union"),
        caption=_("What counts is the mean from {low} to {high}: {mean:.2f} for your map.").format(
            low=THRESHOLDS[0], high=THRESHOLDS[-1], mean=mean
        ),
        region=Region("iou"),
    )


def _numbers(item: Evidence, mine: Map, mask: Map | None) -> Table:
    golden: Map = item.accepted[0]
    rows = [
        (_("Size"), _size(item.value), _size(golden)),
        (_("Lowest value"), f"{item.value.min():.4g}", f"{golden.min():.4g}"),
        (_("Highest value"), f"{item.value.max():.4g}", f"{golden.max():.4g}"),
        (_("Strongest"), where_strongest(item.value), where_strongest(golden)),
    ]
    if mask is not None:
        yours, expected = (
            f"{100 * share_inside(heatmap, mask):.0f} %" for heatmap in (mine, golden)
        )
        rows.append((_("Share on the object"), yours, expected))
    return Table(("", _("Yours"), _("Expected")), tuple(rows))


def _size(heatmap: Map) -> str:
    return " × ".join(map(str, heatmap.shape))


def share_inside(heatmap: npt.NDArray[Any], mask: npt.NDArray[Any]) -> float:
    """The share of a map's positive values that lies inside a mask.

    Args:
        heatmap: (h, w), finite.
        mask: (H, W), 0 to 1.

    Returns:
        0 to 1; 0 for a map without positive values.
    """
    height, width = heatmap.shape
    positive = np.asarray(heatmap, "float64").clip(0)
    total = float(positive.sum())
    return float((positive * to_grid(mask, (height, width))).sum()) / total if total > 0 else 0.0


def where_strongest(heatmap: npt.NDArray[Any]) -> str:
    """Where the maximum of a map (h, w) is, in words, for those who do not see the picture."""
    if heatmap.max() <= heatmap.min():
        return _("the same everywhere")
    row, column = np.unravel_index(int(np.argmax(heatmap)), heatmap.shape)
    places = (
        (
            _("strongest at the top left"),
            _("strongest at the top"),
            _("strongest at the top right"),
        ),
        (_("strongest at the left"), _("strongest in the centre"), _("strongest at the right")),
        (
            _("strongest at the bottom left"),
            _("strongest at the bottom"),
            _("strongest at the bottom right"),
        ),
    )
    return places[int(3 * row // heatmap.shape[0])][int(3 * column // heatmap.shape[1])]


def _mask(image: LabImage, name: str) -> Map | None:
    """Where the object of that class is, 0 to 1, if the lab knows."""
    files = [file for found, file in image.objects if found == name and file is not None]
    return np.maximum.reduce([_read_mask(file) for file in files]) if files else None


@lru_cache(maxsize=256)
def _read_mask(file: Path) -> Map:
    return np.asarray(read_image(file)[..., 0] > 127, "float64")
