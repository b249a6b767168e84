"""Queues measured on drawn worlds: what the detector may have missed or invented moves both ends.

Each draw is one world in agreement with the evidence: states from the chain, false vehicles struck out, missed
ones put behind the last, ends jittered. The rules are applied to every world; the spread of the results is
the interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from jamline.errors import UsageError
from jamline.evidence import Evidence
from jamline.queues._chain import sample_queued
from jamline.queues._extent import Extent, extents, seen_between_m
from jamline.queues._queue import Queue, Queues
from jamline.queues._rows import assign_rows
from jamline.spans import Estimate, Span, subtract

Array = npt.NDArray[np.float64]

BREAKDOWN_PER_KM_LANE = 28.0
"""Highway Capacity Manual, level of service F: over 45 vehicles per mile and lane traffic has broken down."""

PACKED_PER_KM_LANE = 90.0
"""From here up vehicles stand; below they creep or stand with gaps."""

_MIN_VEHICLES = 4
"""Fewer say nothing about spacing."""

_SENSITIVITY_M = (20.0, 50.0, 100.0)

_DRAWS = 400
"""Enough that the interval's ends repeat to within a vehicle's length from seed to seed."""

_STANDING_M = 8.0
"""Net gap up to which vehicles in a row stand rather than drive: no one drives closer than a car's length or two."""

_PITCH_M = (6.5, 7.5, 25.0)
"""From front to front in a standing row: small cars close up, cars, lorries at a border."""

_END_SIGMA_M = 1.2
"""How well a found vehicle's end is placed, beside the resolution: found centres lie about 1.1 m from true ones in
simulated scenes at 0.5 m (`jamline evaluate`)."""

_LINE_SIGMA = 0.0005
"""Share of the length by which the line may be off after smoothing and alignment."""


def measure_queues(
    evidence: Evidence, *, gap_m: float = 20.0, break_m: float = 100.0, level: float = 0.9, seed: int = 0
) -> Queues:
    """Measure the queues on one road.

    Parameters
    ----------
    evidence : Evidence
        Vehicles in road space and how well each stretch was seen.
    gap_m : float
        Widest net gap in metres over which a row counts as occupied.
    break_m : float
        A queue ends where no queued vehicle follows within this many metres.
    level : float
        Probability that each interval holds the truth.
    seed : int
        Seed of the draws.

    Returns
    -------
    Queues
        The longest first; empty where there is none.

    Raises
    ------
    UsageError
        If a rule is not positive, or the level not between 0 and 1.
    """
    if not 0 < gap_m <= break_m:
        raise UsageError(f"Invalid gap '{gap_m}'. Must be over 0 and at most the break of {break_m} m.")
    if not 0 < level < 1:
        raise UsageError(f"Invalid level '{level}'. Must lie between 0 and 1.")
    rng = np.random.default_rng(seed)
    vehicles = evidence.vehicles.copy()
    state = vehicles["state"].to_numpy(dtype=object).copy()
    found: list[Queue] = []
    for side in evidence.road.sides:
        index = np.flatnonzero((vehicles["side"] == side) & (state != "parked"))
        index = index[np.argsort(vehicles["station_m"].to_numpy()[index], kind="stable")]
        traffic = _Traffic.on_side(evidence, side, vehicles.iloc[index], rng)
        state[index] = np.where(traffic.likely_queued, "queued", "flowing")
        for queue, members in traffic.queues(gap_m=gap_m, break_m=break_m, level=level, rng=rng):
            found.append(queue)
            state[index[members]] = "queued-in"
    # A vehicle counts as queued only as part of a queue that was reported.
    vehicles["state"] = np.where(state == "queued-in", "queued", np.where(state == "parked", "parked", "flowing"))
    found.sort(key=lambda queue: -queue.length_km.value)
    settings = {"gap_m": gap_m, "break_m": break_m, "level": level, "seed": seed}
    return Queues(evidence, tuple(found), vehicles, settings)


