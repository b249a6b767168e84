"""How far simulated roads are laid from where they are, beside how far their lines were drawn off.

    python benchmarks/alignment.py --scenes 60 --first-seed 42000

The lines lie off by up to 8 m and drift; a third of them carry no tags. Every scene is a new one.
"""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import numpy as np
import shapely
from pyproj import Geod

import jamline as jl
from jamline.errors import JamlineError
from jamline.synth import simulate, varied

IMAGED_M = 34.0
"""Reach of the alignment, and of a line that lies off by 8 m."""


def aligned(seed: int, gsd_m: float, length_km: float) -> tuple[float, ...] | None:
    """Return how far the drawn and the aligned line lie off in the mean, and at most, and if the interval holds.

    After these four, by what share the aligned line is too long, and whether the road has hairpins.
    """
    spec = varied(seed, gsd_m=gsd_m, length_km=length_km)
    spec = spec.model_copy(update={"imagery": spec.imagery.model_copy(update={"half_width_m": IMAGED_M})})
    with tempfile.TemporaryDirectory() as folder:
        scene = simulate(spec, Path(folder) / "scene")
        truth = json.loads((scene / "truth" / "road.geojson").read_text())["features"][0]["geometry"]
        drawn = jl.read_road(scene / "road.geojson")
        try:
            with jl.open_scene(scene) as images:
                corridor = jl.lay_flat(images, drawn)
        except JamlineError:
            return None
    seen = corridor.edges.station_m[np.ptp(corridor.edges.log_chance[0], axis=1) > 1.0]
    points = shapely.get_coordinates(shapely.segmentize(shapely.geometry.shape(truth), 5e-5))

    def beside(road: jl.Road) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        station, offset = road.to_road(*points.T)
        there = (station > seen.min()) & (station < seen.max())
        return station[there], offset[there], there

    (_, before, _), (station, after, there), mean = beside(drawn), beside(corridor.road), corridor.alignment_m
    long = np.ptp(station) / Geod(ellps="WGS84").line_length(*points[there].T) - 1
    holds = mean.low <= before.mean() <= mean.high
    off = np.abs(before).mean(), np.abs(after).mean(), np.abs(after).max()
    return *off, holds, long, spec.road.shape == "hairpins"


@click.command()
@click.option("--scenes", default=60, show_default=True)
@click.option("--first-seed", default=42_000, show_default=True)
@click.option("--gsd", default=0.5, show_default=True)
@click.option("--length", default=1.2, show_default=True, help="Of each road, km.")
@click.option("--workers", default=2, show_default=True)
def main(scenes: int, first_seed: int, gsd: float, length: float, workers: int) -> None:
    """Print the roads that are laid over a metre beside themselves, then the summary."""
    seeds = range(first_seed, first_seed + scenes)
    with ProcessPoolExecutor(workers) as pool:
        found = list(pool.map(aligned, seeds, [gsd] * scenes, [length] * scenes))
    rows = {seed: row for seed, row in zip(seeds, found, strict=True) if row is not None}
    for seed, (before, after, most, *_) in rows.items():
        if after > 1.0:
            print(f"seed {seed}: drawn {before:.2f} m off, laid {after:.2f} m off, at most {most:.2f} m")
    before, after, most, holds, long, hairpins = np.array(list(rows.values()), float).T
    print("\n| roads | line | mean error | median | over 1 m | over 2 m | greatest anywhere | 90 % interval holds |")
    print("|---|---|---|---|---|---|---|---|")
    for name, error, greatest, held in (("as drawn", before, "", ""), ("as laid", after, most.max(), holds.mean())):
        shares = f"{(error > 1).mean():.0%} | {(error > 2).mean():.0%}"
        last = f"{greatest:.1f} m | {held:.0%}" if name == "as laid" else " | "
        print(f"| {len(rows)} | {name} | {error.mean():.2f} m | {np.median(error):.2f} m | {shares} | {last} |")
    print("\n| roads | length off, median | 90th percentile without sign |\n|---|---|---|")
    for name, some in (("without hairpins", hairpins == 0), ("with hairpins", hairpins == 1)):
        off = 100 * long[some]
        if some.any():
            print(f"| {some.sum()} {name} | {np.median(off):+.2f} % | {np.quantile(np.abs(off), 0.9):.2f} % |")


if __name__ == "__main__":
    main()
