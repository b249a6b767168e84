"""Pixels of a strip: windows read along the road, each place from one image, laid flat by `cv2.remap`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from jamline.corridor._grid import RoadGrid
from jamline.corridor._section import Hidden
from jamline.imagery import Image, Scene

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]
Float = TypeVar("Float", np.float32, np.float64)

_WINDOW_M = 120.0
"""Road per window. A slanting stretch's box grows with its square, and 120 m at 0.5 m is half a block."""

_MARGIN_PX = 3
"""What cubic interpolation needs around a window."""

_KERNEL_PX = 2.0
"""Reach of cubic interpolation to each side."""

_DECIMATE = 1.5
"""From this ratio of strip pixel to image pixel on, the image is averaged down first, or it would alias."""

_WHOLE = 0.01
"""So near to a whole number a ratio is taken for it: a metre on the map is one on the ground to 0.04 %, or a little
more."""

_MASKED = np.array([0, Hidden.NODATA, Hidden.CLOUD, Hidden.SHADOW], np.uint8)
"""What a mask beside an image hides, by its `Why`."""

_NEAR_PX = 16.0
"""Spacing, in pixels of the image, of the places around which it is read."""


@dataclass(frozen=True, slots=True)
class Later:
    """A later look at the same road, for which what a strip is made of is read already.

    Parameters
    ----------
    pixel_m : float
        Size of its pixels; both looks start from the same overview of an image, and decode it once.
    half_width_m : float
        How far from this strip's line its pixels may lie.
    """

    pixel_m: float
    half_width_m: float


def read_strip(
    scene: Scene, grid: RoadGrid, *, later: Later | None = None
) -> tuple[Pixels, npt.NDArray[np.uint8], npt.NDArray[np.int16]]:
    """Read a strip as the images have it.

    Parameters
    ----------
    scene : Scene
        Images, the best first.
    grid : RoadGrid
        Pixels asked for.
    later : Later, optional
        What will be asked for after this.

    Returns
    -------
    pixels : array, shape (bands, rows, columns)
        Values as in the files.
    hidden : array of uint8, shape (rows, columns)
        ``Hidden.SEEN``, ``OUTSIDE`` or ``NODATA``; ``CLOUD`` or ``SHADOW`` where a mask beside the image says so.
    source : array of int16, shape (rows, columns)
        Number of the image that each pixel came from, -1 for none.
    """
    pixels = np.zeros((len(scene.roles), *grid.shape), np.float32)
    hidden = np.full(grid.shape, Hidden.OUTSIDE, np.uint8)
    source = np.full(grid.shape, -1, np.int16)
    later = later or Later(grid.pixel_m, grid.half_width_m)
    _fetch(scene, grid, later)
    step = max(16, round(_WINDOW_M / grid.pixel_m))
    # Windows begin at the same stations whatever the cut, so that every cut has the same pixels.
    begin, end = grid.first // step * step, -(-(grid.first + grid.columns) // step) * step
    laid = _Laid.over(scene, replace(grid, first=begin, columns=end - begin))
    for first in range(begin, end, step):
        part = laid.cut(slice(first - begin, first - begin + step))
        part_pixels, part_hidden, part_source = _filled(part, replace(grid, first=first, columns=step), later)
        start, stop = max(first, grid.first), min(first + step, grid.first + grid.columns)
        here, there = slice(start - grid.first, stop - grid.first), slice(start - first, stop - first)
        pixels[:, :, here] = part_pixels[:, :, there]
        hidden[:, here] = part_hidden[:, there]
        source[:, here] = part_source[:, there]
    return pixels, hidden, source


def _filled(laid: _Laid, grid: RoadGrid, later: Later) -> tuple[Pixels, npt.NDArray[np.uint8], npt.NDArray[np.int16]]:
    """Return one window's columns, from the best image that shows each pixel."""
    roles = laid.scene.roles
    near = _near(laid.scene, laid.ends)
    pixels = np.zeros((len(roles), *grid.shape), np.float32)
    hidden = np.full(grid.shape, Hidden.OUTSIDE, np.uint8)
    source = np.full(grid.shape, -1, np.int16)
    seen: dict[int, _Seen] = {}
    # At its very edge an image has no neighbours to interpolate with; where tiles overlap, the next one does.
    for edge in (_KERNEL_PX, -0.5) if len(near) > 1 else (-0.5,):
        for number in near:
            if number not in seen:
                seen[number] = laid.seen(number, grid.rows)
            wanted = (source < 0) & seen[number].within(edge)
            if not wanted.any():
                continue
            values, valid = _remap(seen[number], roles, grid, later)
            hidden[wanted & (hidden == Hidden.OUTSIDE)] = Hidden.NODATA
            if seen[number].image.veiled:
                masked = _MASKED[seen[number].why_hidden()]
                hidden[wanted & (masked > 0)] = masked[wanted & (masked > 0)]
            take = wanted & valid
            if take.all():
                hidden[:], source[:] = Hidden.SEEN, number
                return values, hidden, source
            pixels[:, take] = values[:, take]
            hidden[take] = Hidden.SEEN
            source[take] = number
            if not (source < 0).any():
                return pixels, hidden, source
    return pixels, hidden, source


