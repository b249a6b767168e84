"""How often a queue really runs on through a stretch that nobody saw, beside what the queue model says of it.

python benchmarks/bridges.py --scenes 120 --first-seed 160000

Roads of 10 km are filled with traffic that changes its state as the model thinks it does, or at other rates: queues
that end three times as often or as seldom, and a fifth of the queues. Stretches of 50 m to 3 km are then hidden, and
the evidence of what is left is made by the detector of intervals.py. Wherever a queue was measured on both sides of a
hidden stretch within the break of 100 m, the model's probability that it is one queue is held against the truth.

`said` is the mean of the model's probability, `true` the share that is one queue in truth. Of the queues that were
bridged and are closed, `length` and `count` are the shares of 90 % intervals that hold the truth, `width` the median
width of the count's in percent of it, `worst` the largest of the counts given over the true ones.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import click
import numpy as np
from intervals import BY_GSD, Scene, simulate

from jamline.evidence import Evidence
from jamline.queues import Queue, Queues, measure_queues
from jamline.queues._chain import _STATES, CLEAR, CREEPING, FLOWING, HOLE, STANDING
from jamline.queues._laws import CREEPING as CREEPING_GAPS
from jamline.queues._laws import FLOWING as FLOWING_GAPS
from jamline.queues._laws import STANDING as STANDING_GAPS
from jamline.spans import Span, merge
from jamline.synth import SceneSpec
from jamline.synth.lanes import Vehicle

ROAD_KM = 10.0

BREAK_M = 100.0

RATES = {
    "as the model has it": (1.0, 1.0),
    "queues end thrice as often": (3.0, 1.0),
    "queues end a third as often": (1 / 3, 1.0),
    "a fifth of the queues": (1.0, 0.2),
}
"""By how much queues end more often, and begin more often, than in the model."""

GAPS = {STANDING: STANDING_GAPS, CREEPING: CREEPING_GAPS, FLOWING: FLOWING_GAPS, CLEAR: ((1.0, 250.0, 1.0),)}

_EDGES = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0)
_LENGTHS_M = (50.0, 150.0, 400.0, 1000.0, 3000.0)


@dataclass(frozen=True)
class Case:
    """A hidden stretch with a queue on both sides: what was said, and what is true."""

    length_m: float
    said: float
    true: bool


def semi_markov(spec: SceneSpec, length_m: float, *, ends: float, begins: float) -> list[Vehicle]:
    """Return traffic whose states follow each other by the model's own chances, or some that are moved."""
    rng = np.random.default_rng([spec.seed, round(100 * ends), round(100 * begins), 9])
    vehicles: list[Vehicle] = []
    for side in ("all",) if spec.road.oneway else ("left", "right"):
        state, at_m, rows = CLEAR, -float(rng.uniform(0.0, 4000.0)), 1
        while at_m < length_m:
            law = _STATES[state]
            mean_m = law.mean_m / begins if state == CLEAR else law.mean_m
            least_m = min(law.least_m, mean_m)
            stay_m = least_m + float(rng.exponential(mean_m - least_m))
            if state != HOLE:
                vehicles += _stretch(side, state, at_m, at_m + stay_m, rows, rng)
            at_m += stay_m
            then = {each: share * (ends if _leaves(state, each) else 1.0) for each, share in law.then.items()}
            share = np.array(list(then.values()))
            was, state = state, int(rng.choice(list(then), p=share / share.sum()))
            if was in (CLEAR, FLOWING):
                rows = 1 + int(rng.random() < 0.3)
    inside = [v for v in vehicles if 0.0 < v.station_m < length_m]
    return sorted(inside, key=lambda v: v.station_m)


def _leaves(state: int, then: int) -> bool:
    """Tell whether a step ends a queue."""
    return state in (STANDING, CREEPING) and then in (CLEAR, FLOWING)


def _stretch(side: str, state: int, start_m: float, end_m: float, rows: int, rng: np.random.Generator) -> list[Vehicle]:
    """Return the vehicles of one stretch."""
    mixture = GAPS[state]
    share = np.array([each[0] for each in mixture])
    queued = state in (STANDING, CREEPING)
    sign = 1.0 if side == "left" else -1.0
    vehicles = []
    for row in range(rows if queued else 1):
        at_m = start_m + float(rng.uniform(0.0, 3.0 if queued else mixture[0][1]))
        while True:
            truck = rng.random() < 0.12
            length_m = float(rng.normal(13.0, 2.5) if truck else rng.normal(4.5, 0.35))
            if at_m + length_m > end_m:
                break
            offset_m = sign * (1.7 + 3.0 * row) if side != "all" else -1.7 + 3.0 * row
            vehicles.append(
                Vehicle(
                    number=0, side=side, row=row, station_m=at_m + length_m / 2, offset_m=offset_m, length_m=length_m,
                    width_m=1.9, height_m=1.5, turn_deg=0.0, along=True, body="saloon",
                    state="queued" if queued else "flowing",
                )
            )  # fmt: skip
            _, mean_m, shape = mixture[int(rng.choice(len(mixture), p=share / share.sum()))]
            at_m += length_m + float(rng.gamma(shape, mean_m / shape))
    return vehicles


