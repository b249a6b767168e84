"""What stands where a path holds a queue in bins that nobody saw: as much as beside them, within a bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jamline.queues._sight import Sight

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_BESIDE_M = 300.0
"""So much of the queue on either side of an unseen stretch tells how full it is."""

_USUAL_M = 40.0
"""One standing row, as long as this, counts with what stands beside."""

_JAM_PER_M = 0.155
"""Most vehicles on a metre of row: the upper end of the jam densities in use."""

_SPREAD, _SPREAD_M, _SINGLE = 0.3, 150.0, 0.3
"""By what share an unseen stretch may be fuller or emptier than what stands beside it, as standard deviation, if it is
much longer than so many metres; and the variance of a number of vehicles over its mean, which tells in short ones."""


@dataclass(frozen=True, eq=False)
class Unseen:
    """Sums along one side of what stands unseen if the queue goes on there, up to each edge of a bin.

    Parameters
    ----------
    edge_m : array, shape (bins + 1,)
        Stations of the edges.
    rows_m, count, variance : array, shape (bins + 1,)
        Length of the rows, vehicles, and the variance of their number.
    """

    edge_m: Array
    rows_m: Array
    count: Array
    variance: Array

    @classmethod
    def beside(cls, sight: Sight, held: Array, bin_of: Ints, rows_m: Array, count: Array, *, pitch_m: float) -> Unseen:
        """Fill what was not seen like what stands beside it.

        Parameters
        ----------
        sight : Sight
            What was seen.
        held : array, shape (bins,)
            Share of the paths that hold each bin queued.
        bin_of : array of int, shape (n,)
            Bin of each vehicle found.
        rows_m, count : array, shape (n,)
            Length of row that each stands for, and vehicles, those missed before it too.
        pitch_m : float
            What a vehicle of a standing row takes.
        """
        seen, width = np.diff(sight.seen_m), np.diff(sight.edge_m)
        unseen = np.maximum(width - seen, 0.0)
        unseen[unseen < 0.01 * width] = 0.0
        # Where a vehicle was found there is no need to guess.
        unseen[bin_of] = 0.0
        stretch, first, stop = _runs(unseen > 0)
        if not len(first):
            none = np.zeros(len(seen) + 1)
            return cls(sight.edge_m, none, none, none)
        weight = held[bin_of]
        sums = (
            _upto(held * seen),
            _upto(np.bincount(bin_of, weight * rows_m, minlength=len(seen)).astype(float)),
            _upto(np.bincount(bin_of, weight * count, minlength=len(seen)).astype(float)),
        )
        road_m, full_m, vehicles = (_near(sums[0], each, first, stop) for each in sums)
        rows = (full_m + _USUAL_M) / (road_m + _USUAL_M)
        per_m = np.minimum((vehicles + _USUAL_M / pitch_m) / (road_m + _USUAL_M), _JAM_PER_M * rows)
        length = np.bincount(stretch, unseen)[1:]
        # By single vehicles, as in a row of about that many, and by what a whole stretch may differ.
        spread = _SINGLE * per_m * length + (_SPREAD * per_m * length) ** 2 * length / (length + _SPREAD_M)
        rows, per_m, share = (np.append(0.0, each)[stretch] for each in (rows, per_m, spread / length))
        return cls(sight.edge_m, _upto(unseen * rows), _upto(unseen * per_m), _upto(unseen * share))

    def up_to(self, station_m: Array) -> Array:
        """Return rows, count and variance up to stations, shape (3, n)."""
        sums = (self.rows_m, self.count, self.variance)
        return np.stack([np.interp(station_m, self.edge_m, each) for each in sums])


def _runs(unseen: npt.NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """Return the number of the run that each bin is in from 1 on, 0 outside, the runs' first bins, and those behind."""
    change = np.diff(np.concatenate([[0], unseen.astype(np.int64), [0]]))
    first, stop = np.flatnonzero(change > 0), np.flatnonzero(change < 0)
    return np.where(unseen, np.cumsum(change[:-1] > 0), 0), first, stop


def _upto(values: Array) -> Array:
    """Sum values up to each edge, shape (n + 1,)."""
    return np.append(0.0, np.cumsum(values))


def _near(road_m: Array, values: Array, first: Ints, stop: Ints) -> Array:
    """Return what lies in the next `_BESIDE_M` of queue that was seen before and behind runs of bins, shape (runs,)."""
    # A trifle for each bin, so that a place is found again where nothing is held queued.
    place = road_m + 1e-6 * np.arange(len(road_m))
    before = values[first] - np.interp(place[first] - _BESIDE_M, place, values)
    behind = np.interp(place[stop] + _BESIDE_M, place, values) - values[stop]
    return np.asarray(before + behind)
