"""A road with a jam on it, as real objects, small enough to work out by hand."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import rasterio
import shapely
from pyproj import Transformer

from jamline import tables
from jamline.evidence import Evidence
from jamline.road import Road, road_through
from jamline.spans import Estimate


def bent_road(length_m: float = 1500.0, *, name: str = "A-161", **kwargs) -> Road:
    """A road that leaves 44.6 E, 42.8 N to the north and bends; about as long as asked."""
    north = np.linspace(0.0, length_m / 111_050.0, 60)
    east = 0.0012 * np.sin(north * 111_050.0 / 400.0)
    stretch = road_through(np.column_stack([44.6 + east, 42.8 + north]), name=name).length_m / length_m
    points = np.column_stack([44.6 + east, 42.8 + north / stretch])
    return road_through(points, name=name, **kwargs)


def sight(road: Road, unseen: list[tuple[str, float, float, str]], *, recall: float = 0.95):
    """Sight that is whole but for the stretches named, which must not overlap."""
    rows = []
    for side in road.sides:
        at_m = 0.0
        for _, start_m, end_m, reason in sorted(u for u in unseen if u[0] == side):
            rows += [(side, at_m, start_m, True, "", recall), (side, start_m, end_m, False, reason, 0.0)]
            at_m = end_m
        rows.append((side, at_m, road.length_m, True, "", recall))
    rows = [row for row in rows if row[2] > row[1]]
    names = ("side", "start_m", "end_m", "seen", "reason", "recall")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return tables.table(tables.SIGHT, {**columns, "false_per_km": [0.5] * len(rows)})


def vehicles(road: Road, station_m, offset_m, *, length_m=4.5, width_m=1.8, state="queued"):
    """Vehicles along the road; those over 7 m are trucks."""
    station_m, offset_m = np.broadcast_arrays(np.asarray(station_m, float), np.asarray(offset_m, float))
    order = np.argsort(station_m, kind="stable")
    station_m, offset_m = station_m[order], offset_m[order]
    length_m = np.broadcast_to(np.asarray(length_m, float), station_m.shape)[order]
    width_m = np.broadcast_to(np.asarray(width_m, float), station_m.shape)[order]
    state = np.broadcast_to(np.asarray(state, object), station_m.shape)[order]
    shapes = [
        road.box(s - n / 2, s + n / 2, o - w / 2, o + w / 2)
        for s, o, n, w in zip(station_m, offset_m, length_m, width_m, strict=True)
    ]
    columns = {
        "road": road.name,
        "side": road.side_of(offset_m),
        "station_m": station_m,
        "offset_m": offset_m,
        "length_m": length_m,
        "width_m": width_m,
        "heading_deg": road.heading_at(station_m) % 180.0 if len(station_m) else [],
        "kind": np.where(length_m > 7, "truck", "car"),
        "state": state,
        "score": np.full(station_m.shape, 0.95),
    }
    return tables.table(tables.VEHICLES, columns, geometry=shapes)


def evidence(road: Road, frame, unseen=(), *, half_width_m: float = 12.0) -> Evidence:
    """Evidence as a detector would hand it on."""
    return Evidence(
        road=road,
        vehicles=frame,
        sight=sight(road, list(unseen)),
        alignment_m=Estimate(2.1, 1.4, 2.8, unit="m"),
        half_width_m=half_width_m,
        gsd_m=0.5,
        detector="example",
    )


def jam(road: Road | None = None, *, start_m: float = 300.0, end_m: float = 900.0, unseen=None) -> Evidence:
    """A queue at 8 m spacing on the right between two stations, sparse traffic on the left, two parked."""
    road = bent_road() if road is None else road
    queued = np.arange(start_m, end_m, 8.0)
    flowing = np.arange(40.0, road.length_m - 40.0, 160.0)
    parked = np.array([150.0, 1200.0])
    station_m = np.concatenate([queued, flowing, parked])
    offset_m = np.concatenate([np.full(len(queued), -1.8), np.full(len(flowing), 1.8), np.full(len(parked), -7.0)])
    length_m = np.full(len(station_m), 4.5)
    length_m[::10] = 7.4
    state = ["queued"] * len(queued) + ["flowing"] * len(flowing) + ["parked"] * len(parked)
    if unseen is None:
        unseen = [(side, 1300.0, road.length_m, "outside imagery") for side in road.sides]
        unseen.append(("left", 500.0, 560.0, "tree cover"))
    return evidence(road, vehicles(road, station_m, offset_m, length_m=length_m, state=state), unseen)


def reject_beyond(folder: Path, station_m: float) -> None:
    """Reject the queued vehicles of a result beyond a station, as QGIS would save it."""
    with closing(sqlite3.connect(folder / "jam.gpkg")) as file, file:
        # The triggers that keep the spatial index speak these words, though none of them fires.
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            file.create_function(name, 1, lambda _: None)
        rejected = "UPDATE vehicles SET review = 'rejected' WHERE state = 'queued' AND station_m > ?"
        file.execute(rejected, (station_m,))


def item_of(tile: Path, folder: Path) -> Path:
    """An image as Sentinel-2 comes: an item with a file for each colour, whose scale and offset it alone tells."""
    folder.mkdir()
    with rasterio.open(tile) as file:
        profile = file.profile | {"count": 1, "dtype": "uint16", "nodata": 0, "compress": "deflate"}
        profile.pop("photometric", None)
        pixels = file.read().astype(np.uint16)
        west, south, east, north = Transformer.from_crs(file.crs, 4326, always_xy=True).transform_bounds(*file.bounds)
    seen = pixels.any(axis=0)
    assets = {}
    for colour, band in zip(("red", "green", "blue"), pixels, strict=True):
        with rasterio.open(folder / f"{colour}.tif", "w", **profile) as file:
            file.write(np.where(seen, 1200 + 20 * band, 0).astype(np.uint16), 1)
        assets[colour] = {
            "href": f"./{colour}.tif",
            "roles": ["data"],
            "eo:bands": [{"name": colour, "common_name": colour}],
            "raster:bands": [{"scale": 0.0001, "offset": -0.1, "nodata": 0}],
        }
    item = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "S2_example",
        "bbox": [west, south, east, north],
        "geometry": shapely.geometry.mapping(shapely.box(west, south, east, north)),
        "properties": {"datetime": "2022-09-25T08:03:00Z", "gsd": 0.5},
        "links": [],
        "assets": assets,
    }
    (folder / "item.json").write_text(json.dumps(item))
    return folder / "item.json"
