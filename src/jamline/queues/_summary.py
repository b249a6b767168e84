"""From worlds to what is reported: the queues that most worlds have, each with what it is in every one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from jamline.evidence import Evidence
from jamline.queues._queue import Bridge, Queue
from jamline.queues._sight import Sight
from jamline.queues._worlds import Worlds
from jamline.spans import Estimate, Span, subtract

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BREAKDOWN_PER_KM_LANE = 28.0
"""Highway Capacity Manual, level of service F: over 45 vehicles per mile and lane traffic has broken down."""

PACKED_PER_KM_LANE = 90.0
"""From here up vehicles stand; below they creep or stand with gaps."""

MIN_VEHICLES = 4
"""Fewer say nothing about spacing."""

_LIKELY = 0.9
"""Share of the worlds that must have a queue before it is reported. On 240 simulated roads each queue was in more than
90 of 100, with half of the vehicles dropped 199 of 203 were; of 16 that were none, but in more than half of them, eight
were in fewer."""

_SENSITIVITY_M = (20.0, 50.0, 100.0)

_END_SIGMA_M, _END_SIGMA_PX, _END_SPREAD = 0.25, 0.35, 0.7
"""How well a vehicle's end is placed: so many metres and pixels of the resolution, by a factor of which the logarithm
has this spread, for that differs from scene to scene."""

_LINE_SIGMA = 0.0005
"""Share of the length by which the line may be off after smoothing and alignment."""

_ALIGNMENT_SIGMA_M = 0.5
"""How well the road's middle is known where the alignment does not say."""

_BEND_SIGMA_M = 0.12
"""How far to the outside of all bends alike a road may lie from where it was found."""


@dataclass(frozen=True, eq=False)
class Side:
    """One side of the road in all its worlds.

    Parameters
    ----------
    evidence : Evidence
        What the worlds agree with.
    name : str
        left, right or all.
    sight : Sight
        How it was seen, by one of its readings: the metres seen, which all of them have alike.
    draws : int
        How many worlds there are.
    worlds : Worlds
        Their queues.
    index : array of int, shape (n,)
        Places of the vehicles in the evidence's table, in order of their near ends.
    start_m, end_m : array, shape (n,)
        Their near and far ends.
    truck : array of bool, shape (n,)
        Whether each is one.
    queued : array, shape (n,)
        Share of the worlds in which each is queued.
    """

    evidence: Evidence
    name: str
    sight: Sight
    draws: int
    worlds: Worlds
    index: Ints
    start_m: Array
    end_m: Array
    truck: npt.NDArray[np.bool_]
    queued: Array


def summarise(side: Side, *, gap_m: float, level: float, rng: np.random.Generator) -> Iterator[tuple[Queue, Ints]]:
    """Yield the queues of one side, each with the places of its vehicles in the evidence's table.

    Parameters
    ----------
    side : Side
        Its worlds.
    gap_m : float
        Widest gap of an occupied row.
    level : float
        Probability that each interval holds the truth.
    rng : numpy.random.Generator
        Source of chance.
    """
    found: list[tuple[Queue, Ints]] = []
    for group in _groups(side, gap_m):
        span = Span(float(side.start_m[group].min()), float(side.end_m[group].max()))
        same = _matching(side, span)
        # One behind another is what a queue is: a single vehicle with company that nobody saw is none.
        if len(same.draw) <= side.draws / 2 or len(group) < 2:
            continue
        # What it is taken for where nobody saw is no reason to take it for a queue.
        count, rows_km = np.median(same.shown), np.median(same.shown_m) / 1000
        if count < MIN_VEHICLES or count < BREAKDOWN_PER_KM_LANE * rows_km:
            continue
        found.append((_queue(side, group, same, level=level, rng=rng), side.index[group]))
    # Groups that most worlds part may still lie in queues that reach over one another: then they are one.
    kept: list[tuple[Queue, Ints]] = []
    for queue, members in sorted(found, key=lambda each: (not is_likely(each[0]), -each[0].length_km.value)):
        within = next((k for k, (other, _) in enumerate(kept) if _shared(queue, other) > 0.5), None)
        if within is None:
            kept.append((queue, members))
        else:
            kept[within] = kept[within][0], np.union1d(kept[within][1], members)
    yield from kept


