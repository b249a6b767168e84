"""A straight road drawn pixel by pixel, so that what lies where can be worked out by hand.

The road runs east at a place where UTM has no scale error to speak of: column = station, row = offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer
from rasterio.transform import Affine

from jamline.road import Road, road_through

CRS = "EPSG:32638"
EAST, NORTH = 320_000.0, 4_735_000.0
"""Map coordinates of station 0; 180 km from the central meridian UTM's scale is 1.00000."""

ASPHALT, VERGE = (96, 96, 98), (92, 112, 70)

_TO_LONLAT = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def lonlat(station_m, offset_m) -> np.ndarray:
    """Return longitude and latitude of places on the drawing, shape (n, 2)."""
    station_m, offset_m = np.broadcast_arrays(np.atleast_1d(station_m), np.atleast_1d(offset_m))
    return np.column_stack(_TO_LONLAT.transform(EAST + station_m, NORTH + offset_m))


def line(length_m: float, offset_m=0.0, *, start_m: float = 0.0, **kwargs) -> Road:
    """Return the road as drawn by hand: `offset_m` left of where it is, a number or a function of station."""
    station = np.linspace(start_m, start_m + length_m, max(2, round(length_m / 20) + 1))
    offset = offset_m(station) if callable(offset_m) else offset_m
    return road_through(lonlat(station, offset), **kwargs)


@dataclass
class Drawing:
    """Pixels (3, rows, columns) from `west_m` on, to `reach_m` on both sides of the road."""

    pixels: np.ndarray
    pixel_m: float
    west_m: float
    reach_m: float

    @classmethod
    def of_road(cls, length_m, *, width_m=8.0, pixel_m=0.5, reach_m=40.0, margin_m=20.0, noise=2.0, seed=0) -> Drawing:
        """Draw a plain carriageway between green verges, with a little noise."""
        rows, columns = round(2 * reach_m / pixel_m), round((length_m + 2 * margin_m) / pixel_m)
        drawing = cls(np.zeros((3, rows, columns)), pixel_m, -margin_m, reach_m)
        drawing.pixels[:] = np.array(VERGE)[:, None, None]
        drawing.box(-margin_m, length_m + margin_m, -width_m / 2, width_m / 2, ASPHALT)
        rng = np.random.default_rng(seed)
        verge = (drawing.pixels[1] == VERGE[1]) * 4.0 + 1.0
        drawing.pixels += rng.normal(0, noise, drawing.pixels.shape[1:]) * verge
        return drawing

    def box(self, start_m, end_m, right_m, left_m, colour) -> None:
        """Fill a box; edges within a pixel are blended, so that a box is as long as it says."""
        along = self._cover(start_m - self.west_m, end_m - self.west_m, self.pixels.shape[2])
        across = self._cover(self.reach_m - left_m, self.reach_m - right_m, self.pixels.shape[1])
        share = across[:, None] * along[None, :]
        colour = np.broadcast_to(np.asarray(colour, float), (3,))[:, None, None]
        self.pixels += share * (colour - self.pixels)

    def _cover(self, low_m: float, high_m: float, count: int) -> np.ndarray:
        edges = np.arange(count + 1) * self.pixel_m
        part = np.minimum(edges[1:], high_m) - np.maximum(edges[:-1], low_m)
        return np.clip(part / self.pixel_m, 0.0, 1.0)

    def vehicle(self, station_m, offset_m, *, length_m=4.5, width_m=1.8, colour=200) -> None:
        """Draw a vehicle by its centre: a body with a windscreen."""
        half = width_m / 2
        self.box(station_m - length_m / 2, station_m + length_m / 2, offset_m - half, offset_m + half, colour)
        if length_m < 7:
            glass = np.asarray(colour, float) * 0.6
            self.box(station_m + 0.4, station_m + 1.1, offset_m - half + 0.2, offset_m + half - 0.2, glass)

    def write(self, path: Path, *, start_m=None, end_m=None, bands=3, dtype="uint8", **tags) -> Path:
        """Write a stretch as a GeoTIFF."""
        low = 0 if start_m is None else round((start_m - self.west_m) / self.pixel_m)
        high = self.pixels.shape[2] if end_m is None else round((end_m - self.west_m) / self.pixel_m)
        pixels = self.pixels[:, :, low:high]
        pixels = pixels.mean(axis=0, keepdims=True) if bands == 1 else pixels
        scale = 8.0 if dtype == "uint16" else 1.0
        west = EAST + self.west_m + low * self.pixel_m
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=len(pixels),
            height=pixels.shape[1],
            width=pixels.shape[2],
            dtype=dtype,
            crs=CRS,
            transform=Affine(self.pixel_m, 0, west, 0, -self.pixel_m, NORTH + self.reach_m),
            nodata=0,
        ) as raster:
            raster.write(np.clip(np.rint(pixels * scale), 0, 255 * scale).astype(dtype))
            if len(pixels) == 3:
                raster.colorinterp = [rasterio.enums.ColorInterp[c] for c in ("red", "green", "blue")]
            if tags:
                raster.update_tags(**tags)
        return path
