"""Who is on the road: vehicles with their place, size and kind, drawn from a scene's plan."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jamline.synth.beside import apart, crossing_vehicles, in_crossing, lot_vehicles
from jamline.synth.bodies import PLAIN, RICH, Bodies
from jamline.synth.config import FlowSpec, ParkedSpec, QueueSpec, RoadSpec, SceneSpec
from jamline.synth.lanes import Vehicle, edge_m, row_offsets
from jamline.tables import TRUCK_M


def drive(spec: SceneSpec, length_m: float) -> tuple[Vehicle, ...]:
    """Put the vehicles of a scene on its road.

    Parameters
    ----------
    spec : SceneSpec
        The plan.
    length_m : float
        Of the true road.

    Returns
    -------
    tuple of Vehicle
        In no particular order. Free traffic keeps out of the lanes and stretches that queues take.
    """
    bodies = RICH if spec.fleet.looks == "rich" else PLAIN
    vehicles: list[Vehicle] = []
    for index, queue in enumerate(spec.queues):
        vehicles += _queued(spec.road, bodies, queue, np.random.default_rng([spec.seed, 2, index]), length_m)
    standing = list(vehicles)
    for index, flow in enumerate(spec.flows):
        rng = np.random.default_rng([spec.seed, 3, index])
        vehicles += _clear_of(standing, _flowing(spec.road, bodies, flow, rng, length_m))
    for index, parked in enumerate(spec.parked):
        rng = np.random.default_rng([spec.seed, 4, index])
        row = _clear_of(standing, _parked(spec.road, bodies, parked, rng, length_m))
        row = apart([v for v in vehicles if v.state == "parked"], row)
        vehicles += [v for v in row if not in_crossing(spec, v.station_m, v.offset_m, 0.5 * v.length_m + 2.0)]
    vehicles += apart(vehicles, lot_vehicles(spec, bodies, length_m))
    vehicles += apart(vehicles, crossing_vehicles(spec, bodies, length_m))
    return tuple(_numbered(vehicles))


def _queued(road: RoadSpec, bodies: Bodies, plan: QueueSpec, rng: np.random.Generator, road_m: float) -> list[Vehicle]:
    start, end = max(0.0, plan.start_m), min(road_m, plan.end_m)
    along = plan.side != "left"
    head = end if along else start
    step = -1.0 if along else 1.0
    total = end - start
    holes = _holes(plan, total, rng)
    creeping = _creeping(plan, total, rng)
    made = []
    for row in range(plan.rows + plan.extra_rows):
        reach = total if row < plan.rows else min(total, plan.extra_m * float(rng.uniform(0.75, 1.0)))
        at = 0.0 if row == 0 else float(rng.uniform(0.0, 4.0))
        trucks = plan.truck_share * (1.0 if row == 0 else 0.5)
        while True:
            body, size = bodies.draw(rng, trucks)
            hole = next((h for h in holes if h[0] < at + size[0] and at < h[1]), None)
            if hole is not None:
                at = hole[1]
                continue
            if at + size[0] > reach:
                break
            rows = plan.rows + (plan.extra_rows if at < plan.extra_m else 0)
            lane = row_offsets(road, plan.side, rows)[_place(road, plan, row, rows)]
            made.append(
                _vehicle(
                    plan.side,
                    row,
                    head + step * (at + size[0] / 2),
                    lane,
                    size,
                    along,
                    body,
                    "queued",
                    rng,
                    0.16,
                    0.7,
                )
            )
            mean = plan.gap_truck_m if size[0] > TRUCK_M else plan.gap_car_m
            slow = any(a <= at <= b for a, b in creeping)
            spread = plan.gap_spread
            gap = mean * (3.0 if slow else 1.0) * float(np.exp(rng.normal(-(spread**2) / 2, spread)))
            at += size[0] + float(np.clip(gap, 0.7, 18.0))
    return made


def _place(road: RoadSpec, plan: QueueSpec, row: int, rows: int) -> int:
    """Return which of the places abreast, counted outwards, a row takes.

    Where there are lanes for all, row 0 is the kerb's and others go inside; where not, the rows that were
    there keep their lanes and those that squeeze in take the shoulder.
    """
    lanes = road.lanes_left if plan.side == "left" else road.lanes_right
    if rows <= lanes:
        return max(0, rows - 1 - row)
    return plan.rows - 1 - row if row < plan.rows else row


def _holes(plan: QueueSpec, total: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Draw the gaps inside a queue, in metres behind its head; they go through all rows."""
    holes: list[tuple[float, float]] = []
    for _ in range(rng.poisson(plan.gaps_per_km * total / 1000.0)):
        length = float(rng.uniform(plan.gap_from_m, max(plan.gap_from_m, plan.gap_to_m)))
        at = float(rng.uniform(30.0, max(31.0, total - 40.0 - length)))
        if at + length < total - 30.0 and all(at > b + 45.0 or at + length < a - 45.0 for a, b in holes):
            holes.append((at, at + length))
    return sorted(holes)


