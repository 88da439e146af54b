"""Drawings of the objects in the scenes: shaded balls and fruit, and a racket.

A ball is a sphere (or a prolate spheroid) seen from far away: every pixel inside the outline
has a surface normal, the normal is turned by the ball's random pose, and the pattern is a
function of the turned normal. Seams, panels and shading are therefore right from every side.

Everything is drawn ``SUPERSAMPLING`` times too large and reduced afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.spatial.transform import Rotation

from reference.models import patterns

SUPERSAMPLING = 2

FloatArray = NDArray[np.float64]
Pattern = Callable[[FloatArray, np.random.Generator], FloatArray]


@dataclass(frozen=True)
class Sprite:
    """One object on a square canvas.

    ``image`` is RGBA; ``mask`` is bool of the same (size, size): the object's silhouette. For a
    racket the mask includes the strings' holes, although one sees through them.
    """

    image: Image.Image
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Ball:
    """How a round object looks: its pattern, its gloss (0 to 1) and its shape.

    ``width`` is the short axis of a prolate spheroid, the long one being 1. ``upright`` limits
    the pose to a small tilt, for fruit whose stem should be seen.
    """

    pattern: Pattern
    gloss: float = 0.2
    width: float = 1.0
    upright: bool = False


BALLS: dict[str, Ball] = {
    "baseball": Ball(patterns.baseball, gloss=0.1),
    "basketball": Ball(patterns.basketball, gloss=0.15),
    "croquet_ball": Ball(patterns.croquet_ball, gloss=0.9),
    "golf_ball": Ball(patterns.golf_ball, gloss=0.4),
    "rugby_ball": Ball(patterns.rugby_ball, gloss=0.2, width=0.6),
    "soccer_ball": Ball(patterns.soccer_ball, gloss=0.3),
    "tennis_ball": Ball(patterns.tennis_ball, gloss=0.0),
    "volleyball": Ball(patterns.volleyball, gloss=0.2),
    "Granny_Smith": Ball(patterns.granny_smith, gloss=0.5, upright=True),
    "orange": Ball(patterns.orange, gloss=0.3, upright=True),
}

# Span of the object in pixels, as a share of the span asked for: a racket is long and thin, a
# rugby ball longer than it is wide, so both get more.
SPANS: dict[str, float] = {"racket": 1.75, "rugby_ball": 1.3}


def draw_object(class_name: str, span: float, rng: np.random.Generator) -> Sprite:
    """One object of a class, in a random pose, colour and light.

    ``span`` is the diameter of a ball in pixels of the finished scene.
    """
    size = round(span * SPANS.get(class_name, 1.0)) + 4
    large = size * SUPERSAMPLING
    if class_name == "racket":
        rgba, silhouette = _draw_racket(large, rng)
    else:
        rgba, silhouette = _draw_ball(BALLS[class_name], large, rng)
    image = rgba.resize((size, size), Image.Resampling.BOX)
    coverage = silhouette.resize((size, size), Image.Resampling.BOX)
    return Sprite(image, np.asarray(coverage) >= 128)


def _draw_ball(ball: Ball, size: int, rng: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    margin = 2 * SUPERSAMPLING
    axis = np.linspace(-1, 1, size) * (size / (size - 2 * margin))
    x, y = np.meshgrid(axis, axis)
    angle = rng.uniform(0, 2 * np.pi) if ball.width < 1 else 0.0
    along = np.cos(angle) * x + np.sin(angle) * y
    across = (-np.sin(angle) * x + np.cos(angle) * y) / ball.width
    inside = along**2 + across**2 < 1
    along, across = along[inside], across[inside]
    toward = np.sqrt(1 - along**2 - across**2)
    points = np.stack([along, across, toward], axis=-1)
    colours = ball.pattern(points @ _pose(ball, rng).as_matrix().T, rng)
    normals = points / np.array([1.0, ball.width, ball.width])
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    turned = Rotation.from_euler("z", -angle).apply(_light(rng))
    shaded = _shade(colours, normals, turned, ball.gloss)
    rgba = np.zeros((size, size, 4), np.uint8)
    rgba[inside, :3] = np.clip(shaded, 0, 255)
    rgba[inside, 3] = 255
    return Image.fromarray(rgba), Image.fromarray(rgba[..., 3])


def _pose(ball: Ball, rng: np.random.Generator) -> Rotation:
    if ball.width < 1:  # a spheroid turns about its long axis only; the picture turns besides
        return Rotation.from_euler("x", rng.uniform(-0.9, 0.9))
    if ball.upright:
        turn = Rotation.from_euler("x", rng.uniform(0.5, 1.1))
        return turn * Rotation.from_euler("z", rng.uniform(0, 2 * np.pi))
    return Rotation.from_quat(rng.normal(size=4))


def _light(rng: np.random.Generator) -> FloatArray:
    """Unit vector toward the light: from above, left or right; y points down the picture."""
    direction = np.array([rng.uniform(-0.7, 0.7), rng.uniform(-0.9, -0.3), 1.0])
    return np.asarray(direction / np.linalg.norm(direction), dtype=np.float64)


def _shade(colours: FloatArray, normals: FloatArray, light: FloatArray, gloss: float) -> FloatArray:
    """Lambert's diffuse light plus Phong's highlight, over (n, 3) colours of 0 to 255."""
    toward = normals @ light
    diffuse = 0.45 + 0.6 * np.clip(toward, 0, 1)
    reflected = 2 * toward * normals[:, 2] - light[2]
    highlight = 190 * gloss * np.clip(reflected, 0, 1) ** 30
    return np.asarray(colours * diffuse[:, None] + highlight[:, None], dtype=np.float64)


def _draw_racket(size: int, rng: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    """A tennis racket: head with strings, throat and grip, turned by any angle."""
    frame = patterns.pick(rng, [(190, 20, 30), (25, 45, 160), (20, 20, 20), (230, 230, 230)])
    grip = patterns.pick(rng, [(30, 30, 35), (120, 70, 35), (235, 235, 225)])
    image = Image.new("RGBA", (size, size), (*frame, 0))
    silhouette = Image.new("L", (size, size), 0)
    head = (0.31 * size, 0.03 * size, 0.69 * size, 0.53 * size)
    draw, outline = ImageDraw.Draw(image), ImageDraw.Draw(silhouette)
    _draw_strings(image, head)
    width = max(3, round(0.036 * size))
    draw.ellipse(head, outline=(*frame, 255), width=width)
    outline.ellipse(head, fill=255)
    for side in (-1, 1):
        throat = [((0.5 + side * 0.11) * size, 0.49 * size), (0.5 * size, 0.68 * size)]
        draw.line(throat, fill=(*frame, 255), width=width)
        outline.line(throat, fill=255, width=width)
    for colour, top, bottom, half in ((frame, 0.65, 0.75, 0.02), (grip, 0.73, 0.97, 0.03)):
        box = ((0.5 - half) * size, top * size, (0.5 + half) * size, bottom * size)
        draw.rectangle(box, fill=(*colour, 255))
        outline.rectangle(box, fill=255)
    shear = rng.uniform(0, 360)
    bicubic = Image.Resampling.BICUBIC
    return image.rotate(shear, bicubic), silhouette.rotate(shear, bicubic)


def _draw_strings(image: Image.Image, head: tuple[float, float, float, float]) -> None:
    """Fill an ellipse with a translucent bed and a grid of strings."""
    size = image.width
    left, top, right, bottom = head
    bed = Image.new("RGBA", image.size, (235, 235, 220, 70))
    draw = ImageDraw.Draw(bed)
    step = size / 22
    for index in range(23):
        place = index * step
        draw.line([(place, 0), (place, size)], fill=(245, 245, 230, 255), width=2)
        draw.line([(0, place), (size, place)], fill=(245, 245, 230, 255), width=2)
    inside = Image.new("L", image.size, 0)
    ImageDraw.Draw(inside).ellipse((left, top, right, bottom), fill=255)
    image.paste(bed, mask=inside)
