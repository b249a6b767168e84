"""One reading of the evidence: its own figures taken as a little wrong, and what each bin then says for each state.

A detector says how much it misses and invents, and which vehicles are parked, but not how far that may be off. So
several readings are made, each with these figures moved by what they may be off, all bins together. They count alike:
a model of gaps must not overrule what a detector knows of itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import special

from jamline.evidence import Evidence
from jamline.queues._chain import CLEAR, CREEPING, FLOWING, HEAD, HOLE, STANDING, TAIL, VIEWS
from jamline.queues._laws import Laws
from jamline.queues._place import REACH_M, Place
from jamline.queues._rows import Rows, in_lane
from jamline.queues._sight import Sight

Array = npt.NDArray[np.float64]

READINGS = 8
"""Enough for each figure to be off by little, by much, and either way."""

_LONE_PER_M = 4.0 / 1000.0
"""Vehicles on a clear road: light traffic at night or in the country."""

_RECALL_SD, _FALSE_SD = 0.7, 0.4
"""By how much log odds of recall and logarithm of false vehicles may be off."""

_USUAL_TRUE, _USUAL_FALSE = 70.0, 10.0
"""True and false vehicles that the usual mix of them counts for: one in eight is false, as on the scenes that scores
were calibrated on."""


@dataclass(frozen=True, eq=False)
class Reading:
    """The vehicles of one side that stand in its lanes by one reading, and how they were seen by it.

    Parameters
    ----------
    rows : Rows
        Those vehicles.
    index : array of int, shape (n,)
        Their places in the evidence's table.
    sight : Sight
        With recall and false vehicles as this reading has them.
    laws : Laws
        How vehicles stand and drive here.
    """

    rows: Rows
    index: npt.NDArray[np.int64]
    sight: Sight
    laws: Laws

    @cached_property
    def recall(self) -> Array:
        """Share found around each vehicle, shape (n,)."""
        return self.sight.recall(self.rows.bin)

    @cached_property
    def false_per_m(self) -> Array:
        """False vehicles per metre seen around each vehicle, shape (n,)."""
        return self.sight.false_per_m(self.rows.bin)

    def log_likelihood(self, first: int, stop: int) -> Array:
        """Return how well each state explains each of some bins, shape (bins, `VIEWS`)."""
        total = np.zeros((stop - first, VIEWS))
        own = slice(*np.searchsorted(self.rows.bin, (first, stop)))
        bins, gap_m, recall = self.rows.bin[own], self.rows.gap_m[own], self.recall[own]

        def summed(values: Array) -> Array:
            each: Array = np.bincount(bins - first, values, minlength=stop - first).astype(float)
            return each

        found = self.sight.recall(slice(first, stop))
        lone = _LONE_PER_M * found
        seen = np.diff(self.sight.seen_m[first : stop + 1])
        total[:, CLEAR] = summed(self._arrivals(lone[bins - first], own)) - lone * seen
        total[:, HOLE] = total[:, CLEAR]
        laws = {FLOWING: self.laws.flowing, STANDING: self.laws.standing, CREEPING: self.laws.creeping}
        row, between = (
            _Tracks.cut(*ends, self.sight.seen_m, found, first, stop) for ends in (self._along_rows, self._between_all)
        )
        before, behind = between.at_vehicles(self.rows.bin)
        begins = np.diff(bins, prepend=-1) > 0
        known = np.isfinite(gap_m)
        place = Place.of(np.where(known, gap_m, 0.0), recall)
        for state, law in laws.items():
            arrivals = self._arrivals(law.hazard(known, place, recall), own)
            # Any row may end but not all of them: past the last vehicle of every row the full price is due.
            alone = between.costs(law.alone)
            beside = between.costs(law.row, forgotten=True)
            total[:, state] = summed(arrivals) - row.sum(row.costs(law.row)) - between.sum(alone - beside)
            if state != FLOWING:
                # A queue's first bin owes nothing for the road before its first vehicle, nor for how far behind another
                # that one stands; its last bin nothing for the road behind its last vehicle.
                anew = self._arrivals(law.anew(recall), own) - arrivals
                total[:, HEAD[state]] = total[:, state] + between.sum(alone * before) + summed(anew * begins)
                total[:, TAIL[state]] = total[:, state] + between.sum(alone * behind)
        return total

    @cached_property
    def _along_rows(self) -> tuple[Array, Array]:
        """Metres seen up to the ends of the road behind each vehicle.

        It reaches to the next in its row, or to where the row is forgotten.
        """
        rows, sight = self.rows, self.sight
        near, far = sight.seen_to_m(rows.start_m), sight.seen_to_m(rows.end_m)
        return far, np.minimum(rows.following_m(near), far + REACH_M)

    @cached_property
    def _between_all(self) -> tuple[Array, Array]:
        """Metres seen up to the ends of the road behind which no vehicle of any row stands, over all bins."""
        sight = self.sight
        near, far = sight.seen_to_m(self.rows.start_m), sight.seen_to_m(self.rows.reach_m)
        return np.append(-REACH_M, far), np.append(near, sight.seen_m[-1])

    def true(self, creeping: Array) -> Array:
        """Return the chance that each vehicle of a queue is one, shape (n,).

        Parameters
        ----------
        creeping : array, shape (n,)
            Chance that it stands where the queue creeps.
        """
        real = self.laws.queued(self.rows.gap_m, self.recall, creeping)[0] * self.rows.odds
        chance: Array = real / (real + self.false_per_m)
        return chance

    def _arrivals(self, hazard: Array, own: slice) -> Array:
        """Return the logarithm of the chance to find what was found, as a vehicle or a false one, of some of them."""
        false = self.false_per_m[own]
        weight: Array = np.log((hazard * self.rows.odds[own] + false) / false)
        return weight


@dataclass(frozen=True, eq=False)
class _Tracks:
    """Empty road behind vehicles, cut at the edges of some successive bins.

    Parameters
    ----------
    track, bin : array of int, shape (k,)
        Which track each piece is of, and in which bin it lies.
    from_m, to_m : array, shape (k,)
        Metres seen since the vehicle, at the piece's ends.
    recall : array, shape (k,)
        Share found there.
    first, stop : int
        The bins.
    """

    track: npt.NDArray[np.int64]
    bin: npt.NDArray[np.int64]
    from_m: Array
    to_m: Array
    recall: Array
    first: int
    stop: int

    @classmethod
    def cut(cls, start_m: Array, stop_m: Array, edge: Array, recall: Array, first: int, stop: int) -> _Tracks:
        """Cut tracks, given by the metres seen up to their ends, to the bins from ``first`` to before ``stop``.

        ``edge`` has the metres seen up to the edges of all bins, ``recall`` what is found in those wanted.
        """
        there = np.flatnonzero((stop_m > edge[first]) & (start_m < edge[stop]))
        from_m, to_m = start_m[there], np.minimum(stop_m[there], edge[-1])
        low = np.maximum(np.searchsorted(edge, from_m, side="right") - 1, first)
        count = np.maximum(np.minimum(np.searchsorted(edge, to_m, side="left"), stop) - low, 0)
        of = np.repeat(np.arange(len(there)), count)
        number = low[of] + np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
        near_m = np.maximum(edge[number], from_m[of]) - from_m[of]
        far_m = np.minimum(edge[number + 1], to_m[of]) - from_m[of]
        keep = far_m > near_m
        number = number[keep]
        return cls(there[of[keep]], number, near_m[keep], far_m[keep], recall[number - first], first, stop)

    @cached_property
    def _ends(self) -> tuple[Place, Place]:
        """Where the pieces' ends lie in the tables of laws."""
        return Place.past(self.from_m, self.recall), Place.past(self.to_m, self.recall)

    def costs(self, table: Array, *, forgotten: bool = False) -> Array:
        """Return by how much a cumulative hazard rises over each piece, shape (k,).

        Where rows are ``forgotten``, it does so no further than to `REACH_M`.
        """
        low, high = (each.within() for each in self._ends) if forgotten else self._ends
        return high.look(table) - low.look(table)

    def sum(self, values: Array) -> Array:
        """Sum values of pieces over each bin, shape (bins,)."""
        summed: Array = np.bincount(self.bin - self.first, values, minlength=self.stop - self.first).astype(float)
        return summed

    def at_vehicles(self, bin_of: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Tell which pieces between vehicles lie before the first one that begins in their bin, or behind the last."""
        none = np.array([-1])
        before, after = np.append(none, bin_of)[self.track], np.append(bin_of, none)[self.track]
        return (after == self.bin) & (before != self.bin), (before == self.bin) & (after != self.bin)


def readings(evidence: Evidence, side: str, rng: np.random.Generator) -> list[Reading]:
    """Read the evidence of one side in several ways.

    Parameters
    ----------
    evidence : Evidence
        Of the road.
    side : str
        One of its sides.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    list of Reading
        `READINGS` of them, or none where no vehicle was found.
    """
    table = evidence.vehicles
    index = np.flatnonzero(table["side"] == side)
    if not len(index):
        return []
    station, offset, length, score = (
        table[name].to_numpy(float)[index] for name in ("station_m", "offset_m", "length_m", "score")
    )
    order = np.argsort(station, kind="stable")
    index, station, offset, half, score = index[order], station[order], offset[order], length[order] / 2, score[order]
    lane = in_lane(station, offset, table["state"].to_numpy(dtype=object)[index] == "parked")
    sight = Sight.of_side(evidence, side)
    odds = _odds(score)
    # Each figure is off to a different degree in each reading, evenly over what it may be.
    level = np.array([rng.permutation(READINGS) for _ in range(3)])
    shift = special.ndtri((level + 0.5) / READINGS)
    made = []
    known: dict[bytes, tuple[Rows, npt.NDArray[np.int64], Laws]] = {}
    for k in range(READINGS):
        chosen = lane > (level[2, k] + 0.5) / READINGS
        key = chosen.tobytes()
        if key not in known:
            kept = np.flatnonzero(chosen)
            kept = kept[np.argsort((station - half)[kept], kind="stable")]
            near, far = (station - half)[kept], (station + half)[kept]
            rows = Rows.of(near, far, offset[kept], odds[kept], sight)
            around = sight.recall(rows.bin)
            found = float(around.mean()) if len(around) else 1.0
            known[key] = rows, index[kept], Laws.learned(rows.gap_m, rows.end_m - rows.start_m, found)
        rows, places, laws = known[key]
        off = replace(sight, off=(_RECALL_SD * shift[0, k], _FALSE_SD * shift[1, k]))
        made.append(Reading(rows, places, off, laws))
    return made


def _odds(score: Array) -> Array:
    """Return how much likelier each vehicle's looks are for a true than for a false one.

    A score is a probability where true and false vehicles are mixed as they were when it was calibrated: as on this
    road, as far as that can be told, else as they usually are.
    """
    score = np.clip(score, 0.01, 0.99)
    mix = (score.sum() + _USUAL_TRUE) / ((1.0 - score).sum() + _USUAL_FALSE)
    likelier: Array = score / (1.0 - score) / mix
    return likelier
