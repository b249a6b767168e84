"""Vehicles beside the road: in car parks, and on roads that cross it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from jamline.synth.bodies import Bodies
from jamline.synth.config import SceneSpec
from jamline.synth.lanes import Vehicle, edge_m
from jamline.synth.options import CrossingSpec, LotSpec
from jamline.tables import TRUCK_M

Array = npt.NDArray[np.float64]

BAY_M = 5.1
"""Length of a bay."""

_AISLE_M = 6.2
ISLAND_M = 1.2
"""Width of the strip between two rows nose to nose."""


def row_starts_m(lot: LotSpec) -> list[float]:
    """Return where each row of a car park begins, metres outwards from its near edge."""
    deep = row_depth_m(lot)
    starts, at = [], 0.0
    for row in range(lot.rows):
        starts.append(at)
        at += deep + (_AISLE_M if row % 2 == 0 else ISLAND_M)
    return starts


def row_depth_m(lot: LotSpec) -> float:
    """Return how deep a row is, across the road."""
    angle = np.radians(lot.angle_deg)
    return float(BAY_M * np.sin(angle) + 1.9 * np.cos(angle))


def lot_depth_m(lot: LotSpec) -> float:
    """Return how deep a car park is, with the aisle of a row that stands alone."""
    last = row_starts_m(lot)[-1] + row_depth_m(lot)
    return last + (_AISLE_M if lot.rows % 2 else 0.0)


def lot_edge_m(spec: SceneSpec, lot: LotSpec) -> float:
    """Return how far from the road's middle a car park begins."""
    return edge_m(spec.road, lot.side) + spec.road.shoulder_m + lot.near_m


def row_slant(lot: LotSpec, row: int) -> float:
    """Return 1 or -1: rows that share an aisle slant against each other."""
    return 1.0 if row % 2 == 0 else -1.0


def along_arm(crossing: CrossingSpec, station: Any, offset: Any) -> tuple[Any, Any]:
    """Return metres along a crossing road towards the left, and metres to the left of that way."""
    skew = np.radians(crossing.skew_deg)
    s = station - crossing.station_m
    return s * np.sin(skew) + offset * np.cos(skew), -s * np.cos(skew) + offset * np.sin(skew)


def in_crossing(spec: SceneSpec, station: Any, offset: Any, margin_m: Any = 0.0) -> Any:
    """Return whether places lie on a road that crosses, or within a margin of it."""
    inside = np.zeros(np.shape(station), dtype=bool)
    for crossing in spec.crossings:
        along, across = along_arm(crossing, station, offset)
        half = crossing.lanes * crossing.lane_width_m / 2 + margin_m
        on = (np.abs(across) < half) & (np.abs(along) < crossing.reach_m + margin_m)
        if crossing.arms != "both":
            on &= along > 0 if crossing.arms == "left" else along < 0
        inside |= on
    return inside


def built_over(spec: SceneSpec, station: Any, offset: Any, margin_m: Any = 0.0) -> Any:
    """Return whether places lie on a crossing road or a car park, or within a margin of one."""
    inside = in_crossing(spec, station, offset, margin_m)
    for lot in spec.lots:
        out = offset * (1.0 if lot.side == "left" else -1.0) - lot_edge_m(spec, lot)
        inside |= (
            (station > lot.start_m - 4.0 - margin_m)
            & (station < lot.end_m + 4.0 + margin_m)
            & (out > -1.0 - margin_m)
            & (out < lot_depth_m(lot) + 1.0 + margin_m)
        )
    return inside


def lot_vehicles(spec: SceneSpec, bodies: Bodies, road_m: float) -> list[Vehicle]:
    """Return what stands in the car parks of a scene."""
    made: list[Vehicle] = []
    for index, lot in enumerate(spec.lots):
        rng = np.random.default_rng([spec.seed, 21, index])
        sign = 1.0 if lot.side == "left" else -1.0
        edge, deep = lot_edge_m(spec, lot), row_depth_m(lot)
        step = lot.pitch_m / float(np.sin(np.radians(lot.angle_deg)))
        for row, out in enumerate(row_starts_m(lot)):
            turn = sign * row_slant(lot, row) * lot.angle_deg
            nose_in = bool(rng.random() < 0.5)
            for at in np.arange(max(lot.start_m, 3.0) + step / 2, min(lot.end_m, road_m - 3.0), step):
                body, size = bodies.draw(rng, 0.0)
                if rng.random() > lot.fill or size[0] > BAY_M + 0.6 or size[1] > lot.pitch_m - 0.35:
                    continue
                station = float(at) + float(rng.normal(0.0, 0.08))
                offset = sign * (edge + out + deep / 2 + float(rng.normal(0.0, 0.2)))
                along = (rng.random() < 0.75) == nose_in
                aside = turn + float(rng.normal(0.0, 1.6))
                made.append(Vehicle(0, lot.side, 9, station, offset, *size, aside, along, body, "parked"))
    return [v for v in made if not in_crossing(spec, v.station_m, v.offset_m, 3.0)]


