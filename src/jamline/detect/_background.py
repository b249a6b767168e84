"""What the road would look like without vehicles."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

Pixels = npt.NDArray[np.float32]

_ALONG_M = 5.0
_REACH_M = 30.0
"""Surface within which the commonest brightness is the road's: longer than a lorry, shorter than a pavement's."""

_WIDE_M = 100.0
_PEAK_BINS = 2.5

_ACROSS_M = 0.8
"""Rows that share a background: a lane is alike along itself, less so across wheel tracks and edge lines."""

_SHADE_M = 25.0
_SHADED, _DARKEST = 1.7, 8.0
"""Shade that counts: from a little under two thirds of the usual light down to an eighth, less than which is noise."""

_BINS = 96
_LOW, _HIGH = -0.2, 2.0


def road_background(
    band: Pixels, seen: npt.NDArray[np.bool_], on_road: npt.NDArray[np.bool_], *, pixel_m: float, leash: float
) -> tuple[Pixels, Pixels]:
    """Return the local road brightness and its noise.

    The mode, not the median: in a jam most of a lane is covered by vehicles, but they differ among themselves
    while the asphalt between them is alike.

    Parameters
    ----------
    band : array, shape (rows, columns)
        Stretched brightness.
    seen : array of bool, shape (rows, columns)
        Pixels that count.
    on_road : array of bool, shape (rows,)
        Rows of the carriageway.
    pixel_m : float
        Size of a pixel.
    leash : float
        How far the background of a row of the carriageway may lie from that of the whole carriageway around. A row
        of black cars is alike too, but it is not like the other rows.

    Returns
    -------
    level, noise : array, shape (rows, columns)
        Commonest brightness around each pixel, and the standard deviation of the pixels that make it up.
    """
    rows, columns = band.shape
    block = max(2, round(_ALONG_M / pixel_m))
    blocks = -(-columns // block)
    index = np.clip(((band - _LOW) / (_HIGH - _LOW) * _BINS).astype(np.int64), 0, _BINS - 1)
    cell = (np.arange(rows)[:, None] * blocks + np.arange(columns)[None, :] // block) * _BINS + index
    counts = np.bincount(cell[seen], minlength=rows * blocks * _BINS).astype(np.float32)
    counts = counts.reshape(rows, blocks, _BINS)
    along = 2 * max(1, round(_REACH_M / _ALONG_M)) + 1
    across = 2 * max(1, round(_ACROSS_M / pixel_m)) + 1
    # Channels of one picture: box sums over rows and blocks for every bin at once.
    summed = cv2.boxFilter(counts, -1, (along, across), normalize=False, borderType=cv2.BORDER_REFLECT)
    wide = 2 * max(1, round(_WIDE_M / _ALONG_M)) + 1
    around = np.asarray(cv2.blur(counts[on_road].sum(axis=0), (1, wide), borderType=cv2.BORDER_REFLECT), np.float32)
    usual = _blurred(np.asarray(around, np.float32)).argmax(axis=1)
    far = np.abs(np.arange(_BINS)[None, :] - usual[:, None]) > leash / (_HIGH - _LOW) * _BINS
    smooth = _blurred(np.asarray(summed, np.float32).reshape(-1, _BINS)).reshape(summed.shape)
    peak = np.where(far[None] & on_road[:, None, None], -1.0, smooth).argmax(axis=2)
    offsets = np.arange(-3, 4)
    near = np.clip(peak[..., None] + offsets, 0, _BINS - 1)
    weight = np.take_along_axis(summed, near, axis=2)
    total = np.maximum(weight.sum(axis=2), 1e-6)
    middle = (near + 0.5) / _BINS * (_HIGH - _LOW) + _LOW
    level = (weight * middle).sum(axis=2) / total
    spread = np.sqrt((weight * (middle - level[..., None]) ** 2).sum(axis=2) / total)
    size = (columns, rows)
    levels = _stretched(level.astype(np.float32), size, block)
    noise = _stretched(spread.astype(np.float32), size, block)
    return levels, np.maximum(noise, max(0.008, _grain(band[on_road])))


def _grain(band: Pixels) -> float:
    """Return the noise from pixel to pixel: the peak of a histogram is no wider for it, but all of it is noise."""
    steps = np.abs(np.diff(band, axis=1))
    return float(np.median(steps)) / (0.6745 * np.sqrt(2.0)) if steps.size else 0.0


def relit(brightness: Pixels, on_road: npt.NDArray[np.bool_], *, pixel_m: float) -> Pixels:
    """Return brightness as if the whole road lay in the same light.

    Where a slope or a building shades the road over a good length, everything in it is darker by one factor; a
    tree's shadow is too short, and vehicles do not cover all lanes.

    Parameters
    ----------
    brightness : array, shape (rows, columns)
    on_road : array of bool, shape (rows,)
    pixel_m : float
    """
    column = np.median(brightness[on_road], axis=0)
    ambient = ndimage.median_filter(column, size=max(3, round(_SHADE_M / pixel_m)), mode="nearest")
    usual = float(np.percentile(ambient, 75))
    factor = np.clip(usual / np.maximum(ambient, 1e-3), 1.0, _DARKEST)
    factor = np.where(factor > _SHADED, factor, 1.0).astype(np.float32)
    even: Pixels = brightness * factor
    return even


def _blurred(counts: Pixels) -> Pixels:
    """Smooth histograms, shape (n, bins): paint that is black is all of one bin, asphalt never is."""
    return np.asarray(
        cv2.GaussianBlur(counts, (0, 0), sigmaX=_PEAK_BINS, sigmaY=0.01, borderType=cv2.BORDER_REPLICATE), np.float32
    )


def _stretched(coarse: Pixels, size: tuple[int, int], block: int) -> Pixels:
    """Interpolate blocks along the road to columns."""
    columns = (np.arange(size[0], dtype=np.float32) + 0.5) / block - 0.5
    map_x = np.broadcast_to(columns, (size[1], size[0])).astype(np.float32)
    map_y = np.broadcast_to(np.arange(size[1], dtype=np.float32)[:, None], (size[1], size[0])).copy()
    return np.asarray(
        cv2.remap(coarse, map_x.copy(), map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
