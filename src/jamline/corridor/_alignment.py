"""Where the road really runs beside the line someone drew.

How far a drawn line lies off is a hidden place that wanders slowly along the road. What `Centreline` sees of each few
metres speaks for some places and against others; sums over all ways to wander are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from jamline.corridor._centreline import CELL_M, PLACES_M
from jamline.corridor._edges import Sides
from jamline.corridor._places import path_through, posterior_blocks
from jamline.road import Road
from jamline.spans import Estimate

Array = npt.NDArray[np.float64]
Halves = npt.NDArray[np.float16]

FURTHEST_M = 9.3
"""Furthest shift looked for; maps and hand-drawn lines are off by up to 8 m."""

REACHED = np.abs(PLACES_M) <= FURTHEST_M
"""The places where the road's middle may lie, True in shape (places,)."""

_PRIOR = ((0.6, 1.5), (0.4, 4.5))
"""Share and standard deviation of how far a drawn line lies off: most are good to a lane, the rest are not."""

_PRIOR_M = 500.0
"""The offset of a line is one decision over some 500 m, so the prior counts once in so much road."""

_DRIFT_M = 0.25
"""Standard deviation of the offset's change from cell to cell: 8 m over 300 m is rare but possible."""

_TEMPERATURE = 10.0
"""Neighbouring cells look at the same 150 m of road; their evidence counts this much less."""

_ELSEWHERE = 4.0
"""What speaks against a place nearer to another road that is measured too, as a log odds."""

_INDEPENDENT_M = 100.0
_FLOOR_M = 0.15
"""Looks at the shift so far apart are independent, and each has at least this error in common."""

_NARROWEST_M, _WIDEST_M = 1.0, 20.0
"""How far from its middle a road's edge may lie."""

_AROUND_M = 1.5
"""Reach over which places next to the likeliest are averaged: the network tells them apart to half a metre."""

_SMOOTH_CELLS = 3.5

_DRAWN_IN_M2, _TURN_M = 9.0, 10.0
"""By so many square metres times its curvature, taken over so many metres to both sides, a road lies outside of where
it is found in a bend. Of them 8 are half the variance by which a line that someone drew is rounded: the network looks
at 150 m of road at once and does not see that."""

_USUAL_WIDTH_M = 7.0


@dataclass(frozen=True, eq=False)
class Alignment:
    """How far the road lies to the left of the drawn line, along the line.

    Parameters
    ----------
    station_m : array, shape (k,)
        Stations of the drawn line.
    shift_m : array, shape (k,)
        Metres to the left.
    width_m : float
        Width from edge to edge, tagged or found, with the median if there is one.
    mean_m : Estimate
        Mean shift with its interval.
    """

    station_m: Array
    shift_m: Array
    width_m: float
    mean_m: Estimate


def align(
    middle: Halves, sides: Sides, seen: Array, taken: npt.NDArray[np.bool_], *, width_m: float | None
) -> Alignment:
    """Find the road beside its line.

    Parameters
    ----------
    middle : array, float16, shape (places reached, cells)
        Log probabilities as `Centreline.answer` gives them, at the places of `REACHED`, for cells of `CELL_M` from
        station 0 on.
    sides : Sides
        Those of the left and the right edge, at all places.
    seen : array, shape (cells,)
        Share of the road's surroundings that was seen, 0 to 1.
    taken : array of bool, shape (places reached, cells)
        Places nearer to another road that is measured too.
    width_m : float or None
        Width of the carriageway where it is known.

    Returns
    -------
    Alignment
    """
    cells = len(seen)
    places_m = PLACES_M[REACHED]
    prior = np.log(sum(share / sigma * np.exp(-(places_m**2) / (2 * sigma**2)) for share, sigma in _PRIOR))
    apart_m = places_m[:, None] - places_m[None, :]
    move = np.exp(-0.5 * (apart_m / _DRIFT_M) ** 2)
    move /= move.sum(axis=1, keepdims=True)
    once = prior * max(CELL_M / _PRIOR_M, 1.0 / cells)

    def weight(start: int, stop: int) -> Array:
        answer = middle[:, start:stop] - _ELSEWHERE * taken[:, start:stop]
        weighed: Array = answer.T * seen[start:stop, None] / _TEMPERATURE + once
        return weighed

    path_m = places_m[path_through(weight, cells, move)]
    mean, spread = np.empty(cells), np.empty(cells)
    for first, chance in posterior_blocks(weight, cells, move):
        here = slice(first, first + len(chance))
        near = chance * (np.abs(places_m[None, :] - path_m[here, None]) <= _AROUND_M)
        mean[here] = (near @ places_m) / near.sum(axis=1)
        # Of all places, for if the road is elsewhere the error is as large as that.
        spread[here] = np.sqrt((chance * (places_m[None, :] - mean[here, None]) ** 2).sum(axis=1))
    shift = ndimage.gaussian_filter1d(mean, _SMOOTH_CELLS, mode="nearest")
    looks = max(1.0, cells * CELL_M / _INDEPENDENT_M)
    half = 1.645 * float(np.sqrt(np.mean(spread**2) / looks + _FLOOR_M**2))
    value = float(shift.mean())
    return Alignment(
        station_m=_stations(cells),
        shift_m=shift,
        width_m=width_m if width_m is not None else _width_m(sides, shift, seen),
        mean_m=Estimate(value, value - half, value + half, unit="m"),
    )


def outward_m(road: Road, station_m: Array) -> Array:
    """Return how far to the left of where it is found a road lies, for it is found on the inside of its bends.

    Parameters
    ----------
    road : Road
        As someone drew it.
    station_m : array, shape (n,)
    """
    behind, ahead = (np.radians(road.heading_at(station_m + reach)) for reach in (-_TURN_M, _TURN_M))
    right = (ahead - behind + np.pi) % (2 * np.pi) - np.pi
    outward: Array = _DRAWN_IN_M2 * right / (2 * _TURN_M)
    return outward


def unmoved(sides: Sides, seen: Array, *, width_m: float | None) -> Alignment:
    """Trust the line, and find only the width; parameters as in `align`."""
    shift = np.zeros(len(seen))
    return Alignment(
        station_m=_stations(len(seen)),
        shift_m=shift,
        width_m=width_m if width_m is not None else _width_m(sides, shift, seen),
        mean_m=Estimate(0.0, 0.0, 0.0, unit="m"),
    )


def _stations(cells: int) -> Array:
    """Return the middles of cells."""
    middles: Array = (np.arange(cells, dtype=np.float64) + 0.5) * CELL_M
    return middles


def _width_m(sides: Sides, middle_m: Array, seen: Array) -> float:
    """Return the width between the edges that were seen to the left and the right of the middle."""
    if not (seen > 0).any():
        return _USUAL_WIDTH_M
    width = np.zeros(len(seen))
    for here, answers in sides:
        for sign, answer in zip((1, -1), answers, strict=True):
            out_m = sign * (PLACES_M[:, None] - middle_m[None, here])
            chance = (np.exp(answer.astype(np.float64)) + 1e-6) * ((out_m > _NARROWEST_M) & (out_m < _WIDEST_M))
            width[here] += (chance * out_m).sum(axis=0) / chance.sum(axis=0)
    return float(np.median(width[seen > 0]))
