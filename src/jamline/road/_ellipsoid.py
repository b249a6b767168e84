"""The ellipsoid at a place: what a degree is worth there in metres, and the zone of a map in metres."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pyproj import Geod

Array = npt.NDArray[np.float64]

_WGS84 = Geod(ellps="WGS84")
_A_M = _WGS84.a
_E2 = _WGS84.es


def metres_per_degree(lat_deg: npt.ArrayLike) -> Array:
    """Return the metres that one degree east and one degree north span on WGS 84.

    Parameters
    ----------
    lat_deg : array, shape (n,)
        Geodetic latitude.

    Returns
    -------
    array, shape (n, 2)
        East, north; from the radii of curvature of the prime vertical and the meridian.

    Examples
    --------
    >>> metres_per_degree([0.0]).round(0)
    array([[111319., 110574.]])
    """
    phi = np.radians(np.atleast_1d(np.asarray(lat_deg, dtype=float)))
    w2 = 1.0 - _E2 * np.sin(phi) ** 2
    east = _A_M / np.sqrt(w2) * np.cos(phi)
    north = _A_M * (1.0 - _E2) / w2**1.5
    spans: Array = np.radians(np.column_stack([east, north]))
    return spans


def utm_of(lon: float, lat: float) -> int:
    """Return the EPSG code of the UTM zone of a place, in degrees on WGS 84.

    Examples
    --------
    >>> utm_of(44.6, 42.8), utm_of(-70.0, -33.0), utm_of(180.0, 5.0)
    (32638, 32719, 32601)
    """
    zone = int((lon + 180.0) // 6.0) % 60 + 1
    return (32600 if lat >= 0 else 32700) + zone
