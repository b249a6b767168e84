"""Queued or flowing: a two-state chain along each row, read from the gaps between vehicles.

Each vehicle has a hidden state. What is seen is the net gap to the next one: short where both are queued, long and
scattered where traffic flows. Sums over all paths are exact (forward filtering, backward sampling).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_PACKED_M, _CREEPING_M, _HOLE_M = 5.0, 12.0, 60.0
"""Mean net gaps of a queue. A car at standstill takes 7.5 m of which 4.5 to 5 m are the car; border queues
leave a lorry 20 to 25 m; one missed vehicle makes a gap of about 10 m."""
_QUEUED_MIX = (0.75, 0.22, 0.03)

_VEHICLE_M = 5.0
_MISSED = 5
"""Vehicles in a row that may be missed."""

_FLOWING_M, _FLOWING_SHAPE = 45.0, 1.5
"""Net gaps of flowing traffic: a gamma law, mean 45 m. That is dense flow, just below the 28 vehicles per km and
lane at which traffic breaks down, so lighter traffic is still less like a queue."""

_TURN = 1.0 / 150.0
"""Chance per vehicle that a queue begins or ends there: border and signal queues have tens to thousands."""

_DOUBT = 1.5
_LEAST_RECALL = 0.65
"""The law of gaps does not widen for misses beyond this: free traffic would look like a queue with holes."""

_START_QUEUED, _END_QUEUED = 0.1, 0.5
"""Chance that a row's first vehicle is queued, and its last."""


def sample_queued(gap_m: Array, trust: Array, recall: Array, *, draws: int, rng: np.random.Generator) -> Bools:
    """Draw states of the vehicles of one row from their joint posterior.

    Parameters
    ----------
    gap_m : array, shape (n - 1,)
        Seen net gaps between successive vehicles in metres; NaN where the stretch between them was not seen, which
        says nothing about the state.
    trust : array, shape (n,)
        Probability that each vehicle is one.
    recall : array, shape (n,)
        Share of the vehicles that is found around each.
    draws : int
        How many paths.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    array of bool, shape (draws, n)
        True where queued.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sample_queued(np.full(9, 2.5), np.ones(10), np.ones(10), draws=50, rng=rng).mean() > 0.99
    np.True_
    >>> sample_queued(np.full(9, 60.0), np.ones(10), np.ones(10), draws=50, rng=rng).any()
    np.False_
    """
    n = len(trust)
    states = np.zeros((draws, n), dtype=bool)
    if n == 0:
        return states
    # A gap between two doubtful vehicles is weaker evidence for a queue than one between two sure ones; doubtful
    # ones come in clusters (a fence, a row of bushes), so doubt counts more than once.
    weight = (trust[:-1] * trust[1:]) ** _DOUBT
    step = _steps(gap_m, weight, np.minimum(recall[:-1], recall[1:]))
    forward = np.empty((n, 2))
    forward[0] = (1.0 - _START_QUEUED, _START_QUEUED)
    for i in range(n - 1):
        ahead = forward[i] @ step[i]
        forward[i + 1] = ahead / ahead.sum()
    chance = rng.random((n, draws))
    last = forward[-1] * (1.0 - _END_QUEUED, _END_QUEUED)
    states[:, -1] = chance[-1] < last[1] / last.sum()
    for i in range(n - 2, -1, -1):
        joint = forward[i][:, None] * step[i]
        queued = joint[1] / joint.sum(axis=0)
        states[:, i] = chance[i] < queued[states[:, i + 1].astype(int)]
    return states


def _steps(gap_m: Array, weight: Array, recall: Array) -> Array:
    """Return the weight of each step between states, shape (n - 1, 2, 2): [flowing, queued] to the same."""
    seen = np.isfinite(gap_m)
    gap = np.maximum(np.where(seen, gap_m, 1.0), 0.1)
    queued = _queued_law(gap, np.clip(recall, _LEAST_RECALL, 1.0))
    scale = _FLOWING_M / _FLOWING_SHAPE
    gamma_of_shape = 0.886226925452758  # gamma function at 1.5
    flowing = (gap / scale) ** (_FLOWING_SHAPE - 1.0) * np.exp(-gap / scale) / (gamma_of_shape * scale)
    ratio = np.log(queued / flowing)
    ratio = np.where(seen, np.where(ratio > 0, ratio * weight, ratio), 0.0)
    step = np.empty((len(gap), 2, 2))
    step[:, 0, 0] = 1.0 - _TURN
    step[:, 0, 1] = step[:, 1, 0] = _TURN
    step[:, 1, 1] = (1.0 - _TURN) * np.exp(ratio)
    return step


def _queued_law(gap_m: Array, recall: Array) -> Array:
    """Return the density of a seen gap in a queue, shape of ``gap_m``.

    With k vehicles missed in between, which has the chance ``recall * (1 - recall)**k``, the gap is k + 1 gaps and k
    vehicles long: a gamma law of that mean, the narrower the more gaps it is made of.
    """
    density = np.zeros_like(gap_m)
    for share, mean in zip(_QUEUED_MIX, (_PACKED_M, _CREEPING_M, _HOLE_M), strict=True):
        for missed in range(_MISSED if mean < _HOLE_M else 1):
            shape = missed + 1.0 if missed == 0 else 2.0 * (missed + 1.0)
            scale = ((missed + 1) * mean + missed * _VEHICLE_M) / shape
            chance = recall * (1 - recall) ** missed
            density += (
                share
                * chance
                * np.exp((shape - 1) * np.log(gap_m) - gap_m / scale - special.gammaln(shape) - shape * np.log(scale))
            )
    return density
