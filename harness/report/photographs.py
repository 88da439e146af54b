"""The lab's photographs as a page holds them: once each, however many views show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from harness.figures import LARGEST_SIDE, Figure, Views, data_uri, image_picture, jpeg
from harness.lab import Lab, read_image

# Along the longer side; below it, an image is shown with its pixels.
_SMALL = 64


@dataclass(frozen=True)
class Photograph:
    """A photograph of the lab.

    Attributes:
        anchor: where the page holds it.
        uri: the photograph itself.
        width: on the page.
        height: on the page.
        pixelated: few pixels, all to be seen.
    """

    anchor: str
    uri: str
    width: int
    height: int
    pixelated: bool


def photographs(lab: Lab, figures: Iterable[Figure]) -> dict[str, Photograph]:
    """The photographs that figures show, by name of the lab's image."""
    names = dict.fromkeys(
        view.image
        for figure in figures
        for part in figure.parts
        if isinstance(part, Views)
        for view in (*part.plain, *part.compare)
    )
    found: dict[str, Photograph] = {}
    for number, name in enumerate(names, start=1):
        file = lab.images[name].file
        found[name] = Photograph(f"photo-{number}", *_encoded(file, file.stat().st_mtime_ns))
    return found


@lru_cache(maxsize=256)
def _encoded(file: Path, time_ns: int) -> tuple[str, int, int, bool]:
    """An image as it was at that time: address, width, height, and whether its pixels show."""
    pixels = read_image(file)
    if max(pixels.shape[:2]) <= _SMALL:
        data, width, height = image_picture(pixels, "").data, *reversed(pixels.shape[:2])
        pixelated = True
    else:
        data, width, height = jpeg(pixels)
        pixelated = False
    scale = LARGEST_SIDE / max(width, height)
    return data_uri(data), round(width * scale), round(height * scale), pixelated
