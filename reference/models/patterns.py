"""Surface patterns of balls and fruit, as functions of the direction from the centre.

Every public pattern takes unit directions (n, 3) float64 and a random generator, and returns
RGB colours (n, 3) float64 in 0..255, before shading.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Colour = tuple[int, int, int]

_GOLDEN = (1 + np.sqrt(5)) / 2


def pick(rng: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    """One of the colours, each as likely as the others."""
    return colours[int(rng.integers(len(colours)))]


def _tinted(colour: Colour, count: int, rng: np.random.Generator, spread: float = 10) -> FloatArray:
    """``count`` rows of one colour, which differs a little from object to object."""
    base = np.clip(np.array(colour) + rng.normal(0, spread, 3), 0, 255)
    return np.tile(base, (count, 1))


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _icosahedron() -> tuple[FloatArray, FloatArray]:
    """Unit directions of its 12 corners and 20 face centres."""
    corners = np.array(
        [
            np.roll([0, a, b * _GOLDEN], shift)
            for shift in range(3)
            for a in (-1, 1)
            for b in (-1, 1)
        ],
        dtype=np.float64,
    )
    near = np.linalg.norm(corners[:, None] - corners[None], axis=-1) < 2.1  # an edge is 2 long
    faces = [
        corners[[i, j, k]].mean(axis=0)
        for i in range(12)
        for j in range(i)
        for k in range(j)
        if near[i, j] and near[j, k] and near[i, k]
    ]
    return _unit(corners), _unit(np.array(faces))


def _seam() -> FloatArray:
    """Closed curve (240, 3) on the sphere that tennis balls and baseballs share."""
    t = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    a = 0.72
    b = 1 - a
    curve = np.stack(
        [
            a * np.cos(t) + b * np.cos(3 * t),
            a * np.sin(t) - b * np.sin(3 * t),
            2 * np.sqrt(a * b) * np.sin(2 * t),
        ],
        axis=-1,
    )
    return _unit(curve)


def _spiral(count: int) -> FloatArray:
    """``count`` directions spread evenly over the sphere (Fibonacci's spiral)."""
    index = np.arange(count) + 0.5
    z = 1 - 2 * index / count
    turn = 2 * np.pi * index / _GOLDEN
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn), z], axis=-1)


_PENTAGONS, _HEXAGONS = _icosahedron()
# Distances of a truncated icosahedron's faces from its centre, for corners at distance 1: the
# face that a direction meets first is the one with the largest cosine over distance.
_PANELS = np.concatenate([_PENTAGONS / 0.9393, _HEXAGONS / 0.9149])
_SEAM = _seam()
_DIMPLES = _spiral(90)


