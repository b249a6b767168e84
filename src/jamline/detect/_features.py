"""What tells a vehicle's box from any other: means of a few maps over parts of the box and beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float32]

SIZES_M = (
    (3.7, 1.65), (4.3, 1.75), (5.0, 1.85), (6.0, 2.0), (7.5, 2.3), (9.5, 2.5), (12.0, 2.5), (14.0, 2.55), (16.5, 2.55),
)  # fmt: skip
"""Length and width of what drives: small car to articulated lorry (16.5 by 2.55 m is the EU's limit)."""

_SLICE_M = 1.0
"""Gaps of a standing queue start at about this length."""

_FLANK_M = (0.25, 0.85)
"""Where beside a box the road must show again; two lanes of cars leave at least 1 m between them."""

_END_M = (0.2, 1.2)
"""Where before and behind a box the road may show: a standing queue leaves 1 to 3 m."""

_HOLLOW_M = (1.2, 0.9)
"""Along and across: roofs and bonnets as grey as the road, but less than the gap to the next vehicle."""

_THIN_M = (1.8, 1.5)
"""Along and across: what is thinner is paint."""

_CORNER_M = 1.5
"""Within so much of one another edges along and across belong to one thing."""

_ENDLESS_M = 30.0
"""What goes on for so long without a break is an edge line, a kerb or a rail."""


@dataclass(frozen=True, eq=False)
class Maps:
    """Pixel maps on the working grid, each of shape (rows, columns).

    Parameters
    ----------
    raw : array
        Salience: how far each pixel is from the road, 0 to 1.
    solid : array
        Salience of what is as wide as a vehicle.
    dark : array
        The part of `raw` that is darker than the road.
    along, across : array
        Strength of edges that run along the road and across it, in units of visible contrast.
    tone : array
        How much brighter than the road each pixel is, in units of visible contrast.
    """

    raw: Pixels
    solid: Pixels
    dark: Pixels
    along: Pixels
    across: Pixels
    tone: Pixels
    pixel_m: float

    @classmethod
    def of(cls, raw: Pixels, dark: Pixels, visible: Pixels, *, pixel_m: float) -> Maps:
        """Derive the maps from salience and from brightness in units of visible contrast."""
        smooth = cv2.GaussianBlur(visible, (0, 0), 0.3 / pixel_m)
        along = np.abs(cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)) / 8
        across = np.abs(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3)) / 8
        return cls(
            raw, _solid(raw, pixel_m=pixel_m), dark, np.minimum(along, 2), np.minimum(across, 2), visible, pixel_m
        )

    def around(self, row: int, column: int, *, length_m: float, width_m: float) -> tuple[Maps, tuple[int, int]]:
        """Return the maps so far around a place, and where in them it lies."""
        rows, columns = self.raw.shape
        up, back = round(width_m / self.pixel_m), round(length_m / self.pixel_m)
        top, left = max(0, row - up), max(0, column - back)
        part = slice(top, min(rows, row + up + 1)), slice(left, min(columns, column + back + 1))
        whole = (self.raw, self.solid, self.dark, self.along, self.across, self.tone)
        raw, solid, dark, along, across, tone = (np.ascontiguousarray(values[part]) for values in whole)
        return Maps(raw, solid, dark, along, across, tone, self.pixel_m), (row - top, column - left)


def feature_maps(maps: Maps, size: int) -> Iterator[tuple[str, Pixels]]:
    """Yield each feature of boxes of one size, centred at every pixel.

    Parameters
    ----------
    maps : Maps
        Of a strip.
    size : int
        Index into `SIZES_M`.

    Yields
    ------
    name : str
        What the mean is of, and over which part of the box.
    values : array, shape (rows, columns)
    """
    pixel_m = maps.pixel_m
    length_m, width_m = SIZES_M[size]
    along = length_px(size, pixel_m)
    slice_px = max(1, round(_SLICE_M / pixel_m))

    def mean(values: Pixels, along_px: int, across_m: float) -> Pixels:
        return _box(values, along_px, across_m / pixel_m)

    whole = mean(maps.solid, along, width_m)
    yield "whole", whole
    # Two cars with road between them are not one lorry.
    yield "emptiest", _lowest(mean(maps.raw, slice_px, width_m * 0.8), along - slice_px - 1, 1)
    # A lane mark fills its own line, but not a vehicle's width.
    line = np.asarray(cv2.blur(maps.solid, (along, 1), borderType=cv2.BORDER_REPLICATE), np.float32)
    yield "thinnest", _lowest(line, 1, max(1, round((width_m - 0.6) / pixel_m)))
    yield from _pair(
        "flank", mean(maps.raw, along, _FLANK_M[1] - _FLANK_M[0]), 0, (width_m + sum(_FLANK_M)) / 2 / pixel_m
    )
    end_px = max(1, round((_END_M[1] - _END_M[0]) / pixel_m))
    yield from _pair("end", mean(maps.raw, end_px, width_m * 0.7), (length_m + sum(_END_M)) / 2 / pixel_m, 0)
    yield "raw", mean(maps.raw, along, width_m)
    yield "dark", mean(maps.dark, along, width_m)
    sides = dict(_pair("side", mean(maps.along, along, 0.6), 0, width_m / 2 / pixel_m))
    yield "side_edge", sides["side_low"]
    ends = dict(_pair("end", mean(maps.across, max(1, round(0.6 / pixel_m)), width_m * 0.8), length_m / 2 / pixel_m, 0))
    yield "end_edge", ends["end_low"]
    yield "texture", mean(maps.along + maps.across, along, width_m)
    yield "light", mean(np.maximum(maps.raw - maps.dark, 0), along, width_m)


