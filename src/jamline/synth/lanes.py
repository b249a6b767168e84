"""Where lanes and rows lie, and what a vehicle is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jamline.synth.config import RoadSpec
from jamline.tables import TRUCK_M

Field = npt.NDArray[np.float32]

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
        One of those in `jamline.synth.bodies`.
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


def lane_places(road: RoadSpec, offset_m: Field) -> tuple[Field, Field, Any]:
    """Return each cell's place in its lane (-0.5 to 0.5), metres from the right edge, and whether it is in one."""
    lanes = road.lanes_right if road.oneway else road.lanes_right + road.lanes_left
    low = -edge_m(road, "right")
    across = offset_m - np.float32(low)
    if road.median_m > 0 and not road.oneway:
        across = np.where(offset_m >= 0, offset_m - road.median_m / 2, across)
    place = np.mod(across, road.lane_width_m) / road.lane_width_m - 0.5
    return place, across, (across > 0) & (across < lanes * road.lane_width_m)
