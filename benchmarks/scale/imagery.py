"""The imagery that is measured on: made once, simulated along the road, and kept in a folder outside the repository.

Two files show the same 10 km square at 0.5 m, 20,000 pixels to a side, packed by JPEG and by deflate, and a road winds
through it. A third shows a straight road of 500 km, for what a road costs must not depend on how long it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from pyproj import Transformer
from rasterio.enums import ColorInterp
from rasterio.shutil import copy as copy_raster
from rasterio.transform import from_origin
from rasterio.windows import Window

Pixels = npt.NDArray[np.uint8]

SIDE_PX = 20_000
PIXEL_M = 0.5
BLOCK_PX = 512
"""What GDAL's COG driver makes unless told otherwise."""

LONGEST_KM = 500
_PIECE_M = 2_000
"""Road that is simulated for the long one, which is this piece again and again, every other time mirrored."""

_LONG_PX = 512
_JPEG_QUALITY = 85

PACKED = {
    "jpeg": {"COMPRESS": "JPEG", "QUALITY": _JPEG_QUALITY},
    "deflate": {"COMPRESS": "DEFLATE", "PREDICTOR": 2},
}

TAGS = {"TIFFTAG_DATETIME": "2022:09:25 08:03:00", "TIFFTAG_IMAGEDESCRIPTION": "Simulated; not a real place"}


def made(folder: Path) -> dict[str, Path]:
    """Return the files, made first where they are missing."""
    paths = {kind: folder / f"square-{kind}.tif" for kind in PACKED} | {
        "road": folder / "winding.geojson",
        "long": folder / "long.tif",
    }
    paths |= {f"{km} km": folder / f"straight-{km}.geojson" for km in (1, 10, 100, LONGEST_KM)}
    folder.mkdir(parents=True, exist_ok=True)
    if not all(paths[name].exists() for name in (*PACKED, "road")):
        _make_square(folder, paths)
    if not all(path.exists() for path in paths.values()):
        _make_long(folder, paths)
    return paths


def _make_square(folder: Path, paths: dict[str, Path]) -> None:
    """Simulate the land along a winding road, lay it into the square, and fill the rest with land."""
    scene = simulated(
        folder / "winding",
        seed=11,
        road={"length_m": 10_000.0, "name": "winding", "shape": "winding"},
        queues=[{"side": "right", "start_m": 2000.0, "end_m": 5000.0}],
        imagery={"half_width_m": 200.0, "tile_px": 1000, "overlap_px": 0},
    )
    tiles = sorted(scene.glob("*.tif"))
    bounds = np.array([rasterio.open(tile).bounds for tile in tiles])
    middle = (bounds[:, :2].min(axis=0) + bounds[:, 2:].max(axis=0)) / 2
    left, top = np.floor(middle / PIXEL_M) * PIXEL_M + np.array([-1, 1]) * SIDE_PX / 2 * PIXEL_M
    square = _land(folder)
    for tile in tiles:
        with rasterio.open(tile) as file:
            crs, pixels = file.crs, file.read()
            column, row = round((file.bounds.left - left) / PIXEL_M), round((top - file.bounds.top) / PIXEL_M)
        here = square[:, row : row + pixels.shape[1], column : column + pixels.shape[2]]
        np.copyto(here, pixels, where=(pixels != 0).any(axis=0))
    plain = folder / "plain.tif"
    profile = {"crs": crs, "transform": from_origin(left, top, PIXEL_M, PIXEL_M), "photometric": "RGB"}
    with rasterio.open(
        plain, "w", driver="GTiff", count=3, height=SIDE_PX, width=SIDE_PX, dtype="uint8", tiled=True, **profile
    ) as file:
        file.update_tags(**TAGS)
        file.write(square)
    for kind, options in PACKED.items():
        draft = paths[kind].with_suffix(".part.tif")
        copy_raster(plain, draft, driver="COG", BLOCKSIZE=BLOCK_PX, **options)
        draft.rename(paths[kind])
    plain.unlink()
    paths["road"].write_bytes((scene / "road.geojson").read_bytes())


