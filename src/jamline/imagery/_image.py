"""One raster: where it lies, what it shows, and windows of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS
from rasterio.errors import RasterioError

from jamline.errors import ImageryError
from jamline.imagery import _bands, _geometry
from jamline.imagery._pixels import Decoder, Mask, Pixels, area_mean
from jamline.imagery._remote import blamed, why
from jamline.imagery._source import Source
from jamline.imagery._sources import is_address, shown, unreadable
from jamline.imagery._tiles import Places
from jamline.imagery._veil import Codes

_CHUNK_PX = 4_000_000
"""Source pixels held at once while a window is being reduced."""

_HASH_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, eq=False, kw_only=True)
class Image:
    """One raster, opened for windowed reads.

    Parameters
    ----------
    path : str
        File or address; of a STAC item, that of the item.
    files : tuple of str
        The files or addresses that hold its pixels.
    crs : pyproj.CRS
        Any that leads to longitude and latitude.
    transform : Affine
        From columns and rows, corner of the first pixel (0, 0), to the CRS.
    width, height : int
        Size in pixels.
    bands : mapping
        1-based band by role: ``red``, ``green``, ``blue``, perhaps ``nir``; or ``pan``; perhaps ``alpha``.
    pixel_m : float
        Side of a square as large as the central pixel on the ground, metres.
    gsd_m : float
        Resolution in metres, which may be coarser than the grid it is delivered on.
    acquired : str or None
        When it was taken, ISO 8601 in UTC; a bare date where the time of day is not known.
    cloud_percent : float or None
        How much of it clouds cover, as far as its item tells.
    footprint : shapely.Polygon
        Outline in longitude and latitude.
    band_times : mapping
        Seconds at which bands were taken, by role, after one of them; empty where that is not known.
    overviews : tuple of int
        Factors of the coarser resolutions that the file has.
    own_linear : tuple
        Scale and offset that the file itself gives for each band; its item may know better.
    mixed : bool
        True if the file is packed in a way that stores the bands' detail together, as JPEG does.
    """

    path: str
    files: tuple[str, ...] = field(repr=False)
    crs: CRS
    transform: Any
    width: int
    height: int
    bands: Mapping[str, int]
    pixel_m: float
    gsd_m: float
    acquired: str | None
    footprint: shapely.Polygon = field(repr=False)
    _decoder: Decoder = field(repr=False)
    _source: Source = field(repr=False)
    overviews: tuple[int, ...] = ()
    band_times: Mapping[str, float] = field(default_factory=dict)
    cloud_percent: float | None = None
    own_linear: tuple[tuple[float, float], ...] = ()
    mixed: bool = False

    def __repr__(self) -> str:
        return (
            f"<Image '{shown(self.path)}', {self.width} x {self.height} px, {self.gsd_m:.3g} m, "
            f"{'+'.join(self.bands)}, {self.acquired or 'undated'}>"
        )

    @property
    def has_colour(self) -> bool:
        """True if red, green and blue are there."""
        return all(colour in self.bands for colour in _bands.COLOUR)

    @property
    def opened(self) -> str:
        """What GDAL opens: the path, an asset of the item, or several files joined, as a virtual raster written out."""
        return self._source.path

    @property
    def dtypes(self) -> tuple[str, ...]:
        """NumPy names of the types in which the bands' numbers are stored."""
        return self._source.dtypes

    @property
    def masked(self) -> bool:
        """True if the file says by a mask of its own, inside or as ``.msk``, what was not seen."""
        return self._decoder.masked

    def elsewhere_read(self, role: str, value: float) -> float:
        """Return what programs that know nothing of an item read where a band has a value here.

        Parameters
        ----------
        role : str
            Of the band.
        value : float
            Scaled as the item says, or else the file.
        """
        scale, offset = self._decoder.linear.get(self.bands[role], (1.0, 0.0))
        own_scale, own_offset = self.own_linear[self.bands[role] - 1] if self.own_linear else (1.0, 0.0)
        return (value - offset) / scale * (own_scale or 1.0) + own_offset

    @property
    def remote(self) -> bool:
        """True if it is read from a server."""
        return any(map(is_address, self.files))

    @cached_property
    def _wkt(self) -> str:
        """The CRS written out."""
        return self.crs.to_wkt()

    @cached_property
    def sha256(self) -> str | None:
        """Hash of its files, one after another, in hexadecimal digits; ``None`` if one is at an address."""
        if self.remote:
            return None
        digest = hashlib.sha256()
        for each in self.files:
            with Path(each).open("rb") as file:
                while chunk := file.read(_HASH_CHUNK_BYTES):
                    digest.update(chunk)
        return digest.hexdigest()

    def to_pixel(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[_geometry.Array, _geometry.Array]:
        """Turn longitude and latitude into pixel coordinates.

        Parameters
        ----------
        lon, lat : array
            Degrees, WGS 84.

        Returns
        -------
        col, row : array
            The centre of the first pixel is (0, 0). NaN where the CRS does not reach.
        """
        return _geometry.to_pixel(self.crs, self.transform, self.width, lon, lat, wkt=self._wkt)

    def to_lonlat(self, col: npt.ArrayLike, row: npt.ArrayLike) -> tuple[_geometry.Array, _geometry.Array]:
        """Turn pixel coordinates into longitude and latitude: the inverse of `to_pixel`.

        Parameters
        ----------
        col, row : array
            The centre of the first pixel is (0, 0).

        Returns
        -------
        lon, lat : array
            Degrees, WGS 84, longitudes from -180 to 180. NaN where the CRS does not reach.
        """
        return _geometry.to_lonlat(self.crs, self.transform, col, row)

    def read(
        self,
        col_off: int,
        row_off: int,
        width: int,
        height: int,
        *,
        roles: Sequence[str],
        shape: tuple[int, int] | None = None,
        near: Places | None = None,
        overview: int | None = None,
    ) -> tuple[Pixels, Mask]:
        """Read a window.

        Parameters
        ----------
        col_off, row_off, width, height : int
            The window in pixels. It may stick out of the image, where nothing is seen.
        roles : sequence of str
            Wanted layers, of `bands`; ``pan`` of a colour image is its luminance.
        shape : tuple of int, optional
            Rows and columns to reduce the window to, each at most the window's. A reduced pixel is the mean
            of what was seen within it; overviews are used where the file has them.
        near : tuple of array, optional
            Columns and rows of places at most 16 pixels apart. What lies far from all of them need not be read,
            and then is 0 and counts as valid.
        overview : int, optional
            The one of `overviews` to reduce from, 1 for the file's own resolution; by default the coarsest that
            will do.

        Returns
        -------
        pixels : float32 array, shape (roles, rows, columns)
            As the file holds them, its scale and offset applied; 0 where not valid.
        valid : bool array, shape (rows, columns)
            True where the pixel was seen.

        Raises
        ------
        ValueError
            If the window has no size, or the shape is larger than it.
        ImageryError
            If the image has no such role, or cannot be read there.
        """
        roles = tuple(roles)
        for role in roles:
            if role not in self.bands and not (role == "pan" and self.has_colour):
                raise ImageryError(
                    f"Invalid role '{role}' for '{shown(self.path)}'. Must be one of {', '.join(self.bands)}."
                )
        if width < 1 or height < 1:
            raise ValueError(f"Invalid window '{width} x {height}'. Must be at least one pixel wide and high.")
        rows, cols = shape or (height, width)
        if not (1 <= rows <= height and 1 <= cols <= width):
            raise ValueError(
                f"Invalid shape '{shape}'. Must be at least 1 and at most the window, {height} by {width}."
            )
        try:
            if (rows, cols) == (height, width):
                return self._decoder.read(self._source, roles, col_off, row_off, width, height, near=near)
            factor = overview or self.overview_for(min(width / cols, height / rows))
            return self._reduced(roles, (col_off, row_off, width, height), (rows, cols), factor, near)
        except (RasterioError, OSError) as error:
            raise unreadable(blamed(self.files, error), why(error)) from error

    @property
    def veiled(self) -> bool:
        """True if masks in files of their own lie with it."""
        return self._decoder.veil is not None

    def why_hidden(self, col: npt.NDArray[np.float64], row: npt.NDArray[np.float64]) -> Codes:
        """Tell why places are hidden by a mask that lies with the image.

        Parameters
        ----------
        col, row : array, both of one shape
            Pixel coordinates; the centre of the first pixel is (0, 0).

        Returns
        -------
        array of uint8, shape as ``col``
            `Why`; 0 where no mask hides them.

        Raises
        ------
        ImageryError
            If a mask cannot be read there.
        """
        codes = np.zeros(col.shape, np.uint8)
        veil = self._decoder.veil
        inside = (col > -0.5) & (col < self.width - 0.5) & (row > -0.5) & (row < self.height - 0.5)
        if veil is None or not inside.any():
            return codes
        x, y = np.rint(col[inside]).astype(int), np.rint(row[inside]).astype(int)
        rows, cols = (int(y.min()), int(y.max()) + 1), (int(x.min()), int(x.max()) + 1)
        codes[inside] = veil.codes(rows, cols)[y - rows[0], x - cols[0]]
        return codes

    def fetch(self, roles: Sequence[str], near: Places, *, overview: int = 1) -> None:
        """Ask a server for what lies near some places, all at once; windows there then take no requests.

        Parameters
        ----------
        roles, near
            As in `read`. Of a file on this machine nothing is read.
        overview : int
            The one of `overviews` that windows will be reduced from.

        Raises
        ------
        ImageryError
            If it cannot be read there.
        """
        if not self.remote:
            return
        near = _at_overview(near, overview)
        try:
            self._decoder.fetch(self._source, tuple(roles), near, factor=overview)
        except (RasterioError, OSError) as error:
            raise unreadable(blamed(self.files, error), why(error)) from error

    def overview_for(self, ratio: float) -> int:
        """Return the coarsest overview from which to reduce by a ratio, 1 for the file's own resolution."""
        return max((factor for factor in self.overviews if factor <= ratio), default=1)

    def _reduced(
        self,
        roles: tuple[str, ...],
        window: tuple[int, int, int, int],
        shape: tuple[int, int],
        factor: int,
        near: Places | None,
    ) -> tuple[Pixels, Mask]:
        """Average a window, a few of its rows at a time, starting from an overview."""
        col_off, row_off, width, height = window
        rows, cols = shape
        col_edges = (col_off + np.linspace(0, width, cols + 1)) / factor
        row_edges = (row_off + np.linspace(0, height, rows + 1)) / factor
        first, last = math.floor(col_edges[0]), math.ceil(col_edges[-1])
        step = max(1, int(_CHUNK_PX / (last - first) / (height / rows / factor)))
        near = near and _at_overview(near, factor)
        parts = []
        for at in range(0, rows, step):
            edges = row_edges[at : at + step + 1]
            top, bottom = math.floor(edges[0]), math.ceil(edges[-1])
            part, seen = self._decoder.read(
                self._source, roles, first, top, last - first, bottom - top, factor=factor, near=near
            )
            parts.append(area_mean(part, seen, edges - top, col_edges - first))
        if len(parts) == 1:
            return parts[0]
        pixels, valid = zip(*parts, strict=True)
        return np.concatenate(pixels, axis=1), np.concatenate(valid)


def _at_overview(near: Places, factor: int) -> Places:
    """Return places as columns and rows of an overview."""
    return (near[0] + 0.5) / factor - 0.5, (near[1] + 0.5) / factor - 0.5
