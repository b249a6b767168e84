"""One reading of the evidence: its own figures taken as a little wrong, and what each bin then says for each state.

A detector says how much it misses and invents, and which vehicles are parked, but not how far that may be off. So
several readings are made, each with these figures moved by what they may be off, all bins together. They count alike:
a model of gaps must not overrule what a detector knows of itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from jamline.evidence import Evidence
from jamline.queues._chain import CLEAR, CREEPING, FLOWING, HEAD, HOLE, STANDING, TAIL, VIEWS
from jamline.queues._laws import REACH_M, Law, Laws
from jamline.queues._rows import Rows, in_lane
from jamline.queues._sight import Sight

Array = npt.NDArray[np.float64]

READINGS = 8
"""Enough for each figure to be off by little, by much, and either way."""

_LONE_PER_M = 4.0 / 1000.0
"""Vehicles on a clear road: light traffic at night or in the country."""

_RECALL_SD, _FALSE_SD = 0.45, 0.7
"""By how much log odds of recall and logarithm of false vehicles may be off."""

_USUAL_TRUE, _USUAL_FALSE = 70.0, 10.0
"""True and false vehicles that the usual mix of them counts for: one in eight is false, as on the scenes that scores
were calibrated on."""

_LEAST_FALSE_PER_M = 0.1 / 1000.0
"""No detector invents fewer."""


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

    @property
    def recall(self) -> Array:
        """Share found around each vehicle, shape (n,)."""
        return self.sight.recall[self.rows.bin]

    def log_likelihood(self) -> Array:
        """Return how well each state explains each bin, shape (bins, `VIEWS`)."""
        total = np.zeros((len(self.sight.recall), VIEWS))
        lone = _LONE_PER_M * self.sight.recall
        total[:, CLEAR] = self._summed(self._arrivals(lone[self.rows.bin])) - lone * np.diff(self.sight.seen_m)
        total[:, HOLE] = total[:, CLEAR]
        laws = {FLOWING: self.laws.flowing, STANDING: self.laws.standing, CREEPING: self.laws.creeping}
        row, between = _Tracks.along_rows(self), _Tracks.between_all(self)
        for state, law in laws.items():
            arrivals = self._arrivals(law.hazard(self.rows.gap_m, self.recall))
            # Any row may end but not all of them: past the last vehicle of every row the full price is due.
            alone = between.costs(law, law.alone)
            beside = between.costs(law, law.row, upto_m=REACH_M)
            total[:, state] = self._summed(arrivals) - row.sum(row.costs(law, law.row)) - between.sum(alone - beside)
            if state != FLOWING:
                # A queue's first bin owes nothing for the road before its first vehicle, nor for how far behind another
                # that one stands; its last bin nothing for the road behind its last vehicle.
                before, behind = between.at_vehicles(self.rows.bin)
                anew = self._arrivals(law.hazard(np.full(len(arrivals), np.inf), self.recall)) - arrivals
                first = np.diff(self.rows.bin, prepend=-1) > 0
                total[:, HEAD[state]] = total[:, state] + between.sum(alone * before) + self._summed(anew * first)
                total[:, TAIL[state]] = total[:, state] + between.sum(alone * behind)
        return total

    def true(self, creeping: Array) -> Array:
        """Return the chance that each vehicle of a queue is one, shape (n,).

        Parameters
        ----------
        creeping : array, shape (n,)
            Chance that it stands where the queue creeps.
        """
        real = self.laws.queued(self.rows.gap_m, self.recall, creeping)[0] * self.rows.odds
        chance: Array = real / (real + self.sight.false_per_m[self.rows.bin])
        return chance

    def _arrivals(self, hazard: Array) -> Array:
        """Return the logarithm of the chance to find what was found, as a vehicle or a false one, shape (n,)."""
        false = self.sight.false_per_m[self.rows.bin]
        weight: Array = np.log((hazard * self.rows.odds + false) / false)
        return weight

    def _summed(self, values: Array) -> Array:
        """Sum values of vehicles over each bin, shape (bins,)."""
        summed: Array = np.bincount(self.rows.bin, values, minlength=len(self.sight.recall)).astype(float)
        return summed


@dataclass(frozen=True, eq=False)
class _Tracks:
    """Empty road behind vehicles, cut at the edges of bins.

    Parameters
    ----------
    track, bin : array of int, shape (k,)
        Which track each piece is of, and in which bin it lies.
    from_m, to_m : array, shape (k,)
        Metres seen since the vehicle, at the piece's ends.
    recall : array, shape (k,)
        Share found there.
    bins : int
        How many there are.
    """

    track: npt.NDArray[np.int64]
    bin: npt.NDArray[np.int64]
    from_m: Array
    to_m: Array
    recall: Array
    bins: int

    @classmethod
    def along_rows(cls, reading: Reading) -> _Tracks:
        """Return the road behind each vehicle up to the next in its row, or to where the row is forgotten."""
        rows, sight = reading.rows, reading.sight
        near, far = sight.seen_to_m(rows.start_m), sight.seen_to_m(rows.end_m)
        return cls._cut(far, np.minimum(rows.following_m(near), far + REACH_M), sight)

    @classmethod
    def between_all(cls, reading: Reading) -> _Tracks:
        """Return the road behind which no vehicle of any row stands, from the first bin to the last."""
        sight = reading.sight
        near, far = sight.seen_to_m(reading.rows.start_m), sight.seen_to_m(reading.rows.reach_m)
        return cls._cut(np.append(-REACH_M, far), np.append(near, sight.seen_m[-1]), sight)

    @classmethod
    def _cut(cls, start: Array, stop: Array, sight: Sight) -> _Tracks:
        edge = sight.seen_m
        stop = np.minimum(stop, edge[-1])
        first = np.maximum(np.searchsorted(edge, start, side="right") - 1, 0)
        count = np.maximum(np.searchsorted(edge, stop, side="left") - first, 0)
        track = np.repeat(np.arange(len(start)), count)
        number = first[track] + np.arange(len(track)) - np.repeat(np.cumsum(count) - count, count)
        low = np.maximum(edge[number], start[track]) - start[track]
        high = np.minimum(edge[number + 1], stop[track]) - start[track]
        keep = high > low
        return cls(track[keep], number[keep], low[keep], high[keep], sight.recall[number[keep]], len(sight.recall))

    def costs(self, law: Law, table: Array, *, upto_m: float = np.inf) -> Array:
        """Return by how much a cumulative hazard rises over each piece, shape (k,)."""
        low, high = np.minimum(self.from_m, upto_m), np.minimum(self.to_m, upto_m)
        return law.charge(table, high, self.recall) - law.charge(table, low, self.recall)

    def sum(self, values: Array) -> Array:
        """Sum values of pieces over each bin, shape (bins,)."""
        summed: Array = np.bincount(self.bin, values, minlength=self.bins).astype(float)
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
            around = sight.recall[rows.bin]
            found = float(around.mean()) if len(around) else 1.0
            known[key] = rows, index[kept], Laws.learned(rows.gap_m, rows.end_m - rows.start_m, found)
        recall = special.expit(special.logit(np.clip(sight.recall, 0.02, 0.98)) + _RECALL_SD * shift[0, k])
        false = np.maximum(sight.false_per_m, _LEAST_FALSE_PER_M) * np.exp(_FALSE_SD * shift[1, k])
        rows, places, laws = known[key]
        made.append(Reading(rows, places, Sight(sight.edge_m, sight.seen_m, recall, false), laws))
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
