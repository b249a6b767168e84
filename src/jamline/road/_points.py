"""Points along a line: an even step apart, corners rounded, and what lies between them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from pyproj import Geod
from scipy import ndimage

from jamline.road._ellipsoid import metres_per_degree

Array = npt.NDArray[np.float64]

_GEOD = Geod(ellps="WGS84")

STEP_M = 1.0
"""Spacing of the curve's points; below it the curve is straight."""

_SMOOTHING_M = 4.0
"""Standard deviation of the smoothing. A vertex turning by 30 degrees becomes an arc of about 20 m radius."""

_NEAR_DEG = 2e-4
"""Points of a curve are nearer to each other than this, 20 m at most; vertices that someone drew may not be."""

BLOCK = 16_384
"""Points that are worked on at once: each step on a road of 500 km would else take room for all of them."""


def blocks(count: int) -> Iterator[slice]:
    """Return the slices in which so many points are worked on."""
    return (slice(first, min(first + BLOCK, count)) for first in range(0, count, BLOCK))


def stations(points: Array) -> Array:
    """Return the geodesic metres from the first point to each, shape (n,)."""
    along = np.zeros(len(points))
    for here in blocks(len(points) - 1):
        along[here.start + 1 : here.stop + 1] = _apart_m(points[here], points[here.start + 1 : here.stop + 1])
    return np.cumsum(along, out=along)


def _apart_m(a: Array, b: Array) -> Array:
    """Return how far points are from others, geodesic metres, shape (n,)."""
    step = b - a
    if np.abs(step).max(initial=0.0) > _NEAR_DEG:
        geodesic: Array = _GEOD.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2]
        return geodesic
    # So near to each other the plane that touches the ellipsoid between them is exact to a nanometre.
    apart: Array = np.hypot(*(step * metres_per_degree(a[:, 1] + step[:, 1] / 2)).T)
    return apart


def resampled(vertices: Array) -> Array:
    """Put points on a line about `STEP_M` apart, the same distance from each to the next."""
    along = stations(vertices)
    count = max(3, round(along[-1] / STEP_M) + 1)
    station = np.linspace(0.0, along[-1], count)
    points = np.empty((count, 2))
    for here in blocks(count):
        points[here] = interpolated(station[here], along, vertices)
    return points


def smoothed(points: Array) -> Array:
    """Round the corners, so that normals turn instead of tearing; both ends stay where they are."""
    count = len(points)
    sigma = min(_SMOOTHING_M / STEP_M, (count - 1) / 8)
    pad = min(count - 1, math.ceil(4 * sigma))
    smooth = np.empty_like(points)
    for here in blocks(count):
        first, stop = max(0, here.start - pad), min(count, here.stop + pad)
        parts = [points[first:stop]]
        if here.start < pad:
            parts.insert(0, 2 * points[0] - points[pad - here.start : 0 : -1])
        if here.stop + pad > count:
            parts.append(2 * points[-1] - points[-2 : count - here.stop - pad - 2 : -1])
        smooth[here] = ndimage.gaussian_filter1d(np.vstack(parts), sigma, axis=0)[pad : pad + here.stop - here.start]
    return smooth


def interpolated(x: Array, xp: Array, fp: Array) -> Array:
    """Interpolate every column of ``fp``, shape (n, k), at ``x``, shape (m,)."""
    # What lies between is all that tells; on a road of 500 km the rest would be copied for each metre asked for.
    near = between(x, xp)
    return columns_at(x, xp[near], fp[near])


def between(x: Array, xp: Array) -> slice:
    """Return which of ``xp``, in order, tell what lies at ``x``; one of them where nothing is asked for."""
    if not len(x):
        return slice(0, 1)
    low = max(0, int(xp.searchsorted(x.min(), side="right")) - 1)
    return slice(low, min(len(xp), int(xp.searchsorted(x.max(), side="left")) + 1))


def columns_at(x: Array, xp: Array, fp: Array) -> Array:
    """Interpolate every column of ``fp``, shape (n, k), at ``x``, shape (m,), where there are not many more ``xp``."""
    columns = np.empty((len(x), fp.shape[1]))
    for k in range(fp.shape[1]):
        columns[:, k] = np.interp(x, xp, fp[:, k])
    return columns