def _creeping(plan: QueueSpec, total: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Draw the stretches that creep, in metres behind the head."""
    spans: list[tuple[float, float]] = []
    left = plan.creeping_share * total
    while left > 20.0:
        length = min(left, float(rng.uniform(60.0, 300.0)))
        at = float(rng.uniform(0.0, max(1.0, total - length)))
        spans.append((at, at + length))
        left -= length
    return spans


def _flowing(road: RoadSpec, bodies: Bodies, plan: FlowSpec, rng: np.random.Generator, road_m: float) -> list[Vehicle]:
    start, end = max(0.0, plan.start_m), min(road_m, plan.end_m)
    if plan.per_km_lane <= 0 or end - start < 50.0:
        return []
    lanes = road.lanes_left if plan.side == "left" else road.lanes_right
    along = plan.side != "left"
    made = []
    for row, lane in enumerate(row_offsets(road, plan.side, lanes)):
        at = start + float(rng.exponential(500.0 / plan.per_km_lane))
        while at < end:
            body, size = bodies.draw(rng, plan.truck_share * (0.5 if row == 0 and lanes > 1 else 1.0))
            middle = at + size[0] / 2
            if middle + size[0] / 2 > end:
                break
            made.append(_vehicle(plan.side, row, middle, lane, size, along, body, "flowing", rng, 0.25, 0.6))
            spare = max(5.0, 1000.0 / plan.per_km_lane - plan.min_gap_m - 5.0)
            at += size[0] + plan.min_gap_m + float(rng.exponential(spare))
    return made


def _clear_of(standing: list[Vehicle], others: list[Vehicle]) -> list[Vehicle]:
    """Drop those that would stand in, or run into, a queue."""
    s, o = np.array([v.station_m for v in standing]), np.array([v.offset_m for v in standing])
    long, wide = np.array([v.length_m for v in standing]), np.array([v.width_m for v in standing])
    kept = []
    for v in others:
        room = 12.0 if v.state == "flowing" else 0.4
        along = np.abs(s - v.station_m) < (long + v.length_m) / 2 + room
        if not np.any(along & (np.abs(o - v.offset_m) < (wide + v.width_m) / 2 + 0.25)):
            kept.append(v)
    return kept


def _parked(road: RoadSpec, bodies: Bodies, plan: ParkedSpec, rng: np.random.Generator, road_m: float) -> list[Vehicle]:
    start, end = max(0.0, plan.start_m), min(road_m, plan.end_m)
    sign = 1.0 if plan.side == "left" else -1.0
    edge = edge_m(road, plan.side) + road.shoulder_m
    middle = edge + {"bay": 1.25, "kerb": 1.05, "verge": road.verge_m + 1.3}[plan.where]
    made: list[Vehicle] = []
    at = start
    while True:
        body, size = bodies.draw(rng, plan.truck_share)
        if at + max(size[0], plan.pitch_m) > end:
            return made
        if rng.random() < plan.fill:
            along = bool(rng.random() < 0.9) == (plan.side != "left")
            turn = 4.0 if plan.where == "verge" else 1.2
            aside = middle + (size[1] - 1.8) / 2
            spot = at + size[0] / 2
            if plan.pitch_m > 0:
                spot = at + plan.pitch_m / 2 + float(rng.normal(0.0, 0.1))
            if plan.pitch_m == 0 or size[0] < plan.pitch_m - 0.5:
                made.append(_vehicle(plan.side, 9, spot, sign * aside, size, along, body, "parked", rng, 0.12, turn))
        at += plan.pitch_m or size[0] + float(rng.uniform(0.7, 1.8))


def _vehicle(
    side: str,
    row: int,
    station: float,
    lane: float,
    size: tuple[float, float, float],
    along: bool,
    body: str,
    state: str,
    rng: np.random.Generator,
    sway_m: float,
    turn_deg: float,
) -> Vehicle:
    sway_m *= 0.5 if size[0] > TRUCK_M else 1.0
    sway = float(np.clip(rng.normal(0.0, sway_m), -2 * sway_m, 2 * sway_m))
    turn = float(rng.normal(0.0, turn_deg)) / max(1.0, size[0] / 5.0)
    return Vehicle(0, side, row, station, lane + sway, *size, turn, along, body, state)


def _numbered(vehicles: list[Vehicle]) -> list[Vehicle]:
    key: Callable[[Vehicle], tuple[float, float]] = lambda v: (v.station_m, v.offset_m)  # noqa: E731
    made = []
    for number, v in enumerate(sorted(vehicles, key=key)):
        made.append(
            Vehicle(
                number,
                v.side,
                v.row,
                v.station_m,
                v.offset_m,
                v.length_m,
                v.width_m,
                v.height_m,
                v.turn_deg,
                v.along,
                v.body,
                v.state,
            )
        )
    return made