def is_likely(queue: Queue) -> bool:
    """Tell whether a queue is there in so many worlds that it is reported."""
    return bool(np.mean(queue.length_samples_km > 0) >= _LIKELY)


def _shared(queue: Queue, other: Queue) -> float:
    """Return the share of a queue's road that another lies on as well."""
    shared = min(queue.end_m, other.end_m) - max(queue.start_m, other.start_m)
    return max(shared, 0.0) / max(queue.end_m - queue.start_m, 1e-9)


def _groups(side: Side, gap_m: float) -> list[Ints]:
    """Return the vehicles that are queued in most worlds, parted where most worlds part them."""
    likely = np.flatnonzero(side.queued > 0.5)
    reach = np.maximum.accumulate(side.end_m[likely])
    wide = np.flatnonzero(side.start_m[likely][1:] - reach[:-1] > gap_m)
    start, end = side.worlds.start_m, side.worlds.end_m
    # A queue of a world spans the gap if it begins before its middle and ends after it.
    middle = (side.start_m[likely][1:][wide] + reach[:-1][wide]) / 2
    spanned = np.searchsorted(np.sort(start), middle) - np.searchsorted(np.sort(end), middle)
    return [group for group in np.split(likely, wide[spanned <= side.draws / 2] + 1) if len(group)]


def _matching(side: Side, span: Span) -> Worlds:
    """Return from each world the queue that shares the most road with a span; worlds without one are left out."""
    worlds = side.worlds
    shared = np.minimum(worlds.end_m, span.end_m) - np.maximum(worlds.start_m, span.start_m)
    # On a long road few of all queues lie here.
    near = np.flatnonzero(shared > 0)
    order = near[np.lexsort((shared[near], worlds.draw[near]))]
    draw = worlds.draw[order]
    return worlds.take(order[np.append(draw[1:] != draw[:-1], True)[: len(draw)]])


def _queue(side: Side, likely: Ints, same: Worlds, *, level: float, rng: np.random.Generator) -> Queue:
    """Put one queue together from what it is in every world that has it."""
    evidence, draws = side.evidence, len(same.draw)
    span = Span(float(np.median(same.start_m)), float(np.median(same.end_m)))
    near, far = rng.normal(size=(2, draws)) * _end_sigma_m(evidence, draws, rng)
    scale = 1.0 + rng.normal(size=draws) * _stretch_sigma(evidence, span)
    placed = far - near
    length_km = np.maximum((same.end_m - same.start_m) * scale + placed, 1.0) / 1000
    occupied_m = np.maximum(same.occupied_m, 1.0)
    occupied_km = np.maximum(occupied_m * scale + placed, 1.0) / 1000
    lanes = same.rows_m / occupied_m
    # As many worlds as lie above the interval may leave what was seen; with more, nothing bounds it.
    leaves = {"start": same.open_start.mean(), "end": same.open_end.mean()}
    opens = tuple(end for end, share in leaves.items() if share > (1 - level) / 2)
    count, density = float(np.median(same.count)), float(np.median(same.shown / same.shown_m)) * 1000
    bridged = _bridged(side, same, span)
    everywhere = np.zeros((2, side.draws))
    everywhere[:, same.draw] = length_km, same.count
    return Queue(
        road=evidence.road.name,
        side=side.name,
        start_m=span.start_m,
        end_m=span.end_m,
        length_km=_estimate(span.length_m / 1000, length_km, level, "km", opens),
        occupied_km=_estimate(float(np.median(occupied_m)) / 1000, occupied_km, level, "km"),
        vehicles=_estimate(count, same.count, level, "vehicles", opens),
        trucks=float(side.truck[likely].mean()),
        lanes=float(np.median(lanes)),
        density_per_km_lane=density,
        packing="packed" if density >= PACKED_PER_KM_LANE else "dense",
        sensitivity_km=_sensitivity(side, likely, span),
        length_samples_km=everywhere[0],
        count_samples=everywhere[1],
        start=_estimate(span.start_m, same.start_m + near, level, "m"),
        end=_estimate(span.end_m, same.end_m + far, level, "m"),
        rows=_estimate(float(np.median(lanes)), lanes, level, "rows"),
        bridged=bridged,
        unbroken=_spanning(same, bridged[0].start_m, bridged[-1].end_m) if bridged else 1.0,
    )


