"""Who is on the road: vehicles with their place, size and kind, drawn from a scene's plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jamline.synth.config import FlowSpec, ParkedSpec, QueueSpec, RoadSpec, SceneSpec
from jamline.tables import TRUCK_M

# Body: (share among cars, length mean, sd, width mean, sd, height). European registrations, rounded.
_CARS = {
    "hatch": (0.34, 4.10, 0.22, 1.77, 0.05, 1.48),
    "sedan": (0.30, 4.62, 0.18, 1.82, 0.05, 1.45),
    "suv": (0.20, 4.55, 0.22, 1.88, 0.06, 1.70),
    "estate": (0.06, 4.65, 0.15, 1.82, 0.04, 1.48),
    "van": (0.10, 5.30, 0.55, 1.97, 0.06, 2.15),
}
# Share among those over 7 m.
_TRUCKS = {
    "semi": (0.62, 16.4, 0.4, 2.52, 0.03, 3.9),
    "lorry": (0.22, 9.0, 0.9, 2.48, 0.05, 3.4),
    "trailer": (0.08, 18.4, 0.3, 2.52, 0.03, 3.9),
    "bus": (0.08, 12.1, 0.6, 2.53, 0.03, 3.2),
}

_ABREAST_M = 2.65
"""Least distance between the middles of rows abreast: a lorry is 2.55 m wide."""


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One vehicle in road space.

    Parameters
    ----------
    number : int
        Seeds its looks.
    side : str
        left, right or all.
    row : int
        Of the queue or lane, counted from the road's middle outwards.
    station_m, offset_m : float
        Of its middle.
    length_m, width_m, height_m : float
        Its size.
    turn_deg : float
        Of its long axis against the road, anticlockwise.
    along : bool
        Whether it looks along the line.
    body : str
        hatch, sedan, suv, estate, van, semi, lorry, trailer or bus.
    state : str
        queued, flowing or parked.
    """

    number: int
    side: str
    row: int
    station_m: float
    offset_m: float
    length_m: float
    width_m: float
    height_m: float
    turn_deg: float
    along: bool
    body: str
    state: str

    @property
    def kind(self) -> str:
        """Car or truck."""
        return "truck" if self.length_m > TRUCK_M else "car"


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
    vehicles: list[Vehicle] = []
    for index, queue in enumerate(spec.queues):
        vehicles += _queued(spec.road, queue, np.random.default_rng([spec.seed, 2, index]), length_m)
    standing = list(vehicles)
    for index, flow in enumerate(spec.flows):
        rng = np.random.default_rng([spec.seed, 3, index])
        vehicles += _clear_of(standing, _flowing(spec.road, flow, rng, length_m))
    for index, parked in enumerate(spec.parked):
        rng = np.random.default_rng([spec.seed, 4, index])
        vehicles += _clear_of(standing, _parked(spec.road, parked, rng, length_m))
    return tuple(_numbered(vehicles))


def edge_m(road: RoadSpec, side: str) -> float:
    """Return how far the outer edge line lies from the road's middle."""
    if road.oneway:
        return road.lanes_right * road.lane_width_m / 2
    lanes = road.lanes_left if side == "left" else road.lanes_right
    return road.median_m / 2 + lanes * road.lane_width_m


def row_offsets(road: RoadSpec, side: str, rows: int) -> list[float]:
    """Return where the middles of so many rows lie, from the road's middle outwards, metres to the left.

    Up to the number of lanes they use the outer ones; more squeeze together and onto the shoulder.
    """
    if road.oneway:
        lanes, inner = road.lanes_right, -road.lanes_right * road.lane_width_m / 2
    else:
        lanes = road.lanes_left if side == "left" else road.lanes_right
        inner = road.median_m / 2
    wide = road.lane_width_m
    if rows <= lanes:
        middles = [inner + (lanes - rows + k + 0.5) * wide for k in range(rows)]
    else:
        room = lanes * wide + road.shoulder_m + 0.7 * road.verge_m
        each = max(_ABREAST_M, min(wide, room / rows))
        middles = [inner + 0.1 + (k + 0.5) * each for k in range(rows)]
    sign = 1.0 if side == "left" else -1.0
    return [sign * middle for middle in middles]


def _queued(road: RoadSpec, plan: QueueSpec, rng: np.random.Generator, road_m: float) -> list[Vehicle]:
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
            body, size = _body(rng, trucks)
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


def _flowing(road: RoadSpec, plan: FlowSpec, rng: np.random.Generator, road_m: float) -> list[Vehicle]:
    start, end = max(0.0, plan.start_m), min(road_m, plan.end_m)
    if plan.per_km_lane <= 0 or end - start < 50.0:
        return []
    lanes = road.lanes_left if plan.side == "left" else road.lanes_right
    along = plan.side != "left"
    made = []
    for row, lane in enumerate(row_offsets(road, plan.side, lanes)):
        at = start + float(rng.exponential(500.0 / plan.per_km_lane))
        while at < end:
            body, size = _body(rng, plan.truck_share * (0.5 if row == 0 and lanes > 1 else 1.0))
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


def _parked(road: RoadSpec, plan: ParkedSpec, rng: np.random.Generator, road_m: float) -> list[Vehicle]:
    start, end = max(0.0, plan.start_m), min(road_m, plan.end_m)
    sign = 1.0 if plan.side == "left" else -1.0
    edge = edge_m(road, plan.side) + road.shoulder_m
    middle = edge + (1.25 if plan.where == "bay" else road.verge_m + 1.3)
    made: list[Vehicle] = []
    at = start
    while True:
        body, size = _body(rng, plan.truck_share)
        if at + size[0] > end:
            return made
        if rng.random() < plan.fill:
            along = bool(rng.random() < 0.9) == (plan.side != "left")
            turn = 1.2 if plan.where == "bay" else 4.0
            aside = middle + (size[1] - 1.8) / 2
            spot = at + size[0] / 2
            made.append(_vehicle(plan.side, 9, spot, sign * aside, size, along, body, "parked", rng, 0.12, turn))
        at += size[0] + float(rng.uniform(0.7, 1.8))


def _body(rng: np.random.Generator, truck_share: float) -> tuple[str, tuple[float, float, float]]:
    """Draw a body and its length, width and height."""
    table = _TRUCKS if rng.random() < truck_share else _CARS
    names = list(table)
    body = names[int(rng.choice(len(names), p=np.array([table[n][0] for n in names])))]
    _, length, length_sd, width, width_sd, height = table[body]
    # Cars end below the 7 m at which trucks begin.
    long = float(np.clip(rng.normal(length, length_sd), 3.4, 6.8 if table is _CARS else 25.0))
    return body, (max(long, 7.2) if table is _TRUCKS else long, float(rng.normal(width, width_sd)), height)


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
