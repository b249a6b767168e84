"""Whether the displacement test tells queues that stand from those that move; prints the table of docs/accuracy.md.

python benchmarks/motion.py --scenes 6 --first-seed 170000

Each scene is a queue of 600 m whose red, green and blue were taken some time apart. Its vehicles stand, creep at 5 to
10 km/h or drive at 40 to 90 km/h; resolution, noise, trucks, bends and surface differ from seed to seed. `holds` is the
share of the speed intervals that hold the mean speed of the queue's vehicles.
"""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import click
import numpy as np

import jamline as jl
from jamline.synth import SceneSpec, simulate
from jamline.synth.instants import driven_on
from jamline.synth.traffic import drive

KINDS = {"standing": (0.0, 0.0), "creeping": (5.0, 10.0), "driving": (40.0, 90.0)}
"""Slowest and fastest vehicles in km/h."""

LAGS_S = (0.1, 0.2, 0.3, 1.0, 2.0, 4.0)

ROAD_M = 900.0


def scene_spec(seed: int, kind: str, lag_s: float) -> SceneSpec:
    """Draw a scene."""
    rng = np.random.default_rng([seed, 12])
    return SceneSpec.model_validate(
        {
            "seed": seed,
            "name": f"{kind} {seed}",
            "road": {
                "name": "R",
                "length_m": ROAD_M,
                "shape": str(rng.choice(["straight", "gentle", "winding"])),
                "heading_deg": float(rng.uniform(0.0, 360.0)),
                "surface": str(rng.choice(["asphalt", "worn", "concrete"])),
            },
            "queues": [
                {
                    "side": "right",
                    "start_m": 150.0,
                    "end_m": 750.0,
                    "gap_car_m": float(rng.uniform(6.0, 10.0) if kind == "driving" else rng.uniform(2.0, 4.0)),
                    "truck_share": float(rng.choice([0.0, 0.1, 0.4])),
                }
            ],
            "instants": {"lag_s": (0.0, lag_s / 2, lag_s), "queue_kmh": KINDS[kind]},
            "terrain": {"kind": str(rng.choice(["steppe", "fields", "grass", "rock"]))},
            "sensor": {
                "gsd_m": float(rng.choice([0.3, 0.5, 0.8])),
                "pansharpened": False,
                "sharpen": 0.0,
                "snr": float(rng.uniform(30.0, 120.0)),
            },
            "imagery": {"half_width_m": 60.0},
        }
    )


def measured(spec: SceneSpec) -> tuple[str, Any, float]:
    """Return what was said of the longest queue of a scene, its speed, and the true mean speed in km/h."""
    with tempfile.TemporaryDirectory() as folder:
        scene = simulate(spec, Path(folder) / "scene")
        queues = jl.survey(scene, scene / "road.geojson").queues[0]
    here = [vehicle for vehicle in drive(spec, ROAD_M) if vehicle.state == "queued"]
    there = driven_on(here, spec.instants, 1.0, seed=spec.seed)
    if not len(queues):
        return "not found", None, math.nan
    inside = [
        3.6 * abs(b.station_m - a.station_m)
        for a, b in zip(here, there, strict=True)
        if queues[0].start_m <= a.station_m <= queues[0].end_m
    ]
    return queues[0].motion.state, queues[0].motion.speed_kmh, float(np.mean(inside)) if inside else math.nan


@click.command()
@click.option("--scenes", default=6, show_default=True, help="Of each kind and lag.")
@click.option("--first-seed", default=170000, show_default=True)
@click.option("--lags", default=",".join(map(str, LAGS_S)), show_default=True, help="Seconds from red to blue.")
def main(scenes: int, first_seed: int, lags: str) -> None:
    """Print the table."""
    print("| queue | lag, s | standing | moving | unknown | not found | speed told | holds | median error, km/h |")
    print("|---" * 9 + "|")
    for kind in KINDS:
        for lag_s in map(float, lags.split(",")):
            said: Counter[str] = Counter()
            held, off = [], []
            for seed in range(first_seed, first_seed + scenes):
                state, speed, true_kmh = measured(scene_spec(seed, kind, lag_s))
                said[state] += 1
                if speed is not None and math.isfinite(true_kmh):
                    held.append(speed.low <= true_kmh <= speed.high)
                    off.append(abs(speed.value - true_kmh))
            words = " | ".join(str(said[state]) for state in ("standing", "moving", "unknown", "not found"))
            told = f"{np.mean(held):.2f} | {np.median(off):.1f}" if held else "– | –"
            print(f"| {kind} | {lag_s:g} | {words} | {len(held)} | {told} |", flush=True)


if __name__ == "__main__":
    main()
