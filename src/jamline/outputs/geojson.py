"""Layers as RFC 7946 GeoJSON, each with its style beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyogrio

from jamline import tables
from jamline.outputs.style import read_style


def write_geojson(folder: Path, frames: Mapping[str, Any]) -> None:
    """Write `<layer>.geojson` and `<layer>.qml` for each table.

    Parameters
    ----------
    folder : Path
        Where.
    frames : mapping of str to GeoDataFrame
        By layer name, in WGS 84.

    Notes
    -----
    RFC 7946 knows no `crs` member, wants rings counter-clockwise, and 7 decimals (1 cm).
    """
    for name, frame in frames.items():
        pyogrio.write_dataframe(
            frame,
            folder / f"{name}.geojson",
            driver="GeoJSON",
            layer=name,
            geometry_type=tables.SCHEMAS[name].geometry,
            layer_options={"RFC7946": "YES", "COORDINATE_PRECISION": "7"},
        )
        (folder / f"{name}.qml").write_text(read_style(name), encoding="utf-8")
