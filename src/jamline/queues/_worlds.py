"""Drawn worlds: what a path holds queued, with its vehicles, joined to queues by the gap and break rules."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from jamline.queues._chain import CREEPING, STANDING, Sojourns
from jamline.queues._laws import again_missed, first_missed
from jamline.queues._pieces import Pieces, chains_of, pieces_of, true_ends
from jamline.queues._place import REACH_M
from jamline.queues._reading import Reading
from jamline.queues._unseen import Unseen

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_RUNS = 4.0
"""Misses and false vehicles come in runs of about so many: of sums over them that is what the variance is raised by."""

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
    shown, shown_m : array, shape (n,)
        Vehicles and length of rows where they were seen, gaps between vehicles seen in blind bins included.
    open_start, open_end : array of bool, shape (n,)
        Whether the queue goes on where nobody saw.
    """

    draw: Ints
    start_m: Array
    end_m: Array
    occupied_m: Array
    rows_m: Array
    count: Array
    shown: Array
    shown_m: Array
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
    every = true_ends(pieces_of(reading, paths), true, rng)
    pieces = every.take(every.low <= every.high)
    queued = _cover(pieces.low, pieces.high + 1, len(true)) / draws
    if not len(pieces.path):
        none = np.zeros(0)
        return Worlds(pieces.path, none, none, none, none, none, none, none, none > 0, none > 0), queued
    sight, rows = reading.sight, reading.rows
    # Where a piece runs into what was not seen, or off the line, it is open.
    opens = np.stack(
        [
            sight.blind[pieces.first] | (pieces.first == 0),
            sight.blind[pieces.last] | (pieces.last == sight.bins - 1),
        ]
    )
    missed, beyond = _beyond(reading, pieces, opens, creeping, rng)
    start = np.maximum(rows.start_m[pieces.low] - beyond[0], np.minimum(rows.start_m[pieces.low], 0.0))
    far = rows.reach_m[pieces.high]
    end = np.minimum(far + beyond[1], np.maximum(far, sight.edge_m[-1]))
    chains = chains_of(every, start, end, reading, gap_m=gap_m, break_m=break_m)
    begin, stop = chains.begin, chains.stop
    holes = _holes(reading, pieces, creeping, draws=draws, gap_m=gap_m, rng=rng)
    length, sparse, worth = _stands_for(reading, true, creeping, queued > 0, gap_m=gap_m)
    count = _counts(reading, pieces, true, creeping, rng=rng)
    shown = np.add.reduceat(count + missed.sum(axis=0), begin)
    rows_m, sparse_m = (
        np.add.reduceat(_summed(reading, pieces, each) + beyond.sum(axis=0), begin) + chains.closed_m
        for each in (length, sparse)
    )
    unseen_rows, unseen_count = _unseen(reading, paths, start[begin], end[stop], length, worth, draws=draws, rng=rng)
    worlds = Worlds(
        draw=pieces.path[begin],
        start_m=start[begin],
        end_m=end[stop],
        occupied_m=chains.held_m + chains.closed_m - np.add.reduceat(holes, begin),
        rows_m=rows_m + unseen_rows,
        count=shown + unseen_count,
        shown=shown,
        shown_m=sparse_m,
        open_start=opens[0][begin],
        open_end=opens[1][stop],
    )
    return worlds, queued * true


def _cover(first: Ints, stop: Ints, size: int) -> Array:
    """Count how many ranges cover each place, shape (size,)."""
    change = np.bincount(first, minlength=size + 1) - np.bincount(stop, minlength=size + 1)
    covered: Array = np.cumsum(change)[:size].astype(float)
    return covered


def _creeping(reading: Reading, paths: Sojourns) -> Array:
    """Return the share of the queued paths that creep at each vehicle, shape (n,)."""
    bins = reading.sight.bins
    standing, creeping = (
        _cover(paths.first[paths.state == state], paths.last[paths.state == state] + 1, bins)
        for state in (STANDING, CREEPING)
    )
    share: Array = ((creeping + 0.25) / (standing + creeping + 1.0))[reading.rows.bin]
    return share


