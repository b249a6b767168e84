"""Small simulated deliveries, each in the exact layout of a vendor or catalogue, cut from one simulated scene.

The names of assets, files, fields and bands are those of the real deliveries; pixels and metadata are made up.
"""

from __future__ import annotations

import json
from pathlib import Path

import geopandas
import numpy as np
import rasterio
import shapely
from affine import Affine
from rasterio.enums import ColorInterp
from rasterio.warp import Resampling, reproject, transform_geom

COG_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
UTM38N = "EPSG:32638"
MAXAR_PX = 17_408
MAXAR_PIXEL_M = 0.30517578125
SENTINEL_PIXEL_M = 10.0


def write_json(path: Path, content: dict) -> Path:
    path.write_text(json.dumps(content, indent=1))
    return path


def outline(box: tuple[float, float, float, float], crs: str) -> dict:
    """A box of a CRS as a GeoJSON polygon in degrees."""
    return transform_geom(crs, "EPSG:4326", shapely.geometry.mapping(shapely.box(*box)), precision=7)


def item_of(name: str, *, geometry: dict, assets: dict, version: str = "1.0.0", **properties) -> dict:
    return {
        "type": "Feature",
        "stac_version": version,
        "stac_extensions": [],
        "id": name,
        "geometry": geometry,
        "bbox": list(shapely.geometry.shape(geometry).bounds),
        "properties": {"datetime": "2022-09-25T08:03:00Z", **properties},
        "links": [],
        "assets": assets,
    }


def write_raster(path: Path, pixels: np.ndarray, transform: Affine, crs: str = UTM38N, **profile) -> Path:
    """Write a tiled, deflated GeoTIFF; shape (bands, rows, columns)."""
    count, height, width = pixels.shape
    shape = {"count": count, "height": height, "width": width, "dtype": pixels.dtype}
    made = {"driver": "GTiff", "tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", crs=crs, transform=transform, **(made | shape | profile)) as file:
        file.write(pixels)
    return path


def scene_pixels(scene: Path) -> tuple[np.ndarray, Affine]:
    """Pixels of a simulated scene's one tile, and where they lie in UTM 38N."""
    (tile,) = scene.glob("*.tif")
    with rasterio.open(tile) as file:
        return file.read(), file.transform


def maxar_ard(folder: Path, scene: Path, *, seam: float = 0.5, masks: tuple[str, ...] = ()) -> list[Path]:
    """Two overlapping tiles of Vantor's analysis ready data, 17,408 px wide, of which only the scene has pixels.

    The scene is 0.5 m fine, as the items say; the grid is 0.305 m. ``seam`` is where in the scene, from west to east,
    the overlap of 312.5 m has its middle. Returns the paths of the items.
    """
    pixels, transform = scene_pixels(scene)
    west, north = transform.c, transform.f
    width_m, height_m = pixels.shape[2] * transform.a, pixels.shape[1] * transform.a
    side_m = MAXAR_PX * MAXAR_PIXEL_M
    pitch_m = side_m - 312.5
    left_m = west + seam * width_m + 156.25 - side_m
    top_m = north + 2000.0
    scene_box = shapely.box(west, north - height_m, west + width_m, north)
    items = []
    for number, x_m in enumerate((left_m, left_m + pitch_m)):
        home = folder / "ard" / "38" / f"12020302232{number}" / "2022-09-25"
        home.mkdir(parents=True)
        catid = "10500100AB12CD00"
        grid = Affine(MAXAR_PIXEL_M, 0, x_m, 0, -MAXAR_PIXEL_M, top_m)
        _fill_maxar(home / f"{catid}-visual.tif", pixels, transform, grid)
        for name in masks:
            shape = scene_box if name == "data-mask" else shapely.box(west, north - height_m, west + 250, north)
            table = geopandas.GeoDataFrame(geometry=[shape], crs=UTM38N)
            table.to_file(home / f"{catid}-{name}.gpkg", layer=name, driver="GPKG", engine="pyogrio")
        assets = {
            "visual": {
                "href": f"./{catid}-visual.tif",
                "type": COG_TYPE,
                "title": "Visual Image",
                "roles": ["visual"],
                "eo:bands": [
                    {"name": f"BAND_{colour[0].upper()}", "common_name": colour} for colour in ("red", "green", "blue")
                ],
                "proj:shape": [MAXAR_PX, MAXAR_PX],
                "proj:transform": list(grid)[:6],
            },
            "ms_analytic": {
                "href": f"./{catid}-ms.tif",
                "type": COG_TYPE,
                "roles": ["data"],
                "eo:bands": [{"name": f"BAND_{n}", "common_name": c} for n, c in zip("BGR", COLOURS_MS, strict=True)],
                "proj:transform": [1.220703125, 0, x_m, 0, -1.220703125, top_m],
            },
            **{
                name: {
                    "href": f"./{catid}-{name}.gpkg",
                    "type": "application/geopackage+sqlite3",
                    "roles": [name],
                }
                for name in masks
            },
        }
        box = (x_m, top_m - side_m, x_m + side_m, top_m)
        item = item_of(
            f"38-{home.parent.name}-{catid}",
            geometry=outline(box, UTM38N),
            assets=assets,
            gsd=0.5,
            platform="GE01",
            **{"eo:cloud_cover": 12.5, "view:off_nadir": 21.0, "tile:clouds_percent": 3},
        )
        items.append(write_json(home / f"{catid}.json", item))
    return items


