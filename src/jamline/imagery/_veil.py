"""What masks hide of a picture: read with it, on its pixels."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from affine import Affine
from pyproj import CRS, Transformer
from rasterio.errors import RasterioError

from jamline.errors import ImageryError
from jamline.imagery._blocks import Blocks
from jamline.imagery._documents import content_of
from jamline.imagery._handles import Handles
from jamline.imagery._masks import POLYGONS, MaskFile, Why
from jamline.imagery._remote import gdal_name, patiently, why
from jamline.imagery._source import Source
from jamline.imagery._sources import shown, unreadable
from jamline.imagery._tiles import NEAR_PX, TILE_PX, Places, tiles_near

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]

_SCL = {0: Why.NODATA, 3: Why.SHADOW, 8: Why.CLOUD, 9: Why.CLOUD, 10: Why.CLOUD}
"""Sentinel-2 scene classification: no data, cloud shadow, cloud of medium and of high probability, cirrus (Sen2Cor's
product definition). Class 2, dark area, is left to be looked at: asphalt is dark."""

_UDM2 = ((6, Why.CLOUD), (5, Why.CLOUD), (3, Why.SHADOW))
"""Bands of Planet's usable data mask that hide the ground where they are 1: cloud, heavy haze, shadow. Light haze
can be seen through, and snow is no veil."""

_UDM2_UNUSABLE = 8
"""Its last band is the older mask, bit by bit: 1 was not imaged, 2 is cloud, the others are lost bands."""

_OLD_CLOUD = 2


@dataclass(frozen=True, eq=False)
class _Raster:
    """A raster mask in the CRS of its picture: columns and rows of one are those of the other, times and plus some."""

    file: MaskFile
    bands: tuple[int, ...]
    transform: Affine
    across: tuple[float, float]
    down: tuple[float, float]
    source: Source = field(repr=False)

    def codes(self, rows: Array, cols: Array) -> Codes:
        """Return why places are hidden; edges of the picture's pixels, counted from its corner."""
        level = self.source.level(self.bands, False, 1)
        high, wide = level.shape
        x = np.floor(self.across[0] * cols + self.across[1]).astype(int)
        y = np.floor(self.down[0] * rows + self.down[1]).astype(int)
        codes = np.zeros((len(rows), len(cols)), np.uint8)
        across, down = (x >= 0) & (x < wide), (y >= 0) & (y < high)
        if not (across.any() and down.any()):
            return codes
        x, y = x[across], y[down]
        top, left = int(y.min()), int(x.min())
        window = (top, int(y.max()) + 1), (left, int(x.max()) + 1)
        try:
            values, _, _ = self.source.blocks.window(level, self.source.lend, *window)
        except (RasterioError, OSError) as error:
            raise unreadable(self.file.path, why(error)) from error
        codes[np.ix_(down, across)] = self._meant(values)[np.ix_(y - top, x - left)]
        return codes

    def fetch(self, near: Places) -> None:
        """Read what lies near some places, in pixels of the picture counted from its corner."""
        level = self.source.level(self.bands, False, 1)
        x = self.across[0] * near[0] + self.across[1] - 0.5
        y = self.down[0] * near[1] + self.down[1] - 0.5
        margin_px = min(NEAR_PX, TILE_PX / 2)
        rows, cols = (
            (max(0, math.floor(at.min() - margin_px)), min(size, math.ceil(at.max() + margin_px) + 1))
            for at, size in zip((y, x), level.shape, strict=True)
        )
        if rows[0] < rows[1] and cols[0] < cols[1]:
            tiles = tiles_near(x, y, margin_px=margin_px, rows=rows, cols=cols)
            try:
                self.source.blocks.fetch(level, self.source.lend, rows, cols, tiles)
            except (RasterioError, OSError) as error:
                raise unreadable(self.file.path, why(error)) from error

    def _meant(self, values: npt.NDArray[Any]) -> Codes:
        """Turn a mask's numbers into codes; shape (bands, rows, columns) of the numbers."""
        if self.file.kind == "scl":
            table = np.zeros(256, np.uint8)
            for value, reason in _SCL.items():
                table[value] = reason
            scl: Codes = table[values[0].astype(np.uint8)]
            return scl
        by_band = dict(zip(self.bands, values, strict=True))
        codes = np.zeros(values.shape[1:], np.uint8)
        for band, reason in reversed(_UDM2):
            codes[by_band[band] == 1] = reason
        unusable = by_band[_UDM2_UNUSABLE].astype(int)
        codes[(unusable & _OLD_CLOUD) > 0] = Why.CLOUD
        codes[(unusable & ~_OLD_CLOUD) > 0] = Why.NODATA
        return codes


@dataclass(frozen=True, eq=False)
class _Polygons:
    """Polygons in the pixels of their picture."""

    why: Why
    shapes: shapely.STRtree = field(repr=False)

    def codes(self, rows: Array, cols: Array) -> Codes:
        """Return why places are hidden."""
        from rasterio.features import rasterize

        shape = (len(rows), len(cols))
        step_x, step_y = (float(at[1] - at[0]) if len(at) > 1 else 1.0 for at in (cols, rows))
        left, top = float(cols[0]) - step_x / 2, float(rows[0]) - step_y / 2
        window = shapely.box(left, top, left + step_x * shape[1], top + step_y * shape[0])
        here = self.shapes.geometries[self.shapes.query(window, predicate="intersects")]
        inside: Codes = np.zeros(shape, np.uint8)
        if len(here):
            inside = rasterize(
                here, shape, transform=Affine(step_x, 0, left, 0, step_y, top), dtype="uint8", default_value=1
            )
        hidden = inside == 0 if self.why is Why.NODATA else inside == 1
        return np.where(hidden, np.uint8(self.why), np.uint8(0))


