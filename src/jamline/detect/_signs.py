"""Signs by which the network itself shows how much it misses and invents, and what they are worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from jamline.corridor import RoadGrid
from jamline.detect._protocol import Boxes, Usual

Array = npt.NDArray[np.float64]

_NEAR_M = 40.0
"""What is promised and not named is told over so much road to both sides: some ten vehicles of a queue."""

_FAR_M = 250.0
"""How sure it is, and how many weak ones it names, is a matter of the road and the image. Taken over less, doubt about
the vehicles of a queue would count twice: in their scores, and as false ones that happen to stand just there."""

_WEAK = 0.7
"""Scores below it are of weak boxes. Few true vehicles are weak but in bad pictures, so that their doubt tells more of
false ones than that of all boxes, which is mostly that of the many true ones."""

_USUAL, _USUAL_DOUBT = 3.0, 0.1
"""So many vehicles, doubted so much, count with those named: few say little."""

_NAMED, _UNNAMED = 1.0, 0.05
"""The same of vehicles named and not named."""


@dataclass(frozen=True, eq=False)
class Signs:
    """Signs of how well the running lanes were seen, at every column of a section, shape (columns,) each.

    Parameters
    ----------
    named : array
        Logarithm of vehicles named over vehicles that the density promises besides, close by.
    doubt : array
        Logarithm of what the scores of those named lack of 1 on average, over a wide stretch.
    weak_per_km : array
        What the scores of weak boxes lack of 1, summed per km of carriageway over a wide stretch.
    """

    named: Array
    doubt: Array
    weak_per_km: Array

    @classmethod
    def of(cls, boxes: Boxes, expected: Array, grid: RoadGrid, *, carriageway_m: float) -> Signs:
        """Tell the signs of a section.

        Parameters
        ----------
        boxes : Boxes
            With their scores.
        expected : array, shape (columns,)
            Vehicles that the density promises on the carriageway, by column of the grid.
        grid : RoadGrid
            Of the section.
        carriageway_m : float
            Width of the running lanes.
        """
        lanes = np.abs(boxes.offset_m) < carriageway_m / 2
        column = np.floor((boxes.station_m[lanes] - grid.start_m) / grid.pixel_m).astype(int)
        column, score = np.clip(column, 0, grid.columns - 1), boxes.score[lanes]
        near, far = (round(reach_m / grid.pixel_m) for reach_m in (_NEAR_M, _FAR_M))

        def summed(values: Array, reach: int) -> Array:
            return _around(np.bincount(column, values, grid.columns).astype(float), reach)

        there, lack = summed(score, near), 1.0 - score
        besides = np.maximum(_around(expected, near) - there, 0.0)
        doubted = summed(lack, far) + _USUAL * _USUAL_DOUBT
        km = _around(np.full(grid.columns, grid.pixel_m / 1000.0), far)
        return cls(
            named=np.log((there + _NAMED) / (besides + _UNNAMED)),
            doubt=np.log(doubted / (summed(np.ones_like(score), far) + _USUAL)),
            weak_per_km=summed(np.where(score < _WEAK, lack, 0.0), far) / km,
        )


@dataclass(frozen=True)
class Insight:
    """What the signs are worth, found on simulated scenes that the network was not trained on.

    Parameters
    ----------
    found, by_doubt, by_named, by_gsd : float
        Log odds that a vehicle in a running lane is found are ``found + by_doubt * doubt + by_named * named + by_gsd *
        log(gsd_m / 0.5)``.
    false : float
        False vehicles in running lanes for each that weak boxes lack.
    usual, usual_by_gsd : float
        Log odds that it is found are ``usual + usual_by_gsd * log(gsd_m / 0.5)`` where there are no signs yet.
    usual_false, usual_false_by_gsd : float
        The logarithm of false vehicles per km, likewise.
    """

    found: float = 2.0
    by_doubt: float = 0.0
    by_named: float = 0.0
    by_gsd: float = 0.0
    false: float = 1.0
    usual: float = 2.0
    usual_by_gsd: float = 0.0
    usual_false: float = 1.0
    usual_false_by_gsd: float = 0.0

    def recall(self, signs: Signs, gsd_m: float) -> Array:
        """Return the share of the vehicles in running lanes that is found, shape of the signs."""
        alike = self.found + self.by_gsd * np.log(gsd_m / 0.5)
        recall: Array = special.expit(alike + self.by_doubt * signs.doubt + self.by_named * signs.named)
        return recall

    def false_per_km(self, signs: Signs) -> Array:
        """Return the false vehicles per km of carriageway, shape of the signs."""
        return self.false * signs.weak_per_km

    def at(self, gsd_m: float) -> Usual:
        """Say what is usual at a resolution."""
        finer = np.log(gsd_m / 0.5)
        recall = special.expit(self.usual + self.usual_by_gsd * finer)
        return Usual(float(recall), float(np.exp(self.usual_false + self.usual_false_by_gsd * finer)))


def _around(values: Array, reach: int) -> Array:
    """Sum values over so many columns to both sides, as far as there are any, shape (columns,)."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    summed: Array = total[np.minimum(at + reach + 1, len(values))] - total[np.maximum(at - reach, 0)]
    return summed