def _near(scene: Scene, ends: tuple[Array, Array]) -> tuple[int, ...]:
    """Return the numbers of the images that may show a strip: of a folder of tiles only a few do."""
    if len(scene.images) == 1:
        return (0,)
    lonlat = np.concatenate(ends)
    return scene.near(*lonlat.min(axis=0), *lonlat.max(axis=0))


@dataclass(frozen=True, eq=False)
class _Laid:
    """Where some columns of a strip lie on the ground and in the images, worked out for many windows at once.

    Parameters
    ----------
    scene : Scene
    ends : tuple of array, shape (columns, 2)
        Longitude and latitude of the strip's first and last row.
    whole : _Laid or None
        The columns that these are cut from, and which of them these are.
    pixels : dict
        Their columns and rows in the images asked for so far, by number, as in `_Seen`.
    """

    scene: Scene
    ends: tuple[Array, Array]
    whole: tuple[_Laid, slice] | None = None
    pixels: dict[int, tuple[Array, Array]] = field(default_factory=dict)

    @classmethod
    def over(cls, scene: Scene, grid: RoadGrid) -> _Laid:
        """Lay out a grid."""
        return cls(scene, grid.edges())

    def cut(self, columns: slice) -> _Laid:
        """Return some of the columns."""
        top, bottom = self.ends
        return _Laid(self.scene, (top[columns], bottom[columns]), (self, columns))

    def seen(self, number: int, rows: int) -> _Seen:
        """Tell where they lie in an image."""
        if self.whole is None:
            if number not in self.pixels:
                self.pixels[number] = _pixels_of(self.scene.images[number], self.ends)
            return _Seen(self.scene.images[number], rows, *self.pixels[number])
        whole, columns = self.whole
        seen = whole.seen(number, rows)
        return _Seen(seen.image, rows, seen.x[:, columns], seen.y[:, columns])


