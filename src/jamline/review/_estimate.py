"""A count from stretches drawn at random with unequal chances: the arithmetic of survey sampling.

Stretches are drawn without replacement, each with a chance of its own (systematic sampling in random order; Madow, Ann.
Math. Stat. 20, 1949). What is estimated is only the difference between the vehicles that are there and those expected,
each difference weighted by the inverse of its chance (Horvitz and Thompson, J. Am. Stat. Assoc. 47, 1952; as difference
estimator in Särndal, Swensson and Wretman, "Model Assisted Survey Sampling", 1992, section 6.3). Whatever was expected,
the count has no bias; the better it was expected, the narrower the interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from jamline.spans import Estimate

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FLOOR = 0.5
"""Least of what a stretch is expected to be off by, as a share of the mean: at times something is wrong where nobody
expected it, and that weighs much where it was hardly ever drawn."""

_KNOWN = 3.0
"""Stretches that the expected spread counts for, against the spread found: of few stretches most may show nothing."""

_RUNS = 4.0
"""Misses and false vehicles come in runs of about so many, as the queue model takes it."""


@dataclass(frozen=True)
class Count:
    """What a spot check says of the vehicles on the road.

    Parameters
    ----------
    vehicles : Estimate
        How many there are on the stretches that were drawn from, parked ones left out.
    reviewed, drawn, stretches : int
        Stretches that were looked at, drawn, and drawn from.
    found : int
        Vehicles that the detector had found on those looked at.
    there : int
        Vehicles that are there.
    """

    vehicles: Estimate
    reviewed: int
    drawn: int
    stretches: int
    found: int
    there: int

    def to_json(self) -> dict[str, Any]:
        """Return the object that `run.json` holds."""
        return {
            "vehicles": self.vehicles.to_json(digits=0),
            "reviewed": self.reviewed,
            "drawn": self.drawn,
            "stretches": self.stretches,
            "found": self.found,
            "there": self.there,
        }

    def __str__(self) -> str:
        return (
            f"spot check of {self.reviewed} of {self.stretches} stretches: {self.vehicles} on the road where it was "
            f"seen; on those looked at there are {self.there}, and {self.found} had been found"
        )


def floored(doubt: Array) -> Array:
    """Return how many vehicles are in doubt on each stretch at the least.

    Parameters
    ----------
    doubt : array, shape (n,)
        False and missed vehicles expected by the detector's own figures.

    Examples
    --------
    >>> floored(np.array([4.0, 4.0, 4.0, 0.0]))
    array([4.    , 4.    , 4.    , 0.5625])
    """
    off = np.sqrt(doubt)
    least: Array = np.maximum(doubt, (_FLOOR * off.mean()) ** 2)
    return least


def chances(doubt: Array, size: int) -> Array:
    """Return the chance of each stretch to be drawn, in proportion to the square root of its doubt.

    As many vehicles as are in doubt are off by about their square root, and chances in proportion to what each
    difference is expected to be off by make the interval narrowest (Särndal and others, section 12.2).

    Parameters
    ----------
    doubt : array, shape (n,)
        False and missed vehicles expected, over 0; `floored`.
    size : int
        Stretches to draw, at most n.

    Returns
    -------
    array, shape (n,)
        At most 1; they sum to ``size``.

    Examples
    --------
    >>> chances(np.array([1.0, 1.0, 4.0, 0.0]), 2).round(2)
    array([0.5, 0.5, 1. , 0. ])
    """
    weight = np.sqrt(np.maximum(doubt, 1e-12))
    chance = np.zeros(len(weight))
    sure = np.zeros(len(weight), dtype=bool)
    while True:
        # What would be drawn more than surely is drawn surely, and the rest among the rest.
        chance = np.where(sure, 1.0, (size - sure.sum()) * weight / max(weight[~sure].sum(), 1e-300))
        over = (chance >= 1.0) & ~sure
        if not over.any():
            return np.minimum(chance, 1.0)
        sure |= over


def draw(chance: Array, rng: np.random.Generator) -> Ints:
    """Draw stretches with the given chances, in an order of chance.

    Parameters
    ----------
    chance : array, shape (n,)
        Summing to a whole number.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    array of int, shape (size,)
    """
    order = rng.permutation(len(chance))
    upto = np.cumsum(chance[order])
    size = round(float(upto[-1]))
    ticks = rng.random() + np.arange(size)
    places = np.searchsorted(upto * size / upto[-1], ticks, side="right")
    chosen: Ints = order[np.minimum(places, len(order) - 1)]
    return rng.permutation(chosen)


def difference_estimate(
    of_expected: float, difference: Array, doubt: Array, chance: Array, *, least: float, level: float = 0.9
) -> Estimate:
    """Estimate a total.

    Parameters
    ----------
    of_expected : float
        Vehicles expected on all stretches.
    difference : array, shape (m,)
        Vehicles there less those expected, on the stretches that were looked at.
    doubt, chance : array, shape (m,)
        Expected false and missed ones, and the chance to have been drawn.
    least : float
        There are no fewer than this: those that were seen.
    level : float
        Probability that the interval holds the total.

    Returns
    -------
    Estimate

    Notes
    -----
    The variance is Hájek's for draws of high entropy and fixed size (Deville, 1999; Matei and Tillé, J. Off. Stat. 21,
    2005), averaged with the one that the detector's own figures let expect.
    """
    weighted = difference / chance
    total = of_expected + float(weighted.sum())
    spread = 1.0 - chance
    size = float(np.count_nonzero(spread > 1e-9))
    expected = float(np.sum(spread / chance**2 * _RUNS * doubt))
    if size < 2:
        variance, known = expected, _KNOWN
    else:
        middle = float(np.sum(spread * weighted) / spread.sum())
        seen = size / (size - 1) * float(np.sum(spread * (weighted - middle) ** 2))
        known = _KNOWN + size - 1
        variance = (_KNOWN * expected + (size - 1) * seen) / known
    half = float(stats.t.ppf((1 + level) / 2, known) * np.sqrt(variance))
    return Estimate(max(total, least), max(total - half, least), max(total + half, least), level, "vehicles")