COLOURS_MS = ("blue", "green", "red")


def _fill_maxar(path: Path, pixels: np.ndarray, transform: Affine, grid: Affine) -> None:
    """Write a tile of Vantor's size; only blocks that show the scene are there at all."""
    ratio = transform.a / grid.a
    first = ((transform.c - grid.c) / grid.a, (grid.f - transform.f) / grid.a)
    cols, rows = (
        (max(0, int(low)), min(MAXAR_PX, int(low + ratio * size) + 1))
        for low, size in zip(first, (pixels.shape[2], pixels.shape[1]), strict=True)
    )
    part = np.zeros((3, rows[1] - rows[0], cols[1] - cols[0]), np.uint8)
    here = Affine(grid.a, 0, grid.c + cols[0] * grid.a, 0, grid.e, grid.f + rows[0] * grid.e)
    reproject(
        pixels,
        part,
        src_transform=transform,
        src_crs=UTM38N,
        dst_transform=here,
        dst_crs=UTM38N,
        resampling=Resampling.cubic,
    )
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=MAXAR_PX,
        height=MAXAR_PX,
        count=3,
        dtype="uint8",
        crs=UTM38N,
        transform=grid,
        tiled=True,
        blockxsize=512,
        blockysize=512,
        compress="deflate",
        photometric="rgb",
        sparse_ok=True,
    ) as file:
        file.write(part, window=(rows, cols))


