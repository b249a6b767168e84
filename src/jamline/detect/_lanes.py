"""Running lanes told from one another and from what lies beside them: bays, lots and verges.

Lanes lie between three lines that wander slowly along the road: the middle, which parts the two directions, and an edge
on each side. How wide the road is said to be and what the picture shows tell where they are, and so do the vehicles
themselves, which stand on one side of a line or the other but not across it; and each vehicle looks as if it were in a
lane or parked. Each line is a hidden place along the road; sums over all its ways are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jamline.corridor import OUT_M, Edges, place_posterior
from jamline.detect._protocol import Boxes

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_CHUNK_M = 20.0
"""Length over which the edge is one place; longer than a lorry with its gap."""

_STEP_M = 0.25
_MIDDLE_M, _MIDDLE_SIGMA_M, _MIDDLE_DRIFT_M, _ACROSS_M = 2.0, 0.5, 0.15, 0.3
"""How far from where the road was found its middle may lie, how far it usually does, how it drifts from chunk to chunk,
and how well a box is placed across it: lanes of both directions leave half a metre between their vehicles."""

_INWARD_M, _OUTWARD_M = 3.0, 2.0
"""How far from where it is expected an edge may lie: less than a lane further in, or one lane would be lost."""

_NARROW_M = 0.3
"""Lanes count as 3.5 m each; in towns they are 3.0 to 3.25 m."""

_PRIOR_CHUNKS = 4.0
"""The width of a road is one fact over some 80 m, so what it says of the edge counts once in so many chunks."""

_DRIFT_M = 0.25
_JUMP = 0.002
"""The edge follows the line to so much from chunk to chunk; once in 10 km a lane ends or a pocket begins. If it moved
more freely it would go around every bay, which is paved like the lanes and ends where its vehicles do."""

_ALIKE = 8.0
"""Cells that look at the same stretch of road count as one look."""

_CELLS = 1024
"""Cells whose edges are asked for at once."""

_ASTRIDE = 0.1
"""Chance of a box astride the edge over that of one clear of it: kerbs are not parked on, lines seldom."""

_PLACE_M = 0.6
"""How well a box is placed across the road: its shadow draws it aside."""

_UNSURE, _ROW = 0.03, 2.0
"""What a vehicle looks like is wrong in so many of 100 however sure the network is; and those of one row look alike, so
that each tells half as much of the edge."""

_BESIDE_M = (2.0, 4.4)
_ALONG_M, _PARTNERS = 20.0, 2
"""A vehicle on the shoulder has company of at least two in the lane next to it, 20 m up or down."""

_ROW_M, _REACH_M = 1.2, 100.0
_FEWEST, _COMPANY = 3, 0.8
"""A row within that reach waits if it has so many vehicles, and so many of them have company."""

_OVER_M = 0.4
"""So far over the carriageway's edge the middle of a vehicle that waits may stand, its outer wheels off the road."""


@dataclass(frozen=True, eq=False)
class Lanes:
    """Where each of a road's vehicles stands to its lanes.

    Parameters
    ----------
    left_m : array, shape (n,)
        Metres left of the middle that parts the two directions; of the road's own middle where there is but one.
    parked : array of bool, shape (n,)
        Whether it stands beside the running lanes.
    """

    left_m: Array
    parked: Bools


