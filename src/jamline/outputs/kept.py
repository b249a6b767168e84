"""`evidence.gpkg`: what was seen, to the last digit, so that a result can be measured anew without its imagery.

It lies beside `jam.gpkg`, which people edit; nobody edits this one. The tables are `road` (the aligned curve, a point
each metre), `vehicles` (row for row those of `jam.gpkg`, in the order of their ``fid``), `sight`, `strips` (the road
laid flat, for the report), and after a review `told` (the states that were written last).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio
import shapely

from jamline import tables
from jamline.errors import OutputError
from jamline.evidence import Evidence
from jamline.imagery import packed_picture, unpacked_picture
from jamline.outputs.geopackage import settle, stamped
from jamline.outputs.layers import joined
from jamline.road import Road
from jamline.spans import Estimate

if TYPE_CHECKING:
    from jamline.queues import Queues

KEPT = "evidence.gpkg"

_JPEG_QUALITY = 85
"""The report packs its pictures once more, at 70."""


class Strip(Protocol):
    """A piece of the road laid flat; `jamline.report.StripImage` is one."""

    @property
    def road(self) -> str: ...  # noqa: D102
    @property
    def start_m(self) -> float: ...  # noqa: D102
    @property
    def end_m(self) -> float: ...  # noqa: D102
    @property
    def pixel_m(self) -> float: ...  # noqa: D102
    @property
    def top_offset_m(self) -> float: ...  # noqa: D102
    @property
    def image(self) -> npt.NDArray[np.uint8]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Told:
    """The state of a vehicle as it was written last, and whether a person had said it."""

    state: str
    by_person: bool


@dataclass(frozen=True, eq=False)
class Kept:
    """What `evidence.gpkg` holds.

    Parameters
    ----------
    evidence : tuple of Evidence
        One for each road, as the detector left it; the vehicles have their ``fid`` in `jam.gpkg` as a further column.
    strips : tuple of mapping
        Arguments of `jamline.report.StripImage`.
    told : mapping of int to Told
        By ``fid``; empty before the first review.
    """

    evidence: tuple[Evidence, ...]
    strips: tuple[Mapping[str, Any], ...] = field(repr=False)
    told: Mapping[int, Told] = field(repr=False)


def write_kept(
    path: Path,
    queues: Sequence[Queues],
    evidence: Sequence[Evidence],
    strips: Iterable[Strip],
    *,
    last_change: str | None,
) -> None:
    """Write `evidence.gpkg`.

    Parameters
    ----------
    path : Path
        A file that does not exist yet.
    queues : sequence of Queues
        One for each road, with its vehicles.
    evidence : sequence of Evidence
        One for each road, in the same order.
    strips : iterable of Strip
        The roads laid flat.
    last_change : str, optional
        As in `write_geopackage`.
    """
    sight = pd.concat([each.sight[tables.SIGHT.names].assign(road=each.road.name) for each in evidence])
    frames = {
        "road": _roads(evidence),
        "vehicles": joined([each.vehicles for each in queues], tables.VEHICLES),
        "sight": sight.reset_index(drop=True),
    }
    for index, (name, frame) in enumerate(frames.items()):
        pyogrio.write_dataframe(
            frame,
            path,
            driver="GPKG",
            layer=name,
            append=index > 0,
            geometry_type=tables.SCHEMAS[name].geometry,
            dataset_options={"VERSION": "1.2"} if index == 0 else {},
            layer_options={"FID": "fid"} | ({"GEOMETRY_NAME": "geom"} if "geometry" in frame else {}),
        )
    with closing(sqlite3.connect(path)) as file, file:
        _make(file, "strips", "road TEXT, start_m REAL, end_m REAL, pixel_m REAL, top_offset_m REAL, jpeg BLOB")
        for strip in strips:
            row = (strip.road, strip.start_m, strip.end_m, strip.pixel_m, strip.top_offset_m, _packed(strip.image))
            file.execute("INSERT INTO strips VALUES (NULL, ?, ?, ?, ?, ?, ?)", row)
        file.execute("UPDATE gpkg_contents SET last_change = ?", (stamped(last_change),))
    settle(path)


def read_kept(path: Path) -> Kept:
    """Read `evidence.gpkg`.

    Raises
    ------
    OutputError
        If it is missing or is not what `write_kept` wrote.
    """
    if not path.is_file():
        raise OutputError(f"Invalid result '{path.parent}'. Must hold {KEPT}; measure it with this version.")
    try:
        roads = pyogrio.read_dataframe(path, layer="road")
        vehicles = pyogrio.read_dataframe(path, layer="vehicles", fid_as_index=True)
        sight = pyogrio.read_dataframe(path, layer="sight", read_geometry=False)
        with closing(sqlite3.connect(path)) as file:
            strips = file.execute("SELECT road, start_m, end_m, pixel_m, top_offset_m, jpeg FROM strips").fetchall()
            there = file.execute("SELECT 1 FROM sqlite_master WHERE name = 'told'").fetchone()
            told = file.execute("SELECT vehicle, state, by_person FROM told").fetchall() if there else []
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, sqlite3.Error) as error:
        raise OutputError(f"Invalid evidence '{path}'. Must be as jamline wrote it.") from error
    vehicles = vehicles.rename_axis("fid").reset_index().fillna({"side": "", "state": "", "review": "", "motion": ""})
    names = ("road", "start_m", "end_m", "pixel_m", "top_offset_m")
    return Kept(
        evidence=tuple(_evidence(row, vehicles, sight, path) for _, row in roads.iterrows()),
        strips=tuple(dict(zip(names, row, strict=False)) | {"image": unpacked_picture(row[-1])} for row in strips),
        told={fid: Told(state, bool(by_person)) for fid, state, by_person in told},
    )


def write_told(path: Path, told: Mapping[int, Told]) -> None:
    """Put down the states that were written last, in place of those before."""
    with closing(sqlite3.connect(path)) as file, file:
        if not file.execute("SELECT 1 FROM sqlite_master WHERE name = 'told'").fetchone():
            _make(file, "told", "vehicle INTEGER, state TEXT, by_person INTEGER")
            file.execute("UPDATE gpkg_contents SET last_change = (SELECT min(last_change) FROM gpkg_contents)")
        file.execute("DELETE FROM told")
        rows = [(fid, fid, each.state, int(each.by_person)) for fid, each in sorted(told.items())]
        file.executemany("INSERT INTO told VALUES (?, ?, ?, ?)", rows)


def _make(file: sqlite3.Connection, name: str, columns: str) -> None:
    """Make a table that a GeoPackage knows of."""
    file.execute(f"CREATE TABLE {name} (fid INTEGER PRIMARY KEY NOT NULL, {columns})")
    file.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description) VALUES (?, 'attributes', ?, '')",
        (name, name),
    )


def _roads(evidence: Sequence[Evidence]) -> Any:
    """Return the curves and what else an `Evidence` knows of its road."""
    rows = [
        {
            "name": each.road.name,
            "oneway": each.road.oneway,
            "lanes": np.nan if each.road.lanes is None else float(each.road.lanes),
            "width_m": np.nan if each.road.width_m is None else each.road.width_m,
            "origin": each.road.origin,
            "origin_station_m": each.road.origin_station_m,
            "source": each.road.source,
            "places": json.dumps(dict(each.road.places), ensure_ascii=False),
            "alignment": json.dumps(
                [each.alignment_m.value, each.alignment_m.low, each.alignment_m.high, each.alignment_m.level]
            ),
            "half_width_m": each.half_width_m,
            "gsd_m": each.gsd_m,
            "detector": each.detector,
        }
        for each in evidence
    ]
    return gpd.GeoDataFrame(rows, geometry=[shapely.LineString(e.road.lonlat) for e in evidence], crs=tables.WGS84)


def _evidence(row: Any, vehicles: Any, sight: pd.DataFrame, path: Path) -> Evidence:
    """Put the evidence of one road together again."""
    value, low, high, level = json.loads(row["alignment"])
    road = Road(
        name=row["name"],
        lonlat=shapely.get_coordinates(row.geometry),
        oneway=bool(row["oneway"]),
        lanes=None if pd.isna(row["lanes"]) else int(row["lanes"]),
        width_m=None if pd.isna(row["width_m"]) else float(row["width_m"]),
        origin=row["origin"],
        origin_station_m=float(row["origin_station_m"]),
        source=row["source"] or "",
        places={name: (lon, lat) for name, (lon, lat) in json.loads(row["places"]).items()},
    )
    own = sight[sight["road"] == road.name].drop(columns="road").fillna({"reason": ""}).reset_index(drop=True)
    return Evidence(
        road=road,
        vehicles=tables.check(
            vehicles[vehicles["road"] == road.name].reset_index(drop=True), tables.VEHICLES, source=str(path)
        ),
        sight=tables.check(own, tables.SIGHT, source=str(path)),
        alignment_m=Estimate(value, low, high, level, unit="m"),
        half_width_m=float(row["half_width_m"]),
        gsd_m=float(row["gsd_m"]),
        detector=row["detector"],
    )


def _packed(image: npt.NDArray[np.uint8]) -> bytes:
    """Pack a strip, grey or in colours."""
    colours = image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
    return packed_picture(colours, "JPEG", QUALITY=_JPEG_QUALITY)