def sentinel2(
    folder: Path, *, offset: float = -0.1, version: str = "1.0.0", applied: bool = False, size: int = 64
) -> Path:
    """A small Sentinel-2 L2A item as Earth Search has it: a file for each band, and the scene classification.

    Band values are reflectances of 0.1 (blue), 0.2, 0.3 and 0.4 (near infrared) at the first pixel, growing by 0.001
    with each column. The classification has a column of each class from 0 to 11, each 40 m wide.
    """
    name = "S2B_38TMN_20220925_0_L2A"
    home = folder / name
    grid = Affine(SENTINEL_PIXEL_M, 0, 460_000.0, 0, -SENTINEL_PIXEL_M, 4_750_000.0)
    coarse = Affine(20, 0, grid.c, 0, -20, grid.f)
    cols = np.arange(size)
    assets = {}
    bands = (("blue", "B02", 0.1), ("green", "B03", 0.2), ("red", "B04", 0.3), ("nir", "B08", 0.4))
    for key, number, reflectance in bands:
        stored = np.rint((reflectance + 0.001 * cols - offset) / 0.0001).astype(np.uint16)
        pixels = np.broadcast_to(stored, (1, size, size)).copy()
        pixels[0, 0] = 0
        write_raster(home / f"{number}.tif", pixels, grid, nodata=0)
        assets[key] = _sentinel_asset(number, key, 10, offset, version)
    broad = np.full((1, size // 2, size // 2), 1000, np.uint16)
    write_raster(home / "B8A.tif", broad, coarse, nodata=0)
    assets["nir08"] = _sentinel_asset("B8A", "nir08", 20, offset, version)
    visual = np.full((3, size, size), 100, np.uint8)
    write_raster(home / "TCI.tif", visual, grid, nodata=0, photometric="rgb")
    assets["visual"] = {
        "href": "./TCI.tif",
        "type": COG_TYPE,
        "roles": ["visual"],
        "gsd": 10,
        "eo:bands": [{"name": each, "common_name": each} for each in ("red", "green", "blue")],
    }
    classes = np.broadcast_to(np.minimum(np.arange(size // 2) // 2, 11).astype(np.uint8), (1, size // 2, size // 2))
    write_raster(home / "SCL.tif", np.ascontiguousarray(classes), coarse, nodata=0)
    assets["scl"] = {"href": "./SCL.tif", "type": COG_TYPE, "roles": ["data", "reflectance"], "gsd": 20}
    assets["thumbnail"] = {"href": "./thumbnail.jpg", "type": "image/jpeg", "roles": ["thumbnail"]}
    box = (grid.c, grid.f - size * SENTINEL_PIXEL_M, grid.c + size * SENTINEL_PIXEL_M, grid.f)
    content = item_of(
        name,
        geometry=outline(box, UTM38N),
        assets=assets,
        version=version,
        platform="sentinel-2b",
        **{"eo:cloud_cover": 7.5, "earthsearch:boa_offset_applied": applied},
    )
    return write_json(home / f"{name}.json", content)


def _sentinel_asset(number: str, common: str, gsd: int, offset: float, version: str) -> dict:
    asset = {"href": f"./{number}.tif", "type": COG_TYPE, "roles": ["data", "reflectance"], "gsd": gsd}
    if version.startswith("1.0"):
        values = {"nodata": 0, "data_type": "uint16", "spatial_resolution": gsd, "scale": 0.0001, "offset": offset}
        return asset | {"eo:bands": [{"name": number, "common_name": common}], "raster:bands": [values]}
    band = {"name": number, "eo:common_name": common, "raster:scale": 0.0001, "raster:offset": offset}
    return asset | {"bands": [band], "nodata": 0, "data_type": "uint16"}


def naip(folder: Path, scene: Path) -> Path:
    """The scene as NAIP comes: red, green, blue and near infrared, 8 bits, in one asset `image`."""
    pixels, transform = scene_pixels(scene)
    name = "tx_m_3009501_ne_15_030_20220925"
    nir = (255 - pixels[:1] // 2).astype(np.uint8)
    file = write_raster(folder / f"{name}.tif", np.concatenate([pixels, nir]), transform)
    with rasterio.open(file, "r+") as opened:
        opened.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.undefined]
    box = _box(pixels, transform)
    bands = [{"name": each.title(), "common_name": each} for each in ("red", "green", "blue", "nir")]
    asset = {"href": f"{name}.tif", "type": COG_TYPE, "roles": ["data"], "eo:bands": bands}
    thumbnail = {"href": f"./{name}.200.jpg", "type": "image/jpeg", "roles": ["thumbnail"]}
    item = item_of(
        name,
        geometry=outline(box, UTM38N),
        assets={"image": asset, "thumbnail": thumbnail},
        gsd=0.5,
        **{"naip:year": "2022"},
    )
    return write_json(folder / f"{name}_item.json", item)


def single_bands(folder: Path, scene: Path) -> Path:
    """The scene as an item with a COG for each of red, green and blue."""
    pixels, transform = scene_pixels(scene)
    assets = {}
    for key, band in zip(("red", "green", "blue"), pixels, strict=True):
        write_raster(folder / f"{key}.tif", band[None], transform)
        assets[key] = {"href": f"./{key}.tif", "type": COG_TYPE, "roles": ["data"], "eo:bands": [{"common_name": key}]}
    item = item_of("bands", geometry=outline(_box(pixels, transform), UTM38N), assets=assets, gsd=0.5)
    return write_json(folder / "bands.json", item)


def planetscope(folder: Path, *, size: int = 96) -> Path:
    """A PlanetScope order: eight bands of 3 m, the usable data mask beside, and Planet's own metadata.

    The mask has a stripe of 8 columns of each class from its band 1 to 6, then 8 columns not imaged.
    """
    name = "20220925_080312_45_2459"
    grid = Affine(3, 0, 470_000.0, 0, -3, 4_745_000.0)
    pixels = np.stack([np.full((size, size), 1000 * band, np.uint16) for band in range(1, 9)])
    file = write_raster(folder / f"{name}_3B_AnalyticMS_SR_8b_clip.tif", pixels, grid, nodata=0)
    mask = np.zeros((8, size, size), np.uint8)
    for band in range(6):
        mask[band, :, 8 * band : 8 * band + 8] = 1
    mask[0, :, 56:] = 1
    mask[6] = 90
    mask[7, :, 48:56] = 1
    write_raster(folder / f"{name}_3B_udm2_clip.tif", mask, grid)
    metadata = {"id": name, "properties": {"acquired": "2022-09-25T08:03:12.45Z", "gsd": 3.9, "cloud_percent": 8}}
    write_json(folder / f"{name}_metadata.json", metadata)
    return file


def _box(pixels: np.ndarray, transform: Affine) -> tuple[float, float, float, float]:
    x, y = transform.c, transform.f
    return (x, y - pixels.shape[1] * transform.a, x + pixels.shape[2] * transform.a, y)
