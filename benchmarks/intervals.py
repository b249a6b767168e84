"""How often the intervals hold, on evidence that is simulated without pixels; prints the tables of docs/accuracy.md.

python benchmarks/intervals.py --scenes 300 --first-seed 70000

The traffic is that of `jamline.synth.varied`. A made-up detector thins it, misplaces it, splits and merges vehicles,
invents others, and misjudges itself; the model sees the evidence only. Seeds from 0 to 9999 were used to write the
model, others were not.

`--long 200` measures roads of so many km instead and prints the time that takes beyond detection, on one thread if
OPENBLAS_NUM_THREADS=1, and the memory that it adds.

`90 %`, `closed`, `50 %`: share of intervals that hold the whole length, of all queues and of those closed on both
sides; `seen low`: of the lower bounds of open ones, held against what the imagery shows. `occupied`, `count`: the same
of closed queues. Errors and widths are in percent of the length. `pieces` are found apart on a side that has a queue,
`false` are queues on a side that has none.
"""

from __future__ import annotations

import math
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
import shapely
from scipy import ndimage, special, stats

from jamline import tables
from jamline.evidence import Evidence
from jamline.queues import measure_queues
from jamline.road import Road, road_through
from jamline.spans import Estimate, Span
from jamline.synth import SceneSpec, varied
from jamline.synth.lanes import Vehicle
from jamline.synth.traffic import drive
from jamline.synth.truth import queue_truth

BY_GSD = {0.3: (0.93, 0.985, 0.15, 0.4), 0.5: (0.85, 0.98, 0.2, 0.6), 0.8: (0.6, 0.92, 0.4, 0.9)}
"""Least and most recall, and least and most error of centres and lengths in metres."""

PRIOR_ODDS = 15.0
"""True to false vehicles over all scenes, by which scores are calibrated."""


Traffic = Callable[[SceneSpec, float], list[Vehicle]]


@dataclass(frozen=True)
class Scene:
    """One simulated scene: what the model sees, and what it does not."""

    evidence: Evidence
    truth: list[dict[str, Any]]
    strata: tuple[str, ...]


def bent_road(length_m: float, *, oneway: bool) -> Road:
    """Return a road with a few bends, about as long as asked."""
    north = np.linspace(0.0, length_m / 111_050.0, max(60, round(length_m / 25.0)))
    east = 0.0012 * np.sin(north * 111_050.0 / 400.0)
    stretch = road_through(np.column_stack([44.6 + east, 42.8 + north]), name="R").length_m / length_m
    points = np.column_stack([44.6 + east, 42.8 + north / stretch])
    return road_through(points, name="R", oneway=oneway)


def simulate(
    seed: int,
    *,
    gsd_m: float = 0.5,
    keep: float = 1.0,
    told: bool = True,
    length_km: float | None = None,
    traffic: Traffic = drive,
) -> Scene:
    """Draw a scene's evidence.

    Parameters
    ----------
    seed : int
        Equal seeds give equal scenes.
    gsd_m : float
        Resolution, which sets recall and errors.
    keep : float
        Share of the detections that is kept.
    told : bool
        Whether the detector's own recall is lowered with it.
    length_km : float, optional
        Of the road; 1 to 3 km where not given.
    traffic : callable
        Gives the vehicles on the road of a scene.
    """
    spec = varied(seed, gsd_m=gsd_m, length_km=length_km)
    rng = np.random.default_rng([seed, round(100 * gsd_m), 77])
    road = bent_road(spec.road.length_m, oneway=spec.road.oneway)
    seen = (max(0.0, spec.imagery.start_m), min(road.length_m, spec.imagery.end_m))
    vehicles = [v for v in traffic(spec, road.length_m) if v.station_m < road.length_m]
    low, high, error_low, error_high = BY_GSD[gsd_m]
    station = np.arange(5.0, road.length_m, 10.0)
    recall = _recall(spec, station, rng.uniform(low, high), rng) * keep
    hidden = _hidden(spec, station, seen, rng)
    false_per_km = float(np.exp(rng.uniform(np.log(0.5), np.log(15.0))))
    error_m = float(rng.uniform(error_low, error_high))
    found = _found(vehicles, station, np.where(hidden, 0.0, recall), error_m, rng)
    false = _false(spec, road.length_m, station, hidden, false_per_km * keep, rng)
    frame = _table(road, np.vstack([found, false]), rng)
    bias = (rng.normal(0.0, 0.3), rng.normal(0.0, 0.5))
    told_recall = special.expit(special.logit(recall if told else recall / keep) + bias[0])
    sight = _sight(road, hidden, told_recall, false_per_km * keep * math.exp(bias[1]))
    evidence = Evidence(road, frame, sight, Estimate(0.5, -0.3, 1.3, unit="m"), 15.0, gsd_m, "made up")
    return Scene(evidence, queue_truth(vehicles, seen), _strata(spec, gsd_m))


