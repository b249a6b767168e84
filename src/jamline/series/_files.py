"""`series.csv`, `series.geojson`, `series.svg`, and `series.json`, by which programs know the folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyogrio

from jamline import tables
from jamline._version import __version__
from jamline.series._growth import SERIES
from jamline.series._plot import plot

SCHEMA: Final = "jamline/series/1"

_DECIMALS = {"km": 3, "m/h": 1, "h": 4, "": 0}


def write_series(
    folder: Path, rows: Sequence[Mapping[str, Any]], *, looks: Mapping[str, str], title: str | None
) -> None:
    """Write the files of a series.

    Parameters
    ----------
    folder : Path
        Where.
    rows : sequence of mapping
        As `growth` returns them.
    looks : mapping of str to str
        The time of each look by the folder that holds it.
    title : str or None
        Of the plot.
    """
    plain = [_rounded(row) for row in rows]
    record = {
        "schema": SCHEMA,
        "jamline": __version__,
        "looks": [{"time": time, "folder": name} for name, time in looks.items()],
        "rows": plain,
    }
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "series.json").write_text(text + "\n", encoding="utf-8")
    with (folder / "series.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, SERIES.names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(plain)
    _write_lines(folder / "series.geojson", plain, [row["geometry"] for row in rows])
    (folder / "series.svg").write_text(plot(rows, title=title), encoding="utf-8")


def _rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns with no more digits than they bear."""
    plain = {}
    for column in SERIES.columns:
        value = row[column.name]
        plain[column.name] = round(value, _DECIMALS[column.unit]) if isinstance(value, float) else value
    return plain


def _write_lines(path: Path, plain: Sequence[Mapping[str, Any]], lines: Sequence[Any]) -> None:
    """Write the queues as lines, RFC 7946."""
    columns = {name: [row[name] for row in plain] for name in SERIES.names}
    pyogrio.write_dataframe(
        tables.table(SERIES, columns, geometry=lines),
        path,
        driver="GeoJSON",
        layer=SERIES.name,
        geometry_type=SERIES.geometry,
        layer_options={"RFC7946": "YES", "COORDINATE_PRECISION": "7"},
    )