def soccer_ball(directions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """White hexagons and black pentagons with thin seams: a truncated icosahedron."""
    reach = directions @ _PANELS.T
    panel = reach.argmax(axis=1)
    best, second = np.sort(reach, axis=1)[:, :-3:-1].T
    colours = _tinted((238, 238, 238), len(directions), rng, 6)
    colours[best - second < 0.025] = (110, 110, 115)
    colours[panel < len(_PENTAGONS)] = (22, 22, 26)
    return colours


def volleyball(directions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Six faces of three strips each, blue, yellow and white, as on a cube blown up."""
    size = np.abs(directions)
    face = size.argmax(axis=1)
    rows = np.arange(len(directions))
    across = directions[rows, (face + 1) % 3] / size[rows, face]
    along = np.sort(size, axis=1)
    first, second = [(30, 60, 175), (245, 205, 30)][:: int(rng.choice([-1, 1]))]
    colours = _tinted(first, len(directions), rng)
    colours[np.abs(across) < 0.36] = (240, 240, 240)
    colours[across > 0.36] = second
    seam = (np.abs(np.abs(across) - 0.36) < 0.05) | (along[:, 2] - along[:, 1] < 0.035)
    colours[seam] = (60, 60, 70)
    return colours


def basketball(directions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Orange-brown with black ribs: two great circles and two bowed lines."""
    x, y, z = directions.T
    colours = _tinted((214, 104, 38), len(directions), rng)
    ribs = np.minimum(np.abs(x), np.abs(y))
    bowed = np.abs(np.abs(z) - 0.62 - 0.12 * x**2)
    colours[np.minimum(ribs, bowed) < 0.045] = (20, 16, 14)
    return colours


def tennis_ball(directions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Fuzzy yellow-green with one white seam."""
    colours = _tinted((196, 222, 48), len(directions), rng)
    colours += rng.normal(0, 9, (len(directions), 1))
    colours[(directions @ _SEAM.T).max(axis=1) > np.cos(0.085)] = (246, 248, 236)
    return colours


def baseball(directions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Off-white leather with red stitches on both sides of the seam."""
    cosines = directions @ _SEAM.T
    distance = np.arccos(np.clip(cosines.max(axis=1), -1, 1))
    stitch = (cosines.argmax(axis=1) // 4) % 2 == 0
    colours = _tinted((240, 234, 220), len(directions), rng, 6)
    colours[(distance < 0.2) & stitch] = (200, 24, 34)
    colours[distance < 0.035] = (150, 130, 120)
    return colours


def golf_ball(directions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """White with round grey dimples."""
    nearest = np.arccos(np.clip((directions @ _DIMPLES.T).max(axis=1), -1, 1))
    depth = np.clip(1.3 - nearest / 0.135, 0, 1)
    colours = _tinted((246, 246, 246), len(directions), rng, 4)
    dimpled: FloatArray = colours * (1 - 0.42 * depth[:, None])
    return dimpled


def croquet_ball(directions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Glossy wood of one strong colour, never the orange or green of the fruit."""
    colour = pick(rng, [(22, 60, 190), (200, 20, 32), (28, 28, 30)])
    return _tinted(colour, len(directions), rng)


def orange(directions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Orange peel: pores all over and a green star where the stem was."""
    colours = _tinted((246, 146, 24), len(directions), rng)
    colours += rng.normal(0, 12, (len(directions), 1))
    y, x = directions[:, 1], directions[:, 0]
    angle = np.arctan2(y, x)
    star = np.arccos(np.clip(directions[:, 2], -1, 1)) < 0.16 + 0.07 * np.cos(5 * angle)
    colours[star] = (92, 112, 30)
    return colours


def granny_smith(directions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A green apple: pale specks, a darker hollow and a brown stem."""
    colours = _tinted((126, 186, 44), len(directions), rng)
    from_stem = np.arccos(np.clip(directions[:, 2], -1, 1))
    hollow = np.clip(1 - from_stem / 0.55, 0, 1)[:, None]
    colours = colours * (1 - hollow) + np.array([70, 92, 20]) * hollow
    specks = rng.random(len(directions)) < 0.04
    colours[specks & (from_stem > 0.5)] += 45
    colours[from_stem < 0.16] = (82, 54, 24)
    return colours


def rugby_ball(directions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Brown or white leather, bands toward both ends of the long x axis, and laces."""
    brown, white = (142, 74, 36), (238, 234, 226)
    leather, band = [(brown, white), (white, (20, 60, 150)), (white, (170, 20, 40))][
        int(rng.integers(3))
    ]
    x, y, z = directions.T
    colours = _tinted(leather, len(directions), rng)
    colours[(np.abs(x) > 0.6) & (np.abs(x) < 0.78)] = band
    around = np.arctan2(y, z)
    colours[np.abs(np.sin(2 * around) * np.sqrt(1 - x**2)) < 0.04] = (70, 50, 40)
    lace = (np.abs(x) < 0.42) & (np.abs(around) < 0.26) & ((np.abs(x) * 10).astype(int) % 2 == 0)
    spine = (np.abs(x) < 0.42) & (np.abs(around) < 0.07)
    colours[lace | spine] = white if leather == brown else (40, 40, 45)
    return colours
