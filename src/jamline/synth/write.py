"""Tiles, the drawn line and the truth, on disk."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
import shapely
from rasterio.io import MemoryFile
from rasterio.shutil import copy as copy_raster

from jamline.errors import OutputError
from jamline.synth.config import SceneSpec
from jamline.synth.grid import PixelGrid, canvas_window, grid_of, limits_m, tiles_of
from jamline.synth.instants import renderer_of
from jamline.synth.lanes import Vehicle
from jamline.synth.noise import Window
from jamline.synth.render import Renderer
from jamline.synth.sensor import PAD_PX, expose
from jamline.synth.traffic import drive
from jamline.synth.truth import queue_truth, vehicle_table
from jamline.synth.world import World, build_world
from jamline.tables import WGS84

_BLOCK_M = 130.0
"""Side of the windows that are painted at once; memory goes with its square."""

SIMULATED = "Simulated by jamline synth; not a real place"


def simulate(
    spec: SceneSpec,
    outdir: str | Path,
    *,
    overwrite: bool = False,
    vehicles: Sequence[Vehicle] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a scene: its tiles, the line drawn of its road, and its truth.

    Parameters
    ----------
    spec : SceneSpec
        The scene; equal ones give equal pixels.
    outdir : str or Path
        Folder to make.
    overwrite : bool
        Replace the folder if it exists.
    vehicles : sequence of Vehicle, optional
        Who is there, instead of those that the plan puts on the road; none at all for the same picture of an empty
        road.
    progress : callable, optional
        Called before each tile, and at the end, with the number of tiles painted and the number there are.

    Returns
    -------
    Path
        The folder, with ``tile_*.tif``, ``road.geojson``, ``truth/vehicles.geojson``,
        ``truth/road.geojson`` and ``truth/queues.json``.

    Raises
    ------
    OutputError
        If the folder exists and ``overwrite`` is not set, or it cannot be written.
    RoadError
        If the scene's road file cannot be used.
    JobError
        If the scene's CRS is unknown.
    """
    out = Path(outdir)
    if out.exists() and not overwrite:
        raise OutputError(f"Invalid output '{out}'. Must not exist, or be written with --overwrite.")
    world = build_world(spec)
    grid = grid_of(world)
    vehicles = drive(spec, world.road.length_m) if vehicles is None else tuple(vehicles)
    tell = progress or (lambda done, total: None)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # Written beside its place and moved there when whole: a run that fails leaves nothing.
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as folder:
            part = Path(folder) / "scene"
            part.mkdir()
            _write_lines(world, part)
            _write_truth(world, vehicles, part / "truth")
            renderer = renderer_of(world, vehicles)
            tiles = list(tiles_of(grid))
            for number, tile in enumerate(tiles):
                tell(number, len(tiles))
                _write_tile(renderer, grid, tile, part)
            tell(len(tiles), len(tiles))
            if out.exists():
                shutil.rmtree(out)
            part.rename(out)
    except OSError as error:
        raise OutputError(f"Invalid output '{out}'. Must be a folder that can be written: {error}.") from error
    return out


def _write_lines(world: World, folder: Path) -> None:
    """Write the drawn line with its tags, and the origins."""
    spec = world.spec
    tags: dict[str, Any] = {"name": spec.road.name, "kind": "road"}
    if spec.line.tags:
        lanes = spec.road.lanes_right + (0 if spec.road.oneway else spec.road.lanes_left)
        tags |= {
            "lanes": lanes,
            "width": round(lanes * spec.road.lane_width_m + 2 * spec.road.shoulder_m + spec.road.median_m, 1),
            "oneway": "yes" if spec.road.oneway else "no",
        }
    elif spec.road.oneway:
        tags["oneway"] = "yes"
    rows = [tags, *({"name": name, "kind": "origin"} for name in world.origins)]
    shapes = [
        shapely.LineString(world.drawn),
        *(shapely.Point(lon, lat) for lon, lat in world.origins.values()),
    ]
    _write_features(rows, shapes, folder / "road.geojson", 7)