def paint_maps(maps: Maps, size: int) -> Iterator[tuple[str, Pixels]]:
    """Yield features that part vehicles from paint and shadows; as `feature_maps`, but only scores ask for them.

    Paint is thin; a windscreen, sides and ends give edges both ways, where a lane mark or a shadow has one.
    """
    along = length_px(size, maps.pixel_m)
    across = SIZES_M[size][1] / maps.pixel_m
    yield "thin", _box(np.maximum(maps.raw - maps.solid, 0), along, across)
    near = (max(1, round(_CORNER_M / maps.pixel_m)),) * 2
    one, other = (cv2.blur(np.minimum(edges, 1), near) for edges in (maps.along, maps.across))
    yield "crossed", _box(np.asarray(2 * np.minimum(one, other), np.float32), along, across)


def length_px(size: int, pixel_m: float) -> int:
    """Return the length of a size in whole pixels."""
    return max(2, round(SIZES_M[size][0] / pixel_m))


def _pair(name: str, values: Pixels, columns: float, rows: float) -> Iterator[tuple[str, Pixels]]:
    """Yield the lower and the higher of the values on both sides of a box."""
    before, after = _moved(values, -columns, -rows), _moved(values, columns, rows)
    yield f"{name}_low", np.minimum(before, after)
    yield f"{name}_high", np.maximum(before, after)


def _solid(salience: Pixels, *, pixel_m: float) -> Pixels:
    """Keep what is as wide as a vehicle.

    A roof as grey as the road is closed over from its edges; lane marks, arrows, edge lines and stop lines are too
    thin, across or along, to stay.
    """

    def kernel(along_m: float, across_m: float) -> npt.NDArray[np.uint8]:
        return np.ones((max(1, round(across_m / pixel_m)), max(1, round(along_m / pixel_m))), np.uint8)

    thin = salience - cv2.morphologyEx(salience, cv2.MORPH_OPEN, kernel(0.0, _THIN_M[1]))
    endless = cv2.morphologyEx(cv2.dilate(thin, kernel(0.0, 0.9)), cv2.MORPH_OPEN, kernel(_ENDLESS_M, 0.0))
    salience = salience - np.minimum(thin, endless)
    closed = cv2.morphologyEx(salience, cv2.MORPH_CLOSE, kernel(0.0, _HOLLOW_M[1]))
    closed = cv2.morphologyEx(closed, cv2.MORPH_CLOSE, kernel(_HOLLOW_M[0], 0.0))
    across = cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel(0.0, _THIN_M[1]))
    return np.asarray(cv2.morphologyEx(across, cv2.MORPH_OPEN, kernel(_THIN_M[0], 0.0)), np.float32)


def _lowest(values: Pixels, along: int, across: int) -> Pixels:
    """Lowest value within a box."""
    kernel = np.ones((max(1, across), max(1, along)), np.uint8)
    return np.asarray(cv2.erode(values, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def _box(values: Pixels, along: int, across: float) -> Pixels:
    """Mean over a box whose height need not be a whole number of pixels."""
    taps = int(np.ceil(across / 2 - 0.5))
    kernel = np.ones(2 * taps + 1, np.float32)
    if taps:
        kernel[0] = kernel[-1] = across / 2 + 0.5 - taps
    row = np.full(along, 1.0 / along, np.float32)
    return np.asarray(
        cv2.sepFilter2D(values, -1, row, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.float32
    )


def _moved(values: Pixels, columns: float, rows: float) -> Pixels:
    """Return, at each pixel, the value some columns and rows further on."""
    matrix = np.array([[1, 0, -columns], [0, 1, -rows]], np.float32)
    size = (values.shape[1], values.shape[0])
    return np.asarray(
        cv2.warpAffine(values, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