def lanes_of(
    boxes: Boxes,
    *,
    oneway: bool,
    carriageway_m: float,
    edge_sigma_m: float,
    edges: Edges | None = None,
) -> Lanes:
    """Tell where vehicles stand to the lanes.

    Parameters
    ----------
    boxes : Boxes
        Vehicles of a road, in order of station.
    oneway : bool
        Whether all lanes run the same way, so that vehicles may stand on the road's middle.
    carriageway_m : float
        Width of the road.
    edge_sigma_m : float
        Standard deviation of where its edges lie.
    edges : Edges, optional
        Where the picture shows the lanes to end; without it width and vehicles alone decide.

    Returns
    -------
    Lanes
    """
    beside = np.zeros(len(boxes), bool)
    if not len(boxes):
        return Lanes(boxes.offset_m, beside)
    last = int(max(boxes.station_m.max(), 0.0) // _CHUNK_M)
    chunk = np.clip((boxes.station_m // _CHUNK_M).astype(int), 0, last)
    middle_m = np.zeros(last + 1) if oneway else _middle_m(boxes, chunk, last + 1)
    left_m = boxes.offset_m - middle_m[chunk]
    expected_m = carriageway_m / 2 - _NARROW_M
    places = np.arange(max(1.0, expected_m - _INWARD_M), expected_m + _OUTWARD_M + 1e-6, _STEP_M)
    for sign in (1, -1):
        mine = np.flatnonzero(np.sign(left_m) == sign)
        score = _prior(places - expected_m - sign * middle_m[:, None], edge_sigma_m)
        if edges is not None:
            score += _told(edges, places, sign, last + 1)
        # The picture's edges lie to both sides of the road as it was found.
        beyond = sign * boxes.offset_m[mine, None] - places[None, :]
        outside = 1 / (1 + np.exp(-1.7 * beyond / _PLACE_M))
        looks = np.clip(boxes.parked[mine, None], _UNSURE, 1 - _UNSURE)
        fits = outside * looks + (1 - outside) * (1 - looks)
        clear = _clear(beyond, boxes.width_m[mine], _PLACE_M)
        np.add.at(score, chunk[mine], boxes.score[mine, None] * (clear + np.log(2 * fits) / _ROW))
        chance = _posterior(score, _DRIFT_M, _JUMP)[chunk[mine]]
        beside[mine] = (chance * outside * looks / fits).sum(axis=1) > 0.5
    return Lanes(left_m, beside & ~_waiting(boxes, left_m, beside, carriageway_m))


def _middle_m(boxes: Boxes, chunk: npt.NDArray[np.intp], chunks: int) -> Array:
    """Return where the middle of a two-way road lies, metres left of where it was found, shape (chunks,)."""
    places = np.arange(-_MIDDLE_M, _MIDDLE_M + 1e-6, _STEP_M)
    score = _prior(np.tile(places, (chunks, 1)), _MIDDLE_SIGMA_M)
    clear = _clear(boxes.offset_m[:, None] - places[None, :], boxes.width_m, _ACROSS_M)
    np.add.at(score, chunk, boxes.score[:, None] * clear)
    middle: Array = _posterior(score, _MIDDLE_DRIFT_M, 0.0) @ places
    return middle


def _prior(off_m: Array, sigma_m: float) -> Array:
    """Return what speaks for places so far off before anything is seen, shape (chunks, places)."""
    prior: Array = -0.5 * (off_m / sigma_m) ** 2 / min(_PRIOR_CHUNKS, len(off_m))
    return prior


def _clear(beyond_m: Array, width_m: Array, place_m: float) -> Array:
    """Return what speaks for lines so far from boxes: little if one stands astride, shape (n, places)."""
    room = (np.abs(beyond_m) - 0.4 * width_m[:, None]) / place_m
    clear: Array = np.log(_ASTRIDE + (1 - _ASTRIDE) / (1 + np.exp(-1.7 * room)))
    return clear


def _told(edges: Edges, places: Array, sign: int, chunks: int) -> Array:
    """Return what the picture says of each place of the edge, shape (chunks, places)."""
    out_m = places + _NARROW_M
    column = np.clip(np.searchsorted(OUT_M, out_m), 0, len(OUT_M) - 1)
    chunk = np.clip((edges.station_m // _CHUNK_M).astype(int), 0, chunks - 1)
    told = np.zeros((chunks, len(places)))
    for first in range(0, len(chunk), _CELLS):
        here = slice(first, first + _CELLS)
        log_chance = edges.told(0 if sign > 0 else 1, here)[:, column].astype(np.float64)
        np.add.at(told, chunk[here], log_chance / _ALIKE)
    return told


def _posterior(score: Array, drift_m: float, jump: float) -> Array:
    """Return the probability of each place of a line in each chunk, shape (chunks, places)."""
    places = score.shape[1]
    apart = (np.arange(places)[:, None] - np.arange(places)[None, :]) * _STEP_M
    move = np.exp(-0.5 * (apart / drift_m) ** 2)
    move = (1 - jump) * move / move.sum(axis=1, keepdims=True) + jump / places
    return place_posterior(score, move)


def _waiting(boxes: Boxes, left_m: Array, beside: Bools, carriageway_m: float) -> Bools:
    """Tell which vehicles beside the lanes are one more row of a queue that stands in them.

    Such a row goes no further than the queue does; one that is parked stays where the lanes are free too, and looks it.
    """
    station, out_m, side = boxes.station_m, np.abs(left_m), np.sign(left_m)

    def around(i: np.intp, reach_m: float) -> npt.NDArray[np.intp]:
        low, high = np.searchsorted(station, (station[i] - reach_m, station[i] + reach_m))
        near = np.arange(low, high)
        mine: npt.NDArray[np.intp] = near[side[near] == side[i]]
        return mine

    company = np.zeros(len(boxes), bool)
    for i in np.flatnonzero(beside):
        near = around(i, _ALONG_M)
        further = out_m[i] - out_m[near]
        company[i] = np.count_nonzero(~beside[near] & (further > _BESIDE_M[0]) & (further < _BESIDE_M[1])) >= _PARTNERS
    waiting = np.zeros(len(boxes), bool)
    # Out there is the carriageway's own edge: well beyond it is no room to wait.
    for i in np.flatnonzero(beside & (out_m < carriageway_m / 2 + _OVER_M)):
        near = around(i, _REACH_M)
        row = near[beside[near] & (np.abs(out_m[near] - out_m[i]) < _ROW_M)]
        unlike = boxes.parked[row].mean() <= 0.5
        waiting[i] = unlike and len(row) >= _FEWEST and company[row].mean() >= _COMPANY
    return waiting
