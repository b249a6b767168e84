"""What lies along a road, of one raster, as a COG of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp
from rasterio.shutil import copy as gdal_copy
from rasterio.windows import Window

from jamline.imagery import Stored
from jamline.road import Road

Array = npt.NDArray[np.float64]
Places = tuple[Array, Array]

_SPACING_PX = 16.0
"""Spacing of the places around which pixels are read, in pixels of the raster."""

_MOST_STATIONS = 20_000
"""Stations of a road looked at together: at 0.5 m some 160 km."""

_TILE_PX = 512

_COLOURS = {
    "red": ColorInterp.red,
    "green": ColorInterp.green,
    "blue": ColorInterp.blue,
    "pan": ColorInterp.gray,
    "alpha": ColorInterp.alpha,
    "palette": ColorInterp.palette,
}


def places_along(roads: Iterable[Road], image: Any, *, reach_m: float) -> Places:
    """Return places along roads, in pixels of an image, that lie in it or just outside.

    Parameters
    ----------
    roads : iterable of Road
        What to look along.
    image : Image
        What to look in.
    reach_m : float
        How far to each side of the roads.

    Returns
    -------
    col, row : array
        The centre of the first pixel is (0, 0); at most 16 pixels apart along and across.
    """
    step_m = _SPACING_PX * image.pixel_m / np.sqrt(2)
    offsets = np.linspace(-reach_m, reach_m, 2 + int(2 * reach_m / step_m))
    beyond_px = reach_m / image.pixel_m + _SPACING_PX
    cols, rows = [], []
    for road in roads:
        every = np.linspace(0.0, road.length_m, 2 + int(road.length_m / step_m))
        for first in range(0, len(every), _MOST_STATIONS):
            stations = every[first : first + _MOST_STATIONS]
            x, y = image.to_pixel(*road.to_map(stations, np.zeros_like(stations)))
            stations = stations[_inside(x, y, image, beyond_px)]
            lon, lat = road.to_map(stations.repeat(len(offsets)), np.tile(offsets, len(stations)))
            x, y = image.to_pixel(lon, lat)
            kept = _inside(x, y, image, _SPACING_PX)
            cols.append(x[kept])
            rows.append(y[kept])
    return np.concatenate(cols), np.concatenate(rows)


def copy_near(form: Stored, near: Places, path: Path, *, band_tags: Iterable[dict[str, str]] = ()) -> Affine | None:
    """Copy the blocks of a raster that lie near some places.

    Parameters
    ----------
    form : Stored
        The raster.
    near : tuple of array
        The places, as `places_along` gives them.
    path : Path
        The COG to write. It reaches as far as the blocks do; between them it holds nothing.
    band_tags : iterable of dict
        Tags of each band.

    Returns
    -------
    Affine or None
        Where the COG's pixels lie; ``None`` where no block lies near, and nothing is written.

    Raises
    ------
    ImageryError
        If it cannot be read.
    """
    window = _window(form, near)
    if window is None:
        return None
    own = form.transform
    transform = Affine(
        own.a,
        own.b,
        own.a * window.col_off + own.b * window.row_off + own.c,
        own.d,
        own.e,
        own.d * window.col_off + own.e * window.row_off + own.f,
    )
    draft = path.with_name(f".{path.name}.draft.tif")
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "width": window.width,
        "height": window.height,
        "count": len(form.bands),
        "dtype": form.dtype,
        "crs": form.crs.to_wkt(),
        "transform": transform,
        "nodata": form.nodata,
        "tiled": True,
        "blockxsize": _TILE_PX,
        "blockysize": _TILE_PX,
        "sparse_ok": True,
        "bigtiff": "IF_SAFER",
    }
    if "alpha" in form.labels:
        profile["alpha"] = "unspecified"
    try:
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(draft, "w", **profile) as file:
            _describe(file, form, band_tags)
            for block in form.blocks(near):
                high, wide = block.values.shape[1:]
                here = Window(block.col - window.col_off, block.row - window.row_off, wide, high)
                file.write(block.values, window=here)
                if block.valid is not None:
                    file.write_mask(block.valid, window=here)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            gdal_copy(
                draft,
                path,
                driver="COG",
                compress="DEFLATE",
                predictor="YES",
                blocksize=_TILE_PX,
                sparse_ok=True,
                overview_resampling="NEAREST" if form.palette or not form.labels else "AVERAGE",
                bigtiff="IF_SAFER",
            )
    finally:
        draft.unlink(missing_ok=True)
    return transform


def _describe(file: Any, form: Stored, band_tags: Iterable[dict[str, str]]) -> None:
    """Write what the bands are."""
    if form.labels:
        # A label per band is asked before its colour, and both are what other programs show.
        file.colorinterp = [_COLOURS.get(label, ColorInterp.undefined) for label in form.labels]
        if form.palette is None:
            file.descriptions = form.labels
    if form.palette is not None:
        file.write_colormap(1, dict(form.palette))
    if any(pair != (1.0, 0.0) for pair in form.linear):
        file.scales, file.offsets = ([pair[part] for pair in form.linear] for part in (0, 1))
    for number, tags in enumerate(band_tags, start=1):
        file.update_tags(number, **tags)


def _window(form: Stored, near: Places) -> Window | None:
    """Return the window around the blocks that lie near, beginning where a block does."""
    if not len(near[0]):
        return None
    (high, wide), (rows, cols) = form.block_px, form.shape
    reach_px = _SPACING_PX * 2
    spans = []
    for at, block, size in ((near[1], high, rows), (near[0], wide, cols)):
        first = max(0, int((at.min() - reach_px) // block) * block)
        stop = min(size, -int(-(at.max() + reach_px + 1) // block) * block)
        if first >= stop:
            return None
        spans.append((first, stop))
    (top, bottom), (left, right) = spans
    return Window(left, top, right - left, bottom - top)


def _inside(x: Array, y: Array, image: Any, beyond_px: float) -> npt.NDArray[np.bool_]:
    inside: npt.NDArray[np.bool_] = (
        (x > -beyond_px) & (x < image.width + beyond_px) & (y > -beyond_px) & (y < image.height + beyond_px)
    )
    return inside
