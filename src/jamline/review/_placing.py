"""Footprints that somebody drew, as vehicles in road space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from jamline import tables
from jamline.errors import ReviewError
from jamline.evidence import Evidence

Array = npt.NDArray[np.float64]

_BEYOND_M = 5.0
"""A vehicle may stand so far outside of what was looked at: its corner may be all that was seen."""

_LEAST_M, _MOST_M = 1.0, 40.0
"""Shortest and longest footprint: a motorcycle, and two metres more than any lorry with its trailers is long."""


def placed(shapes: Sequence[Any], fids: Sequence[int], evidence: Sequence[Evidence], *, source: str) -> Any:
    """Measure footprints along the road that each is nearest to.

    Parameters
    ----------
    shapes : sequence of shapely.Polygon, shape (n,)
        In WGS 84.
    fids : sequence of int, shape (n,)
        Their features' numbers, for messages.
    evidence : sequence of Evidence
        One for each road.
    source : str
        The file, for messages.

    Returns
    -------
    GeoDataFrame
        Schema `tables.VEHICLES`, in the order of the shapes, with figures to the centimetre; ``state`` is empty,
        ``score`` 1.

    Raises
    ------
    ReviewError
        If one is no polygon, of no vehicle's size, or too far from every road.
    """
    rows: dict[str, list[Any]] = {column.name: [] for column in tables.VEHICLES.columns if column.default is None}
    for shape, fid in zip(shapes, fids, strict=True):
        _check(shape, fid, source)
        best = min((_in_road_space(shape, each) for each in evidence), key=lambda found: abs(found["offset_m"]))
        reach_m = max(each.half_width_m for each in evidence) + _BEYOND_M
        if not abs(best["offset_m"]) <= reach_m:
            raise ReviewError(f"Invalid vehicle '{fid}' in '{source}'. Must lie within {reach_m:g} m of a road.")
        if not _LEAST_M <= best["length_m"] <= _MOST_M:
            raise ReviewError(
                f"Invalid vehicle '{fid}' in '{source}'. Must be {_LEAST_M:g} to {_MOST_M:g} m long; "
                f"it is {best['length_m']:.1f} m."
            )
        for name, value in best.items():
            rows[name].append(value)
    return tables.table(tables.VEHICLES, rows, geometry=list(shapes))


def _check(shape: Any, fid: int, source: str) -> None:
    """Raise unless a shape is one polygon."""
    if shape is None or shape.is_empty or shape.geom_type != "Polygon":
        kind = "nothing" if shape is None or shape.is_empty else shape.geom_type
        raise ReviewError(f"Invalid vehicle '{fid}' in '{source}'. Must be one polygon; it is {kind}.")


def _in_road_space(shape: Any, evidence: Evidence) -> dict[str, Any]:
    """Return the columns of one vehicle; its offset is infinite where it lies beyond the road's ends."""
    road = evidence.road
    station, offset = road.to_road(*shapely.get_coordinates(shape).T)
    # Askew, a vehicle is longer than it reaches along the road, so it is measured along itself.
    flat = shapely.Polygon(np.column_stack([station, offset]))
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(flat))
    edges = np.diff(box[:3], axis=0) if len(box) >= 3 else np.zeros((2, 2))
    sizes = np.linalg.norm(edges, axis=1)
    length_m, width_m = float(sizes.max()), float(sizes.min())
    along, left = edges[int(sizes.argmax())]
    centre_m, offset_m = (round(float(value), 2) for value in box[:4].mean(axis=0))
    heading = float(road.heading_at([centre_m])[0]) - float(np.degrees(np.arctan2(left, along)))
    inside = -_MOST_M <= centre_m <= road.length_m + _MOST_M
    return {
        "road": road.name,
        "side": str(road.side_of([offset_m])[0]),
        "station_m": min(max(centre_m, 0.0), road.length_m),
        "offset_m": offset_m if inside else float("inf"),
        "length_m": round(length_m, 2),
        "width_m": round(width_m, 2),
        "heading_deg": round(heading % 180.0, 1) % 180.0,
        "kind": "truck" if length_m > tables.TRUCK_M else "car",
        "state": "",
        "score": 1.0,
    }
