"""Which of a long curve's points are nearest to places along it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import spatial

from jamline.road._ellipsoid import metres_per_degree

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

_PLACES, _NEAR_M = 1024, 200.0
"""Places whose nearest points are looked for at once, first among the points that lie so near to their box."""


def nearest(lonlat: Array, place: Array, *, within: Callable[[float, float, float, float], Numbers]) -> Numbers:
    """Return the number of the point that is nearest to each place, shape (n,).

    Places that lie one behind another are near to a small part of a long curve, and only that part is searched; if
    what is found there is too far away to be sure of, the whole curve is.

    Parameters
    ----------
    lonlat : array, shape (k, 2)
        The curve's points, degrees.
    place : array, shape (n, 2)
        Degrees, counted like the points.
    within : callable
        Returns the numbers of the points within a box: west, south, east, north.
    """
    middle = metres_per_degree(lonlat[:, 1].mean())[0]
    reach = _NEAR_M / middle
    found = np.empty(len(place), np.intp)
    whole: spatial.cKDTree | None = None
    for first in range(0, len(place), _PLACES):
        here = slice(first, first + _PLACES)
        asked = (place[here] - lonlat[0]) * middle
        near = within(*(place[here].min(axis=0) - reach), *(place[here].max(axis=0) + reach))
        if len(near):
            distance, number = spatial.cKDTree((lonlat[near] - lonlat[0]) * middle).query(asked)
            if (distance < _NEAR_M).all():
                found[here] = near[number]
                continue
        if whole is None:
            whole = spatial.cKDTree((lonlat - lonlat[0]) * middle)
        found[here] = whole.query(asked)[1]
    return found
