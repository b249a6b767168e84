"""Layers as one GeoPackage that opens styled in QGIS."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyogrio

from jamline import tables
from jamline.outputs.style import read_style

_GEOMETRY = "geom"
_DESCRIPTIONS = {
    "queues": "Standing traffic: length in km with its interval, by side of the road",
    "vehicles": "Vehicles found, as footprints, with their state",
    "coverage": "Which stretches of each side were seen, and why not",
    "road": "The road line as aligned to the imagery",
    "spotcheck": "Stretches drawn at random to be looked at",
}

_COUNTERS = (24, 92)
"""Where SQLite's header counts the changes of the file, and those at which its version was written."""

_UNKNOWN_TIME = "1970-01-01T00:00:00.000Z"

# The table as QGIS makes it. It finds a default style only under the layer's true geometry column and an
# empty schema; with NULL there the layer opens unstyled and nobody is told why.
_STYLES_TABLE = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256),
    f_table_schema TEXT(256),
    f_table_name TEXT(256),
    f_geometry_column TEXT(256),
    styleName TEXT(30),
    styleQML TEXT,
    styleSLD TEXT,
    useAsDefault BOOLEAN,
    description TEXT,
    owner TEXT(30),
    ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
)
"""


def write_geopackage(
    path: Path, frames: Mapping[str, Any] | Iterable[Mapping[str, Any]], *, last_change: str | None = None
) -> None:
    """Write a GeoPackage 1.2 with a default style for each layer.

    Parameters
    ----------
    path : Path
        A file that does not exist yet.
    frames : mapping of str to GeoDataFrame, or iterable of those
        By layer name, in WGS 84; of several, each has the same layers, and its rows follow those before.
    last_change : str, optional
        ISO 8601 time put down as the time of the last change. The clock would make the same input
        give another file each time; the time of the newest image tells more.
    """
    stamp = stamped(last_change)
    names: list[str] = []
    for part in [frames] if isinstance(frames, Mapping) else frames:
        for name, frame in part.items():
            _add(path, name, frame, first=not names, more=name in names)
            names += [] if name in names else [name]
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(_STYLES_TABLE)
        for name in names:
            _add_style(file, name, stamp)
        file.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles', '', 0)"
        )
        file.execute("UPDATE gpkg_contents SET last_change = ?", (stamp,))
    settle(path)


def settle(path: Path) -> None:
    """Set the counters of a file that nobody has open yet to 1, so that the same input gives the same bytes.

    SQLite counts how often a file was changed, and how often it was is a matter of OGR's timing. The two places of the
    header, bytes 24 and 92, must agree (SQLite file format, 1.3).

    Parameters
    ----------
    path : Path
        A GeoPackage that was just made.
    """
    with path.open("r+b") as file:
        for place in _COUNTERS:
            file.seek(place)
            file.write((1).to_bytes(4, "big"))


def add_layer(path: Path, name: str, frame: Any) -> None:
    """Add a layer with its style to a GeoPackage of `write_geopackage`, in place of one of that name.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Of the layer.
    frame : GeoDataFrame
        In WGS 84.
    """
    _add(path, name, frame, first=False)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("DELETE FROM layer_styles WHERE f_table_name = ?", (name,))
        _add_style(file, name, stamped(None))


def _add(path: Path, name: str, frame: Any, *, first: bool, more: bool = False) -> None:
    """Write one layer, or more rows of it."""
    pyogrio.write_dataframe(
        frame,
        path,
        driver="GPKG",
        layer=name,
        append=more,
        geometry_type=tables.SCHEMAS[name].geometry,
        dataset_options={"VERSION": "1.2"} if first else {},
        layer_options={} if more else {"GEOMETRY_NAME": _GEOMETRY, "FID": "fid", "DESCRIPTION": _DESCRIPTIONS[name]},
    )


def _add_style(file: sqlite3.Connection, name: str, stamp: str) -> None:
    """Make a layer's style the one that QGIS opens it with."""
    file.execute(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
        "styleName, styleQML, styleSLD, useAsDefault, description, owner, ui, update_time) "
        "VALUES ('', '', ?, ?, ?, ?, '', 1, ?, '', NULL, ?)",
        (name, _GEOMETRY, f"jamline {name}", read_style(name), _DESCRIPTIONS[name], stamp),
    )


def stamped(time: str | None) -> str:
    """Return a time in the one spelling that GeoPackage takes, to the millisecond in UTC."""
    if time is None:
        return _UNKNOWN_TIME
    moment = datetime.fromisoformat(time)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