def _pixels_of(image: Image, ends: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return column and row in an image of a strip's first and last row, shape (2, columns) each."""
    top, bottom = ends
    x, y = image.to_pixel(np.concatenate([top[:, 0], bottom[:, 0]]), np.concatenate([top[:, 1], bottom[:, 1]]))
    return x.reshape(2, -1), y.reshape(2, -1)


@dataclass(frozen=True, eq=False)
class _Seen:
    """Where the pixels of a strip lie in an image: everything between its first and last row follows linearly.

    Parameters
    ----------
    image : Image
    rows : int
        Of the strip.
    x, y : array, shape (2, columns)
        Image column and row of the strip's first and last row; centres of image pixels are whole numbers.
    """

    image: Image
    rows: int
    x: Array
    y: Array

    def within(self, edge_px: float) -> npt.NDArray[np.bool_]:
        """Tell which pixels lie in the image, this far from the centres of its outermost pixels."""
        columns = self.x.shape[1]
        low, high = edge_px, (self.image.width - 1 - edge_px, self.image.height - 1 - edge_px)
        if all(low < each.min() and each.max() < most for each, most in zip((self.x, self.y), high, strict=True)):
            return np.ones((self.rows, columns), np.bool_)
        share = np.linspace(0.0, 1.0, self.rows)[:, None]
        x, y = _between(self.x, share), _between(self.y, share)
        inside: npt.NDArray[np.bool_] = (x > low) & (x < high[0]) & (y > low) & (y < high[1])
        return inside

    def why_hidden(self) -> npt.NDArray[np.uint8]:
        """Return why masks beside the image hide each pixel, 0 where they do not."""
        share = np.linspace(0.0, 1.0, self.rows)[:, None]
        return self.image.why_hidden(_between(self.x, share), _between(self.y, share))

    def near(self, grid: RoadGrid, later: Later) -> tuple[Array, Array]:
        """Return places in the image around which the strip, and a later one, need its pixels."""
        beyond = max(0.0, later.half_width_m / grid.half_width_m - 1) / 2
        across_px = grid.rows * grid.pixel_m / self.image.pixel_m
        count = 2 + math.ceil((1 + 2 * beyond) * across_px / _NEAR_PX)
        share = np.linspace(-beyond, 1 + beyond, count)[:, None]
        step = max(1, math.floor(_NEAR_PX * self.image.pixel_m / grid.pixel_m))
        columns = np.minimum(np.arange(0, grid.columns - 1 + step, step), grid.columns - 1)
        return _between(self.x[:, columns], share).ravel(), _between(self.y[:, columns], share).ravel()


def _between(ends: npt.NDArray[Float], share: npt.NDArray[Float]) -> npt.NDArray[Float]:
    """Return what lies between two rows, shape (shares, columns)."""
    between: npt.NDArray[Float] = ends[0] + share * (ends[1] - ends[0])
    return between


def _remap(seen: _Seen, roles: tuple[str, ...], grid: RoadGrid, later: Later) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """Read the box around some pixels and lay it flat."""
    image = seen.image
    factor = grid.pixel_m / image.pixel_m
    # Where so many pixels of the image make one of the strip, windows are cut between those: then all windows have the
    # same means, and they are taken in a third of the time.
    whole = round(factor) if factor >= _DECIMATE and abs(factor - round(factor)) < _WHOLE else 1
    left, right = _bounds(seen.x, image.width, whole)
    upper, lower = _bounds(seen.y, image.height, whole)
    width, height = right - left, lower - upper
    shape = None
    if factor >= _DECIMATE:
        by = whole if whole > 1 and not (height % whole or width % whole) else factor
        shape = (max(1, round(height / by)), max(1, round(width / by)))
    values, valid = image.read(
        left,
        upper,
        width,
        height,
        roles=roles,
        shape=shape,
        near=seen.near(grid, later),
        overview=_overview(image, grid, later),
    )
    scale_y, scale_x = values.shape[1] / height, values.shape[2] / width
    share = np.linspace(0.0, 1.0, grid.rows, dtype=np.float32)[:, None]
    x = _between(((seen.x - left + 0.5) * scale_x - 0.5).astype(np.float32), share)
    y = _between(((seen.y - upper + 0.5) * scale_y - 0.5).astype(np.float32), share)
    together = np.asarray(
        cv2.remap(cv2.merge(list(values)), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
    flat: Pixels = np.moveaxis(together.reshape(*grid.shape, -1), -1, 0)
    if valid.all():
        return flat, np.ones(grid.shape, bool)
    clear = cv2.remap(valid.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return flat, clear > 0.99


def _overview(image: Image, grid: RoadGrid, later: Later) -> int:
    """Return the overview of an image that both looks start from."""
    finest = min(later.pixel_m, grid.pixel_m) / image.pixel_m
    return image.overview_for(finest) if finest >= _DECIMATE else 1


def _fetch(scene: Scene, grid: RoadGrid, later: Later) -> None:
    """Let images that lie elsewhere be fetched for all windows at once, each place from the best one there."""
    if not any(image.remote for image in scene.images):
        return
    ends = grid.edges()
    left: npt.NDArray[np.bool_] | None = None
    for number in _near(scene, ends):
        image = scene.images[number]
        x, y = _Seen(image, grid.rows, *_pixels_of(image, ends)).near(grid, later)
        inside = (x > -0.5) & (x < image.width - 0.5) & (y > -0.5) & (y < image.height - 0.5)
        if left is not None:
            inside &= left
        if inside.any():
            image.fetch(scene.roles, (x[inside], y[inside]), overview=_overview(image, grid, later))
        left = ~inside if left is None else left & ~inside


def _bounds(coordinates: npt.NDArray[np.float64], size: int, whole: int) -> tuple[int, int]:
    """Return the first pixel and the one after the last that are needed, multiples of a number within the image."""
    low = (int(np.floor(coordinates.min())) - _MARGIN_PX) // whole * whole
    high = -(-(int(np.ceil(coordinates.max())) + _MARGIN_PX + 1) // whole) * whole
    low = min(max(low, 0), size - 1)
    return low, max(min(high, size), low + 1)