def crossing_vehicles(spec: SceneSpec, bodies: Bodies, road_m: float) -> list[Vehicle]:
    """Return what drives and waits on the roads that cross this one."""
    made: list[Vehicle] = []
    for index, crossing in enumerate(spec.crossings):
        rng = np.random.default_rng([spec.seed, 22, index])
        for arm, sign in (("left", 1.0), ("right", -1.0)):
            if crossing.arms not in (arm, "both"):
                continue
            edge = edge_m(spec.road, arm) + spec.road.shoulder_m + 1.5
            each = max(1, crossing.lanes // 2)
            for lane in range(each):
                aside = (lane + 0.5) * crossing.lane_width_m if crossing.lanes > 1 else 0.0
                made += _arm(crossing, (arm, sign), (edge, aside), bodies, rng)
                if crossing.lanes > 1:
                    made += _arm(crossing, (arm, sign), (edge, -aside), bodies, rng)
    made = [v for v in made if v.length_m < v.station_m < road_m - v.length_m]
    if spec.road.oneway or not spec.road.lanes_left:
        made = [replace(v, side="all" if spec.road.oneway else "right") for v in made]
    return made


def apart(standing: list[Vehicle], others: list[Vehicle]) -> list[Vehicle]:
    """Drop those that would stand in one that is there already, whichever way each is turned."""
    if not standing or not others:
        return others
    tree = shapely.STRtree([_footprint(v) for v in standing])
    hit = tree.query([_footprint(v) for v in others], predicate="intersects")[0]
    gone = set(hit.tolist())
    return [v for index, v in enumerate(others) if index not in gone]


def _footprint(vehicle: Vehicle) -> shapely.Polygon:
    t = np.radians(vehicle.turn_deg)
    a = np.array([np.cos(t), np.sin(t)]) * (vehicle.length_m / 2 + 0.1)
    b = np.array([-np.sin(t), np.cos(t)]) * (vehicle.width_m / 2 + 0.1)
    middle = np.array([vehicle.station_m, vehicle.offset_m])
    return shapely.Polygon(np.array([a + b, a - b, -a - b, b - a]) + middle)


def _arm(
    crossing: CrossingSpec,
    arm: tuple[str, float],
    place: tuple[float, float],
    bodies: Bodies,
    rng: np.random.Generator,
) -> list[Vehicle]:
    """Fill one lane of one arm, from the stop line outwards; those left of the way out drive inwards."""
    side, sign = arm
    edge, aside = place
    skew = np.radians(crossing.skew_deg)
    out = sign * np.array([np.sin(skew), np.cos(skew)])
    left = np.array([-out[1], out[0]])
    inwards = aside >= 0
    turn = float(np.degrees(np.arctan2(out[1], out[0])))
    made: list[Vehicle] = []
    at = edge / float(np.cos(skew)) + float(rng.uniform(0.5, 2.0))
    if not inwards or crossing.waiting == 0:
        at += float(rng.uniform(0.0, 20.0))
    waiting = crossing.waiting if inwards else 0
    while True:
        body, size = bodies.draw(rng, crossing.truck_share)
        if at + size[0] > crossing.reach_m:
            return made
        if waiting > 0 or crossing.per_km_lane > 0:
            middle = out * (at + size[0] / 2) + left * (aside + float(rng.normal(0.0, 0.12)))
            station, offset = crossing.station_m + float(middle[0]), float(middle[1])
            sway = turn + float(rng.normal(0.0, 0.8)) / max(1.0, size[0] / TRUCK_M)
            made.append(Vehicle(0, side, 8, station, offset, *size, sway, not inwards, body, "flowing"))
        waiting -= 1
        at += size[0] + float(rng.uniform(1.2, 3.5))
        if waiting <= 0:
            at += float(rng.exponential(1000.0 / max(crossing.per_km_lane, 1.0)))
