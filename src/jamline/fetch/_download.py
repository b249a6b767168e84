"""What was found, downloaded: of each item the blocks along the roads, with its masks and metadata, and a job file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from affine import Affine

from jamline.errors import NothingToMeasureError
from jamline.fetch._copy import Places, copy_near, places_along
from jamline.fetch._jobfile import job_text
from jamline.fetch._search import Found, Search
from jamline.imagery import Image, mask_forms, mask_polygons, masks_of_item, open_items, open_scene, shown, stored_form
from jamline.outputs import check_outdir, result_folder
from jamline.road import Road

JOB = "job.toml"

_COG_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"

_OUTLINE_DEG = 1e-7
"""To about a centimetre."""

_HALF_WIDTH_M = 30.0
"""The corridor is 15 m to each side, and wider where the road is."""

_BESIDE_M = 10.0
"""A road is looked for 9.3 m beside its line (corridor, `FURTHEST_M`)."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Fetched:
    """What was downloaded.

    Parameters
    ----------
    folder : Path
        Where it lies.
    job : Path
        A job file for it.
    images : tuple of Path
        A COG for each item, in the order of the search.
    left_out : tuple of (str, str)
        Ids of items that were left out, and why.
    """

    folder: Path
    job: Path
    images: tuple[Path, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def size_bytes(self) -> int:
        """Size of all files together."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


def download(
    found: Search,
    outdir: str | Path,
    *,
    half_width_m: float | None = None,
    origin: str | None = None,
    claims: Iterable[str] = (),
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Fetched:
    """Download what lies along the roads, and write a job file for it.

    Parameters
    ----------
    found : Search
        What was found; items that are no pictures are left out.
    outdir : str or Path
        The folder to make: ``job.toml``, ``search.json``, and in ``items`` a COG for each item, its STAC item and its
        masks.
    half_width_m : float, optional
        How far to each side of the road will be looked; by default as far as measuring does by itself.
    origin, claims
        For the job file.
    overwrite : bool
        Replace the folder if it is empty or an earlier result.
    progress : callable, optional
        Called with the number of items done, and how many there are.

    Returns
    -------
    Fetched

    Raises
    ------
    ImageryError
        If an item or one of its assets cannot be read; then nothing is written.
    NothingToMeasureError
        If no item is a picture that shows anything of the roads.
    OutputError
        If the folder exists and may not be replaced, or cannot be written.
    """
    check_outdir(outdir, overwrite=overwrite)
    wanted = [each for each in found.found if each.unfit is None]
    left_out = [(each.id, each.unfit) for each in found.found if each.unfit is not None]
    names = _names(wanted)
    reach_m = max(half_width_m or 0.0, _HALF_WIDTH_M) + _BESIDE_M
    with result_folder(outdir, overwrite=overwrite) as folder:
        (folder / "items").mkdir()

        written = []
        # One after the other: files that several threads write at once share GDAL's cache of blocks, where one thread
        # may write out a block of another's file while that one writes too, and the file is broken.
        for done, (each, name) in enumerate(zip(wanted, names, strict=True), start=1):
            written.append(_one(each, name, found.roads, reach_m, folder / "items"))
            if progress is not None:
                progress(done, len(wanted))
        kept = [(each, file) for each, file in zip(wanted, written, strict=True) if file is not None]
        left_out += [
            (each.id, "shows nothing of the road") for each, file in zip(wanted, written, strict=True) if file is None
        ]
        if not kept:
            raise NothingToMeasureError(
                f"Invalid search in '{shown(found.catalogue)}'. Must find a picture that shows the road; of "
                f"{len(found.found)} items none does."
            )
        text = job_text(
            found,
            [(each.day, f"items/{file.name}") for each, file in kept],
            outdir=Path(outdir),
            half_width_m=half_width_m,
            origin=origin,
            claims=claims,
        )
        (folder / JOB).write_text(text, encoding="utf-8")
        (folder / "search.json").write_text(json.dumps(found.to_json(), indent=1) + "\n", encoding="utf-8")
    place = Path(outdir)
    return Fetched(
        folder=place,
        job=place / JOB,
        images=tuple(place / "items" / file.name for _, file in kept),
        left_out=tuple(left_out),
    )


def _one(each: Found, name: str, roads: Sequence[Road], reach_m: float, folder: Path) -> Path | None:
    """Download one item; ``None`` where nothing of it lies along the roads."""
    with open_items([each.item]) as scene:
        (image,) = scene.images
        near = places_along(roads, image, reach_m=reach_m)
        file = folder / f"{name}.tif"
        form = stored_form(image)
        transform = copy_near(form, near, file, band_tags=_band_tags(image))
        if transform is None:
            return None
        masks = _copy_masks(each, image, near, folder, name)
        bands = [
            {"name": label, "scale": scale, "offset": offset}
            | ({"common_name": label} if label in ("red", "green", "blue", "nir", "pan") else {})
            | ({} if form.nodata is None or math.isnan(form.nodata) else {"nodata": form.nodata})
            for label, (scale, offset) in zip(form.labels, form.linear, strict=True)
        ]
    asset: dict[str, Any] = {"href": f"./{file.name}", "type": _COG_TYPE, "roles": ["data"]}
    if form.palette is None:
        asset["eo:bands"] = [{key: band[key] for key in ("name", "common_name") if key in band} for band in bands]
        asset["raster:bands"] = [{k: band[k] for k in ("scale", "offset", "nodata") if k in band} for band in bands]
    with open_scene(file) as copied:
        footprint = copied.images[0].footprint
    content = _item(each, image, {"image": asset, **masks}, footprint)
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return file


def _copy_masks(each: Found, image: Image, near: Places, folder: Path, name: str) -> dict[str, dict[str, Any]]:
    """Copy what hides parts of an item, as far as it lies along the roads."""
    assets: dict[str, dict[str, Any]] = {}
    for key, form in mask_forms(image):
        file = folder / f"{name}_{key}.tif"
        if copy_near(form, _moved(near, image.transform, form.transform), file) is not None:
            assets[key] = {"href": f"./{file.name}", "type": _COG_TYPE, "roles": ["data"]}
    lon, lat = image.to_lonlat(*near)
    around = shapely.box(lon.min(), lat.min(), lon.max(), lat.max())
    for mask in masks_of_item(each.item):
        if mask.is_raster:
            continue
        table = mask_polygons(mask.path)
        home = table.set_crs(image.crs) if table.crs is None else table
        here = home[home.to_crs("EPSG:4326").intersects(around)][[home.geometry.name]]
        file = folder / f"{name}-{mask.kind}.gpkg"
        here.to_file(file, layer=mask.kind, driver="GPKG", engine="pyogrio")
        assets[mask.key] = {"href": f"./{file.name}", "type": "application/geopackage+sqlite3", "roles": [mask.kind]}
    return assets


def _moved(near: Places, own: Affine, other: Affine) -> Places:
    """Turn pixel coordinates of one raster into those of another in the same CRS; neither is turned."""
    x, y = own.a * (near[0] + 0.5) + own.c, own.e * (near[1] + 0.5) + own.f
    return (x - other.c) / other.a - 0.5, (y - other.f) / other.e - 0.5


def _item(each: Found, image: Image, assets: Mapping[str, Any], footprint: shapely.Polygon) -> dict[str, Any]:
    """Write the STAC item of what was copied: the original's properties, with its own files and outline."""
    properties = dict(each.item.properties)
    # Scale and offset are those that hold, and the resolution is the true one.
    properties.pop("earthsearch:boa_offset_applied", None)
    properties["gsd"] = image.gsd_m
    if image.mixed:
        # Unpacked, bands would seem to show places of their own.
        properties.pop("platform", None)
    link = {"rel": "derived_from", "href": shown(each.item.path)}
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [],
        "id": each.id,
        "geometry": shapely.geometry.mapping(footprint.simplify(_OUTLINE_DEG)),
        "bbox": list(footprint.bounds),
        "properties": properties,
        "links": [link],
        "assets": dict(assets),
    }


def _band_tags(image: Image) -> list[dict[str, str]]:
    """Return when each band was taken, as far as that is known and holds."""
    if image.mixed or not image.band_times:
        return []
    by_band = {image.bands[role]: seconds for role, seconds in image.band_times.items()}
    bands = dict.fromkeys(image.bands.values())
    return [{"TIME_OFFSET_S": str(by_band[band])} if band in by_band else {} for band in bands]


def _names(found: Sequence[Found]) -> list[str]:
    """Return a file name for each item: its id, as far as file systems take it, each once."""
    names: list[str] = []
    for each in found:
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", each.id).strip("._-")[:100] or "item"
        count = sum(other == name or other.startswith(f"{name}.") for other in names)
        names.append(f"{name}.{count + 1}" if count else name)
    return names