def hide(evidence: Evidence, rng: np.random.Generator) -> tuple[Evidence, list[Span]]:
    """Hide stretches of a road from both sides; return the evidence that is left, and the stretches."""
    spans, at_m = [], float(rng.uniform(200.0, 1500.0))
    while True:
        length_m = float(np.exp(rng.uniform(math.log(_LENGTHS_M[0]), math.log(_LENGTHS_M[-1]))))
        start_m = 10.0 * round(at_m / 10.0)
        end_m = start_m + 10.0 * round(length_m / 10.0)
        if end_m > evidence.road.length_m - 200.0:
            break
        spans.append(Span(start_m, end_m))
        at_m = end_m + float(rng.uniform(200.0, 2000.0))
    sight, table = evidence.sight.copy(), evidence.vehicles
    kept = np.ones(len(table), dtype=bool)
    for span in spans:
        beneath = (sight["start_m"] >= span.start_m - 0.1) & (sight["end_m"] <= span.end_m + 0.1)
        sight.loc[beneath, ["seen", "reason", "recall"]] = [False, "cloud", 0.0]
        reach_m = table["length_m"].to_numpy() / 2
        station_m = table["station_m"].to_numpy()
        kept &= (station_m + reach_m < span.start_m) | (station_m - reach_m > span.end_m)
    return replace(evidence, vehicles=table[kept].reset_index(drop=True), sight=sight), spans


def said_of(queues: Queues, side: str, span: Span) -> float | None:
    """Return the probability that queues on both sides of a stretch are one; ``None`` where there are none."""
    mine = [queue for queue in queues if queue.side == side]
    for queue in mine:
        if queue.start_m < span.start_m and queue.end_m > span.end_m:
            return min(b.probability for b in queue.bridged if b.end_m > span.start_m and b.start_m < span.end_m)
    before = [queue for queue in mine if span.start_m - BREAK_M < queue.end_m <= span.end_m]
    behind = [queue for queue in mine if span.start_m <= queue.start_m < span.end_m + BREAK_M]
    if not before or not behind:
        return None
    # Worlds in which it is one queue are those in which the first one is longer than up to the stretch's end.
    return float(np.mean(1000 * before[0].length_samples_km > span.end_m - before[0].start_m))


def cases_of(scene: Scene, rng: np.random.Generator) -> tuple[list[Case], list[tuple[dict[str, Any], Queue]]]:
    """Hide stretches of a scene; return what was said of them, and bridged queues with their truth."""
    evidence, spans = hide(scene.evidence, rng)
    queues = measure_queues(evidence)
    cases: list[Case] = []
    for side in evidence.road.sides:
        unseen = evidence.sight[(evidence.sight["side"] == side) & ~evidence.sight["seen"]]
        whole = merge([*map(Span, unseen["start_m"], unseen["end_m"])])
        for span in (each for each in whole if any(each.start_m <= s.start_m and each.end_m >= s.end_m for s in spans)):
            said = said_of(queues, side, span)
            if said is not None:
                true = any(
                    t["side"] == side and t["start_m"] < span.start_m and t["end_m"] > span.end_m for t in scene.truth
                )
                cases.append(Case(span.length_m, said, true))
    pairs = []
    for queue in queues:
        if not queue.length_km.open and any(bridge.end_m - bridge.start_m >= 50.0 for bridge in queue.bridged):
            shared = [
                (min(t["end_m"], queue.end_m) - max(t["start_m"], queue.start_m), i)
                for i, t in enumerate(scene.truth)
                if t["side"] == queue.side
            ]
            best = max(shared, default=(0.0, 0))
            if best[0] > 0:
                pairs.append((scene.truth[best[1]], queue))
    return cases, pairs


def show_cases(title: str, groups: dict[str, list[Case]]) -> None:
    """Print how what was said fares."""
    print(f"\n{title}\n| | n | said | true |\n|---|---|---|---|")
    for name, cases in groups.items():
        if cases:
            said, true = np.mean([c.said for c in cases]), np.mean([c.true for c in cases])
            print(f"| {name} | {len(cases)} | {said:.3f} | {true:.3f} |", flush=True)


@click.command()
@click.option("--scenes", default=120, show_default=True, help="Of each rate.")
@click.option("--first-seed", default=160000, show_default=True)
def main(scenes: int, first_seed: int) -> None:
    """Print the tables."""
    bridged = []
    for rate, (ends, begins) in RATES.items():
        groups: dict[str, list[Case]] = defaultdict(list)
        held: list[tuple[dict[str, Any], Queue]] = []
        for seed in range(first_seed, first_seed + scenes):

            def traffic(spec: SceneSpec, length_m: float, *, e: float = ends, b: float = begins) -> list[Vehicle]:
                return semi_markov(spec, length_m, ends=e, begins=b)

            gsd_m = list(BY_GSD)[seed % len(BY_GSD)]
            scene = simulate(seed, gsd_m=gsd_m, length_km=ROAD_KM, traffic=traffic)
            cases, pairs = cases_of(scene, np.random.default_rng([seed, 11]))
            held += pairs
            for case in cases:
                groups["all"].append(case)
                low = max(edge for edge in _EDGES[:-1] if edge <= case.said)
                groups[f"said {low:g} to {_EDGES[_EDGES.index(low) + 1]:g}"].append(case)
                from_m = max((edge for edge in _LENGTHS_M[:-1] if edge <= case.length_m), default=_LENGTHS_M[0])
                groups[f"hidden {from_m:.0f} m and more"].append(case)
        show_cases(f"Traffic {rate}", dict(sorted(groups.items())))
        bridged.append((rate, held))
    print("\n| bridged, closed | n | length | count | width | worst |\n|---|---|---|---|---|---|")
    for rate, held in bridged:
        if not held:
            continue
        length = np.mean([q.length_km.low <= t["length_km"] <= q.length_km.high for t, q in held])
        count = np.mean([q.vehicles.low <= t["vehicles"] <= q.vehicles.high for t, q in held])
        width = np.median([100 * (q.vehicles.high - q.vehicles.low) / t["vehicles"] for t, q in held])
        worst = max(q.vehicles.value / t["vehicles"] for t, q in held)
        print(f"| {rate} | {len(held)} | {length:.3f} | {count:.3f} | {width:.0f} | {worst:.2f} |")


if __name__ == "__main__":
    main()
