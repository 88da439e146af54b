"""Raster pictures: heat maps, grids of filters, differences; small files, made fast.

Pictures of hard edges are PNG with numbered colours at the size of the array itself; the page
enlarges them and keeps their pixels visible.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from harness.content import by_content
from harness.figures.parts import Line, Picture

Pixels: TypeAlias = npt.NDArray[np.uint8]

LARGEST_SIDE = 240  # pixels of the page along the longer side of a picture
LEVELS = 100  # colours of a map: few make small files, and no eye tells more apart
_GREY, _CLEAR = LEVELS, LEVELS + 1  # colours of a grid between its tiles, and where none is left


def _palette(colours: str) -> npt.NDArray[Any]:
    stops = np.frombuffer(bytes.fromhex(colours), "uint8").reshape(-1, 3)
    at, steps = np.linspace(0, 1, LEVELS), np.linspace(0, 1, len(stops))
    mixed: npt.NDArray[Any] = np.stack(
        [np.interp(at, steps, stops[:, c]) for c in range(3)], axis=1
    )
    return np.asarray(mixed.round())


# viridis (van der Walt and Smith 2015, CC0) at every tenth: perceptually uniform.
VIRIDIS = _palette("440154 482475 414487 355f8d 2a788e 21918c 22a884 44bf70 7ad151 bddf26 fde725")
# From blue over near-white to orange in even steps of CIELAB: as far to either side, and told apart
# by everybody.
DIVERGING = _palette("0e5fad 567abc 8298cb aab6d9 d0d6e8 f6f6f6 ecd1c4 deac94 cd8766 b8643a a14009")
# From Tol's colour-blind safe "muted" and "light" schemes; neighbours differ.
CATEGORIES = np.frombuffer(
    bytes.fromhex(
        "332288 ddcc77 44aa99 cc6677 117733 aa4499 88ccee 999933 "
        "882255 ee8866 77aadd bbcc33 ffaabb dddddd 666666 000000"
    ),
    "uint8",
).reshape(-1, 3)
_OTHER = len(CATEGORIES)
# Pictures and outlines that are kept: those of what is expected, and of a submission or two.
_KEPT = 512
# How much of the photograph a map covers, where it is weakest and where it is strongest.
_COVER = (0.25, 0.75)


def unit(array: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.float64]:
    """Scale `low` to `high` to 0 to 1, and clip; zeros when they are equal."""
    if not high > low:
        return np.zeros(np.shape(array))
    # Halved first: the difference of two very large numbers of opposite sign would be infinite.
    scaled = (np.asarray(array, "float64") / 2 - low / 2) / (high / 2 - low / 2)
    return np.clip(scaled, 0.0, 1.0)


def _levels(array: npt.NDArray[Any], low: float, high: float) -> Pixels:
    """Numbers of colours, 0 at `low` to LEVELS − 1 at `high`."""
    numbers: Pixels = ((LEVELS - 1) * unit(array, low, high)).round().astype("uint8")
    return numbers


def heatmap_picture(heatmap: npt.NDArray[Any], alt: str, caption: str = "") -> Picture:
    """A map (h, w) in viridis, from 0 (or its minimum, where that is negative) to its maximum."""
    return _shown(_levels(heatmap, *ends(heatmap)), VIRIDIS, alt, caption)


def ends(heatmap: npt.NDArray[Any]) -> tuple[float, float]:
    """What a map is drawn between: 0 or its minimum if negative, and its maximum."""
    low = min(0.0, float(heatmap.min(initial=0.0)))
    return low, float(heatmap.max(initial=low))


def overlay(heatmap: npt.NDArray[Any]) -> bytes:
    """A map (h, w) as PNG to be stretched over a photograph: the stronger, the less of it shows."""
    cover = np.linspace(*_COVER, LEVELS) * 255
    numbers = _levels(heatmap, *ends(heatmap))
    return _encoded(numbers, VIRIDIS, cover.round().astype("uint8").tobytes())


def difference_picture(
    difference: npt.NDArray[Any], most: float, alt: str, caption: str = ""
) -> Picture:
    """A difference (h, w): orange above 0, blue below, full colour at `most` to either side."""
    return _shown(_levels(difference, -most, most), DIVERGING, alt, caption)


def category_picture(numbers: npt.NDArray[Any], alt: str, caption: str = "") -> Picture:
    """Tiles (n, h, w) of whole numbers, a colour for each from 0 to 15; others are grey."""
    numbers = np.asarray(numbers)
    known = (numbers >= 0) & (numbers < _OTHER) & (numbers == np.floor(numbers))
    tiles = np.where(known, numbers, _OTHER).astype("uint8")
    colours = np.vstack([CATEGORIES, np.full((1, 3), 128)])
    canvas = tiled(tiles, between=_OTHER + 1, left=_OTHER + 2)
    return _framed(canvas, colours, alt, caption)


def choices_picture(
    tiles: npt.NDArray[Any], colours: Sequence[tuple[int, int, int]], alt: str, caption: str = ""
) -> Picture:
    """Tiles (n, h, w) of numbers of the colours given."""
    canvas = tiled(np.asarray(tiles, "uint8"), between=len(colours), left=len(colours) + 1)
    return _framed(canvas, np.array(colours), alt, caption)


def filter_grid(
    maps: npt.NDArray[Any],
    low: float,
    high: float,
    alt: str,
    caption: str = "",
    *,
    columns: int = 0,
    side: int = LARGEST_SIDE,
) -> Picture:
    """Maps of filters (h, w, c) as tiles of one picture, coloured from `low` to `high`."""
    tiles = np.moveaxis(_levels(maps, low, high), 2, 0)
    canvas = tiled(tiles, columns, between=_GREY, left=_CLEAR)
    return _framed(canvas, VIRIDIS, alt, caption, side)


def tiled(tiles: Pixels, columns: int = 0, *, between: int, left: int) -> Pixels:
    """Tiles in rows on one canvas, a line of one pixel between them.

    Args:
        tiles: (n, h, w).
        columns: tiles in a row; as square as can be if 0.
        between: number of the lines' colour.
        left: number of the colour where no tile is left.

    Returns:
        (H, W).
    """
    count, height, width = tiles.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    canvas = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), between, "uint8")
    for index, tile in enumerate(tiles):
        top, across = index // columns * (height + 1), index % columns * (width + 1)
        canvas[top : top + height, across : across + width] = tile
    last = count - (rows - 1) * columns
    if last < columns:
        canvas[(rows - 1) * (height + 1) :, last * (width + 1) - 1 :] = left
    return canvas


def image_picture(
    image: npt.NDArray[Any], alt: str, caption: str = "", side: int = LARGEST_SIDE
) -> Picture:
    """An image (H, W, 1 or 3) uint8 of few pixels, all of them visible."""
    image = np.asarray(image, "uint8")
    drawn = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    width, height = _size(image, side)
    return Picture(_saved(drawn, "PNG"), width, height, alt, caption)


def jpeg(image: npt.NDArray[Any], side: int = LARGEST_SIDE) -> tuple[bytes, int, int]:
    """A photograph (H, W, 1 or 3) uint8: bytes of a JPEG, and its width and height on a page."""
    width, height = _size(image, side)
    drawn = Image.fromarray(rgb(image))
    if max(image.shape[:2]) > side:
        drawn = drawn.resize((width, height), Image.Resampling.BOX)
    return _saved(drawn, "JPEG", quality=88), width, height


def rgb(image: npt.NDArray[Any]) -> Pixels:
    """A grey or RGB uint8 image (H, W, 1 or 3 or 4) as RGB."""
    image = np.asarray(image, "uint8")
    return np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image[..., :3]


def outlines(heatmap: npt.NDArray[Any], level: float, owner: str, tolerance: float = 0.0) -> Line:
    """Where a map crosses a level, as lines over the photograph that it belongs to.

    Args:
        heatmap: (h, w), finite.
        level: the level.
        owner: see `Line`.
        tolerance: how far off a line of fewer corners may be, in thousandths of the photograph.
    """
    return Line(owner, _contours(heatmap, level, tolerance))


@by_content(_KEPT)
def _contours(heatmap: npt.NDArray[Any], level: float, tolerance: float) -> str:
    """The lines as an SVG path."""
    from skimage.measure import approximate_polygon, find_contours  # slow to import

    height, width = heatmap.shape
    # A rim of the lowest value closes the lines of what reaches the border.
    rimmed = np.pad(np.asarray(heatmap, "float64"), 1, constant_values=min(0.0, heatmap.min()))
    scale = np.array([1000 / height, 1000 / width])
    path = []
    for contour in find_contours(rimmed, level):
        # Pixel (0, 0) has its centre half a pixel from the corner, and the rim is one more.
        places = np.clip((contour - 0.5) * scale, 0, 1000)
        if tolerance:
            places = approximate_polygon(places, tolerance)
        if len(places) > 2:
            path.append("M" + "L".join(f"{x:.0f} {y:.0f}" for y, x in places) + "Z")
    return "".join(path)


def _shown(numbers: Pixels, colours: npt.NDArray[Any], alt: str, caption: str) -> Picture:
    width, height = _size(numbers, LARGEST_SIDE)
    return Picture(_encoded(numbers, colours), width, height, alt, caption)


def _framed(
    canvas: Pixels,
    colours: npt.NDArray[Any],
    alt: str,
    caption: str,
    side: int = LARGEST_SIDE,
) -> Picture:
    """A canvas of `tiled`: after the colours come that of the lines and the transparent one."""
    every = np.vstack([colours, [(160, 160, 160), (0, 0, 0)]])
    alpha = bytes([255] * (len(every) - 1) + [0])
    width, height = _size(canvas, side)
    return Picture(_encoded(canvas, every, alpha), width, height, alt, caption)


def _size(image: npt.NDArray[Any], side: int) -> tuple[int, int]:
    """Width and height on a page: a whole factor of its pixels, or reduced."""
    height, width = image.shape[:2]
    longest = max(height, width)
    if longest > side:
        return max(1, round(width * side / longest)), max(1, round(height * side / longest))
    return width * (side // longest), height * (side // longest)


@by_content(_KEPT)
def _encoded(numbers: Pixels, colours: npt.NDArray[Any], alpha: bytes = b"") -> bytes:
    """PNG of numbered colours."""
    drawn = Image.fromarray(numbers)
    drawn.putpalette(colours.astype("uint8").tobytes(), "RGB")
    options: dict[str, Any] = {"transparency": alpha} if alpha else {}
    return _saved(drawn, "PNG", **options)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()
