"""The schema of every table that one room hands to the next, or to the world.

A table is checked once, where it is made or comes in from outside; behind that door it is trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from jamline.errors import OutputError

WGS84 = "EPSG:4326"
"""Tables with geometry are kept in longitude and latitude, the only CRS that RFC 7946 knows."""

TRUCK_M = 7.0
"""A vehicle over this length is of kind ``truck``."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, NumPy dtype (``"str"`` for text), unit and meaning."""

    name: str
    dtype: str
    unit: str
    meaning: str
    default: Any = None
    """What it holds where whoever made the table did not know of it."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in order, and its geometry type (``None`` for a plain table)."""

    name: str
    geometry: str | None
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names without the geometry."""
        return [column.name for column in self.columns]


VEHICLES = Schema(
    "vehicles",
    "Polygon",
    (
        Column("road", "str", "", "name of the road"),
        Column("side", "str", "", "left, right or all"),
        Column("station_m", "float64", "m", "station of the vehicle's centre"),
        Column("offset_m", "float64", "m", "metres left of the road line"),
        Column("length_m", "float64", "m", "along the vehicle"),
        Column("width_m", "float64", "m", "across the vehicle"),
        Column("heading_deg", "float64", "deg", "direction of its long axis, clockwise from north, 0 to 180"),
        Column("kind", "str", "", "car or truck (over 7 m)"),
        Column("state", "str", "", "queued, flowing or parked"),
        Column("score", "float64", "", "the detector's own probability that this is a vehicle"),
        Column("motion", "str", "", "standing, moving or unknown", default="unknown"),
        Column("review", "str", "", "what a person says: accepted, rejected, added, or empty", default=""),
    ),
)

STATES = ("queued", "flowing", "parked")
REVIEWS = ("accepted", "rejected", "added")
"""What the columns ``state`` and ``review`` may say, besides nothing."""

SIGHT = Schema(
    "sight",
    None,
    (
        Column("side", "str", "", "left, right or all"),
        Column("start_m", "float64", "m", "station where the stretch begins"),
        Column("end_m", "float64", "m", "station where the stretch ends"),
        Column("seen", "bool", "", "True where vehicles could have been seen"),
        Column("reason", "str", "", "why it was not seen, empty where it was"),
        Column(
            "recall",
            "float64",
            "",
            "share of the vehicles there that the detector finds, by its own estimate",
        ),
        Column("false_per_km", "float64", "1/km", "false vehicles per km, by the detector's own estimate"),
    ),
)

QUEUES = Schema(
    "queues",
    "LineString",
    (
        Column("road", "str", "", "name of the road"),
        Column("side", "str", "", "left, right or all"),
        Column("start_m", "float64", "m", "station where the queue begins"),
        Column("end_m", "float64", "m", "station where the queue ends"),
        Column("length_km", "float64", "km", "from the near end of the first to the far end of the last vehicle"),
        Column("length_low_km", "float64", "km", "low end of the interval"),
        Column(
            "length_high_km",
            "float64",
            "km",
            "high end of the interval, missing where the queue has an open end",
        ),
        Column("level", "float64", "", "probability that the interval holds the length"),
        Column("open", "str", "", "ends that leave what was seen: empty, start, end or start,end"),
        Column("occupied_km", "float64", "km", "length without the gaps"),
        Column("occupied_low_km", "float64", "km", "low end of the interval"),
        Column("occupied_high_km", "float64", "km", "high end of the interval"),
        Column("vehicles", "float64", "", "vehicles in the queue, corrected for what is missed"),
        Column("vehicles_low", "float64", "", "low end of the interval"),
        Column("vehicles_high", "float64", "", "high end of the interval"),
        Column("lanes", "float64", "", "mean rows abreast where occupied"),
        Column("density_per_km_lane", "float64", "1/km", "vehicles per km and lane where occupied"),
        Column("packing", "str", "", "packed (from 90 per km and lane) or dense"),
        Column("motion", "str", "", "standing, moving or unknown", default="unknown"),
        Column("speed_kmh", "float64", "km/h", "speed, missing where it could not be told", default=np.nan),
        Column("length_20_km", "float64", "km", "length if gaps over 20 m broke a queue"),
        Column("length_50_km", "float64", "km", "length if gaps over 50 m broke a queue"),
        Column("length_100_km", "float64", "km", "length if gaps over 100 m broke a queue"),
        Column("label", "str", "", "the length for people"),
    ),
)

COVERAGE = Schema(
    "coverage",
    "Polygon",
    (
        Column("road", "str", "", "name of the road"),
        Column("side", "str", "", "left, right or all"),
        Column("start_m", "float64", "m", "station where the stretch begins"),
        Column("end_m", "float64", "m", "station where the stretch ends"),
        Column("seen", "bool", "", "True where vehicles could have been seen"),
        Column("reason", "str", "", "why it was not seen, empty where it was"),
    ),
)

ROAD = Schema(
    "road",
    "LineString",
    (
        Column("name", "str", "", "name of the road"),
        Column("length_m", "float64", "m", "geodesic length"),
        Column("origin", "str", "", "name or position that claims count from"),
        Column("origin_station_m", "float64", "m", "station of the origin"),
        Column("oneway", "bool", "", "True for one carriageway, side 'all'"),
        Column("lanes", "float64", "", "lanes by the road file, missing where it has none"),
        Column("width_m", "float64", "m", "width by the road file, missing where it has none"),
        Column("alignment_m", "float64", "m", "how far the drawn line lay from the road, to its left positive"),
    ),
)

SPOTCHECK = Schema(
    "spotcheck",
    "Polygon",
    (
        Column("road", "str", "", "name of the road"),
        Column("side", "str", "", "left, right or all"),
        Column("start_m", "float64", "m", "station where the stretch begins"),
        Column("end_m", "float64", "m", "station where the stretch ends"),
        Column("number", "int64", "", "order in which to look"),
        Column("reviewed", "str", "", "yes where a person has looked, else empty"),
        Column("found", "int64", "", "vehicles on the road that the detector found"),
        Column("expected", "float64", "", "vehicles on the road expected by the detector's own figures"),
        Column("doubt", "float64", "", "false and missed ones expected among them"),
        Column("probability", "float64", "", "chance that this stretch was drawn"),
        Column("of_stretches", "int64", "", "stretches that were drawn from"),
        Column("of_expected", "float64", "", "vehicles expected on all of them"),
        Column("seed", "int64", "", "seed of the draw"),
    ),
)

SCHEMAS: Mapping[str, Schema] = {schema.name: schema for schema in (VEHICLES, SIGHT, QUEUES, COVERAGE, ROAD, SPOTCHECK)}


def table(schema: Schema, columns: Mapping[str, Any], *, geometry: Sequence[Any] | None = None) -> Any:
    """Make a table that keeps its schema, also when it has no rows.

    Parameters
    ----------
    schema : Schema
        What the table must be.
    columns : mapping of str to array of shape (n,)
        Every column of the schema that has no default; scalars are repeated.
    geometry : sequence of shapely geometries, shape (n,), optional
        In WGS 84; required where the schema has a geometry.

    Returns
    -------
    pandas.DataFrame or geopandas.GeoDataFrame
        Columns in the order and dtype of the schema.

    Raises
    ------
    OutputError
        If a column is missing or unknown.
    """
    columns = {c.name: c.default for c in schema.columns if c.default is not None} | dict(columns)
    wrong = set(columns) ^ set(schema.names)
    if wrong:
        raise OutputError(f"Invalid table '{schema.name}'. Must have exactly its columns; see {sorted(wrong)}.")
    n = len(geometry) if geometry is not None else max((np.size(v) for v in columns.values()), default=0)
    data = {}
    for column in schema.columns:
        values = columns[column.name]
        if np.ndim(values) == 0:
            values = [values] * n
        data[column.name] = pd.Series(
            np.asarray(values, dtype=object) if column.dtype == "str" else values, dtype=column.dtype
        )
    frame = pd.DataFrame(data, index=pd.RangeIndex(n))
    if schema.geometry is None:
        return frame
    shapes = gpd.GeoSeries(list(geometry if geometry is not None else []), crs=WGS84)
    return gpd.GeoDataFrame(frame, geometry=shapes)


def empty(schema: Schema) -> Any:
    """Return the table of nothing found: no rows, the full schema."""
    return table(schema, {name: [] for name in schema.names}, geometry=[] if schema.geometry else None)


def check(frame: Any, schema: Schema, *, source: str) -> Any:
    """Return ``frame`` with the schema's columns and dtypes, or say what is wrong with it.

    Parameters
    ----------
    frame : pandas.DataFrame or geopandas.GeoDataFrame
        From outside; extra columns are kept behind the schema's.
    schema : Schema
        What it must be.
    source : str
        Where it came from, for the message.

    Raises
    ------
    OutputError
        If a column is missing, has values of another type, or the geometry is of another type.
    """
    later = {c.name: c.default for c in schema.columns if c.default is not None and c.name not in frame.columns}
    missing = [name for name in schema.names if name not in frame.columns and name not in later]
    if missing:
        raise OutputError(f"Invalid table '{schema.name}' in '{source}'. Must have the columns {', '.join(missing)}.")
    frame = frame.assign(**later)
    dtypes = dict(zip(frame.columns, frame.dtypes, strict=True))
    for column in schema.columns:
        if dtypes[column.name] == column.dtype:
            continue
        try:
            frame[column.name] = frame[column.name].astype(column.dtype)
        except (TypeError, ValueError) as error:
            raise OutputError(
                f"Invalid column '{column.name}' in '{source}'. Must hold {column.dtype} values."
            ) from error
    if schema.geometry is not None:
        kinds = set(frame.geometry.geom_type.dropna())
        if kinds - {schema.geometry, f"Multi{schema.geometry}"}:
            raise OutputError(
                f"Invalid geometry '{', '.join(sorted(kinds))}' in '{source}'. Must be {schema.geometry}."
            )
    extra = [name for name in frame.columns if name not in schema.names]
    return frame[schema.names + extra]
