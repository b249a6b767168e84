"""The cells of the network's answer, and how they lie to the road."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from jamline.corridor import RoadGrid
from jamline.detect._protocol import Boxes

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]

PIXEL_M = 1.0 / 3.0
"""Pixel that the network sees, whatever the image's is: a car is 13 by 5 of them. At 0.375 m it takes a fifth less
time, and finds less at every resolution but the coarsest."""

CELL = (2, 4)
"""Rows and columns of pixels in one cell of the network's answer."""

PLANES = 3 * CELL[0] * CELL[1]
"""What the network is shown of a cell: each of its pixels in each colour."""

STRIDE = (8, 16)
"""Rows and columns in one cell of its coarsest scale; where cells begin must not depend on the cut."""

_PERIOD, _RIM, _EXACT = 20, 2, 1e-6
"""The strip's pixels are a multiple of 0.05 m, so that after 20 of them at most the network's begin at the same place;
what cubic interpolation needs beyond a picture; and what counts as rounding, in pixels."""

_OVERLAP = 0.35
"""Share of two boxes' union from which they are one vehicle."""


@dataclass(frozen=True)
class View:
    """How a section's grid lies to the pixels that the network sees of it.

    Cells begin at the same stations whatever the cut, so that sections equal the whole.

    Parameters
    ----------
    grid : RoadGrid
        Of the section.
    first : tuple of float
        Column and row of the network's first pixel, in its own pixels from the strip's corner.
    shape : tuple of int
        Rows and columns of the network's pixels.
    """

    grid: RoadGrid
    first: tuple[float, float]
    shape: tuple[int, int]

    @classmethod
    def of(cls, grid: RoadGrid) -> View:
        """Lay the network's pixels over a grid."""
        zoom = grid.pixel_m / PIXEL_M
        start = grid.start_m / PIXEL_M
        left = np.floor(start / STRIDE[1]) * STRIDE[1] - start
        columns = int(np.ceil((grid.columns * zoom - left) / STRIDE[1])) * STRIDE[1]
        rows = int(np.ceil(grid.rows * zoom / STRIDE[0])) * STRIDE[0]
        return cls(grid, (float(left), (grid.rows * zoom - rows) / 2), (rows, columns))

    def strip(self, pixels: Pixels, shown: npt.NDArray[np.bool_]) -> Pixels:
        """Return what the network sees, shape (planes, rows, columns) of cells; 0 where nothing is shown."""
        zoom = self.grid.pixel_m / PIXEL_M
        rgb = pixels[:3] if len(pixels) >= 3 else pixels[:1]
        if not shown.all():
            rgb = np.where(shown, rgb, np.float32(0.0))
        laid = resampled(rgb, zoom=(zoom, zoom), first=self.first, shape=self.shape)
        return in_cells(np.broadcast_to(laid, (3, *self.shape)))

    def boxes(self, peaks: Peaks, score: Array, parked: Array) -> Boxes:
        """Return peaks as boxes in road space."""
        return Boxes(
            station_m=self.grid.start_m + (peaks.column + self.first[0] + 0.5) * PIXEL_M,
            offset_m=self.grid.half_width_m - (peaks.row + self.first[1] + 0.5) * PIXEL_M,
            length_m=peaks.length_m,
            width_m=peaks.width_m,
            score=score,
            parked=parked,
        )

    def seen_at(self, boxes: Boxes, seen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Tell which boxes have their middle where the section was seen."""
        grid = self.grid
        column = np.floor((boxes.station_m - grid.start_m) / grid.pixel_m).astype(int)
        row = np.floor((grid.half_width_m - boxes.offset_m) / grid.pixel_m).astype(int)
        inside = (column >= 0) & (column < grid.columns) & (row >= 0) & (row < grid.rows)
        inside[inside] = seen[row[inside], column[inside]]
        return inside

    def covered(self, boxes: Boxes) -> npt.NDArray[np.bool_]:
        """Return where boxes lie, shape (rows, columns) of the grid."""
        grid = self.grid
        covered = np.zeros(grid.shape, bool)
        for s, o, along, across in zip(boxes.station_m, boxes.offset_m, boxes.length_m, boxes.width_m, strict=True):
            left, right = ((s + way * along / 2 - grid.start_m) / grid.pixel_m for way in (-1, 1))
            top, bottom = ((grid.half_width_m - o + way * across / 2) / grid.pixel_m for way in (-1, 1))
            covered[max(0, int(top)) : max(0, int(bottom) + 1), max(0, int(left)) : max(0, int(right) + 1)] = True
        return covered

    def expected(self, maps: Pixels, seen: npt.NDArray[np.bool_], carriageway_m: float) -> Array:
        """Return how many vehicles the density promises where the carriageway was seen, by column of the grid."""
        rows = maps.shape[1]
        offset_m = self.grid.half_width_m - ((np.arange(rows) + 0.5) * CELL[0] + self.first[1]) * PIXEL_M
        on_road = np.abs(offset_m) < carriageway_m / 2
        cell_m = CELL[1] * PIXEL_M
        edge_m = self.grid.start_m + self.first[0] * PIXEL_M + np.arange(maps.shape[2] + 1) * cell_m
        row = np.floor((self.grid.half_width_m - offset_m[on_road]) / self.grid.pixel_m).astype(int)
        column = np.floor((edge_m[:-1] + cell_m / 2 - self.grid.start_m) / self.grid.pixel_m).astype(int)
        shown = seen[np.ix_(np.clip(row, 0, self.grid.rows - 1), np.clip(column, 0, self.grid.columns - 1))]
        by_cell = (np.exp(np.clip(maps[5, on_road], -14.0, 3.0)) * shown).sum(axis=0, dtype=float)
        total = np.concatenate([[0.0], np.cumsum(by_cell)])
        edges_m = self.grid.start_m + np.arange(self.grid.columns + 1) * self.grid.pixel_m
        by_column: Array = np.diff(np.interp(edges_m, edge_m, total))
        return by_column


@dataclass(frozen=True, eq=False)
class Peaks:
    """Places where the network sees a vehicle's middle, in pixels of the network.

    Parameters
    ----------
    column, row : array, shape (n,)
        Middles; the first pixel's middle is 0.
    length_m, width_m : array, shape (n,)
    logit, parked : array, shape (n,)
        Heat, and that it is parked beside the lanes, before they are probabilities.
    """

    column: Array
    row: Array
    length_m: Array
    width_m: Array
    logit: Array
    parked: Array

    def take(self, index: npt.NDArray[Any]) -> Peaks:
        """Return some of them."""
        return Peaks(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


def peaks_of(maps: Pixels, *, least: float = -5.0) -> Peaks:
    """Return the peaks of the heat and what is said of them.

    Parameters
    ----------
    maps : array, shape (7, rows, columns)
        The network's answer.
    least : float
        Logit below which nothing counts.
    """
    heat = np.ascontiguousarray(maps[0])
    top = (heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8))) & (heat > least)
    row, column = np.nonzero(top)
    along, across, length, width, parked = (maps[k, row, column].astype(float) for k in (1, 2, 3, 4, 6))
    return Peaks(
        column=(column + np.clip(along, -1.5, 1.5) + 0.5) * CELL[1] - 0.5,
        row=(row + np.clip(across, -1.5, 1.5) + 0.5) * CELL[0] - 0.5,
        length_m=np.exp(np.clip(length, 0.0, 3.4)),
        width_m=np.exp(np.clip(width, 0.0, 2.5)),
        logit=heat[row, column].astype(float),
        parked=parked,
    )


def one_each(peaks: Peaks, score: Array, *, least: float) -> npt.NDArray[np.intp]:
    """Return which peaks to keep, so that each vehicle is there once, in order of score."""
    # Most peaks are too low, and handing them over takes longer than all the rest.
    high = np.flatnonzero(score.astype(np.float32) > np.float32(least))
    if not len(high):
        return np.zeros(0, np.intp)
    size = np.column_stack([peaks.length_m, peaks.width_m])[high] / PIXEL_M
    corner = np.column_stack([peaks.column, peaks.row])[high] - size / 2
    keep = cv2.dnn.NMSBoxes(np.hstack([corner, size]).tolist(), score[high].tolist(), least, _OVERLAP)
    kept: npt.NDArray[np.intp] = high[np.asarray(keep, np.intp).reshape(-1)]
    return kept


def in_cells(strip: Pixels) -> Pixels:
    """Return a strip's pixels as planes, one for each place in a cell and each colour.

    Parameters
    ----------
    strip : array, shape (3, rows, columns)

    Returns
    -------
    array, shape (planes, rows / 2, columns / 4)
    """
    bands, rows, columns = strip.shape
    high, wide = CELL
    split = strip.reshape(bands, rows // high, high, columns // wide, wide)
    return np.ascontiguousarray(split.transpose(0, 2, 4, 1, 3).reshape(PLANES, rows // high, columns // wide))


def resampled(
    pixels: Pixels, *, zoom: tuple[float, float], first: tuple[float, float], shape: tuple[int, int]
) -> Pixels:
    """Resample a picture, every pixel anchored by its middle.

    Parameters
    ----------
    pixels : array, shape (bands, rows, columns)
        Up to four bands.
    zoom : tuple of float
        New pixels per old one along and across.
    first : tuple of float
        Column and row, in new pixels, of the outer corner of the first pixel that is wanted.
    shape : tuple of int
        Rows and columns wanted; 0 beyond the picture.
    """
    blur = [0.4 / z if z < 0.9 else 0.0 for z in zoom]
    if max(blur):
        # Half a new pixel of blur, so that what is finer does not alias.
        sigma = max(blur[0], 0.01), max(blur[1], 0.01)
        pixels = np.stack([cv2.GaussianBlur(band, (0, 0), sigma[0], sigmaY=sigma[1]) for band in pixels])
    across, down = (
        _Aligned.of(*axis) for axis in zip(zoom, first, reversed(pixels.shape[1:]), reversed(shape), strict=True)
    )
    if across is None or down is None:
        return _warped(pixels, zoom=zoom, first=first, shape=shape)
    planes = np.empty((len(pixels), *shape), np.float32)
    for plane, band in zip(planes, pixels, strict=True):
        rim = cv2.copyMakeBorder(band, *down.rim, *across.rim, cv2.BORDER_CONSTANT)
        laid = cv2.resize(rim, (across.size, down.size), interpolation=cv2.INTER_CUBIC)
        plane[:] = laid[down.first : down.first + shape[0], across.first : across.first + shape[1]]
    return planes


@dataclass(frozen=True)
class _Aligned:
    """One axis of a picture with a rim, by which its corner and that of the new pixels fall together.

    Then nothing but the scale changes, and each axis can be resampled by itself, in a fifth of the time.

    Parameters
    ----------
    rim : tuple of int
        Pixels before and behind it.
    size : int
        New pixels of all of it.
    first : int
        The first of those that is wanted.
    """

    rim: tuple[int, int]
    size: int
    first: int

    @classmethod
    def of(cls, zoom: float, first: float, size: int, wanted: int) -> _Aligned | None:
        """Find the narrowest rim, ``None`` where none of a few pixels will do."""
        scale = Fraction(zoom).limit_denominator(_PERIOD)
        if abs(float(scale) - zoom) > _EXACT:
            return None
        step = scale.denominator
        least = max(_RIM, math.ceil(-first / zoom - _EXACT))
        for before in range(least, least + step):
            begin = first + before * zoom
            if abs(begin - round(begin)) < _EXACT:
                whole = math.ceil(max(before + size + _RIM, (round(begin) + wanted) / zoom) / step) * step
                return cls((before, whole - before - size), round(whole * scale), round(begin))
        return None


def _warped(pixels: Pixels, *, zoom: tuple[float, float], first: tuple[float, float], shape: tuple[int, int]) -> Pixels:
    """Resample a picture whose corner falls between the new pixels; parameters as in `resampled`."""
    to_old = np.array(
        [
            [1 / zoom[0], 0.0, (first[0] + 0.5) / zoom[0] - 0.5],
            [0.0, 1 / zoom[1], (first[1] + 0.5) / zoom[1] - 0.5],
        ]
    )
    laid = cv2.warpAffine(
        np.ascontiguousarray(np.moveaxis(pixels, 0, -1)),
        to_old,
        (shape[1], shape[0]),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    planes: Pixels = np.moveaxis(np.asarray(laid, np.float32).reshape(*shape, -1), -1, 0)
    return planes