def _write_truth(world: World, vehicles: tuple[Vehicle, ...], folder: Path) -> None:
    folder.mkdir()
    # What is measured of a vehicle, or said of it in a review, is no part of the truth.
    table = vehicle_table(vehicles, world.road).drop(columns=["motion", "review"])
    table.to_file(
        folder / "vehicles.geojson", driver="GeoJSON", engine="pyogrio", RFC7946="YES", COORDINATE_PRECISION=8
    )
    rows = [{"name": world.road.name, "oneway": "yes" if world.road.oneway else "no"}]
    _write_features(rows, [shapely.LineString(world.vertices)], folder / "road.geojson", 9)
    seen = world.seen_m
    truth = {
        "schema": "jamline/truth/1",
        "scene": world.spec.name,
        "seed": world.spec.seed,
        "road": world.road.name,
        "road_length_m": round(world.road.length_m, 2),
        "seen_m": [round(seen[0], 2), round(seen[1], 2)],
        "drawn_line_left_of_road_m": world.spec.line.offset_m,
        "origins": {name: _station(world, lon, lat) for name, (lon, lat) in world.origins.items()},
        "vehicles": {state: sum(v.state == state for v in vehicles) for state in ("queued", "flowing", "parked")},
        "queues": queue_truth(vehicles, seen),
    }
    (folder / "queues.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


def _station(world: World, lon: float, lat: float) -> float:
    station = float(world.road.to_road([lon], [lat])[0][0])
    return round(min(max(station, 0.0), world.road.length_m), 2)


def _write_features(rows: list[dict[str, Any]], shapes: list[Any], path: Path, digits: int) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    frame = gpd.GeoDataFrame({n: [row.get(n) for row in rows] for n in names}, geometry=shapes, crs=WGS84)
    frame.to_file(path, driver="GeoJSON", engine="pyogrio", RFC7946="YES", COORDINATE_PRECISION=digits)


def _write_tile(renderer: Renderer, grid: PixelGrid, tile: tuple[int, int, int, int], folder: Path) -> None:
    """Paint and write one tile; one without a valid pixel is left out."""
    spec = renderer.stage.spec
    col, row, width, height = tile
    count = 1 if spec.sensor.bands == "pan" else 3
    numbers = np.zeros((count, height, width), dtype=np.uint16)
    valid = np.zeros((height, width), dtype=bool)
    block = max(32, round(_BLOCK_M / grid.pixel_m))
    for r in range(0, height, block):
        for c in range(0, width, block):
            w, h = min(block, width - c), min(block, height - r)
            painted = _paint_block(renderer, grid, (col + c, row + r, w, h))
            if painted is not None:
                numbers[:, r : r + h, c : c + w], valid[r : r + h, c : c + w] = painted
    if not valid.any():
        return
    numbers[:, ~valid] = 0
    dtype = "uint8" if spec.sensor.bits == 8 else "uint16"
    path = folder / f"tile_r{_index(row, spec)}_c{_index(col, spec)}.tif"
    _write_cog(numbers.astype(dtype), valid, grid, (col, row), spec, path)


def _index(pixel: int, spec: SceneSpec) -> str:
    """Return a tile's row or column in its name; the grid's origin lies in the middle of the scene."""
    return f"{pixel + 500_000:06d}"


def _paint_block(
    renderer: Renderer, grid: PixelGrid, block: tuple[int, int, int, int]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.bool_]] | None:
    """Return the numbers and the validity of a block of pixels, or nothing where it is all nodata."""
    spec, world = renderer.stage.spec, renderer.stage.world
    col, row, width, height = block
    padded = (col - PAD_PX, row - PAD_PX, width + 2 * PAD_PX, height + 2 * PAD_PX)
    local = grid.to_local(*padded)
    middle = local.reshape(2, -1).mean(axis=1)
    reach = float(np.hypot(np.ptp(local[0]), np.ptp(local[1]))) / 2
    if not spec.imagery.fill_tiles and world.distance_m(middle[None])[0] > spec.imagery.half_width_m + reach:
        return None
    px_m = canvas_px_m(spec)
    window = canvas_window(local, px_m, 3.0 * spec.sensor.gsd_m + 2.0 * px_m)
    light, station, offset = renderer.paint(window)
    xy = window.to_px(local[0], local[1]).astype(np.float32)
    map_x, map_y = np.ascontiguousarray(xy[..., 0]), np.ascontiguousarray(xy[..., 1])
    image = cv2.remap(light, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    pixels = Window(padded[0], padded[1], padded[2], padded[3], grid.pixel_m)
    numbers = expose(np.asarray(image, dtype=np.float32), spec.sensor, spec.light.haze, renderer.stage.noise, pixels)
    inner = slice(PAD_PX, -PAD_PX)
    s = cv2.remap(station, map_x, map_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)[inner, inner]
    o = cv2.remap(offset, map_x, map_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)[inner, inner]
    low, high = limits_m(world)
    valid = (s >= low) & (s <= high)
    if not spec.imagery.fill_tiles:
        valid &= np.abs(o) <= spec.imagery.half_width_m
    return (numbers, valid) if valid.any() else None


def canvas_px_m(spec: SceneSpec) -> float:
    """Return the cell of the canvas: half the resolution, or a quarter of a coarse one; 0.125 to 1 m."""
    gsd_m = spec.sensor.gsd_m
    return float(np.clip(gsd_m / 2, 0.125, 0.4)) if gsd_m <= 1.6 else min(gsd_m / 4, 1.0)


def _write_cog(
    numbers: npt.NDArray[Any],
    valid: npt.NDArray[np.bool_],
    grid: PixelGrid,
    corner: tuple[int, int],
    spec: SceneSpec,
    path: Path,
) -> None:
    """Write one tile as a Cloud Optimized GeoTIFF."""
    count, height, width = numbers.shape
    jpeg = spec.sensor.jpeg_quality > 0 and numbers.dtype == np.uint8
    # A lossy pixel may become 0 or stop being it, so there a mask says what is valid.
    profile = {
        "driver": "GTiff",
        "count": count,
        "height": height,
        "width": width,
        "dtype": numbers.dtype.name,
        "crs": rasterio.crs.CRS.from_wkt(grid.crs.to_wkt()),
        "transform": grid.corner(*corner),
        "nodata": None if jpeg else 0,
        "photometric": "RGB" if count == 3 else "MINISBLACK",
    }
    when = spec.imagery.acquired.replace("-", ":").replace("T", " ").rstrip("Z")
    creation = (
        {"COMPRESS": "JPEG", "QUALITY": spec.sensor.jpeg_quality} if jpeg else {"COMPRESS": "DEFLATE", "PREDICTOR": 2}
    )
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), MemoryFile() as memory:
        with memory.open(**profile) as raster:
            raster.write(numbers)
            if jpeg and not valid.all():
                raster.write_mask(valid)
            raster.update_tags(
                TIFFTAG_IMAGEDESCRIPTION=SIMULATED,
                TIFFTAG_SOFTWARE="jamline synth",
                TIFFTAG_DATETIME=when,
                JAMLINE_SIMULATED="YES",
                GSD=f"{spec.sensor.gsd_m:g}",
                ACQUISITIONDATETIME=spec.imagery.acquired,
            )
            if any(spec.instants.lag_s) and count == 3:
                for band, lag_s in enumerate(spec.instants.lag_s, start=1):
                    raster.update_tags(band, TIME_OFFSET_S=f"{lag_s:g}")
        with memory.open() as raster:
            copy_raster(raster, str(path), driver="COG", BLOCKSIZE=256, OVERVIEW_COUNT=3, SPARSE_OK=True, **creation)