def _land(folder: Path) -> Pixels:
    """Return a square of land: a simulated square kilometre, mirrored again and again."""
    scene = simulated(
        folder / "land",
        seed=12,
        road={"length_m": 1000.0, "shape": "straight", "heading_deg": 90.0},
        imagery={"half_width_m": 500.0, "fill_tiles": True, "tile_px": 2048, "overlap_px": 0},
    )
    (tile, *_) = sorted(scene.glob("*.tif"), key=lambda path: -path.stat().st_size)
    with rasterio.open(tile) as file:
        land = file.read()
    double = np.concatenate([land, land[:, :, ::-1]], axis=2)
    double = np.concatenate([double, double[:, ::-1]], axis=1)
    times = [math.ceil(SIDE_PX / size) for size in double.shape[1:]]
    return np.ascontiguousarray(np.tile(double, (1, *times))[:, :SIDE_PX, :SIDE_PX])


def _make_long(folder: Path, paths: dict[str, Path]) -> None:
    """Lay one simulated piece of straight road end to end, and draw lines of several lengths along it."""
    scene = simulated(
        folder / "straight",
        seed=13,
        road={"length_m": float(_PIECE_M), "name": "straight", "shape": "straight", "heading_deg": 90.0},
        queues=[{"side": "right", "start_m": 500.0, "end_m": 900.0}],
        line={"offset_m": 0.0, "drift_m": 0.0, "jitter_m": 0.0},
        imagery={"half_width_m": 130.0, "tile_px": 8192, "fill_tiles": True},
    )
    (tile,) = scene.glob("*.tif")
    truth = json.loads((scene / "truth" / "road.geojson").read_text())
    line = np.array(truth["features"][0]["geometry"]["coordinates"])
    with rasterio.open(tile) as file:
        crs, pixels, bounds = file.crs, file.read(), file.bounds
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(line[:, 0], line[:, 1])
    column, row = round((min(x) - bounds.left) / PIXEL_M), round((bounds.top - y.mean()) / PIXEL_M) - _LONG_PX // 2
    piece = pixels[:, row : row + _LONG_PX, column : column + round(_PIECE_M / PIXEL_M)]
    along_m, below_m = x - bounds.left - column * PIXEL_M, bounds.top - row * PIXEL_M - y
    width = round(LONGEST_KM * 1000 / PIXEL_M)
    # The middle of the road lies in the middle of the zone, where its coordinates are true.
    left, top = 500_000.0 - LONGEST_KM * 500.0, float(round(y.mean()))
    draft = paths["long"].with_suffix(".part.tif")
    with rasterio.open(
        draft,
        "w",
        driver="GTiff",
        count=3,
        height=_LONG_PX,
        width=width,
        dtype="uint8",
        crs=crs,
        transform=from_origin(left, top, PIXEL_M, PIXEL_M),
        tiled=True,
        blockxsize=BLOCK_PX,
        blockysize=BLOCK_PX,
        compress="JPEG",
        jpeg_quality=_JPEG_QUALITY,
        photometric="YCBCR",
    ) as file:
        file.update_tags(**TAGS)
        file.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue]
        for start, part in _again(piece, width):
            file.write(part, window=Window(start, 0, part.shape[2], _LONG_PX))
    draft.rename(paths["long"])
    back = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    for km in (1, 10, 100, LONGEST_KM):
        east_m = np.linspace(0.0, km * 1000.0, km * 40 + 1)
        within_m = np.abs((east_m + _PIECE_M) % (2 * _PIECE_M) - _PIECE_M)
        lon, lat = back.transform(left + east_m, top - np.interp(within_m, along_m, below_m))
        coordinates = [[round(a, 8), round(b, 8)] for a, b in zip(lon, lat, strict=True)]
        feature = {
            "type": "Feature",
            "properties": {"name": f"straight {km} km", "lanes": 2},
            "geometry": {"type": "LineString", "coordinates": coordinates},
        }
        paths[f"{km} km"].write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))


def _again(piece: Pixels, width: int) -> Iterator[tuple[int, Pixels]]:
    """Yield a piece of road again and again, every other time mirrored, with the column where each begins."""
    # Whole blocks at a time, so that none is packed twice.
    both = np.concatenate([piece, piece[:, :, ::-1]], axis=2)
    step = both.shape[2] // BLOCK_PX * BLOCK_PX
    endless = np.concatenate([both, both], axis=2)
    for start in range(0, width, step):
        at = start % both.shape[2]
        yield start, endless[:, :, at : at + min(step, width - start)]


def simulated(folder: Path, **spec: Any) -> Path:
    """Simulate a scene between fields, unless it is there."""
    from jamline.synth import SceneSpec, simulate

    if not folder.exists():
        common = {"flows": [{"side": "left"}], "terrain": {"kind": "fields", "buildings_per_km": 10.0}}
        simulate(SceneSpec.model_validate(common | spec), folder)
    return folder