def _recall(spec: SceneSpec, station: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Return the recall of each bin: it wanders, and is low in shadow and near trees."""
    drift = ndimage.gaussian_filter1d(rng.normal(size=len(station)), 15.0, mode="wrap") * 15.0**0.5 * 1.9
    odds = special.logit(level) + 0.4 * drift
    shade = max(spec.light.valley_shadow, 0.5 * spec.terrain.tree_line)
    dark = ndimage.gaussian_filter1d(rng.normal(size=len(station)), 12.0, mode="wrap") * 12.0**0.5 * 1.9
    return special.expit(odds - 1.2 * (dark > stats.norm.isf(min(max(shade, 1e-6), 0.7))))


def _hidden(spec: SceneSpec, station: np.ndarray, seen: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Return the bins that nobody sees: out of the imagery, under clouds, crowns and bridges."""
    hidden = (station < seen[0]) | (station > seen[1])
    trees = 2.0 * spec.terrain.trees + 6.0 * spec.terrain.tree_line
    spots = [(rng.poisson(trees * station[-1] / 1000.0), 8.0, 60.0)]
    spots.append((rng.poisson(2.0 * spec.light.clouds * station[-1] / 1000.0), 50.0, 400.0))
    spots.append((len(spec.road.bridges_m), 10.0, 30.0))
    for count, least, most in spots:
        for _ in range(count):
            at = rng.uniform(0.0, station[-1])
            hidden |= np.abs(station - at) < rng.uniform(least, most) / 2
    return hidden


def _found(
    vehicles: list[Vehicle], station: np.ndarray, recall: np.ndarray, error_m: float, rng: np.random.Generator
) -> np.ndarray:
    """Return what the detector makes of the true vehicles: station, offset, length, side, parked, score."""
    s = np.array([v.station_m for v in vehicles])
    if not len(s):
        return np.zeros((0, 6))
    at = np.clip((s / 10.0).astype(int), 0, len(station) - 1)
    share = recall[at]
    # Dark cars are missed more than others, and misses come in runs.
    dark = rng.random(len(s)) < 0.25
    share = np.where(
        share > 0, special.expit(special.logit(np.clip(share, 1e-6, 1 - 1e-6)) + np.where(dark, -0.9, 0.35)), 0.0
    )
    runs = ndimage.gaussian_filter1d(rng.normal(size=len(station)), 2.0) * (2.0 * math.sqrt(math.pi) * 2.0) ** 0.5
    latent = math.sqrt(0.3) * runs[at] + math.sqrt(0.7) * rng.normal(size=len(s))
    seen = stats.norm.cdf(latent) < share
    parked = np.array([v.state == "parked" for v in vehicles])
    wrong = np.where(parked, rng.random(len(s)) < (0.6 if rng.random() < 0.07 else 0.05), rng.random(len(s)) < 0.01)
    rows, skip = [], False
    for i in np.flatnonzero(seen):
        v = vehicles[i]
        if skip:
            skip = False
            continue
        near, far = v.station_m - v.length_m / 2, v.station_m + v.length_m / 2
        parts = [(near, far)]
        if v.length_m > 9.0 and rng.random() < 0.06:
            middle = rng.uniform(near + 3.0, far - 3.0)
            parts = [(near, middle - 0.3), (middle + 0.3, far)]
        ahead = vehicles[i + 1] if i + 1 < len(vehicles) else None
        if ahead and seen[i + 1] and ahead.row == v.row and ahead.side == v.side and rng.random() < 0.015:
            gap = ahead.station_m - ahead.length_m / 2 - far
            if gap < 2.0 and v.length_m < 7.0 and ahead.length_m < 7.0:
                parts, skip = [(near, ahead.station_m + ahead.length_m / 2)], True
        for low, high in parts:
            place = (low + high) / 2 + rng.normal(0.0, error_m)
            length = max(high - low + rng.normal(0.0, error_m), 2.5)
            offset = v.offset_m + rng.normal(0.0, 0.3) + (rng.normal(0.0, 1.0) if rng.random() < 0.03 else 0.0)
            side = {"left": 0, "right": 1, "all": 2}[v.side]
            rows.append((place, offset, length, side, parked[i] != wrong[i], rng.beta(6.0, 1.1)))
    return np.array(rows).reshape(-1, 6)


def _false(
    spec: SceneSpec,
    length_m: float,
    station: np.ndarray,
    hidden: np.ndarray,
    per_km: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return vehicles that are none, some of them in clusters."""
    rows = []
    for side in (2,) if spec.road.oneway else (0, 1):
        lanes = spec.road.lanes_left if side == 0 else spec.road.lanes_right
        singles = rng.poisson(0.7 * per_km * length_m / 1000.0)
        places = list(rng.uniform(0.0, length_m, singles))
        for _ in range(rng.poisson(0.3 * per_km * length_m / 1000.0 / 3.0)):
            places += list(rng.uniform(0.0, length_m) + rng.uniform(-15.0, 15.0, 3))
        for place in places:
            if not 0 < place < length_m or hidden[min(int(place / 10.0), len(station) - 1)]:
                continue
            across = rng.uniform(0.5, lanes * spec.road.lane_width_m)
            offset = {0: across, 1: -across, 2: across - lanes * spec.road.lane_width_m / 2}[side]
            rows.append((place, offset, rng.uniform(3.0, 7.5), side, rng.random() < 0.2, rng.beta(2.0, 2.5)))
    return np.array(rows).reshape(-1, 6)


def _table(road: Road, rows: np.ndarray, rng: np.random.Generator) -> Any:
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    raw = np.clip(rows[:, 5], 0.01, 0.99)
    odds = PRIOR_ODDS * stats.beta.pdf(raw, 6.0, 1.1) / stats.beta.pdf(raw, 2.0, 2.5)
    length = rows[:, 2]
    side = np.array(["left", "right", "all"], dtype=object)[rows[:, 3].astype(int)]
    square = shapely.box(0.0, 0.0, 1.0, 1.0)
    return tables.table(
        tables.VEHICLES,
        {
            "road": road.name,
            "side": side,
            "station_m": rows[:, 0],
            "offset_m": rows[:, 1],
            "length_m": length,
            "width_m": np.full(len(rows), 1.9),
            "heading_deg": np.zeros(len(rows)),
            "kind": np.where(length > tables.TRUCK_M, "truck", "car").astype(object),
            "state": np.where(rows[:, 4] > 0, "parked", "flowing").astype(object),
            "score": odds / (1.0 + odds),
        },
        geometry=[square] * len(rows),
    )


def _sight(road: Road, hidden: np.ndarray, recall: np.ndarray, false_per_km: float) -> Any:
    start = 10.0 * np.arange(len(hidden))
    end = np.append(start[1:], road.length_m)
    sides = len(road.sides)
    return tables.table(
        tables.SIGHT,
        {
            "side": np.repeat(np.array(road.sides, dtype=object), len(hidden)),
            "start_m": np.tile(start, sides),
            "end_m": np.tile(end, sides),
            "seen": np.tile(~hidden, sides),
            "reason": np.tile(np.where(hidden, "tree cover", "").astype(object), sides),
            "recall": np.tile(np.where(hidden, 0.0, recall), sides),
            "false_per_km": np.full(sides * len(hidden), false_per_km),
        },
    )


def _strata(spec: SceneSpec, gsd_m: float) -> tuple[str, ...]:
    queue = spec.queues[0] if spec.queues else None
    kinds = {
        "trucks": queue and queue.truck_share > 0.1,
        "trees": spec.terrain.tree_line > 0 or spec.terrain.trees > 0.4,
        "shadow": spec.light.valley_shadow > 0,
        "abreast": queue and queue.rows + queue.extra_rows > 1,
        "breaks": queue and queue.gaps_per_km > 0,
        "creeping": queue and queue.creeping_share > 0,
        "parked": bool(spec.parked),
        "hairpins": spec.road.shape == "hairpins",
        "one row": queue and queue.rows + queue.extra_rows == 1,
    }
    return (f"{gsd_m} m", *(name for name, there in kinds.items() if there))


def hold(scene: Scene, *, seed: int = 0) -> list[dict[str, Any]]:
    """Measure a scene, and hold each true queue against what was found of it."""
    began = time.perf_counter()
    queues = measure_queues(scene.evidence, seed=seed)
    seconds = time.perf_counter() - began
    rows, used = [], set()
    for truth in scene.truth:
        if "seen_length_km" not in truth or truth["seen_vehicles"] < 4:
            continue
        span = Span(truth["seen_start_m"], truth["seen_end_m"])
        shared = [
            (min(q.end_m, span.end_m) - max(q.start_m, span.start_m) if q.side == truth["side"] else 0.0, i)
            for i, q in enumerate(queues)
        ]
        best = max(shared, default=(0.0, -1))
        row = {"truth": truth, "strata": scene.strata, "seconds": seconds, "queue": None}
        if best[0] > 0:
            queue = queues[best[1]]
            used.add(best[1])
            drawn = queue.length_samples_km[queue.length_samples_km > 0]
            row |= {"queue": queue, "inner": np.quantile(drawn, [0.25, 0.75])}
        rows.append(row)
    for i, queue in enumerate(queues):
        if i not in used:
            piece = any(truth["side"] == queue.side for truth in scene.truth)
            rows.append({"truth": None, "strata": scene.strata, "seconds": seconds, "queue": queue, "piece": piece})
    return rows or [{"truth": None, "strata": scene.strata, "seconds": seconds, "queue": None}]


def holds(estimate: Any, value: float) -> bool:
    """Tell whether an interval holds a value."""
    return estimate.low <= value and (estimate.high is None or value <= estimate.high)


def scores(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Sum up how well a group of queues was measured."""
    pairs = [r for r in rows if r["truth"] and r["queue"]]
    closed = [r for r in pairs if not r["truth"]["open"] and not r["queue"].length_km.open]
    opened = [r for r in pairs if r["queue"].length_km.open]
    share = lambda values: float(np.mean(values)) if len(values) else math.nan  # noqa: E731
    error = [abs(r["queue"].length_km.value / r["truth"]["seen_length_km"] - 1) for r in pairs]
    width = [(r["queue"].length_km.high - r["queue"].length_km.low) / r["truth"]["length_km"] for r in closed]
    return {
        "n": len(pairs),
        "90 %": share([holds(r["queue"].length_km, r["truth"]["length_km"]) for r in pairs]),
        "closed": share([holds(r["queue"].length_km, r["truth"]["length_km"]) for r in closed]),
        "50 %": share([r["inner"][0] <= r["truth"]["length_km"] <= r["inner"][1] for r in closed]),
        "seen low": share([r["queue"].length_km.low <= r["truth"]["seen_length_km"] for r in opened]),
        "closed wrongly": sum(bool(r["truth"]["open"]) and not r["queue"].length_km.open for r in pairs),
        "opened": len(opened),
        "occupied": share([holds(r["queue"].occupied_km, r["truth"]["occupied_km"]) for r in closed]),
        "count": share([holds(r["queue"].vehicles, r["truth"]["vehicles"]) for r in closed]),
        "err med": 100 * float(np.median(error)) if error else math.nan,
        "err p90": 100 * float(np.quantile(error, 0.9)) if error else math.nan,
        "width": 100 * float(np.median(width)) if width else math.nan,
        "missed": sum(bool(r["truth"]) and not r["queue"] for r in rows),
        "pieces": sum(bool(r["queue"]) and not r["truth"] and r["piece"] for r in rows),
        "false": sum(bool(r["queue"]) and not r["truth"] and not r["piece"] for r in rows),
    }


def show(title: str, groups: dict[str, list[dict[str, Any]]]) -> None:
    """Print one table."""
    names = list(scores([]))
    print(f"\n{title}\n| | {' | '.join(names)} |")
    print("|---" * (len(names) + 1) + "|")
    for name, rows in groups.items():
        values = scores(rows)
        whole = ("n", "closed wrongly", "opened", "missed", "pieces", "false")
        cells = [f"{values[key]:.0f}" if key in whole else f"{values[key]:.3f}" for key in names]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def timed(seeds: range, long_km: float) -> None:
    """Print what it takes to measure long roads."""
    print("| seed | km | vehicles | queues | s | MB |\n|---|---|---|---|---|---|")
    for seed in seeds:
        evidence = simulate(seed, length_km=long_km).evidence
        spent = []
        for _ in range(3):
            began = time.process_time()
            queues = measure_queues(evidence)
            spent.append(time.process_time() - began)
        tracemalloc.start()
        measure_queues(evidence)
        peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        print(
            f"| {seed} | {long_km:g} | {len(evidence.vehicles)} | {len(queues)} | {min(spent):.2f} | {peak_mb:.0f} |",
            flush=True,
        )


@click.command()
@click.option("--scenes", default=300, show_default=True)
@click.option("--first-seed", default=70000, show_default=True)
@click.option("--keep", default="1,0.9,0.7,0.5", show_default=True)
@click.option("--untold", is_flag=True, help="Leave the detector's own recall as it was when detections are dropped.")
@click.option("--long", "long_km", type=float, help="Time roads of so many km instead.")
def main(scenes: int, first_seed: int, keep: str, untold: bool, long_km: float | None) -> None:
    """Print a table for each share of detections that is kept."""
    if long_km:
        timed(range(first_seed, first_seed + min(scenes, 6)), long_km)
        return
    for share in map(float, keep.split(",")):
        groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        seconds = []
        for number in range(scenes):
            gsd_m = list(BY_GSD)[number % 3]
            for row in hold(simulate(first_seed + number, gsd_m=gsd_m, keep=share, told=not untold)):
                seconds.append(row["seconds"])
                for stratum in ("all", *row["strata"]):
                    groups[stratum].append(row)
        show(f"{scenes} scenes, {share:.0%} of the detections kept, {np.median(seconds):.3f} s each", dict(groups))


if __name__ == "__main__":
    main()
