"""Pixels of a strip: windows read along the road, each place from one image, laid flat by `cv2.remap`."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from jamline.corridor._grid import RoadGrid
from jamline.corridor._section import Hidden
from jamline.imagery import Image, Scene

Pixels = npt.NDArray[np.float32]

_WINDOW_M = 120.0
"""Road per window. A slanting stretch's box grows with its square, and 120 m at 0.5 m is half a block."""

_MARGIN_PX = 3
"""What cubic interpolation needs around a window."""

_KERNEL_PX = 2.0
"""Reach of cubic interpolation to each side."""

_DECIMATE = 1.5
"""From this ratio of strip pixel to image pixel on, the image is averaged down first, or it would alias."""


def read_strip(scene: Scene, grid: RoadGrid) -> tuple[Pixels, npt.NDArray[np.uint8], npt.NDArray[np.int16]]:
    """Read a strip as the images have it.

    Parameters
    ----------
    scene : Scene
        Images, the best first.
    grid : RoadGrid
        Pixels asked for.

    Returns
    -------
    pixels : array, shape (bands, rows, columns)
        Values as in the files.
    hidden : array of uint8, shape (rows, columns)
        ``Hidden.SEEN``, ``OUTSIDE`` or ``NODATA``.
    source : array of int16, shape (rows, columns)
        Number of the image that each pixel came from, -1 for none.
    """
    pixels = np.zeros((len(scene.roles), *grid.shape), np.float32)
    hidden = np.full(grid.shape, Hidden.OUTSIDE, np.uint8)
    source = np.full(grid.shape, -1, np.int16)
    step = max(16, round(_WINDOW_M / grid.pixel_m))
    for first in range(grid.first // step * step, grid.first + grid.columns, step):
        # Windows begin at the same stations whatever the cut, so that every cut has the same pixels.
        window = replace(grid, first=first, columns=step)
        part_pixels = np.zeros((len(scene.roles), *window.shape), np.float32)
        part_hidden = np.full(window.shape, Hidden.OUTSIDE, np.uint8)
        part_source = np.full(window.shape, -1, np.int16)
        _fill(scene, window, part_pixels, part_hidden, part_source)
        wanted = grid.cut(first, first + step)
        here = slice(wanted.first - grid.first, wanted.first - grid.first + wanted.columns)
        there = slice(wanted.first - first, wanted.first - first + wanted.columns)
        pixels[:, :, here] = part_pixels[:, :, there]
        hidden[:, here] = part_hidden[:, there]
        source[:, here] = part_source[:, there]
    return pixels, hidden, source


def _fill(
    scene: Scene,
    grid: RoadGrid,
    pixels: Pixels,
    hidden: npt.NDArray[np.uint8],
    source: npt.NDArray[np.int16],
) -> None:
    """Fill one window's columns in place, from the best image that shows each pixel."""
    top, bottom = grid.edges()
    maps: dict[int, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]] = {}
    # At its very edge an image has no neighbours to interpolate with; where tiles overlap, the next one does.
    for edge in (_KERNEL_PX, -0.5) if len(scene.images) > 1 else (-0.5,):
        for number, image in enumerate(scene.images):
            if not (source < 0).any():
                return
            if number not in maps:
                maps[number] = _maps(image, grid, top, bottom)
            map_x, map_y = maps[number]
            wanted = (source < 0) & _within(image, map_x, map_y, edge)
            if not wanted.any():
                continue
            values, valid = _remap(image, scene.roles, grid, map_x, map_y)
            hidden[wanted] = Hidden.NODATA
            take = wanted & valid
            pixels[:, take] = values[:, take]
            hidden[take] = Hidden.SEEN
            source[take] = number


def _within(
    image: Image, map_x: npt.NDArray[np.float64], map_y: npt.NDArray[np.float64], edge_px: float
) -> npt.NDArray[np.bool_]:
    """Tell which pixels lie in an image, this far from the centres of its outermost pixels."""
    inside: npt.NDArray[np.bool_] = (
        (map_x > edge_px)
        & (map_x < image.width - 1 - edge_px)
        & (map_y > edge_px)
        & (map_y < image.height - 1 - edge_px)
    )
    return inside


def _maps(
    image: Image, grid: RoadGrid, top: npt.NDArray[np.float64], bottom: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return image column and row of every strip pixel; centres of image pixels are whole numbers."""
    x, y = image.to_pixel(np.concatenate([top[:, 0], bottom[:, 0]]), np.concatenate([top[:, 1], bottom[:, 1]]))
    share = np.linspace(0.0, 1.0, grid.rows)[:, None]
    n = grid.columns
    return x[:n] + share * (x[n:] - x[:n]), y[:n] + share * (y[n:] - y[:n])


def _remap(
    image: Image,
    roles: tuple[str, ...],
    grid: RoadGrid,
    map_x: npt.NDArray[np.float64],
    map_y: npt.NDArray[np.float64],
) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """Read the box around some pixels and lay it flat."""
    left, right = _bounds(map_x, image.width)
    upper, lower = _bounds(map_y, image.height)
    width, height = right - left, lower - upper
    factor = grid.pixel_m / image.pixel_m
    shape = None
    if factor >= _DECIMATE:
        shape = (max(1, round(height / factor)), max(1, round(width / factor)))
    values, valid = image.read(left, upper, width, height, roles=roles, shape=shape)
    scale_y, scale_x = values.shape[1] / height, values.shape[2] / width
    x = ((map_x - left + 0.5) * scale_x - 0.5).astype(np.float32)
    y = ((map_y - upper + 0.5) * scale_y - 0.5).astype(np.float32)
    flat: Pixels = cv2.remap(  # type: ignore[assignment]
        np.ascontiguousarray(np.moveaxis(values, 0, -1)),
        x,
        y,
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    flat = flat[None] if flat.ndim == 2 else np.moveaxis(flat, -1, 0)
    if valid.all():
        return flat, np.ones(grid.shape, bool)
    share = cv2.remap(valid.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return flat, share > 0.99


def _bounds(coordinates: npt.NDArray[np.float64], size: int) -> tuple[int, int]:
    """Return the first pixel and the one after the last that are needed, within the image."""
    low = int(np.floor(coordinates.min())) - _MARGIN_PX
    high = int(np.ceil(coordinates.max())) + _MARGIN_PX + 1
    low = min(max(low, 0), size - 1)
    return low, max(min(high, size), low + 1)
