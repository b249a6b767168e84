"""How well a few minutes of looking count the vehicles; prints the table of docs/accuracy.md.

python benchmarks/spotcheck.py --scenes 100 --first-seed 90000

Evidence is that of `benchmarks/intervals.py`: traffic of `jamline.synth.varied`, a made-up detector that misses,
invents and misjudges itself. Stretches are drawn from it, the truth plays the person who looks at them, and the count
is held against all vehicles that stand or drive where it was seen.

`detector` is the error of the vehicles found, `count` that of the spot check, both in percent of the true count over
all scenes and with the standard error of that mean; `90 %` is the share of the intervals that hold the truth, `width`
that of the interval in percent of the truth, its median.
"""

from __future__ import annotations

from dataclasses import dataclass

import click
import numpy as np
import pandas as pd
from intervals import bent_road, simulate

from jamline.evidence import Evidence
from jamline.review import draw_stretches
from jamline.synth import varied
from jamline.synth.traffic import drive


@dataclass(frozen=True)
class Case:
    """One draw on one scene."""

    truth: float
    found: float
    value: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        return self.low <= self.truth <= self.high


def true_vehicles(seed: int, evidence: Evidence, gsd_m: float) -> pd.DataFrame:
    """Return the vehicles that are really on the road where it was seen, parked ones left out."""
    spec = varied(seed, gsd_m=gsd_m)
    road = bent_road(spec.road.length_m, oneway=spec.road.oneway)
    rows = [
        (road.name, v.side, v.station_m, "flowing")
        for v in drive(spec, road.length_m)
        if v.state != "parked" and v.station_m < road.length_m
    ]
    frame = pd.DataFrame(rows, columns=["road", "side", "station_m", "state"])
    seen = np.zeros(len(frame), dtype=bool)
    for side in road.sides:
        for span in evidence.seen(side):
            station = frame["station_m"].to_numpy()
            seen |= (frame["side"] == side).to_numpy() & (station >= span.start_m) & (station < span.end_m)
    return frame[seen]


def hold(seed: int, *, gsd_m: float, sizes: tuple[int, ...]) -> dict[int, Case]:
    """Draw, look and count on one scene, for each number of stretches; none where it has no vehicles."""
    evidence = simulate(seed, gsd_m=gsd_m).evidence
    truth = true_vehicles(seed, evidence, gsd_m)
    cases: dict[int, Case] = {}
    if not len(truth) or not evidence.sight["seen"].any():
        return cases
    on_road = evidence.vehicles[evidence.vehicles["state"] != "parked"]
    for size in sizes:
        drawn = draw_stretches([evidence], size=size, seed=seed)
        looked = type(drawn)(drawn.table.assign(reviewed="yes"))
        count = looked.count(truth)
        if count is None:
            raise RuntimeError("no stretch was looked at")
        each = count.vehicles
        cases[size] = Case(float(len(truth)), float(len(on_road)), each.value, each.low, each.high)
    return cases


def line(name: str, cases: list[Case]) -> str:
    """Sum up, for the table."""
    truth = np.array([case.truth for case in cases])
    error = np.array([case.value for case in cases]) - truth
    found = np.array([case.found for case in cases]) - truth
    # A ratio of sums: a scene with five vehicles does not weigh as much as one with five hundred.
    spread = 100.0 * np.std(error, ddof=1) * len(cases) ** 0.5 / truth.sum()
    width = np.array([case.high - case.low for case in cases]) / truth
    return (
        f"| {name} | {len(cases)} | {100 * found.sum() / truth.sum():+.1f} | {100 * error.sum() / truth.sum():+.2f} "
        f"± {spread:.2f} | {100 * np.mean([case.holds for case in cases]):.1f} | {100 * np.median(width):.1f} |"
    )


@click.command()
@click.option("--scenes", default=100, show_default=True)
@click.option("--first-seed", default=90000, show_default=True)
@click.option("--gsd", "gsds", default="0.3,0.5,0.8", show_default=True)
@click.option("--sizes", default="10,20,40", show_default=True, help="Stretches looked at.")
def main(scenes: int, first_seed: int, gsds: str, sizes: str) -> None:
    """Count by spot checks on simulated evidence."""
    numbers = tuple(int(size) for size in sizes.split(","))
    print("| resolution, stretches | scenes | detector | count | 90 % | width |\n|---|---|---|---|---|---|")
    for gsd_m in (float(gsd) for gsd in gsds.split(",")):
        cases: dict[int, list[Case]] = {size: [] for size in numbers}
        for seed in range(first_seed, first_seed + scenes):
            for size, case in hold(seed, gsd_m=gsd_m, sizes=numbers).items():
                cases[size].append(case)
        for size in numbers:
            print(line(f"{gsd_m} m, {size}", cases[size]), flush=True)


if __name__ == "__main__":
    main()
