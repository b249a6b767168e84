"""Running lanes told from what lies beside them: bays, lots and verges.

On each side the lanes end at an edge that wanders slowly along the road. Three things tell where: how wide the road
is said to be, where the picture shows its lanes to end, and the vehicles themselves, which stand on one side of a kerb
or the other but not across it. The edge is a hidden state along the road; sums over all its ways are exact.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jamline.corridor import OUT_M, Edges, place_posterior
from jamline.detect._protocol import Boxes

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_CHUNK_M = 20.0
"""Length over which the edge is one place; longer than a lorry with its gap."""

_STEP_M = 0.25
_INWARD_M, _OUTWARD_M = 3.0, 2.0
"""How far from where it is expected an edge may lie: less than a lane further in, or one lane would be lost."""

_NARROW_M = 0.3
"""Lanes count as 3.5 m each; in towns they are 3.0 to 3.25 m."""

_PRIOR_CHUNKS = 10.0
"""The width of a road is one fact over some 200 m, so what it says of the edge counts once in so many chunks."""

_DRIFT_M = 0.35
_JUMP = 0.01
"""The edge follows the line to so much from chunk to chunk; now and then a lane ends or a pocket begins."""

_ALIKE = 5.0
"""Cells that look at the same stretch of road count as one look."""

_CELLS = 1024
"""Cells whose edges are asked for at once."""

_ASTRIDE = 0.2
"""Chance of a box astride the edge over that of one clear of it: kerbs are not parked on, lines seldom."""

_PLACE_M = 0.6
"""How well a box is placed across the road: its shadow draws it aside."""

_BESIDE_M = (2.0, 4.4)
_ALONG_M, _PARTNERS = 20.0, 2
"""A vehicle on the shoulder has company of at least two in the lane next to it, 20 m up or down."""

_ROW_M, _REACH_M = 1.2, 100.0
_FEWEST, _COMPANY = 3, 0.8
"""A row within that reach waits if it has so many vehicles, and so many of them have company."""


def parked(
    boxes: Boxes,
    *,
    carriageway_m: float,
    edge_sigma_m: float,
    edges: Edges | None = None,
) -> Bools:
    """Tell which vehicles stand beside the running lanes.

    Parameters
    ----------
    boxes : Boxes
        Vehicles of a road, in order of station.
    carriageway_m : float
        Width of the road.
    edge_sigma_m : float
        Standard deviation of where its edges lie.
    edges : Edges, optional
        Where the picture shows the lanes to end; without it width and vehicles alone decide.

    Returns
    -------
    array of bool, shape (n,)
    """
    beside = np.zeros(len(boxes), bool)
    if not len(boxes):
        return beside
    expected_m = carriageway_m / 2 - _NARROW_M
    places = np.arange(max(1.0, expected_m - _INWARD_M), expected_m + _OUTWARD_M + 1e-6, _STEP_M)
    last = int(max(boxes.station_m.max(), 0.0) // _CHUNK_M)
    prior = -0.5 * ((places - expected_m) / edge_sigma_m) ** 2 / min(_PRIOR_CHUNKS, last + 1)
    for sign in (1, -1):
        mine = np.flatnonzero(np.sign(boxes.offset_m) == sign)
        out_m, half_m = sign * boxes.offset_m[mine], boxes.width_m[mine] / 2
        chunk = np.clip((boxes.station_m[mine] // _CHUNK_M).astype(int), 0, last)
        score = np.tile(prior, (last + 1, 1))
        if edges is not None:
            score += _told(edges, places, sign, last + 1)
        beyond = out_m[:, None] - places[None, :]
        room = (np.abs(beyond) - 0.8 * half_m[:, None]) / _PLACE_M
        clear = np.log(_ASTRIDE + (1 - _ASTRIDE) / (1 + np.exp(-1.7 * room)))
        np.add.at(score, chunk, boxes.score[mine][:, None] * clear)
        chance = _posterior(score)
        outside = 1 / (1 + np.exp(-1.7 * beyond / _PLACE_M))
        beside[mine] = (chance[chunk] * outside).sum(axis=1) > 0.5
    return beside & ~_waiting(boxes, beside, carriageway_m)


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


def _posterior(score: Array) -> Array:
    """Return the probability of each place of the edge in each chunk, shape (chunks, places)."""
    places = score.shape[1]
    apart = (np.arange(places)[:, None] - np.arange(places)[None, :]) * _STEP_M
    move = np.exp(-0.5 * (apart / _DRIFT_M) ** 2)
    move = (1 - _JUMP) * move / move.sum(axis=1, keepdims=True) + _JUMP / places
    return place_posterior(score, move)


def _waiting(boxes: Boxes, beside: Bools, carriageway_m: float) -> Bools:
    """Tell which vehicles beside the lanes are one more row of a queue that stands in them.

    Such a row goes no further than the queue does; a row that is parked stays where the lanes are free too.
    """
    station, out_m, side = boxes.station_m, np.abs(boxes.offset_m), np.sign(boxes.offset_m)

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
    # Out there is the carriageway's own edge: beyond it is no room to wait.
    for i in np.flatnonzero(beside & (out_m < carriageway_m / 2)):
        near = around(i, _REACH_M)
        row = near[beside[near] & (np.abs(out_m[near] - out_m[i]) < _ROW_M)]
        waiting[i] = len(row) >= _FEWEST and company[row].mean() >= _COMPANY
    return waiting