@dataclass(frozen=True, eq=False)
class _Traffic:
    """The running traffic of one side, with drawn states."""

    evidence: Evidence
    side: str
    start_m: Array
    end_m: Array
    row: npt.NDArray[np.int64]
    trust: Array
    truck: npt.NDArray[np.bool_]
    recall: Array
    queued: npt.NDArray[np.bool_]
    unseen: list[Span]

    @classmethod
    def on_side(cls, evidence: Evidence, side: str, vehicles: Any, rng: np.random.Generator) -> _Traffic:
        """Assign rows and draw states, shape (draws, n)."""
        station = vehicles["station_m"].to_numpy(float)
        half = vehicles["length_m"].to_numpy(float) / 2
        trust = np.clip(vehicles["score"].to_numpy(float), 0.0, 1.0)
        recall = _recall_at(evidence, side, station)
        row = assign_rows(station, vehicles["offset_m"].to_numpy(float), 2 * half)
        unseen = subtract(Span(0.0, evidence.road.length_m), evidence.seen(side))
        queued = np.zeros((_DRAWS, len(station)), dtype=bool)
        for number in np.unique(row):
            of_row = np.flatnonzero(row == number)
            near, far = (station - half)[of_row], (station + half)[of_row]
            gap = np.array([_seen_gap_m(a, b, unseen) for a, b in zip(far[:-1], near[1:], strict=True)], dtype=float)
            queued[:, of_row] = sample_queued(gap, trust[of_row], recall[of_row], draws=_DRAWS, rng=rng)
        return cls(
            evidence=evidence,
            side=side,
            start_m=station - half,
            end_m=station + half,
            row=row,
            trust=trust,
            truck=(vehicles["kind"] == "truck").to_numpy(),
            recall=recall,
            queued=queued,
            unseen=unseen,
        )

    @cached_property
    def likely_queued(self) -> npt.NDArray[np.bool_]:
        """Vehicles queued in most draws."""
        likely: npt.NDArray[np.bool_] = self.queued.mean(axis=0) > 0.5
        return likely

    def extents_of(self, chosen: npt.NDArray[np.bool_], gap_m: float, break_m: float) -> list[Extent]:
        """Apply the rules to some of the vehicles."""
        return extents(
            self.start_m[chosen],
            self.end_m[chosen],
            self.row[chosen],
            gap_m=gap_m,
            break_m=break_m,
            unseen=self.unseen,
        )

    def queues(
        self, *, gap_m: float, break_m: float, level: float, rng: np.random.Generator
    ) -> Iterator[tuple[Queue, npt.NDArray[np.int64]]]:
        """Yield each queue with the positions of its vehicles."""
        if not len(self.start_m):
            return
        likely = self.likely_queued
        if not likely.any():
            return
        middle = (self.start_m + self.end_m) / 2
        recall = float(np.clip(self.recall[likely].mean(), 0.3, 1.0))
        pitch_m = self._pitch_m(likely) * recall
        # Missed vehicles widen what is seen of a gap: at each of its ends by as many as are missed in a run.
        missed = (1 - recall) / recall
        best = self.extents_of(likely, gap_m + missed * pitch_m, break_m + 2 * missed * pitch_m)
        likely = likely | self._beside(best, likely, gap_m)
        best = self.extents_of(likely, gap_m + missed * pitch_m, break_m + 2 * missed * pitch_m)
        best = [x for x in best if x.count >= _MIN_VEHICLES and _density(x) >= BREAKDOWN_PER_KM_LANE]
        if not best:
            return
        worlds = (self.queued | (likely & ~self.likely_queued)) & (rng.random(self.queued.shape) < self.trust)
        # Striking out doubtful vehicles strikes out true ones too, so fewer of the true are left than were found.
        trust = self.trust[likely]
        left = float(np.clip(recall * np.sum(trust**2) / np.sum(trust), 0.2, 1.0))
        missed = (1 - left) / left
        runs = (rng.geometric(left, (len(worlds), 2)) - 1).sum(axis=1)
        drawn = [
            self.extents_of(world, gap_m + missed * pitch_m, break_m + run * pitch_m)
            for world, run in zip(worlds, runs, strict=True)
        ]
        for extent in best:
            members = np.flatnonzero(likely & (middle >= extent.span.start_m) & (middle <= extent.span.end_m))
            yield self._queue(extent, members, drawn, gap_m=gap_m, pitch_m=pitch_m, level=level, rng=rng), members

    def _beside(self, found: list[Extent], likely: npt.NDArray[np.bool_], gap_m: float) -> npt.NDArray[np.bool_]:
        """Tell which vehicles stand close behind one another beside a queue: they wait with it.

        Two or three alone are too few for the chain; next to a queue they are not alone.
        """
        also = np.zeros_like(likely)
        for number in np.unique(self.row):
            row = np.flatnonzero(self.row == number)
            gap = self.start_m[row[1:]] - self.end_m[row[:-1]]
            for run in np.split(row, np.flatnonzero(gap > _STANDING_M) + 1):
                near, far = self.start_m[run[0]] - gap_m, self.end_m[run[-1]] + gap_m
                if len(run) > 1 and any(x.span.start_m < far and x.span.end_m > near for x in found):
                    also[run] = True
        return also & ~likely

    def _pitch_m(self, chosen: npt.NDArray[np.bool_]) -> float:
        """Return the usual distance from one found vehicle to the next in its row."""
        steps = [np.diff(np.sort(self.start_m[chosen & (self.row == number)])) for number in np.unique(self.row)]
        near = np.concatenate(steps)
        near = near[near < 2 * _PITCH_M[2]]
        return float(np.clip(np.median(near) if len(near) else _PITCH_M[1], _PITCH_M[0], 2 * _PITCH_M[2]))

    def _queue(
        self,
        extent: Extent,
        members: npt.NDArray[np.int64],
        drawn: list[list[Extent]],
        *,
        gap_m: float,
        pitch_m: float,
        level: float,
        rng: np.random.Generator,
    ) -> Queue:
        """Put one queue together from its best extent and what it is in every drawn world."""
        recall = float(np.clip(self.recall[members].mean(), 0.05, 1.0))
        overlapping = [_overlapping(extent, world) for world in drawn]
        there = np.array([world is not None for world in overlapping])
        if not there.any():
            there[:] = True
            overlapping = [extent] * len(drawn)
        same = [world for world in overlapping if world is not None]
        open_ends = self._open_ends(extent, gap_m + pitch_m / recall)
        start = np.array([world.span.start_m for world in same])
        end = np.array([world.span.end_m for world in same])
        spread = np.hypot(_END_SIGMA_M, self.evidence.gsd_m)
        draws = len(same)
        # Behind the last vehicle found, another was missed with chance 1 - recall, one more with its square...
        tail_recall = np.clip(self.recall[members[[0, -1]]], 0.3, 1.0)
        beyond = (rng.geometric(np.broadcast_to(tail_recall, (draws, 2))) - 1) * pitch_m
        for k, name in enumerate(("start", "end")):
            if name in open_ends:
                beyond[:, k] = 0.0
        start = start - beyond[:, 0] + rng.normal(0, spread, draws)
        end = end + beyond[:, 1] + rng.normal(0, spread, draws)
        length_km = (end - start) * rng.normal(1.0, _LINE_SIGMA, draws) / 1000
        occupied_m = np.array([sum(s.length_m for s in world.occupied) for world in same])
        occupied_km = (occupied_m + beyond.sum(axis=1)) * rng.normal(1.0, _LINE_SIGMA, draws) / 1000
        kept = np.array([max(world.count, 1) for world in same])
        count = (kept + rng.negative_binomial(kept, min(recall, 0.999))).astype(float)
        density = _density(extent) / recall
        chosen = np.zeros(len(self.start_m), dtype=bool)
        chosen[members] = True
        return Queue(
            road=self.evidence.road.name,
            side=self.side,
            start_m=extent.span.start_m,
            end_m=extent.span.end_m,
            length_km=_estimate(extent.span.length_m / 1000, length_km, level, "km", open_ends),
            occupied_km=_estimate(sum(s.length_m for s in extent.occupied) / 1000, occupied_km, level, "km", ()),
            vehicles=_estimate(float(np.median(count)), count, level, "vehicles", open_ends),
            trucks=float(self.truck[members].mean()),
            lanes=extent.rows_m / max(sum(s.length_m for s in extent.occupied), 1e-9),
            density_per_km_lane=density,
            packing="packed" if density >= PACKED_PER_KM_LANE else "dense",
            sensitivity_km={
                f"{wide:g}": max(x.span.length_m for x in self.extents_of(chosen, min(gap_m, wide), wide)) / 1000
                for wide in _SENSITIVITY_M
            },
            length_samples_km=_everywhere(length_km, there),
            count_samples=_everywhere(count, there),
        )

    def _open_ends(self, extent: Extent, gap_m: float) -> tuple[str, ...]:
        """Name the ends at which the queue reaches what was not seen, or the end of the line."""
        length_m = self.evidence.road.length_m
        before = seen_between_m(max(0.0, extent.span.start_m - gap_m), extent.span.start_m, self.unseen)
        after = seen_between_m(extent.span.end_m, min(length_m, extent.span.end_m + gap_m), self.unseen)
        ends = []
        if before < gap_m - 0.5:
            ends.append("start")
        if after < gap_m - 0.5:
            ends.append("end")
        return tuple(ends)


