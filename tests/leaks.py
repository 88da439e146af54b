"""Looks for numbers, bytes, pictures and words on a page, in every form that it can give them."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Any

import numpy as np
from PIL import Image

_ADDRESS = r"data:[\w/+.-]*;base64,([\w+/=]+)"
_SIDE = 16  # pixels of what pictures are compared by


class Content:
    """What a page holds.

    Attributes:
        html: all of it.
        files: what its data URIs hold.
        pictures: (h, w, 4) uint8, red, green, blue and opacity.
        looks: (pictures, 5, pixels), of red, green, blue, opacity and grey: what stays the same
            whatever the size, the brightness and the format.
        numbers: as they are printed, without sign, of texts and attributes.
        words: of two letters and more, of texts and attributes.
        drawn: paths and points of its drawings.
    """

    def __init__(self, html: str) -> None:
        self.html = html
        self.files = [base64.b64decode(data) for data in re.findall(_ADDRESS, html)]
        self.pictures = [_pixels(data) for data in self.files]
        looks = [_looks(picture) for picture in self.pictures]
        self.looks = np.array(looks).reshape(len(looks), 5, _SIDE * _SIDE)
        bare = re.sub(f'{_ADDRESS}|(?s:<(style|script)>.*?</\\2>)| style="[^"]*"', "", html)
        self.drawn = set(re.findall(r' (?:d|points)="([^"]{12,})"', bare))
        texts = unescape(re.sub(r"</?[a-z][\w-]*|[\w:-]+=(?=\")", " ", bare))
        self.numbers = set(re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", texts))
        self.words = set(re.findall(r"[^\W\d_]{2,}", texts))


def _pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGBA"))


def arrays_in(value: Any) -> Iterator[np.ndarray]:
    """All arrays of numbers within what a case returns."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from arrays_in(item)
    else:  # top predictions
        yield np.array([chance for _, chance in value])


def forms_of(array: np.ndarray) -> set[str]:
    """Some values of an array, and what sums it up, as a page may print them."""
    flat = np.asarray(array, "float64").ravel()
    sums = (flat.min(), flat.max(), flat.mean(), flat.std(), np.median(flat))
    return {form for value in (*sums, *flat[:40], *flat[-40:]) for form in _forms(abs(value))}


def _forms(size: float) -> Iterator[str]:
    for form in (".3g", ".4g", ".6g", ".1f", ".2f", ".3f", ".4f"):
        for printed in (f"{size:{form}}", f"{100 * size:{form}}"):
            if len(re.sub(r"e.*|\D", "", printed).strip("0")) >= 3:
                yield printed


def holds_bytes(content: Content, array: np.ndarray) -> bool:
    """Whether a page has bytes of an array: as text, in a file, or in the pixels of a picture."""
    stored = (*content.files, *(picture[..., :3].tobytes() for picture in content.pictures))
    return any(
        any(text in content.html for text in _encoded(run)) or any(run in data for data in stored)
        for run in _runs(array)
    )


def _runs(array: np.ndarray) -> Iterator[bytes]:
    """Runs of 24 bytes of an array as it could be stored, from several places."""
    for kind in dict.fromkeys((array.dtype.str, "<f8", "<f4", "<f2", "|u1")):
        with np.errstate(all="ignore"):
            data = array.astype(kind).tobytes()
        for start in range(0, max(1, len(data) - 24), max(1, len(data) // 5)):
            run = data[start : start + 24]
            if len(set(run)) >= 8:  # zeros are everywhere
                yield run


def _encoded(run: bytes) -> Iterator[str]:
    """Bytes as text: hexadecimal, and base64 at whichever of three places they begin."""
    yield run.hex()
    for skipped in range(3):
        whole = run[skipped : skipped + (len(run) - skipped) // 3 * 3]
        yield base64.b64encode(whole).decode()
        yield base64.urlsafe_b64encode(whole).decode()


def resembles(content: Content, array: np.ndarray, least: float = 0.9) -> bool:
    """Whether a picture looks like a map or an image within an array, or like its negative."""
    resized = (Image.Resampling.BOX, Image.Resampling.BILINEAR)
    wanted = [_look(plane, how) for plane in _planes(array) for how in resized]
    shown = content.looks.reshape(-1, _SIDE * _SIDE)
    return bool(wanted) and bool((np.abs(shown @ np.array(wanted).T) >= least).any())


def _planes(array: np.ndarray) -> Sequence[np.ndarray]:
    """Maps (h, w): of images and activations by channel, of statistics by class."""
    if array.ndim < 3:
        return [array] if array.ndim == 2 else []
    if array.ndim == 4:
        return [plane for one in array for plane in _planes(one)]
    by_class = array.shape[0] < array.shape[1]  # (classes, h, w), else (h, w, c)
    return list(array if by_class else np.moveaxis(array, -1, 0))


def _looks(picture: np.ndarray) -> list[np.ndarray]:
    planes = [picture[..., channel] for channel in range(4)]
    return [_look(plane) for plane in (*planes, picture[..., :3].mean(axis=-1))]


def _look(plane: np.ndarray, how: Image.Resampling = Image.Resampling.BOX) -> np.ndarray:
    """A plane (h, w) at one size, of mean 0 and norm 1: the same whatever its scale."""
    picture = Image.fromarray(np.asarray(plane, "float32"))
    small = np.asarray(picture.resize((_SIDE, _SIDE), how), "float64").ravel()
    small = small - small.mean()
    return small / max(float(np.linalg.norm(small)), 1e-9)


def revealed(shown: Content, without: Content) -> np.ndarray:
    """The looks (n, 5, pixels) of pictures of a page that another one does not have."""
    return shown.looks[~_alike(shown.looks, without.looks).any(axis=1)]


def has_picture(content: Content, looks: np.ndarray) -> bool:
    """Whether a page has one of these pictures, at whatever size and in whatever format."""
    return bool(_alike(looks, content.looks).any())


def _alike(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which (n, 5, pixels) show the same as which (m, 5, pixels): (n, m) bool."""
    far = np.linalg.norm(some[:, None] - others[None], axis=-1)
    return (far < 0.2).all(axis=-1)
