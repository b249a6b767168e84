"""Rows: vehicles that stand or drive one behind another on one side of the road."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_LATERAL_M = 1.9
"""Two rows need 2.5 m; within less, vehicles that do not overlap stand in one row, however askew."""

_FORGET_M = 250.0
"""A row with no vehicle for this long says nothing more about where the next one drives."""

_TOO_CLOSE_M = 2.3
_ABREAST = 0.35
"""Share of the shorter row that may stand abreast before two rows are two after all."""

_OVERLAP = 0.6
"""Share of a vehicle's length that no other in its row may share; the rest is error of the found length."""

_FOLLOW = 0.2
"""How quickly a row's offset follows its vehicles; rows wander, single vehicles stand askew."""


def assign_rows(station_m: Array, offset_m: Array, length_m: Array) -> npt.NDArray[np.int64]:
    """Return the number of the row of each vehicle.

    Parameters
    ----------
    station_m, offset_m : array, shape (n,)
        Centres, in order of station.
    length_m : array, shape (n,)
        Lengths.

    Returns
    -------
    array of int, shape (n,)
        Vehicles with the same number stand in one row.

    Examples
    --------
    >>> assign_rows(np.array([0.0, 2.0, 8.0, 9.0]), np.array([1.8, 5.0, 1.6, 5.2]), np.full(4, 4.5))
    array([0, 1, 0, 1])
    """
    rows = np.zeros(len(station_m), dtype=np.int64)
    where: list[float] = []
    last: list[float] = []
    reach: list[float] = []
    for i, (station, offset, length) in enumerate(zip(station_m, offset_m, length_m, strict=True)):
        start = station - _OVERLAP * length / 2
        near = [
            (abs(offset - where[k]), k)
            for k in range(len(where))
            if station - last[k] <= _FORGET_M and abs(offset - where[k]) <= _LATERAL_M and start >= reach[k]
        ]
        if near:
            k = min(near)[1]
            where[k] += _FOLLOW * (offset - where[k])
            last[k] = station
            reach[k] = station + _OVERLAP * length / 2
        else:
            k = len(where)
            where.append(offset)
            last.append(station)
            reach.append(station + _OVERLAP * length / 2)
        rows[i] = k
    return _merged(rows, station_m, offset_m, length_m)


def _merged(rows: npt.NDArray[np.int64], station_m: Array, offset_m: Array, length_m: Array) -> npt.NDArray[np.int64]:
    """Make one of two rows that lie too close to be two, and in which hardly any two vehicles stand abreast."""
    half = _OVERLAP * length_m / 2
    middle = {int(k): float(np.median(offset_m[rows == k])) for k in np.unique(rows)}
    reach = {k: (station_m[rows == k].min(), station_m[rows == k].max()) for k in middle}
    for a in sorted(middle):
        for b in sorted(middle):
            near = b > a and abs(middle[a] - middle[b]) < _TOO_CLOSE_M
            if not near or reach[a][0] > reach[b][1] + _FORGET_M or reach[b][0] > reach[a][1] + _FORGET_M:
                continue
            both = np.flatnonzero((rows == a) | (rows == b))
            abreast = np.count_nonzero((station_m - half)[both[1:]] < (station_m + half)[both[:-1]])
            if abreast <= _ABREAST * min(np.count_nonzero(rows == a), np.count_nonzero(rows == b)):
                rows[rows == b] = a
                middle[a] = float(np.median(offset_m[rows == a]))
                reach[a] = (min(reach[a][0], reach[b][0]), max(reach[a][1], reach[b][1]))
                middle[b] = np.inf
    return rows
