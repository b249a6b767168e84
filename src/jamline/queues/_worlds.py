"""Drawn worlds: what a path holds queued, with its vehicles, joined to queues by the gap and break rules."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from jamline.queues._chain import CREEPING, STANDING, Sojourns
from jamline.queues._laws import REACH_M, again_missed
from jamline.queues._reading import Reading

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_RUNS = 4.0
"""Misses and false vehicles come in runs of about so many: of sums over them that is what the variance is raised by."""

_MOST_UNSEEN = 10.0
"""A piece is filled up to so many times what was seen of it."""

_BEYOND_M = (1.0, 20.0)
"""Least and most net gap to a vehicle that was missed behind the last or before the first one."""


@dataclass(frozen=True, eq=False)
class Worlds:
    """Queues of drawn worlds, one entry for each queue of each world.

    Parameters
    ----------
    draw : array of int, shape (n,)
        Its world.
    start_m, end_m : array, shape (n,)
        From the near end of the first to the far end of the last vehicle.
    occupied_m, rows_m : array, shape (n,)
        Length without gaps, of the queue and summed over its rows.
    count : array, shape (n,)
        Vehicles, missed ones too.
    open_start, open_end : array of bool, shape (n,)
        Whether the queue goes on where nobody saw.
    """

    draw: Ints
    start_m: Array
    end_m: Array
    occupied_m: Array
    rows_m: Array
    count: Array
    open_start: Bools
    open_end: Bools

    @classmethod
    def all_of(cls, parts: list[Worlds]) -> Worlds:
        """Put worlds of several readings together."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def numbered_from(self, number: int) -> Worlds:
        """Return the same worlds numbered on."""
        return replace(self, draw=self.draw + number)

    def take(self, index: Ints) -> Worlds:
        """Return some of the queues."""
        return Worlds(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Stretches of bins that paths hold queued, in order of path and bin; vehicles from ``low`` to ``high``."""

    path: Ints
    first: Ints
    last: Ints
    low: Ints
    high: Ints

    def take(self, keep: Bools) -> _Pieces:
        return _Pieces(*(getattr(self, field.name)[keep] for field in fields(self)))


def draw_worlds(
    reading: Reading, paths: Sojourns, *, draws: int, gap_m: float, break_m: float, rng: np.random.Generator
) -> tuple[Worlds, Array]:
    """Apply the rules to each path of one reading.

    Parameters
    ----------
    reading : Reading
        The vehicles.
    paths : Sojourns
        Its paths, numbered from 0.
    draws : int
        How many there are.
    gap_m, break_m : float
        Widest gap of an occupied row, and of a queue.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    Worlds
    array, shape (n,)
        Share of the worlds in which each vehicle of the reading is queued.
    """
    creeping = _creeping(reading, paths)
    true = reading.true(creeping)
    pieces = _true_ends(_pieces(reading, paths), true, rng)
    queued = _cover(pieces.low, pieces.high + 1, len(true)) / draws
    if not len(pieces.path):
        none = np.zeros(0)
        return Worlds(pieces.path, none, none, none, none, none, none > 0, none > 0), queued
    sight, rows = reading.sight, reading.rows
    # Where a piece runs into what was not seen, or off the line, it is open.
    opens = np.stack(
        [
            sight.blind[pieces.first] | (pieces.first == 0),
            sight.blind[pieces.last] | (pieces.last == len(sight.recall) - 1),
        ]
    )
    missed, beyond = _beyond(reading, pieces, opens, creeping, rng)
    start = np.maximum(rows.start_m[pieces.low] - beyond[0], np.minimum(rows.start_m[pieces.low], 0.0))
    far = rows.reach_m[pieces.high]
    end = np.minimum(far + beyond[1], np.maximum(far, sight.edge_m[-1]))
    # What was not seen but is held queued parts nothing.
    near_m = np.where(opens[0], np.minimum(start, sight.edge_m[pieces.first]), start)
    far_m = np.where(opens[1], np.maximum(end, sight.edge_m[pieces.last + 1]), end)
    apart = near_m[1:] - far_m[:-1]
    parted = (pieces.path[1:] != pieces.path[:-1]) | (apart > break_m)
    begin = np.flatnonzero(np.append(True, parted))
    stop = np.append(begin[1:], len(parted) + 1) - 1
    closed = np.where(~parted & (apart <= gap_m), np.maximum(start[1:] - end[:-1], 0.0), 0.0)
    holes = _holes(reading, pieces, creeping, draws=draws, gap_m=gap_m, rng=rng)
    count, rows_m = _sums(reading, pieces, true, creeping, gap_m=gap_m, rng=rng)
    worlds = Worlds(
        draw=pieces.path[begin],
        start_m=start[begin],
        end_m=end[stop],
        occupied_m=np.add.reduceat(end - start - holes + np.append(0.0, closed), begin),
        rows_m=np.add.reduceat(rows_m + beyond.sum(axis=0) + np.append(0.0, closed), begin),
        count=np.add.reduceat(count + missed.sum(axis=0), begin),
        open_start=opens[0][begin],
        open_end=opens[1][stop],
    )
    return worlds, queued * true


def _pieces(reading: Reading, paths: Sojourns) -> _Pieces:
    """Return the stretches that paths hold queued, standing or creeping, in which a vehicle was found."""
    queued = (paths.state == STANDING) | (paths.state == CREEPING)
    path, first, last = paths.path[queued], paths.first[queued], paths.last[queued]
    if not len(path):
        none = np.zeros(0, dtype=np.int64)
        return _Pieces(none, none, none, none, none)
    new = np.concatenate([[True], (path[1:] != path[:-1]) | (first[1:] != last[:-1] + 1)])
    first, last = first[new], last[np.concatenate([new[1:], [True]])]
    low = np.searchsorted(reading.rows.bin, first, side="left").astype(np.int64)
    high = np.searchsorted(reading.rows.bin, last, side="right").astype(np.int64) - 1
    pieces = _Pieces(path[new], first, last, low, high)
    return pieces.take(pieces.low <= pieces.high)


def _true_ends(pieces: _Pieces, true: Array, rng: np.random.Generator) -> _Pieces:
    """Move the ends of pieces past vehicles that are struck out there; those with none left go."""
    low, high = pieces.low.copy(), pieces.high.copy()
    for end, step in ((low, 1), (high, -1)):
        at = np.arange(len(end))
        while len(at):
            struck = rng.random(len(at)) >= true[end[at]]
            end[at[struck]] += step
            at = at[struck]
            at = at[low[at] <= high[at]]
    return _Pieces(pieces.path, pieces.first, pieces.last, low, high).take(low <= high)


def _cover(first: Ints, stop: Ints, size: int) -> Array:
    """Count how many ranges cover each place, shape (size,)."""
    change = np.bincount(first, minlength=size + 1) - np.bincount(stop, minlength=size + 1)
    covered: Array = np.cumsum(change)[:size].astype(float)
    return covered


def _creeping(reading: Reading, paths: Sojourns) -> Array:
    """Return the share of the queued paths that creep at each vehicle, shape (n,)."""
    bins = len(reading.sight.recall)
    standing, creeping = (
        _cover(paths.first[paths.state == state], paths.last[paths.state == state] + 1, bins)
        for state in (STANDING, CREEPING)
    )
    share: Array = ((creeping + 0.25) / (standing + creeping + 1.0))[reading.rows.bin]
    return share


def _beyond(
    reading: Reading, pieces: _Pieces, opens: Bools, creeping: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw how many vehicles were missed beyond both ends of each piece, and how far they reach, shape (2, pieces).

    Each stands like some vehicle of the piece.
    """
    rows = reading.rows
    at = np.stack([pieces.low, pieces.high])
    recall = np.clip(reading.recall[at], 0.2, 0.99)
    run = rng.geometric(1.0 - again_missed(recall))
    missed = np.where(opens | (rng.random(at.shape) < recall), 0, run)
    like = rng.integers(pieces.low, pieces.high + 1, size=at.shape)
    laws = reading.laws
    usual = (1 - creeping) * laws.standing.true.mean_m + creeping * laws.creeping.true.mean_m
    # A gap in which others were missed is not that of one vehicle.
    single = laws.queued(rows.gap_m, reading.recall, creeping)[1] < 0.5
    gap = np.where(single & np.isfinite(rows.gap_m), rows.gap_m, usual)
    pitch = (rows.end_m - rows.start_m + np.clip(gap, *_BEYOND_M))[like]
    return missed.astype(float), missed * pitch


def _holes(
    reading: Reading, pieces: _Pieces, creeping: Array, *, draws: int, gap_m: float, rng: np.random.Generator
) -> Array:
    """Draw the length of the gaps within each piece over which no row is occupied, shape (pieces,)."""
    rows, sight = reading.rows, reading.sight
    far = rows.reach_m[:-1]
    width = rows.start_m[1:] - far
    wide = np.flatnonzero(width > gap_m)
    seen = sight.seen_to_m(rows.start_m[1:][wide]) - sight.seen_to_m(far[wide])
    chance = reading.laws.hole_chance(seen, reading.recall[wide], creeping[wide], limit_m=gap_m)
    hole = (rng.random((draws, len(wide))) < chance) * width[wide]
    upto = np.concatenate([np.zeros((draws, 1)), np.cumsum(hole, axis=1)], axis=1)
    first, stop = np.searchsorted(wide, pieces.low), np.searchsorted(wide, pieces.high)
    within: Array = upto[pieces.path, stop] - upto[pieces.path, np.minimum(first, stop)]
    return within


def _sums(
    reading: Reading, pieces: _Pieces, true: Array, creeping: Array, *, gap_m: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw the vehicles of each piece, missed ones too, and sum the length that its rows take, shape (pieces,).

    Counts are sums over many gaps, so their sum is drawn at once.
    """
    rows, sight = reading.rows, reading.sight
    _, missed, spread = reading.laws.queued(rows.gap_m, reading.recall, creeping)
    behind = (rows.ahead >= 0) & (rows.gap_m < REACH_M)
    missed, spread = np.where(behind, missed, 0.0), np.where(behind, spread, 0.0)
    hole = np.ones(len(true))
    hole[behind] = reading.laws.hole_chance(rows.gap_m[behind], reading.recall[behind], creeping[behind], limit_m=gap_m)
    gap = np.where(behind, np.maximum(rows.start_m - rows.end_m[rows.ahead], 0.0) * (1 - hole), 0.0)
    own = _within(true, pieces.low, pieces.high) + 2.0 - true[pieces.low] - true[pieces.high]
    own = np.where(pieces.low == pieces.high, 1.0, own)
    between = _within(true * missed, pieces.low + 1, pieces.high)
    doubt = _RUNS * _within(true * (1 - true) + true * spread, pieces.low + 1, pieces.high)
    count = np.rint(np.maximum(own + between + np.sqrt(doubt) * rng.standard_normal(len(own)), 1.0))
    # A false vehicle within a row makes the row no shorter; one on its own is no row.
    alone = ~behind & ~np.isfinite(rows.following_m(rows.start_m))
    length = np.where(alone, true, 1.0) * (rows.end_m - rows.start_m)
    rows_m = _within(length, pieces.low, pieces.high) + _within(gap, pieces.low + 1, pieces.high)
    # Rows that go on unseen are as full there as where they were seen.
    start, end = rows.start_m[pieces.low], rows.reach_m[pieces.high]
    more = (end - start) / np.maximum(sight.seen_to_m(end) - sight.seen_to_m(start), 1.0)
    more = np.clip(more, 1.0, _MOST_UNSEEN)
    return np.rint(count * more), rows_m * more


def _within(values: Array, low: Ints, high: Ints) -> Array:
    """Sum values from one place to another, both included, shape of ``low``."""
    upto = np.append(0.0, np.cumsum(values))
    summed: Array = upto[np.maximum(high + 1, low)] - upto[low]
    return np.maximum(summed, 0.0)
