"""Scenes for the objects network: balls, fruit and rackets over photographs, with exact masks.

The photographs and textures are the ones inside scikit-image's wheel, so nothing is downloaded.
All randomness comes from the generator given: the same seed draws the same pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from reference.models.drawing import Sprite, draw_object

SIZE = 96

# ImageNet's ids and names, in ImageNet's order.
CLASSES: tuple[tuple[str, str], ...] = (
    ("n02799071", "baseball"),
    ("n02802426", "basketball"),
    ("n03134739", "croquet_ball"),
    ("n03445777", "golf_ball"),
    ("n04039381", "racket"),
    ("n04118538", "rugby_ball"),
    ("n04254680", "soccer_ball"),
    ("n04409515", "tennis_ball"),
    ("n04540053", "volleyball"),
    ("n07742313", "Granny_Smith"),
    ("n07747607", "orange"),
)
CLASS_NAMES: tuple[str, ...] = tuple(name for _, name in CLASSES)

# The smallest share of an object that the one in front of it leaves to be seen.
MIN_VISIBLE = 0.65

_BACKGROUNDS = (
    "astronaut",
    "brick",
    "camera",
    "chelsea",
    "clock",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "rocket",
)


@dataclass(frozen=True)
class Scene:
    """A picture, uint8 RGB (96, 96, 3), and its objects.

    ``objects`` has one (class name, mask) per object, in the order asked for; a mask is bool
    (96, 96) and holds the visible pixels only, so masks never overlap.
    """

    image: NDArray[np.uint8]
    objects: tuple[tuple[str, NDArray[np.bool_]], ...]


@dataclass(frozen=True)
class _Placed:
    sprite: Sprite
    left: int
    top: int


def draw_scene(class_names: Sequence[str], rng: np.random.Generator) -> Scene:
    """A scene of no, one or more objects; later ones may hide a part of earlier ones."""
    low, high = (26, 54) if len(class_names) < 2 else (24, 42)
    placed: list[_Placed] = []
    masks: list[NDArray[np.bool_]] = []
    while len(placed) < len(class_names):
        span = rng.uniform(low, high)
        candidate = _place(draw_object(class_names[len(placed)], span, rng), rng)
        visible = _visible_masks(masks, _full_mask(candidate))
        if visible is not None:
            placed.append(candidate)
            masks = visible
    image = _background(rng)
    for one in placed:
        _paste(image, one)
    return Scene(_finish(image, rng), tuple(zip(class_names, masks, strict=True)))


def random_classes(count: int, rng: np.random.Generator) -> tuple[str, ...]:
    """``count`` different class names in random order."""
    chosen = rng.choice(len(CLASS_NAMES), size=count, replace=False)
    return tuple(CLASS_NAMES[int(index)] for index in chosen)


def _place(sprite: Sprite, rng: np.random.Generator) -> _Placed:
    """Anywhere in the picture, at least nine tenths of the sprite's square inside."""
    size = sprite.image.width
    slack = round(0.05 * size)
    left, top = rng.integers(-slack, max(SIZE - size + slack, -slack) + 1, size=2)
    return _Placed(sprite, int(left), int(top))


def _full_mask(placed: _Placed) -> NDArray[np.bool_]:
    """The object's silhouette in the scene, cut at the picture's edge, before occlusion."""
    canvas = Image.new("L", (SIZE, SIZE), 0)
    silhouette = Image.fromarray(placed.sprite.mask.astype(np.uint8) * 255)
    canvas.paste(silhouette, (placed.left, placed.top))
    return np.asarray(canvas) > 0


def _visible_masks(
    behind: list[NDArray[np.bool_]], front: NDArray[np.bool_]
) -> list[NDArray[np.bool_]] | None:
    """All masks with ``front`` added, or None if it would hide too much of another object."""
    visible = [mask & ~front for mask in behind]
    for before, after in zip(behind, visible, strict=True):
        if after.sum() < MIN_VISIBLE * before.sum():
            return None
    return [*visible, front]


def _paste(image: Image.Image, placed: _Placed) -> None:
    """Paste an object over its own soft shadow."""
    sprite = placed.sprite.image
    shadow = Image.new("L", image.size, 0)
    offset = max(1, sprite.width // 20)
    shadow.paste(sprite.getchannel("A"), (placed.left + offset, placed.top + 2 * offset))
    shadow = shadow.filter(ImageFilter.GaussianBlur(offset + 1)).point(lambda value: value * 0.45)
    image.paste((0, 0, 0), mask=shadow)
    image.paste(sprite, (placed.left, placed.top), mask=sprite)


def _background(rng: np.random.Generator) -> Image.Image:
    """A random square of a random photograph, flipped, brightened or tinted at random."""
    photograph = _photograph(_BACKGROUNDS[int(rng.integers(len(_BACKGROUNDS)))])
    side = int(rng.integers(SIZE, min(photograph.size) + 1))
    left = int(rng.integers(photograph.width - side + 1))
    top = int(rng.integers(photograph.height - side + 1))
    box = (left, top, left + side, top + side)
    image = photograph.resize((SIZE, SIZE), Image.Resampling.BILINEAR, box, reducing_gap=2)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    gain = rng.uniform(0.6, 1.15) * rng.uniform(0.85, 1.1, size=3)
    return Image.fromarray(np.clip(np.asarray(image) * gain, 0, 255).astype(np.uint8))


def _finish(image: Image.Image, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture with the grain of a camera."""
    grain = rng.normal(0, rng.uniform(1, 5), (SIZE, SIZE, 1))
    return np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)


@cache
def _photograph(name: str) -> Image.Image:
    """A photograph from scikit-image's wheel, RGB, at most 360 pixels on its longer side."""
    pixels = getattr(skimage.data, name)()
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, axis=-1)
    image = Image.fromarray(pixels)
    image.thumbnail((360, 360))
    return image
