"""Several files of one band each, seen by GDAL as one raster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from affine import Affine
from rasterio.enums import MaskFlags
from rasterio.errors import RasterioError

from jamline.errors import ImageryError
from jamline.imagery._handles import Handles
from jamline.imagery._metadata import fits
from jamline.imagery._remote import gdal_name, patiently, why
from jamline.imagery._sources import is_address, shown, unreadable

_TYPES = {"uint8": "Byte", "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64"}
"""GDAL's names of data types; the others differ from numpy's by their first letter."""

_SAME_PX = 1e-6
"""Pixels that differ by less of their size are the same: transforms are written with some digits only."""


@dataclass(frozen=True, eq=False)
class _Part:
    """One file with one band."""

    role: str
    path: str
    crs: Any
    transform: Affine
    width: int
    height: int
    block_px: tuple[int, int]
    dtype: str
    nodata: float | None
    linear: tuple[float, float]
    masked: bool

    @classmethod
    def of(cls, role: str, path: str, nodata: float | None, dataset: Any) -> _Part:
        flags, own = dataset.mask_flag_enums[0], dataset.nodatavals[0]
        told = nodata if own is None else own
        return cls(
            role=role,
            path=path,
            crs=dataset.crs,
            transform=dataset.transform,
            width=dataset.width,
            height=dataset.height,
            block_px=dataset.block_shapes[0],
            dtype=dataset.dtypes[0],
            nodata=told if fits(told, dataset.dtypes[0]) else None,
            linear=(dataset.scales[0], dataset.offsets[0]),
            masked=MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags,
        )

    def within(self, grid: _Part) -> Affine | None:
        """Return what turns its pixels into those of a grid; ``None`` where it is turned or does not lie over it."""
        if self.crs != grid.crs or not grid.transform.determinant or not self.transform.determinant:
            return None
        out, own = ~grid.transform, self.transform
        into = Affine(
            out.a * own.a + out.b * own.d,
            out.a * own.b + out.b * own.e,
            out.a * own.c + out.b * own.f + out.c,
            out.d * own.a + out.e * own.d,
            out.d * own.b + out.e * own.e,
            out.d * own.c + out.e * own.f + out.f,
        )
        straight = into.a > 0 and into.e > 0 and abs(into.b) < _SAME_PX * into.a and abs(into.d) < _SAME_PX * into.e
        # Coarser pixels may end a part of one short of the finer grid.
        spans = (into.c, into.a, self.width, grid.width), (into.f, into.e, self.height, grid.height)
        over = all(start < step and start + step * count > size - step for start, step, count, size in spans)
        return into if straight and over else None

    def band(self, number: int, into: Affine, grid: _Part) -> str:
        """Write its band of a virtual raster."""
        rows, cols = grid.block_px
        nothing = "" if self.nodata is None else f"<NoDataValue>{self.nodata!r}</NoDataValue>"
        scale, offset = self.linear
        return (
            f'<VRTRasterBand dataType="{_TYPES.get(self.dtype, self.dtype.capitalize())}" band="{number}" '
            f'blockXSize="{cols}" blockYSize="{rows}"><Description>{escape(self.role)}</Description>{nothing}'
            f"<Offset>{offset!r}</Offset><Scale>{scale!r}</Scale>{self._source('1', into)}</VRTRasterBand>"
        )

    def mask(self, into: Affine) -> str:
        """Write the mask of a virtual raster."""
        return f'<MaskBand><VRTRasterBand dataType="Byte">{self._source("mask,1", into)}</VRTRasterBand></MaskBand>'

    def _whole_path(self) -> str:
        """Return what GDAL calls the file wherever it runs: others open what is written here too."""
        return gdal_name(self.path if is_address(self.path) else os.path.abspath(self.path))

    def _source(self, band: str, into: Affine) -> str:
        left, top = round(into.c, 6), round(into.f, 6)
        wide, high = round(into.a * self.width, 6), round(into.e * self.height, 6)
        # Between the centres of coarser pixels a colour runs on evenly; the mask is where it is.
        finer = max(into.a, into.e) > 1 + _SAME_PX and not band.startswith("mask")
        resampling = ' resampling="bilinear"' if finer else ""
        # Datasets move from thread to thread: none may share what it reads from with another.
        return (
            f'<SimpleSource{resampling}><SourceFilename relativeToVRT="0" shared="0">{escape(self._whole_path())}'
            f"</SourceFilename><SourceBand>{band}</SourceBand>"
            f'<SrcRect xOff="0" yOff="0" xSize="{self.width}" ySize="{self.height}"/>'
            f'<DstRect xOff="{left!r}" yOff="{top!r}" xSize="{wide!r}" ySize="{high!r}"/></SimpleSource>'
        )


@dataclass(frozen=True)
class Joined:
    """Several files as one raster.

    Parameters
    ----------
    vrt : str
        What GDAL opens: a virtual raster, written out.
    coarser : float
        How many times as large as the raster's pixels those of the coarsest file are.
    """

    vrt: str = field(repr=False)
    coarser: float


def joined(parts: Sequence[tuple[str, str, float | None]], name: str, handles: Handles) -> Joined:
    """Describe several files as one raster, on the grid of the finest.

    Parameters
    ----------
    parts : sequence of tuple
        Role and path of each file, which has one band, and the number that stands for nothing where it does not say.
    name : str
        Of the item, for messages.
    handles : Handles
        Where open datasets are kept.

    Returns
    -------
    Joined

    Raises
    ------
    ImageryError
        If a file cannot be read, or one does not lie over the finest: in the same CRS, not turned, as far.
    """
    opened = [_opened(*part, handles) for part in parts]
    grid = min(opened, key=lambda part: abs(part.transform.determinant))
    head = _head(grid)
    bands, mask, coarser = [], "", 1.0
    for number, part in enumerate(opened, start=1):
        into = part.within(grid)
        if into is None:
            raise ImageryError(
                f"Invalid item '{name}'. Must have its colours on one grid, or on coarser ones that lie over it; "
                f"'{shown(part.path)}' does not lie over '{shown(grid.path)}'."
            )
        coarser = max(coarser, into.a, into.e)
        bands.append(part.band(number, into, grid))
        if part.masked and not mask:
            mask = part.mask(into)
    return Joined(head + "".join(bands) + mask + "</VRTDataset>", coarser)


def _opened(role: str, path: str, nodata: float | None, handles: Handles) -> _Part:
    def look() -> _Part:
        with handles.borrow(path) as dataset:
            return _Part.of(role, path, nodata, dataset)

    try:
        return patiently(path, look)
    except (RasterioError, OSError) as error:
        raise unreadable(path, why(error)) from error


def _head(grid: _Part) -> str:
    a, b, c, d, e, f = tuple(grid.transform)[:6]
    srs = f"<SRS>{escape(grid.crs.to_wkt())}</SRS>" if grid.crs else ""
    return (
        f'<VRTDataset rasterXSize="{grid.width}" rasterYSize="{grid.height}">{srs}'
        f"<GeoTransform>{c!r}, {a!r}, {b!r}, {f!r}, {d!r}, {e!r}</GeoTransform>"
    )
