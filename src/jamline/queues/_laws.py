"""Physical laws of the gaps between vehicles in a row, thinned by what a detector misses.

A row is a renewal process: from the far end of one vehicle to the near end of the next lies a net gap whose law
depends on how traffic runs there. A detector misses some of the vehicles, and a gap in which it missed k is k + 1 gaps
and k vehicles long. Densities are kept as hazards, the chance per metre that the next vehicle is found after so many
metres without one: a stretch of road then weighs the same however it is cut into bins, and a state may change between
any two of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special

from jamline.queues._place import GAP_M, REACH_M, RECALL, STEP_M, Place

Array = npt.NDArray[np.float64]
Gamma = Callable[[Array, npt.ArrayLike, npt.ArrayLike], Array]
Mixture = tuple[tuple[float, float, float], ...]
"""Share, mean in metres and shape of each of the gamma laws that make up a law of gaps."""

STANDING: Mixture = (
    (0.25, 2.2, 6.0),
    (0.30, 3.2, 6.0),
    (0.22, 4.6, 6.0),
    (0.13, 6.6, 6.0),
    (0.07, 9.5, 6.0),
    (0.03, 14.0, 6.0),
)
"""A standing row: cars take 7.5 m from front to front, of which the car is 4.5; lorries at borders 20 to 25 m, of which
the lorry is 16. The shares are learned from the gaps of each road, as far as there are any. Now and then somebody
leaves room for two: told as a vehicle that was missed, such a gap would say that many are."""

CREEPING: Mixture = ((0.5, 8.0, 4.0), (0.5, 13.0, 4.0))
"""A row that creeps, with gaps up to the 20 m over which it counts as broken."""

FLOWING: Mixture = ((0.5, 35.0, 1.8), (0.5, 80.0, 2.0))
"""Traffic that flows: dense, just below the breakdown at 28 vehicles per km and lane, and lighter."""

_CAR_M, _CAR_SD_M = 5.0, 2.0
"""Length of a vehicle that was missed where no vehicle says how long they are."""

_MOST_MISSED = 12
"""Vehicles missed in one gap; the chance of more goes to this many."""

_RUN, _KNOWN_MISSES = 0.2, 20.0
"""Chance that a vehicle is found, or missed, as the one before it was, whatever it looks like itself: what hides one, a
shadow or dull light, often hides the next. It counts as so many misses against those of the road itself."""

_ENDS = 0.02
"""Chance per vehicle that its row ends, or that it only passes, although the queue beside it goes on."""

_HOLE, _HOLE_M = 0.03, 30.0
"""Chance per vehicle that a queue has a hole behind it, and by how much that is longer than the limit on average:
drivers leave crossings free, and columns tear."""

_KNOWN_FROM = 10.0
"""Gaps that the usual shares of a standing row count for, against those of the road itself."""

_ERROR_M = 1.0
"""How well a gap between two boxes is measured."""

_OTHER, _ROUNDS = 0.15, 12
"""Share of gaps that creep, and that flow, while shares are learned; and in how many rounds they are."""

_SURE = 80.0
"""No stretch speaks more strongly than this; past it logarithms of survival are noise."""

_K = np.arange(_MOST_MISSED + 1.0)


@dataclass(frozen=True)
class TrueGaps:
    """The law of the true gaps of one kind of traffic, and the vehicles between them.

    Parameters
    ----------
    mixture : tuple of (share, mean, shape)
        Gamma laws of single gaps.
    vehicle_m, vehicle_sd_m : float
        Mean and standard deviation of the length of a vehicle.
    run : float
        Chance that a vehicle is found, or missed, as the one before it was.
    """

    mixture: Mixture
    vehicle_m: float = _CAR_M
    vehicle_sd_m: float = _CAR_SD_M
    run: float = _RUN

    @property
    def mean_m(self) -> float:
        """Mean gap."""
        return sum(share * mean for share, mean, _ in self.mixture)

    @property
    def variance_m2(self) -> float:
        """Variance of the gaps."""
        square = sum(share * mean**2 * (1 + 1 / shape) for share, mean, shape in self.mixture)
        return square - self.mean_m**2

    def thinned(self, gap_m: Array, recall: Array) -> tuple[Array, Array]:
        """Return density and survival of a found gap, apart by how many vehicles were missed in it.

        The sum of several gaps and vehicles is taken to follow a gamma law of its mean and variance.

        Parameters
        ----------
        gap_m, recall : array, broadcastable to (...,)
            Net gaps, and the share of the vehicles that is found.

        Returns
        -------
        array, shape (..., missed)
            Density times chance, per metre.
        array, shape (..., missed)
            Chance that the gap is longer.

        Examples
        --------
        >>> density, survival = TrueGaps(STANDING).thinned(np.array([0.0, 200.0]), np.array([0.8, 0.8]))
        >>> survival.sum(axis=-1).round(3)
        array([1., 0.])
        """
        return self.density(gap_m, recall), self._apart(_survival, gap_m, recall)

    def density(self, gap_m: Array, recall: Array) -> Array:
        """Return the density of a found gap alone, as `thinned` does; survival costs more."""
        return self._apart(_density, gap_m, recall)

    def _apart(self, gamma: Gamma, gap_m: Array, recall: Array) -> Array:
        x = np.maximum(gap_m, 0.1 * STEP_M)
        single = np.sum([share * gamma(x, mean, mean**2 / shape) for share, mean, shape in self.mixture], axis=0)
        k = _K[1:]
        several = gamma(
            x[..., None],
            (k + 1) * self.mean_m + k * self.vehicle_m,
            (k + 1) * self.variance_m2 + k * self.vehicle_sd_m**2,
        )
        apart: Array = np.concatenate([single[..., None], several], axis=-1) * missing(recall, self.run)
        return apart


def missing(recall: Array, run: float) -> Array:
    """Return the chance that 0, 1, 2... vehicles in a row were missed behind one that was found.

    Parameters
    ----------
    recall : array, shape (...,)
        Share of the vehicles that is found.
    run : float
        Chance that one is found, or missed, as the one before it was.

    Returns
    -------
    array, shape (..., missed)

    Examples
    --------
    >>> missing(np.array([0.9]), 0.2)[0, :3].round(3)
    array([0.92 , 0.058, 0.016])
    """
    recall = np.asarray(recall)[..., None]
    first, again = first_missed(recall, run), again_missed(recall, run)
    return np.concatenate([1 - first, first * (1 - again) * again ** _K[:-2], first * again ** _K[-2:-1]], axis=-1)


def first_missed(recall: Array, run: float) -> Array:
    """Return the chance that the vehicle behind one that was found was missed, shape of ``recall``."""
    first: Array = (1.0 - run) * (1.0 - recall)
    return first


def again_missed(recall: Array, run: float) -> Array:
    """Return the chance that the vehicle behind one that was missed was missed too, shape of ``recall``."""
    again: Array = 1.0 - (1.0 - run) * recall
    return again


def _run(number: Array, recall: float) -> float:
    """Return the chance that a vehicle is missed as the one before it was, by the gaps with 0, 1, 2... missed.

    How often one is missed behind another tells it; how often one is missed at all tells rather how good the recall is.
    """
    missed = float(number[1:] @ _K[1:])
    usual = _KNOWN_MISSES * again_missed(np.array(recall), _RUN)
    again = (missed - number[1:].sum() + usual) / (missed + _KNOWN_MISSES)
    return float(np.clip(1.0 - (1.0 - again) / max(recall, 0.05), 0.0, 0.9))


def _density(x: Array, mean: npt.ArrayLike, variance: npt.ArrayLike) -> Array:
    """Return the density of a gamma law."""
    shape, scale = _form(mean, variance)
    density: Array = np.exp((shape - 1) * np.log(x) - x / scale - special.gammaln(shape) - shape * np.log(scale))
    return density


def _survival(x: Array, mean: npt.ArrayLike, variance: npt.ArrayLike) -> Array:
    """Return the survival of a gamma law."""
    shape, scale = _form(mean, variance)
    return np.asarray(special.gammaincc(shape, x / scale))


def _form(mean: npt.ArrayLike, variance: npt.ArrayLike) -> tuple[Array, Array]:
    """Return shape and scale of a gamma law."""
    mean, variance = np.asarray(mean), np.asarray(variance)
    return mean**2 / variance, variance / mean


@dataclass(frozen=True, eq=False)
class Law:
    """The gaps found in one kind of traffic, tabled by recall and gap.

    Parameters
    ----------
    true : TrueGaps
        The law that is thinned.
    alone : array, shape (recalls, steps)
        Cumulative hazard along the last row there is: somebody must stand there.
    row : array, shape (recalls, steps)
        Cumulative hazard along one of several rows, any of which may end.
    arrival : array, shape (recalls, steps)
        Chance per metre that the next vehicle of a row is found here.
    missed, missed_var : array, shape (recalls, steps)
        Mean and variance of the number of vehicles missed in a gap found so long.
    """

    true: TrueGaps
    alone: Array
    row: Array
    arrival: Array
    missed: Array
    missed_var: Array

    def hazard(self, known: npt.NDArray[np.bool_], place: Place, recall: Array) -> Array:
        """Return the chance per metre to find a vehicle so far behind the one before it, where there is one."""
        chance: Array = np.where(known, place.look(self.arrival), self.anew(recall))
        return chance

    def anew(self, recall: Array) -> Array:
        """Return the chance per metre to find the first vehicle of a row."""
        chance: Array = recall / (self.true.mean_m + self.true.vehicle_m)
        return chance


@dataclass(frozen=True, eq=False)
class Laws:
    """The laws of the traffic on one road."""

    flowing: Law
    standing: Law
    creeping: Law

    @classmethod
    def learned(cls, gap_m: Array, length_m: Array, recall: float) -> Laws:
        """Learn how a road's vehicles stand from the gaps found in its rows.

        Parameters
        ----------
        gap_m : array, shape (n,)
            Net gaps, of flowing traffic too.
        length_m : array, shape (n,)
            Lengths of the vehicles.
        recall : float
            Share of the vehicles that is found, on average.
        """
        known = len(length_m) + _KNOWN_FROM
        mean = (length_m.sum() + _KNOWN_FROM * _CAR_M) / known
        spread = (np.sum((length_m - mean) ** 2) + _KNOWN_FROM * _CAR_SD_M**2) / known
        vehicle = float(mean), float(spread**0.5)
        index = np.rint(gap_m[gap_m < REACH_M] / STEP_M).astype(np.intp)
        number, found = np.bincount(index, minlength=len(GAP_M)), np.full(len(GAP_M), recall)
        creeping, flowing = TrueGaps(CREEPING, *vehicle), TrueGaps(FLOWING, *vehicle)
        others = sum(_OTHER * true.density(GAP_M, found).sum(axis=-1) for true in (creeping, flowing))
        x = np.maximum(GAP_M, 0.1 * STEP_M)
        usual = np.array([share for share, _, _ in STANDING])
        single = np.stack([_density(x, mean, mean**2 / shape) for _, mean, shape in STANDING])
        standing = TrueGaps(STANDING, *vehicle)
        for _ in range(_ROUNDS):
            # Expectation and maximisation; a gap in which vehicles were missed, or that rather creeps or flows, tells
            # nothing of single gaps.
            share = np.array([share for share, _, _ in standing.mixture])
            apart = standing.density(GAP_M, found)
            total = np.maximum(apart.sum(axis=-1) + others, 1e-300)
            alone = 1.0 - first_missed(np.array(recall), standing.run)
            share = share * alone * (single @ (number / total)) + _KNOWN_FROM * usual
            parts = zip(share / share.sum(), STANDING, strict=True)
            run = _run((number / total) @ apart, recall)
            standing = TrueGaps(tuple((float(s), mean, shape) for s, (_, mean, shape) in parts), *vehicle, run)
        creeping, flowing = (replace(true, run=standing.run) for true in (creeping, flowing))
        laws = [true.thinned(GAP_M, RECALL[:, None]) for true in (flowing, standing, creeping)]
        free = laws[0]
        return cls(_law(flowing, *free), _law(standing, *laws[1], beside=free), _law(creeping, *laws[2], beside=free))

    def queued(self, gap_m: Array, recall: Array, creeping: Array) -> tuple[Array, Array, Array]:
        """Return what a gap of a queue says, shape (n,) each.

        Parameters
        ----------
        gap_m, recall, creeping : array, shape (n,)
            Net gaps, share found, and the chance that the row creeps there rather than stands.

        Returns
        -------
        hazard, missed, missed_var : array
            Chance per metre to find a vehicle there; mean and variance of the number missed before it.
        """
        two = self.standing, self.creeping
        share = 1 - creeping, creeping
        known = np.isfinite(gap_m)
        behind, place = Place.of(np.where(known, gap_m, 0.0), recall), Place.of(gap_m, recall)
        hazard = sum(s * law.hazard(known, behind, recall) for s, law in zip(share, two, strict=True))
        missed = sum(s * place.look(law.missed) for s, law in zip(share, two, strict=True))
        spread = sum(s * place.look(law.missed_var) for s, law in zip(share, two, strict=True))
        return np.asarray(hazard), np.asarray(missed), np.asarray(spread)

    def hole_chance(self, gap_m: Array, recall: Array, creeping: Array, *, limit_m: float) -> Array:
        """Return the chance that a found gap of a queue holds a true one over the limit, shape (n,).

        Missed vehicles are taken to part the gap evenly. Parameters as for `queued`.
        """
        chance = np.zeros(len(gap_m))
        wide = np.flatnonzero(gap_m > limit_m)
        gap, found = gap_m[wide], recall[wide]
        standing, slow = (law.true.density(gap, found) for law in (self.standing, self.creeping))
        weight = (1 - creeping[wide, None]) * standing + creeping[wide, None] * slow
        part = (gap[:, None] - _K * self.standing.true.vehicle_m) / (_K + 1)
        hole = np.maximum(found * _HOLE / _HOLE_M * np.exp(-(gap - limit_m) / _HOLE_M), 1e-300)
        chance[wide] = (np.where(part > limit_m, weight, 0.0).sum(axis=1) + hole) / (weight.sum(axis=1) + hole)
        return chance


def _law(true: TrueGaps, found: Array, going: Array, *, beside: tuple[Array, Array] | None = None) -> Law:
    """Table traffic that is given `thinned`; where other may be beside it, its rows may end at every vehicle."""
    found = ndimage.gaussian_filter1d(found, _ERROR_M / STEP_M, axis=1, mode="reflect")
    density, survival, goes_on = found.sum(axis=-1), going.sum(axis=-1), np.ones(found.shape[:-1])
    alone = np.minimum(-np.log(np.maximum(survival, 1e-300)), _SURE)
    if beside is not None:
        free, freely = beside
        goes_on = (1 - _ENDS) * density
        density, survival = (
            (1 - _ENDS) * own + _ENDS * other.sum(axis=-1) for own, other in ((density, free), (survival, freely))
        )
        goes_on = goes_on / np.maximum(density, 1e-300)
    share = found / np.maximum(found.sum(axis=-1, keepdims=True), 1e-300)
    mean = goes_on * (share @ _K)
    return Law(
        true=true,
        alone=alone,
        row=np.minimum(-np.log(np.maximum(survival, 1e-300)), _SURE),
        arrival=density / np.maximum(survival, 1e-300),
        missed=mean,
        missed_var=np.maximum(goes_on * (share @ _K**2) - mean**2, 0.0),
    )