def _end_sigma_m(evidence: Evidence, draws: int, rng: np.random.Generator) -> Array:
    """Draw how well ends are placed, shape (draws,)."""
    sigma_m = _END_SIGMA_M + _END_SIGMA_PX * evidence.gsd_m
    return sigma_m * np.exp(_END_SPREAD * rng.normal(size=draws))


def _stretch_sigma(evidence: Evidence, span: Span) -> float:
    """Return the share of its length by which the line may be off between two stations.

    A line that lies a metre to the outside of the road is longer by a metre for each radian that it turns. One that
    lies to one side is longer in bends to the other side and shorter in the rest, one that cuts corners is shorter in
    all.
    """
    station = np.linspace(span.start_m, span.end_m, max(2, round(span.length_m / 20.0)))
    heading = np.unwrap(np.radians(evidence.road.heading_at(station)))
    aligned = evidence.alignment_m
    sigma_m = _ALIGNMENT_SIGMA_M
    if aligned.low is not None and aligned.high is not None:
        sigma_m = (aligned.high - aligned.low) / 2 / float(special.ndtri((1 + aligned.level) / 2))
    turn, bends = float(heading[-1] - heading[0]), float(np.abs(np.diff(heading)).sum())
    return math.hypot(_LINE_SIGMA, sigma_m * turn / span.length_m, _BEND_SIGMA_M * bends / span.length_m)


def _sensitivity(side: Side, likely: Ints, span: Span) -> dict[str, float]:
    """Return the length in km if gaps over 20, 50 or 100 m broke the queue; unseen road is no gap."""
    reach = np.maximum.accumulate(side.end_m[likely])[:-1]
    near = side.start_m[likely][1:]
    sight = side.sight
    width = np.where(near > reach, sight.seen_to_m(near) - sight.seen_to_m(reach), 0.0)
    lengths = {}
    for wide_m in _SENSITIVITY_M:
        cut = width > wide_m
        edges = np.concatenate([[span.start_m], np.column_stack([reach, near])[cut].ravel(), [span.end_m]])
        lengths[f"{wide_m:g}"] = float(np.diff(edges)[::2].max()) / 1000
    return lengths


def _bridged(side: Side, same: Worlds, span: Span) -> tuple[Bridge, ...]:
    """Return the unseen stretches within a queue, with the share of its worlds that bridge them."""
    unseen = subtract(span, side.evidence.seen(side.name))
    return tuple(
        Bridge(part.start_m, part.end_m, _spanning(same, part.start_m, part.end_m))
        for part in unseen
        # What the last vehicle reaches into is an end of the queue and no stretch within it.
        if span.start_m < part.start_m and part.end_m < span.end_m
    )


def _spanning(same: Worlds, start_m: float, end_m: float) -> float:
    """Return the share of the worlds in which the queue begins before a stretch and ends behind it."""
    return float(np.mean((same.start_m < start_m) & (same.end_m > end_m)))


def _estimate(value: float, draws: Array, level: float, unit: str, opens: tuple[str, ...] = ()) -> Estimate:
    """Turn draws into an interval; with an open end, into a lower bound at the same level."""
    if opens:
        low = float(np.quantile(draws, 1 - level))
        return Estimate(value, min(low, value), None, level, unit, opens)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, min(float(low), value), max(float(high), value), level, unit)
