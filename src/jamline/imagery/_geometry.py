"""Where the pixels of an image lie on the ground."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Geod, Transformer
from pyproj.enums import TransformDirection

Array = npt.NDArray[np.float64]

_GEOD = Geod(ellps="WGS84")
_EDGE_POINTS = 21
"""Points per edge of a footprint: an image 16 km wide then strays from its polygon by millimetres."""

_REACH_PX = 8.0
"""Pixels to each side over which the size of one is measured: well above rounding, well below distortion."""


def to_pixel(
    crs: CRS, transform: Any, width: int, lon: npt.ArrayLike, lat: npt.ArrayLike, *, wkt: str | None = None
) -> tuple[Array, Array]:
    """Turn longitude and latitude into columns and rows, centre of the first pixel (0, 0).

    ``wkt`` is the CRS written out, where that is at hand: it takes as long as a few hundred places.
    """
    x, y = _transformer(wkt or crs.to_wkt()).transform(np.asarray(lon, float), np.asarray(lat, float))
    x, y = np.asarray(x, float), np.asarray(y, float)
    if crs.is_geographic:
        # A raster from 0 to 360 degrees, or across the antimeridian, and a road given from -180 to 180.
        turn = 2.0 * np.pi / crs.axis_info[0].unit_conversion_factor
        middle = transform.a * width / 2 + transform.c
        x = np.where(np.abs(x - middle) > turn / 2, (x - middle + turn / 2) % turn + middle - turn / 2, x)
    finite = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(finite, x, np.nan), np.where(finite, y, np.nan)
    inverse = ~transform
    return (
        inverse.a * x + inverse.b * y + inverse.c - 0.5,
        inverse.d * x + inverse.e * y + inverse.f - 0.5,
    )


def to_lonlat(crs: CRS, transform: Any, col: npt.ArrayLike, row: npt.ArrayLike) -> tuple[Array, Array]:
    """Turn columns and rows, centre of the first pixel (0, 0), into longitude and latitude."""
    c, r = np.asarray(col, float) + 0.5, np.asarray(row, float) + 0.5
    x = transform.a * c + transform.b * r + transform.c
    y = transform.d * c + transform.e * r + transform.f
    lon, lat = _transformer(crs.to_wkt()).transform(x, y, direction=TransformDirection.INVERSE)
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    finite = np.isfinite(lon) & np.isfinite(lat)
    lon, lat = np.where(finite, lon, np.nan), np.where(finite, lat, np.nan)
    return np.where(np.abs(lon) > 180.0, (lon + 180.0) % 360.0 - 180.0, lon), lat


def ground_size_m(crs: CRS, transform: Any, width: int, height: int) -> tuple[float, float]:
    """Measure a pixel on the ground at the centre of an image.

    Returns
    -------
    pixel_m : float
        Side of a square as large as the pixel, metres.
    longer_m : float
        The longer of its two sides, metres.
    """
    col, row = (width - 1) / 2, (height - 1) / 2
    lon, lat = to_lonlat(
        crs,
        transform,
        col + _REACH_PX * np.array([-1.0, 1.0, 0.0, 0.0]),
        row + _REACH_PX * np.array([0.0, 0.0, -1.0, 1.0]),
    )
    azimuth, _, distance = _GEOD.inv(lon[[0, 2]], lat[[0, 2]], lon[[1, 3]], lat[[1, 3]])
    sides_m = np.asarray(distance) / (2 * _REACH_PX)
    across = np.sin(np.radians(azimuth[1] - azimuth[0]))
    return float(np.sqrt(sides_m[0] * sides_m[1] * abs(across))), float(sides_m.max())


def footprint(crs: CRS, transform: Any, width: int, height: int) -> shapely.Polygon:
    """Return the outline of an image in longitude and latitude.

    Longitudes follow the image's centre, and so go beyond 180 across the antimeridian.
    """
    step = np.linspace(0.0, 1.0, _EDGE_POINTS)[:-1]
    still = np.zeros_like(step)
    col = np.concatenate([step, still + 1, 1 - step, still]) * width - 0.5
    row = np.concatenate([still, step, still + 1, 1 - step]) * height - 0.5
    lon, lat = to_lonlat(crs, transform, col, row)
    middle = to_lonlat(crs, transform, [(width - 1) / 2], [(height - 1) / 2])[0]
    lon = (lon - middle + 180.0) % 360.0 - 180.0 + middle
    finite = np.isfinite(lon)
    return shapely.orient_polygons(shapely.Polygon(np.column_stack([lon[finite], lat[finite]])))


@lru_cache(maxsize=64)
def _transformer(wkt: str) -> Transformer:
    """Return the way from WGS 84 into a CRS; pyproj's transformers may be shared by threads."""
    return Transformer.from_crs("EPSG:4326", CRS.from_wkt(wkt), always_xy=True)
