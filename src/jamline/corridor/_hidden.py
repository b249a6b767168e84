"""What hides a road that is inside the imagery: cloud above it, or shadow too deep to see into."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from jamline.corridor._grid import RoadGrid
from jamline.corridor._section import Hidden

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]

_BLOCK_M = 12.0
"""Clouds and valley shadows are far larger; vehicles and their own shadows smaller."""

_SHADOW_SHARE = 0.25
"""Open shade is lit by the sky with about a sixth of full daylight in blue and less in red; below a quarter
of the road's usual brightness a car differs from the road by no more than the noise."""

_SHADOW_CONTRAST = 0.035
"""If more than this varies across a block, in stretched brightness, something can be told apart in it."""

_CLOUD_SHARE = 1.7
_CLOUD_CONTRAST = 0.10
_CLOUD_TINT = 0.08
"""Cloud is bright, flat and without colour over the corridor's whole width; concrete is not as wide."""


@dataclass(frozen=True, slots=True)
class Surface:
    """What the carriageway looks like: its usual brightness and spread along a row, stretched units."""

    brightness: float
    texture: float


def surface_of(brightness: Pixels, texture: Pixels, on_road: npt.NDArray[np.bool_]) -> Surface:
    """Describe the carriageway.

    Parameters
    ----------
    brightness, texture : array, shape (chunks, rows)
    on_road : array of bool, shape (chunks, rows)
    """
    if not on_road.any():
        return Surface(0.4, 0.02)
    return Surface(float(np.median(brightness[on_road])), float(np.median(texture[on_road])))


def look_through(
    pixels: Pixels, hidden: npt.NDArray[np.uint8], grid: RoadGrid, surface: Surface, carriageway_m: float
) -> npt.NDArray[np.uint8]:
    """Mark cloud and deep shadow in a strip.

    Parameters
    ----------
    pixels : array, shape (bands, rows, columns)
        Stretched.
    hidden : array of uint8, shape (rows, columns)
        `Hidden` codes so far.
    grid : RoadGrid
        Of the strip.
    surface : Surface
        The carriageway as it usually looks.
    carriageway_m : float
        Its width.

    Returns
    -------
    array of uint8, shape (rows, columns)
    """
    size = max(3, round(_BLOCK_M / grid.pixel_m))
    brightness = pixels[:3].mean(axis=0)
    shown = hidden == Hidden.SEEN
    every = bool(shown.all())
    seen = shown.astype(np.float32)

    def box(values: Pixels) -> Pixels:
        return np.asarray(cv2.boxFilter(values, -1, (size, size), borderType=cv2.BORDER_REFLECT), np.float32)

    share: Pixels | None = None if every else np.maximum(box(seen), np.float32(1e-3))

    def local(values: Pixels) -> Pixels:
        return box(values) if share is None else np.divide(box(values * seen), share, dtype=np.float32)

    # Noise is averaged away first: contrast is what still varies at the size of half a car.
    fine = np.asarray(cv2.blur(brightness, (max(1, round(1.5 / grid.pixel_m)),) * 2), np.float32)
    mean = local(fine)
    dark = mean < _SHADOW_SHARE * surface.brightness
    bright = mean > max(_CLOUD_SHARE * surface.brightness, 0.7)
    marked = hidden.copy()
    # Most of a road is neither, and nothing more need be known of it.
    if not (dark.any() or bright.any()):
        return marked
    contrast = np.sqrt(np.maximum(local(fine**2) - mean**2, 0.0))
    marked[dark & (contrast < _SHADOW_CONTRAST) & shown] = Hidden.SHADOW
    tint: Pixels = np.zeros_like(mean)
    if len(pixels) >= 3 and bright.any():
        colour = local(pixels[:3].max(axis=0) - pixels[:3].min(axis=0))
        tint = np.divide(colour, np.maximum(mean, 0.05), dtype=np.float32)
    white = bright & (contrast < _CLOUD_CONTRAST) & (tint < _CLOUD_TINT)
    # The whole width must be white: a pale field beside the road is no cloud over it.
    whole = white.mean(axis=0) > 0.8
    marked[white & whole[None, :] & shown] = Hidden.CLOUD
    return marked