def _beyond(
    reading: Reading, pieces: Pieces, opens: Bools, creeping: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw how many vehicles were missed beyond both ends of each piece, and how far they reach, shape (2, pieces).

    Each stands like some vehicle of the piece.
    """
    rows = reading.rows
    at = np.stack([pieces.low, pieces.high])
    recall = np.maximum(reading.recall[at], 0.2)
    run = reading.laws.standing.true.run
    row = rng.geometric(1.0 - again_missed(recall, run))
    missed = np.where(opens | (rng.random(at.shape) >= first_missed(recall, run)), 0, row)
    like = rng.integers(pieces.low, pieces.high + 1, size=at.shape)
    laws = reading.laws
    usual = (1 - creeping) * laws.standing.true.mean_m + creeping * laws.creeping.true.mean_m
    # A gap in which others were missed is not that of one vehicle.
    single = laws.queued(rows.gap_m, reading.recall, creeping)[1] < 0.5
    gap = np.where(single & np.isfinite(rows.gap_m), rows.gap_m, usual)
    pitch = (rows.end_m - rows.start_m + np.clip(gap, *_BEYOND_M))[like]
    return missed.astype(float), missed * pitch


def _holes(
    reading: Reading, pieces: Pieces, creeping: Array, *, draws: int, gap_m: float, rng: np.random.Generator
) -> Array:
    """Draw the length of the gaps within each piece over which no row is occupied, shape (pieces,)."""
    rows, sight = reading.rows, reading.sight
    far = rows.reach_m[:-1]
    width = rows.start_m[1:] - far
    # Most of a road's gaps lie in no queue of any world.
    held = _cover(pieces.low, pieces.high, len(width)) > 0
    wide = np.flatnonzero((width > gap_m) & held)
    seen = sight.seen_to_m(rows.start_m[1:][wide]) - sight.seen_to_m(far[wide])
    chance = reading.laws.hole_chance(seen, reading.recall[wide], creeping[wide], limit_m=gap_m)
    # What was not seen of it the path holds queued.
    hole = (rng.random((draws, len(wide))) < chance) * np.minimum(width[wide], seen)
    upto = np.concatenate([np.zeros((draws, 1)), np.cumsum(hole, axis=1)], axis=1)
    first, stop = np.searchsorted(wide, pieces.low), np.searchsorted(wide, pieces.high)
    within: Array = upto[pieces.path, stop] - upto[pieces.path, np.minimum(first, stop)]
    return within


def _stands_for(
    reading: Reading, true: Array, creeping: Array, queued: Bools, *, gap_m: float
) -> tuple[Array, Array, Array]:
    """Return the length of row that each vehicle stands for, with the gap before it, and the vehicles, shape (n,).

    The first length leaves out what was not seen of the gap. The second does not where a vehicle was found in a bin
    that counts as unseen: then not everything there was hidden, and vehicles seen far apart are no dense row.
    """
    rows, laws, blind = reading.rows, reading.laws, reading.sight.blind[reading.rows.bin]
    behind = (rows.ahead >= 0) & (rows.gap_m < REACH_M)
    full = np.where(behind, np.maximum(rows.start_m - rows.end_m[rows.ahead], 0.0), 0.0)
    gap = np.where(full <= gap_m, full, np.where(behind, rows.gap_m, 0.0))
    within = np.where(blind | blind[rows.ahead], full, gap)
    hole = laws.hole_chance(np.where(queued, gap, 0.0), reading.recall, creeping, limit_m=gap_m)
    # A false vehicle within a row makes the row no shorter; one on its own is no row.
    alone = ~behind & ~np.isfinite(rows.following_m(rows.start_m))
    own = np.where(alone, true, 1.0) * (rows.end_m - rows.start_m)
    missed = np.where(behind, laws.queued(rows.gap_m, reading.recall, creeping)[1], 0.0)
    return own + gap * (1 - hole), own + within * (1 - hole), true * (1.0 + missed)


def _counts(reading: Reading, pieces: Pieces, true: Array, creeping: Array, *, rng: np.random.Generator) -> Array:
    """Draw the vehicles of each piece where it was seen, missed ones too, shape (pieces,).

    Counts are sums over many gaps, so their sum is drawn at once.
    """
    rows = reading.rows
    _, missed, spread = reading.laws.queued(rows.gap_m, reading.recall, creeping)
    behind = (rows.ahead >= 0) & (rows.gap_m < REACH_M)
    missed, spread = np.where(behind, missed, 0.0), np.where(behind, spread, 0.0)
    own = _within(true, pieces.low, pieces.high) + 2.0 - true[pieces.low] - true[pieces.high]
    own = np.where(pieces.low == pieces.high, 1.0, own)
    between = _within(true * missed, pieces.low + 1, pieces.high)
    doubt = _RUNS * _within(true * (1 - true) + true * spread, pieces.low + 1, pieces.high)
    count: Array = np.rint(np.maximum(own + between + np.sqrt(doubt) * rng.standard_normal(len(own)), 1.0))
    return count


def _summed(reading: Reading, pieces: Pieces, length: Array) -> Array:
    """Sum the length of row that the vehicles of each piece stand for; the gap before its first is not its own."""
    first = np.minimum(length, reading.rows.end_m - reading.rows.start_m)[pieces.low]
    return first + _within(length, pieces.low + 1, pieces.high)


def _unseen(
    reading: Reading,
    paths: Sojourns,
    start: Array,
    end: Array,
    length: Array,
    worth: Array,
    *,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Draw what stands unseen within each queue: the length of its rows, and vehicles, shape (queues,)."""
    rows, sight = reading.rows, reading.sight
    queued = (paths.state == STANDING) | (paths.state == CREEPING)
    held = _cover(paths.first[queued], paths.last[queued] + 1, sight.bins) / draws
    law = reading.laws.standing.true
    filled = Unseen.beside(sight, held, rows.bin, length, worth, pitch_m=law.mean_m + law.vehicle_m)
    rows_m, count, variance = np.maximum(filled.up_to(end) - filled.up_to(start), 0.0)
    drawn = np.maximum(count + np.sqrt(variance) * rng.standard_normal(len(count)), 0.3 * count)
    return rows_m * drawn / np.maximum(count, 1e-9), np.rint(drawn)


def _within(values: Array, low: Ints, high: Ints) -> Array:
    """Sum values from one place to another, both included, shape of ``low``."""
    upto = np.append(0.0, np.cumsum(values))
    summed: Array = upto[np.maximum(high + 1, low)] - upto[low]
    return np.maximum(summed, 0.0)