def _seen_gap_m(from_m: float, to_m: float, unseen: list[Span]) -> float:
    """Return the net gap, or NaN where a good part of it was not seen."""
    gap = to_m - from_m
    if gap <= 0:
        return 0.0
    seen = seen_between_m(from_m, to_m, unseen)
    return gap if seen > gap - 2.5 else np.nan


def _recall_at(evidence: Evidence, side: str, station_m: Array) -> Array:
    """Return the detector's recall at stations of one side, shape (n,)."""
    rows = evidence.sight[evidence.sight["side"] == side]
    if rows.empty:
        return np.ones(len(station_m))
    at = np.searchsorted(rows["start_m"].to_numpy(), station_m, side="right") - 1
    recall: Array = rows["recall"].to_numpy(float)[np.clip(at, 0, len(rows) - 1)]
    return recall


def _overlapping(extent: Extent, others: list[Extent]) -> Extent | None:
    """Return the extent that shares the most road with ``extent``."""
    shared = [
        (min(extent.span.end_m, x.span.end_m) - max(extent.span.start_m, x.span.start_m), i)
        for i, x in enumerate(others)
    ]
    if not shared or max(shared)[0] <= 0:
        return None
    return others[max(shared)[1]]


def _density(extent: Extent) -> float:
    """Vehicles per km and row where occupied."""
    return extent.count / max(extent.rows_m / 1000, 1e-9)


def _everywhere(values: Array, there: npt.NDArray[np.bool_]) -> Array:
    """Put the values of the draws that have the queue among those that do not."""
    every = np.zeros(len(there))
    every[there] = values
    return every


def _estimate(value: float, draws: Array, level: float, unit: str, open_ends: tuple[str, ...]) -> Estimate:
    """Turn draws into an interval; with an open end, into a lower bound at the same level."""
    if open_ends:
        low = float(np.quantile(draws, 1 - level))
        return Estimate(value, min(low, value), None, level, unit, open_ends)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, min(float(low), value), max(float(high), value), level, unit, ())
