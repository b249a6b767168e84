"""Points along a line: an even step apart, corners rounded, and what lies between them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from pyproj import Geod
from scipy import ndimage

Array = npt.NDArray[np.float64]

_GEOD = Geod(ellps="WGS84")

STEP_M = 1.0
"""Spacing of the curve's points; below it the curve is straight."""

_SMOOTHING_M = 4.0
"""Standard deviation of the smoothing. A vertex turning by 30 degrees becomes an arc of about 20 m radius."""


def resampled(vertices: Array) -> Array:
    """Put points on a line about `STEP_M` apart, the same distance from each to the next."""
    steps = _GEOD.inv(vertices[:-1, 0], vertices[:-1, 1], vertices[1:, 0], vertices[1:, 1])[2]
    along = np.concatenate([[0.0], np.cumsum(steps)])
    count = max(3, round(along[-1] / STEP_M) + 1)
    return interpolated(np.linspace(0.0, along[-1], count), along, vertices)


def smoothed(points: Array) -> Array:
    """Round the corners, so that normals turn instead of tearing; both ends stay where they are."""
    sigma = min(_SMOOTHING_M / STEP_M, (len(points) - 1) / 8)
    pad = min(len(points) - 1, math.ceil(4 * sigma))
    before = 2 * points[0] - points[pad:0:-1]
    after = 2 * points[-1] - points[-2 : -pad - 2 : -1]
    padded = np.vstack([before, points, after])
    smooth: Array = ndimage.gaussian_filter1d(padded, sigma, axis=0)[pad : pad + len(points)]
    return smooth


def interpolated(x: Array, xp: Array, fp: Array) -> Array:
    """Interpolate every column of ``fp``, shape (n, k), at ``x``, shape (m,)."""
    if len(x):
        # What lies between is all that tells; on a road of 500 km the rest would be copied for each metre asked for.
        low = max(0, int(np.searchsorted(xp, x.min(), side="right")) - 1)
        high = int(np.searchsorted(xp, x.max(), side="left")) + 1
        xp, fp = xp[low:high], fp[low:high]
    return np.column_stack([np.interp(x, xp, fp[:, k]) for k in range(fp.shape[1])])
