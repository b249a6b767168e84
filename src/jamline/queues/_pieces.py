"""Pieces of road that paths hold queued, and the queues that they hang together to."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from jamline.queues._chain import CREEPING, STANDING, Sojourns
from jamline.queues._reading import Reading

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Stretches of bins that paths hold queued, in order of path and bin; vehicles from ``low`` to ``high``."""

    path: Ints
    first: Ints
    last: Ints
    low: Ints
    high: Ints

    def take(self, keep: Bools) -> Pieces:
        return Pieces(*(getattr(self, field.name)[keep] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Chains:
    """Pieces of one queue hang together; so do they over pieces of which nothing was seen.

    Parameters
    ----------
    begin, stop : array of int, shape (queues,)
        First and last piece of each queue, among those with vehicles.
    closed_m : array, shape (queues,)
        Gaps between pieces over which a row counts as occupied.
    held_m : array, shape (queues,)
        What pieces cover of the road from a queue's first to its last vehicle, unseen road too.
    """

    begin: Ints
    stop: Ints
    closed_m: Array
    held_m: Array


def pieces_of(reading: Reading, paths: Sojourns) -> Pieces:
    """Return the stretches that paths hold queued, standing or creeping; some hold no vehicle that was found."""
    queued = (paths.state == STANDING) | (paths.state == CREEPING)
    path, first, last = paths.path[queued], paths.first[queued], paths.last[queued]
    if not len(path):
        none = np.zeros(0, dtype=np.int64)
        return Pieces(none, none, none, none, none)
    new = np.concatenate([[True], (path[1:] != path[:-1]) | (first[1:] != last[:-1] + 1)])
    first, last = first[new], last[np.concatenate([new[1:], [True]])]
    low = np.searchsorted(reading.rows.bin, first, side="left").astype(np.int64)
    high = np.searchsorted(reading.rows.bin, last, side="right").astype(np.int64) - 1
    return Pieces(path[new], first, last, low, high)


def true_ends(pieces: Pieces, true: Array, rng: np.random.Generator) -> Pieces:
    """Move the ends of pieces past vehicles that are struck out there."""
    low, high = pieces.low.copy(), pieces.high.copy()
    for end, step in ((low, 1), (high, -1)):
        at = np.flatnonzero(low <= high)
        while len(at):
            struck = rng.random(len(at)) >= true[end[at]]
            end[at[struck]] += step
            at = at[struck]
            at = at[low[at] <= high[at]]
    return Pieces(pieces.path, pieces.first, pieces.last, low, high)


def chains_of(every: Pieces, start: Array, end: Array, reading: Reading, *, gap_m: float, break_m: float) -> Chains:
    """Join pieces to queues; ``start`` and ``end`` are those of the pieces with vehicles.

    What was not seen but is held queued parts nothing, be there a vehicle in the piece or not.
    """
    edge_m, blind = reading.sight.edge_m, np.flatnonzero(reading.sight.blind)
    first, last = np.searchsorted(blind, every.first), np.searchsorted(blind, every.last, side="right") - 1
    full, unseen = every.low <= every.high, first <= last
    near_m, far_m = np.full(len(full), np.inf), np.full(len(full), -np.inf)
    near_m[unseen], far_m[unseen] = edge_m[blind[first[unseen]]], edge_m[blind[last[unseen]] + 1]
    near_m[full], far_m[full] = np.minimum(near_m[full], start), np.maximum(far_m[full], end)
    kept = full | unseen
    path, near_m, far_m = every.path[kept], near_m[kept], far_m[kept]
    place = np.flatnonzero(full[kept])
    apart = near_m[1:] - far_m[:-1]
    parted = (path[1:] != path[:-1]) | (apart > break_m)
    queue = np.append(0, np.cumsum(parted))[place]
    begin = np.flatnonzero(np.append(True, queue[1:] != queue[:-1]))
    stop = np.append(begin[1:], len(place)) - 1
    low, high = place[begin], place[stop]
    closed = np.append(0.0, np.cumsum(np.where(~parted & (apart <= gap_m), np.maximum(apart, 0.0), 0.0)))
    held = np.append(0.0, np.cumsum(far_m - near_m))
    # Up to where the road was blind, a piece may reach beyond its queue's vehicles.
    over = start[begin] - near_m[low] + far_m[high] - end[stop]
    return Chains(begin, stop, closed[high] - closed[low], held[high + 1] - held[low] - over)
