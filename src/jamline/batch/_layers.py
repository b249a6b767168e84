"""The layers of results that are there, read back and put under one another."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from jamline import tables
from jamline.errors import OutputError

LAYERS = (tables.QUEUES, tables.VEHICLES, tables.COVERAGE, tables.ROAD)

_AT_A_TIME = 500
"""Results held in memory at once."""

_HEADER_BYTES = 8
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
"""Of a GeoPackage's geometry, by the envelope's code in its flags (GeoPackage 1.2, clause 2.1.3)."""


def joined(folders: Sequence[tuple[str, Path]]) -> Iterator[dict[str, Any]]:
    """Return the layers of many results, a column ``job`` before the others.

    Parameters
    ----------
    folders : sequence of (str, Path)
        The name of each job and the folder of its result.

    Yields
    ------
    dict of str to GeoDataFrame
        By layer name; each of some results. One at least, be it without rows.
    """
    for some in _batches(folders):
        rows: dict[str, list[dict[str, Any]]] = {schema.name: [] for schema in LAYERS}
        for job, folder in some:
            _read(folder / "jam.gpkg", job, rows)
        yield {schema.name: _frame(rows[schema.name], schema) for schema in LAYERS}


def _batches(folders: Sequence[tuple[str, Path]]) -> Iterable[Sequence[tuple[str, Path]]]:
    starts = range(0, max(1, len(folders)), _AT_A_TIME)
    return (folders[start : start + _AT_A_TIME] for start in starts)


def _read(path: Path, job: str, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Add the rows of one GeoPackage. OGR takes a hundred times as long to open a file of four layers."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as file:
            for name, found in rows.items():
                cursor = file.execute(f"SELECT * FROM {name} ORDER BY fid")  # noqa: S608 (a name of our own)
                columns = [column[0] for column in cursor.description]
                found += [{"job": job, **dict(zip(columns, row, strict=True))} for row in cursor]
    except sqlite3.Error as error:
        raise OutputError(f"Invalid result '{path}'. Must be a GeoPackage as it was written: {error}.") from error


def _frame(rows: Sequence[dict[str, Any]], schema: tables.Schema) -> Any:
    """Return rows as a table of the schema with the column ``job``."""
    frame = pd.DataFrame(rows, columns=["job", *schema.names, "geom"])
    shapes = shapely.from_wkb(np.array([_wkb(blob) for blob in frame.pop("geom")], dtype=object))
    checked = tables.check(gpd.GeoDataFrame(frame, geometry=shapes, crs=tables.WGS84), schema, source="results")
    return checked[["job", *schema.names, "geometry"]].astype({"job": "str"})


def _wkb(blob: bytes) -> bytes:
    """Return the well-known binary within a GeoPackage's geometry."""
    return blob[_HEADER_BYTES + _ENVELOPE_BYTES[blob[3] >> 1 & 7] :]