@dataclass(frozen=True, eq=False)
class Veil:
    """All masks of one picture."""

    masks: tuple[_Raster | _Polygons, ...]

    @property
    def rasters(self) -> list[_Raster]:
        """Those that have pixels."""
        return [mask for mask in self.masks if isinstance(mask, _Raster)]

    def codes(self, rows: tuple[int, int], cols: tuple[int, int], factor: int = 1) -> Codes:
        """Return why a window's pixels are hidden.

        Parameters
        ----------
        rows, cols : tuple of int
            Of the picture or one of its overviews, from and to.
        factor : int
            Which overview, 1 for the picture itself.

        Returns
        -------
        array of uint8, shape (rows, columns)
            `Why`, of the middle of each pixel; where masks differ, no data before cloud before shadow.

        Raises
        ------
        ImageryError
            If a mask cannot be read there.
        """
        down, across = (np.arange(first, stop, dtype=np.float64) * factor + factor / 2 for first, stop in (rows, cols))
        total = np.zeros((rows[1] - rows[0], cols[1] - cols[0]), np.uint8)
        for mask in self.masks:
            codes = mask.codes(down, across)
            stronger = (codes > 0) & ((total == 0) | (codes < total))
            total[stronger] = codes[stronger]
        return total

    def fetch(self, near: Places, factor: int = 1) -> None:
        """Read what hides places, columns and rows of an overview, for windows that are asked for later."""
        places = (near[0] + 0.5) * factor, (near[1] + 0.5) * factor
        for mask in self.rasters:
            if mask.source.elsewhere:
                mask.fetch(places)


def open_veil(files: Sequence[MaskFile], crs: CRS, transform: Affine, handles: Handles, blocks: Blocks) -> Veil | None:
    """Open the masks of a picture.

    Parameters
    ----------
    files : sequence of MaskFile
        The masks.
    crs, transform
        Of the picture.
    handles : Handles
        Where open datasets are kept.
    blocks : Blocks
        Where decoded pixels are kept.

    Returns
    -------
    Veil or None
        ``None`` where there is no mask.

    Raises
    ------
    ImageryError
        If one cannot be read, or lies askew to the picture.
    """
    masks = tuple(
        _opened_raster(file, crs, transform, handles, blocks)
        if file.is_raster
        else _opened_polygons(file, crs, transform)
        for file in files
    )
    return Veil(masks) if masks else None


def mask_polygons(path: str) -> Any:
    """Read the polygons of a mask.

    Returns
    -------
    GeoDataFrame
        As the file has them.

    Raises
    ------
    ImageryError
        If they cannot be read.
    """
    import geopandas
    from pyogrio.errors import DataSourceError

    try:
        if not path.startswith(("http://", "https://")):
            return geopandas.read_file(gdal_name(path), engine="pyogrio")
        # Another GDAL reads polygons than reads pixels, and has no patience with servers.
        with tempfile.TemporaryDirectory(prefix="jamline-") as folder:
            file = Path(folder) / f"mask{Path(path.partition('?')[0]).suffix}"
            file.write_bytes(content_of(path))
            return geopandas.read_file(file, engine="pyogrio")
    except (DataSourceError, OSError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ImageryError(f"Invalid mask '{shown(path)}'. Must be polygons that can be read ({reason}).") from error


def _opened_raster(file: MaskFile, crs: CRS, transform: Affine, handles: Handles, blocks: Blocks) -> _Raster:
    def look() -> tuple[Source, Affine, Any, int]:
        with handles.borrow(file.path) as dataset:
            return Source.of(file.path, dataset, handles, blocks), dataset.transform, dataset.crs, dataset.count

    try:
        source, own, home, count = patiently(file.path, look)
    except (RasterioError, OSError) as error:
        raise unreadable(file.path, why(error)) from error
    same = home is not None and CRS.from_user_input(home).equals(crs, ignore_axis_order=True)
    if not same or any((own.b, own.d, transform.b, transform.d)):
        raise ImageryError(f"Invalid mask '{shown(file.path)}'. Must lie on the grid of the image that it masks.")
    if file.kind == "udm2" and count < _UDM2_UNUSABLE:
        raise ImageryError(f"Invalid mask '{shown(file.path)}'. Must have {_UDM2_UNUSABLE} bands, as udm2 has.")
    across = (transform.a / own.a, (transform.c - own.c) / own.a)
    down = (transform.e / own.e, (transform.f - own.f) / own.e)
    bands = (1,) if file.kind == "scl" else (*sorted(band for band, _ in _UDM2), _UDM2_UNUSABLE)
    return _Raster(file, bands, own, across, down, source)


def _opened_polygons(file: MaskFile, crs: CRS, transform: Affine) -> _Polygons:
    table = mask_polygons(file.path)
    home = CRS.from_user_input(table.crs) if table.crs is not None else crs
    to_picture = Transformer.from_crs(home, crs, always_xy=True)
    inverse = ~transform

    def into_pixels(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        x, y = (np.asarray(each) for each in to_picture.transform(xy[:, 0], xy[:, 1]))
        return np.column_stack([inverse.a * x + inverse.b * y + inverse.c, inverse.d * x + inverse.e * y + inverse.f])

    shapes = [each for each in table.geometry if each is not None and not each.is_empty and each.area]
    return _Polygons(POLYGONS[file.kind], shapely.STRtree([shapely.transform(each, into_pixels) for each in shapes]))
