"""What a simulated scene really holds, worked out from its vehicle list and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely

from jamline.road import Road, metres_per_degree
from jamline.spans import Span, intersect, merge, total_m
from jamline.synth.lanes import Vehicle
from jamline.tables import VEHICLES, table


def vehicle_table(vehicles: Sequence[Vehicle], road: Road) -> Any:
    """Return the vehicles as a table of the schema ``vehicles``, stations on the true road, score 1."""
    s = np.array([v.station_m for v in vehicles])
    corners = [corners_of(v) for v in vehicles]
    heading = road.heading_at(s) if len(s) else np.zeros(0)
    turn = np.array([v.turn_deg for v in vehicles])
    return table(
        VEHICLES,
        {
            "road": [road.name] * len(vehicles),
            "side": [v.side for v in vehicles],
            "station_m": s,
            "offset_m": np.array([v.offset_m for v in vehicles]),
            "length_m": np.array([v.length_m for v in vehicles]),
            "width_m": np.array([v.width_m for v in vehicles]),
            "heading_deg": (heading - turn) % 180.0,
            "kind": [v.kind for v in vehicles],
            "state": [v.state for v in vehicles],
            "score": np.ones(len(vehicles)),
        },
        geometry=[_polygon(road, v, c) for v, c in zip(vehicles, corners, strict=True)],
    )


def corners_of(vehicle: Vehicle) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the footprint's corners ahead and to the left of the vehicle's place, shape (4, 2)."""
    a, b = vehicle.length_m / 2, vehicle.width_m / 2
    box = np.array([[-a, -b], [a, -b], [a, b], [-a, b]])
    t = np.radians(vehicle.turn_deg)
    turned: np.ndarray[Any, np.dtype[np.float64]] = box @ np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]])
    return turned


def _polygon(road: Road, vehicle: Vehicle, corners: np.ndarray[Any, np.dtype[np.float64]]) -> shapely.Polygon:
    """Return the footprint in WGS 84: stiff, it does not bend with the road."""
    at, left = road.frame_at([vehicle.station_m])
    metric = metres_per_degree(at[:, 1])[0]
    normal = left[0] * metric
    ahead = np.array([normal[1], -normal[0]])
    metres = corners[:, :1] * ahead + (corners[:, 1:] + vehicle.offset_m) * normal
    return shapely.orient_polygons(shapely.Polygon(at[0] + metres / metric))


def queue_truth(
    vehicles: Iterable[Vehicle], seen: tuple[float, float], *, gap_m: float = 20.0, break_m: float = 100.0
) -> list[dict[str, Any]]:
    """Return the queues that a list of vehicles forms.

    Parameters
    ----------
    vehicles : iterable of Vehicle
        Only those queued count.
    seen : tuple of float
        Stations between which the imagery shows the road.
    gap_m : float
        A row is occupied across net gaps up to this.
    break_m : float
        A queue ends where no queued vehicle follows within this.

    Returns
    -------
    list of dict
        ``side, start_m, end_m, length_km, occupied_km, vehicles, trucks, lanes`` of the whole queue;
        ``seen_start_m, seen_end_m, seen_length_km, seen_occupied_km, seen_vehicles`` of what the imagery
        shows (missing where it shows nothing) and ``open``, the ends at which the queue leaves the imagery.
        Longest first.
    """
    found = []
    queued = [v for v in vehicles if v.state == "queued"]
    for side in sorted({v.side for v in queued}):
        mine = [v for v in queued if v.side == side]
        for whole in merge((_span(v) for v in mine), gap_m=break_m):
            members = [v for v in mine if whole.start_m <= v.station_m <= whole.end_m]
            found.append(_queue(side, members, seen, gap_m))
    return sorted(found, key=lambda queue: -float(queue["length_km"]))


def _queue(side: str, members: list[Vehicle], seen: tuple[float, float], gap_m: float) -> dict[str, Any]:
    rows = [merge((_span(v) for v in members if v.row == row), gap_m=gap_m) for row in sorted({v.row for v in members})]
    occupied = merge(span for row in rows for span in row)
    start, end = occupied[0].start_m, occupied[-1].end_m
    queue: dict[str, Any] = {
        "side": side,
        "start_m": round(start, 2),
        "end_m": round(end, 2),
        "length_km": round((end - start) / 1000, 5),
        "occupied_km": round(total_m(occupied) / 1000, 5),
        "vehicles": len(members),
        "trucks": round(sum(v.kind == "truck" for v in members) / len(members), 4),
        "lanes": round(sum(total_m(row) for row in rows) / total_m(occupied), 3),
        "open": [],
    }
    window = Span(*seen)
    if start < window.start_m < end:
        queue["open"].append("start")
    if start < window.end_m < end:
        queue["open"].append("end")
    shown = intersect(occupied, window)
    if shown:
        queue |= {
            "seen_start_m": round(shown[0].start_m, 2),
            "seen_end_m": round(shown[-1].end_m, 2),
            "seen_length_km": round((shown[-1].end_m - shown[0].start_m) / 1000, 5),
            "seen_occupied_km": round(total_m(shown) / 1000, 5),
            "seen_vehicles": sum(window.start_m <= v.station_m <= window.end_m for v in members),
        }
    return queue


def _span(vehicle: Vehicle) -> Span:
    return Span(vehicle.station_m - vehicle.length_m / 2, vehicle.station_m + vehicle.length_m / 2)
