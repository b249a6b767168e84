"""What the scores of found vehicles are worth: their order, and whether they hold as probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_BINS = 10


def average_precision(score: npt.ArrayLike, hit: npt.ArrayLike, truth: int) -> float:
    """Return the area under precision over recall, as the least score that is taken goes down.

    Parameters
    ----------
    score : array, shape (n,)
        Of each vehicle found.
    hit : array of bool, shape (n,)
        Whether it is true.
    truth : int
        True vehicles in all.

    Returns
    -------
    float
        0 to 1; NaN where there is nothing to find or a score is missing.

    Notes
    -----
    All-point interpolation: at each recall counts the best precision at that recall or above (Everingham et
    al. 2015, The Pascal Visual Object Classes Challenge: A Retrospective). Equal scores are taken together, so
    the order of a table does not matter. Recall that no score reaches adds nothing: a detector that leaves
    out what it holds unlikely is held to what it gave.

    Examples
    --------
    >>> average_precision([0.9, 0.8, 0.7], [True, False, True], 2)
    0.8333333333333333
    """
    scores, hits = np.asarray(score, dtype=float), np.asarray(hit, dtype=float)
    if not truth or np.isnan(scores).any():
        return math.nan
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    true = np.cumsum(hits[order])[last]
    precision = np.maximum.accumulate((true / (last + 1))[::-1])[::-1]
    return float(np.sum(np.diff(true / truth, prepend=0.0) * precision))


@dataclass(frozen=True, slots=True)
class ScoreBin:
    """Vehicles with scores alike.

    Parameters
    ----------
    low, high : float
        Least and greatest score among them.
    count : int
        How many.
    mean_score : float
        What the scores promise.
    true_share : float
        What holds.
    """

    low: float
    high: float
    count: int
    mean_score: float
    true_share: float

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "count": self.count,
            "mean_score": round(self.mean_score, 4),
            "true_share": round(self.true_share, 4),
        }


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether scores hold as probabilities: of those at 0.8, eight in ten should be true.

    Parameters
    ----------
    bins : tuple of ScoreBin
        From low scores to high ones; none where nothing was found or a score is missing.
    """

    bins: tuple[ScoreBin, ...]

    @property
    def count(self) -> int:
        """Vehicles in all bins."""
        return sum(each.count for each in self.bins)

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of promise and share over all vehicles, NaN without any."""
        if not self.bins:
            return math.nan
        return sum(each.count * abs(each.mean_score - each.true_share) for each in self.bins) / self.count

    @property
    def error_by_chance(self) -> float:
        """What the error would be on the average if the scores held exactly: few vehicles scatter.

        The share of ``n`` draws scatters around ``p`` by the standard deviation ``sqrt(p (1 - p) / n)``, and a
        normal one lies ``sqrt(2 / pi)`` of that away in the mean.
        """
        if not self.bins:
            return math.nan
        spread = [each.count * math.sqrt(_variance(each.mean_score) / each.count) for each in self.bins]
        return math.sqrt(2 / math.pi) * sum(spread) / self.count

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it, NaN as null."""
        none = not self.bins
        return {
            "error": None if none else round(self.error, 4),
            "error_by_chance": None if none else round(self.error_by_chance, 4),
            "bins": [each.to_json() for each in self.bins],
        }


def calibration(score: npt.ArrayLike, hit: npt.ArrayLike, *, bins: int = _BINS) -> Calibration:
    """Sort found vehicles into bins of equal count by score.

    Parameters
    ----------
    score : array, shape (n,)
        Of each vehicle found.
    hit : array of bool, shape (n,)
        Whether it is true.
    bins : int
        At most so many.

    Notes
    -----
    The expected calibration error of Naeini et al. 2015, on bins of equal count as Nixon et al. 2019 advise:
    bins of equal width leave some with a handful of vehicles. Vehicles of one score share their truth evenly,
    so that the order of a table does not matter.

    Examples
    --------
    >>> calibration([0.2, 0.2, 0.8, 0.8], [False, False, True, False], bins=2).error
    0.25
    """
    scores, hits = np.asarray(score, dtype=float), np.asarray(hit, dtype=float)
    if not len(scores) or np.isnan(scores).any():
        return Calibration(())
    _, same, count = np.unique(scores, return_inverse=True, return_counts=True)
    hits = (np.bincount(same, weights=hits) / count)[same]
    order = np.argsort(scores, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    return Calibration(
        tuple(
            ScoreBin(
                float(scores[part].min()),
                float(scores[part].max()),
                len(part),
                float(scores[part].mean()),
                float(hits[part].mean()),
            )
            for part in parts
        )
    )


def _variance(probability: float) -> float:
    p = min(max(probability, 0.0), 1.0)
    return p * (1.0 - p)
