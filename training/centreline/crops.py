"""Crops of road samples, shifted, in another light, beside a second carriageway; and where their roads lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from jamline.corridor._centreline import CELL_M, PIXEL_M, PLACES_M, PLANES, REACH_M
from training.centreline.samples import RoadSample
from training.fitting import Crops

Array = npt.NDArray[np.float32]

ROWS, COLUMNS = round(2 * REACH_M / PIXEL_M), 256
_CELL = round(CELL_M / PIXEL_M)
_OFFSETS_M = REACH_M - PIXEL_M * (np.arange(ROWS) + 0.5)

_SHIFT_M = 10.0
"""Drawn lines lie off by up to 8 m; which of those is likely is the prior's business, not the network's."""

_BLUR_M = 0.4
"""How sharply a place is wanted."""

_NEAR_M = 6.0
_SHOWN = 0.5
_UNTAGGED = 0.35
_TAG_ERROR = 0.08


class RoadCrops(Crops):
    """Random crops without end.

    Parameters
    ----------
    samples : sequence of RoadSample
    seed : int
    """

    def __init__(self, samples: Sequence[RoadSample], *, seed: int) -> None:
        self.samples = samples
        self.seed = seed
        self.rng = np.random.default_rng(seed)

    def later(self, step: int) -> RoadCrops:
        """Return other crops of the same samples, for going on after so many steps."""
        return RoadCrops(self.samples, seed=self.seed + 1_000_003 * step)

    def __iter__(self) -> Iterator[tuple[Array, Array, Array]]:
        """Yield the strip (6, 48, 256), the places wanted (3, 96, 32) and their weight (32,)."""
        cv2.setNumThreads(1)
        while True:
            yield crop(self.samples[int(self.rng.integers(len(self.samples)))], self.rng)


def crop(sample: RoadSample, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Cut one crop and say what is wanted of it."""
    sample = _as_drawn(sample, rng)
    count = len(sample.middle_m)
    twin_m = None
    if (sample.oneway or not sample.median_m) and rng.random() < (0.5 if sample.oneway else 0.2):
        # Two carriageways far enough apart are drawn as two lines, each one-way, and both are in the picture.
        sample = replace(sample, oneway=True)
        green_m = float(rng.uniform(0.5, 4.0) if rng.random() < 0.5 else rng.uniform(3.0, 16.0))
        twin_m = sample.left_m + sample.right_m + green_m
    first = int(rng.integers(0, max(1, count - COLUMNS + 1)))
    column = np.minimum(first + np.arange(COLUMNS), count - 1)
    middle = sample.middle_m[column]
    wide = rng.random() < 0.7
    shift = float(rng.uniform(-_SHIFT_M, _SHIFT_M) - middle.mean() if wide else rng.normal(0.0, 1.5))
    zoom = float(np.exp(rng.uniform(-0.18, 0.18)))
    offset = np.repeat(((_OFFSETS_M - shift) / zoom)[:, None], COLUMNS, axis=1)
    source = np.repeat(column[None], ROWS, axis=0)
    if twin_m is not None:
        sign, later = rng.choice([-1, 1]), (column + int(rng.integers(count))) % count
        out = sign * (offset - middle)
        mirrored = twin_m - out if rng.random() < 0.7 else out - twin_m
        offset = np.where(out > twin_m / 2, sample.middle_m[later] + sign * mirrored, offset)
        source = np.where(out > twin_m / 2, later, source)
    row = ((REACH_M - offset) / PIXEL_M - 0.5).astype(np.float32)
    pixels = np.ascontiguousarray(np.moveaxis(sample.pixels, 0, -1).astype(np.float32))
    x = np.moveaxis(_laid(pixels, source, row, cv2.INTER_LINEAR), -1, 0)
    seen = _laid(sample.seen.astype(np.float32), source, row, cv2.INTER_NEAREST) > 0.5
    seen &= first + np.arange(COLUMNS) < count
    if rng.random() < 0.1:
        gap = int(rng.integers(0, COLUMNS - 20))
        seen[:, gap : gap + int(rng.integers(10, 120))] = False
    middle = middle * zoom + shift
    left, right = sample.left_m * zoom, sample.right_m * zoom
    x = np.where(seen, _seen_otherwise(x, rng), 0.0)
    if rng.random() < 0.5:
        x, seen, middle, left, right = x[:, ::-1], seen[::-1], -middle, right, left
    if rng.random() < 0.5:
        x, seen, middle = x[:, :, ::-1], seen[:, ::-1], middle[::-1]
    width = 0.0 if rng.random() < _UNTAGGED else sample.width_m * zoom * float(np.exp(rng.normal(0.0, _TAG_ERROR)))
    strip = np.zeros((PLANES, ROWS, COLUMNS), np.float32)
    strip[:3], strip[3], strip[4], strip[5] = x, seen, sample.oneway, width / 10.0
    return strip, *_wanted(seen, middle, left, right)


def _as_drawn(sample: RoadSample, rng: np.random.Generator) -> RoadSample:
    """Return a road with a median as it is, or one of its carriageways, which may be drawn by itself."""
    if not sample.median_m or sample.oneway or rng.random() < 0.5:
        return sample
    sign, reach = (1, sample.left_m) if rng.random() < 0.5 else (-1, sample.right_m)
    half = (reach - sample.median_m / 2) / 2
    middle = sample.middle_m + sign * (reach - half)
    return replace(sample, middle_m=middle, left_m=half, right_m=half, oneway=True, width_m=2 * half, median_m=0.0)


def _laid(pixels: Array, source: npt.NDArray[Any], row: Array, how: int) -> Array:
    return cv2.remap(pixels, source.astype(np.float32), row, how, borderMode=cv2.BORDER_CONSTANT, borderValue=0)


def _seen_otherwise(x: Array, rng: np.random.Generator) -> Array:
    """Show a strip in another light, through another camera."""
    x = np.sign(x) * np.abs(x) ** np.exp(rng.normal(0.0, 0.2)) * np.exp(rng.normal(0.0, 0.2))
    x = x * np.exp(rng.normal(0.0, 0.06, (3, 1, 1)))
    if rng.random() < 0.15:
        x = np.repeat(x.mean(axis=0, keepdims=True), 3, axis=0)
    if rng.random() < 0.3:
        x = x + rng.normal(0.0, rng.uniform(0.0, 0.05), x.shape)
    for odds, low, high in ((0.2, 0.3, 1.0), (0.12, 1.0, 2.5)):
        if rng.random() < odds:
            sigma = rng.uniform(low, high)
            x = np.stack([cv2.GaussianBlur(band.astype(np.float32), (0, 0), sigma) for band in x])
    return x


def _wanted(seen: npt.NDArray[np.bool_], middle: npt.NDArray[Any], left: float, right: float) -> tuple[Array, Array]:
    at = middle.reshape(-1, _CELL).mean(axis=1)
    places = np.stack([at, at + left, at - right])
    log_odds = -0.5 * ((PLACES_M[None, :, None] - places[:, None, :]) / _BLUR_M) ** 2
    share = np.exp(log_odds)
    share /= share.sum(axis=1, keepdims=True) + 1e-9
    near = np.abs(_OFFSETS_M[:, None] - middle[None]) < _NEAR_M
    shown = (seen & near).sum(axis=0) / np.maximum(near.sum(axis=0), 1)
    weight = (shown.reshape(-1, _CELL).mean(axis=1) > _SHOWN) & (np.abs(at) < _SHIFT_M + 1.0)
    return share.astype(np.float32), weight.astype(np.float32)
