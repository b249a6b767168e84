"""The four layers as tables: queues, vehicles, coverage and road."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from jamline import tables

if TYPE_CHECKING:
    from jamline.evidence import Evidence
    from jamline.queues import Queues

Array = npt.NDArray[np.float64]

_DECIMALS = {"m": 2, "km": 3, "deg": 1, "1/km": 1, "km/h": 1, "": 3}
"""Decimal places by unit: no figure claims more than a centimetre."""


def layers(queues: Sequence[Queues], evidence: Sequence[Evidence]) -> dict[str, Any]:
    """Return the tables that are written, by layer name.

    Parameters
    ----------
    queues : sequence of Queues
        One for each road.
    evidence : sequence of Evidence
        One for each road, in the same order.

    Returns
    -------
    dict of str to GeoDataFrame
        Each with its full schema, also when it has no rows; vehicles lie over coverage and road.
    """
    parts: dict[str, list[Any]] = {
        "queues": [each.to_frame() for each in queues],
        "vehicles": [each.vehicles for each in queues],
        "coverage": [coverage_table(each) for each in evidence],
        "road": [road_table(each) for each in evidence],
    }
    schemas = tables.SCHEMAS
    return {name: rounded(joined(frames, schemas[name]), schemas[name]) for name, frames in parts.items()}


def coverage_table(evidence: Evidence) -> Any:
    """Return what was seen of each side as polygons as wide as the corridor, schema `tables.COVERAGE`."""
    road = evidence.road
    edges = {
        "left": (0.0, evidence.half_width_m),
        "right": (-evidence.half_width_m, 0.0),
        "all": (-evidence.half_width_m, evidence.half_width_m),
    }
    rows = list(stretches(evidence.sight))
    columns: Mapping[str, Any] = {
        "road": [road.name] * len(rows),
        "side": [row["side"] for row in rows],
        "start_m": [row["start_m"] for row in rows],
        "end_m": [row["end_m"] for row in rows],
        "seen": [row["seen"] for row in rows],
        "reason": [row["reason"] for row in rows],
    }
    shapes = [road.box(row["start_m"], row["end_m"], *edges[row["side"]]) for row in rows]
    return tables.table(tables.COVERAGE, columns, geometry=shapes)


def stretches(sight: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the stretches of a sight table by side and station, joined where only the recall changes."""
    last: dict[str, Any] | None = None
    for row in sight.sort_values(["side", "start_m"], kind="stable").to_dict("records"):
        if not row["end_m"] > row["start_m"]:
            continue
        same = last is not None and all(row[key] == last[key] for key in ("side", "seen", "reason"))
        if last is not None and same and row["start_m"] - last["end_m"] < 1e-6:
            last["end_m"] = row["end_m"]
            continue
        if last is not None:
            yield last
        last = {key: row[key] for key in ("side", "start_m", "end_m", "seen", "reason")}
    if last is not None:
        yield last


def road_table(evidence: Evidence) -> Any:
    """Return the aligned road, schema `tables.ROAD`."""
    road = evidence.road
    columns = {
        "name": [road.name],
        "length_m": [road.length_m],
        "origin": [road.origin],
        "origin_station_m": [road.origin_station_m],
        "oneway": [road.oneway],
        "lanes": [float("nan") if road.lanes is None else float(road.lanes)],
        "width_m": [float("nan") if road.width_m is None else road.width_m],
        "alignment_m": [evidence.alignment_m.value],
    }
    return tables.table(tables.ROAD, columns, geometry=[road.line(0.0, road.length_m)])


def joined(frames: Sequence[Any], schema: tables.Schema) -> Any:
    """Put the roads' tables under one another, checked, to the last digit."""
    columns = [*schema.names, "geometry"]
    checked = [tables.check(frame, schema, source=schema.name)[columns] for frame in frames if len(frame)]
    filled = checked or [tables.empty(schema)]
    table = pd.concat(filled, ignore_index=True).set_geometry("geometry").to_crs(tables.WGS84)
    table["geometry"] = shapely.transform(table.geometry.values, _on_the_globe)
    return table


def rounded(table: Any, schema: tables.Schema) -> Any:
    """Return a table with its figures as they are written."""
    table = table.copy()
    for column in schema.columns:
        if column.dtype == "float64":
            table[column.name] = table[column.name].round(_DECIMALS[column.unit])
    return table


def _on_the_globe(lonlat: Array) -> Array:
    """Bring a shape that lies wholly beyond the antimeridian back to longitudes within 180 degrees.

    A road that crosses it is kept in one piece, with longitudes that go on past 180.
    """
    turns = np.zeros(2)
    if len(lonlat) and lonlat[:, 0].min() >= 180.0:
        turns[0] = -360.0
    elif len(lonlat) and lonlat[:, 0].max() < -180.0:
        turns[0] = 360.0
    moved: Array = lonlat + turns
    return moved
