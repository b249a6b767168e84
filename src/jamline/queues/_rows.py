"""Rows: which vehicle stands behind which, how far, and whether it stands in a running lane at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jamline.queues._sight import Sight

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_LATERAL_M = 1.6
"""Two rows need 2.65 m; vehicles of one row stand less than this apart across it, askew or misplaced."""

_OVERLAP = 0.4
"""Share of a vehicle's length that another in its row may seem to overlap it: error of the found lengths."""

_ABREAST = 8
"""Vehicles between one and the next in its row, standing in other rows, at most."""

_PLACE_M, _BESIDE_M = 60.0, 1.0
"""Vehicles so near along and across the road tell whether one is parked."""

_OWN, _OTHERS = 3.0, 0.6
"""Weight of the evidence for a vehicle's own state, and of each one's near it, in log odds: the edge of the lanes is
known to half a metre, so that a state alone is wrong in some 5 of 100, and a whole row's states err together."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Vehicles of the running lanes of one side, in order of their near ends.

    Parameters
    ----------
    start_m, end_m : array, shape (n,)
        Near and far ends.
    offset_m : array, shape (n,)
        Metres left of the road line.
    odds : array, shape (n,)
        How much likelier its looks are for a vehicle than for a false one.
    bin : array of int, shape (n,)
        Bin of the near end.
    ahead : array of int, shape (n,)
        The vehicle before it in its row, that is the next one towards the start; -1 where there is none.
    gap_m : array, shape (n,)
        Seen net gap to that one; infinite where there is none.
    """

    start_m: Array
    end_m: Array
    offset_m: Array
    odds: Array
    bin: Ints
    ahead: Ints
    gap_m: Array

    @classmethod
    def of(cls, start_m: Array, end_m: Array, offset_m: Array, odds: Array, sight: Sight) -> Rows:
        """Find the vehicle before each one; ``start_m`` in order."""
        ahead = predecessors(start_m, end_m, offset_m)
        gap = np.full(len(start_m), np.inf)
        behind = ahead >= 0
        seen = sight.seen_to_m(start_m[behind]) - sight.seen_to_m(end_m[ahead[behind]])
        gap[behind] = np.maximum(seen, 0.0)
        return cls(start_m, end_m, offset_m, odds, sight.bin_of(start_m), ahead, gap)

    @property
    def reach_m(self) -> Array:
        """The farthest end of each vehicle and those before it, shape (n,)."""
        reach: Array = np.maximum.accumulate(self.end_m)
        return reach

    def following_m(self, position_m: Array) -> Array:
        """Return the position of the next vehicle of each one's row, shape (n,); infinite where there is none."""
        follow = np.full(len(position_m), np.inf)
        behind = self.ahead >= 0
        np.minimum.at(follow, self.ahead[behind], position_m[behind])
        return follow


def predecessors(start_m: Array, end_m: Array, offset_m: Array) -> Ints:
    """Return for each vehicle the one before it in its row, -1 where there is none.

    Parameters
    ----------
    start_m, end_m, offset_m : array, shape (n,)
        Near ends in order, far ends, and offsets.

    Examples
    --------
    >>> start = np.array([0.0, 2.0, 8.0, 9.0])
    >>> predecessors(start, start + 4.5, np.array([1.8, 5.0, 1.6, 5.2])).tolist()
    [-1, -1, 0, 1]
    """
    length = end_m - start_m
    ahead = np.full(len(start_m), -1, dtype=np.int64)
    for lag in range(1, min(_ABREAST + 1, len(start_m))):
        clear = start_m[lag:] - end_m[:-lag] > -_OVERLAP * np.minimum(length[lag:], length[:-lag])
        beside = np.abs(offset_m[lag:] - offset_m[:-lag]) < _LATERAL_M
        found = clear & beside & (ahead[lag:] < 0)
        ahead[lag:][found] = np.flatnonzero(found)
    return ahead


def in_lane(station_m: Array, offset_m: Array, parked: Bools) -> Array:
    """Return the chance that each vehicle stands in a running lane, by its own state and those near it.

    Parameters
    ----------
    station_m, offset_m : array, shape (n,)
        Centres, in order of station.
    parked : array of bool, shape (n,)
        What the evidence says.

    Returns
    -------
    array, shape (n,)

    Examples
    --------
    >>> station = np.arange(0.0, 60.0, 7.5)
    >>> in_lane(station, np.zeros(8), np.arange(8) == 3).round(2).min() > 0.5
    np.True_
    """
    if not parked.any():
        return np.ones(len(station_m))
    says = np.where(parked, -1.0, 1.0)
    near = np.zeros(len(station_m))
    for lag in range(1, len(station_m)):
        close = station_m[lag:] - station_m[:-lag] < _PLACE_M
        if not close.any():
            break
        close &= np.abs(offset_m[lag:] - offset_m[:-lag]) < _BESIDE_M
        near[lag:] += close * says[:-lag]
        near[:-lag] += close * says[lag:]
    odds = np.clip(_OWN * says + _OTHERS * near, -5.0, 5.0)
    chance: Array = 1.0 / (1.0 + np.exp(-odds))
    return chance
