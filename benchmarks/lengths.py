"""How near lengths are and how often their intervals hold, on simulated images; prints the tables of docs/accuracy.md.

    python benchmarks/lengths.py --scenes 300 --first-seed 50000 --folder out/lengths

Every scene is a new one, in turns at 0.3, 0.5 and 0.8 m, surveyed from its images and its drawn line as a user would.
What was found in each is kept in the folder, so that the study goes on where it was stopped. `--keep 0.9,0.7,0.5`
measures again with so many of the detections, the rest dropped at random. Columns as in `intervals.py`.
"""

from __future__ import annotations

import json
import pickle
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from intervals import BY_GSD, Scene, _strata, hold, show

from jamline.synth import SceneSpec, varied

OFF_M = 3.0
"""Lines drawn further off than this are a stratum of their own."""


def found(seed: int, gsd_m: float, length_km: float, folder: Path) -> Path:
    """Simulate and survey one scene, if that was not done yet; keep what was found and the truth."""
    import jamline as jl
    from jamline.errors import JamlineError
    from jamline.synth import simulate

    path = folder / f"{seed}.pickle"
    if path.exists():
        return path
    with tempfile.TemporaryDirectory() as scratch:
        scene = simulate(varied(seed, gsd_m=gsd_m, length_km=length_km), Path(scratch) / "scene")
        truth = json.loads((scene / "truth" / "queues.json").read_text())["queues"]
        try:
            with jl.open_scene(scene) as images:
                evidence = jl.find_vehicles(jl.lay_flat(images, jl.read_road(scene / "road.geojson")))
        except JamlineError:
            evidence = None
    part = path.with_suffix(".part")
    part.write_bytes(pickle.dumps((evidence, truth)))
    part.rename(path)
    return path


def strata_of(spec: SceneSpec, gsd_m: float) -> tuple[str, ...]:
    """Return the groups that a scene belongs to."""
    off = (f"line over {OFF_M:g} m off",) if abs(spec.line.offset_m) > OFF_M else ()
    return (*_strata(spec, gsd_m), *off, "tagged" if spec.line.tags else "untagged")


def thinned(scene: Scene, keep: float, seed: int) -> Scene:
    """Drop detections at random, and tell the model so, as a detector that knows itself would."""
    if keep >= 1.0:
        return scene
    evidence = scene.evidence
    kept = np.random.default_rng([seed, 5]).random(len(evidence.vehicles)) < keep
    sight = evidence.sight.assign(recall=evidence.sight["recall"] * keep)
    return replace(
        scene,
        evidence=replace(evidence, vehicles=evidence.vehicles[kept].reset_index(drop=True), sight=sight),
    )


def measured(seed: int, gsd_m: float, length_km: float, keep: float, path: Path) -> list[dict[str, Any]]:
    """Measure one scene and hold it against its truth."""
    evidence, truth = pickle.loads(path.read_bytes())  # noqa: S301 - written by this script
    if evidence is None:
        return []
    spec = varied(seed, gsd_m=gsd_m, length_km=length_km)
    rows = hold(thinned(Scene(evidence, truth, strata_of(spec, gsd_m)), keep, seed))
    return [row | {"seed": seed} for row in rows]


@click.command()
@click.option("--scenes", default=300, show_default=True)
@click.option("--first-seed", default=50000, show_default=True)
@click.option("--length", "length_km", default=1.2, show_default=True, help="Of each road.")
@click.option("--keep", default="1,0.9,0.7,0.5", show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("out/lengths"), show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--worst", default=0, show_default=True, help="Also print so many of the largest errors.")
def main(scenes: int, first_seed: int, length_km: float, keep: str, folder: Path, workers: int, worst: int) -> None:
    """Print a table for each share of detections that is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = list(range(first_seed, first_seed + scenes))
    gsds = [list(BY_GSD)[seed % 3] for seed in seeds]
    with ProcessPoolExecutor(workers) as pool:
        paths = list(pool.map(found, seeds, gsds, [length_km] * scenes, [folder] * scenes))
        for share in map(float, keep.split(",")):
            groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
            every = pool.map(measured, seeds, gsds, [length_km] * scenes, [share] * scenes, paths)
            for row in (row for rows in every for row in rows):
                for stratum in ("all", *row["strata"]):
                    groups[stratum].append(row)
            show(f"{scenes} scenes, {share:.0%} of the detections kept", dict(sorted(groups.items())))
            for row in _worst(groups["all"], worst):
                print(row)


def _worst(rows: list[dict[str, Any]], count: int) -> list[str]:
    pairs = [row for row in rows if row["truth"] and row["queue"]]
    pairs.sort(key=lambda row: -abs(row["queue"].length_km.value / row["truth"]["seen_length_km"] - 1))
    lines = [
        f"seed {row['seed']}: {row['truth']['side']} {row['truth']['seen_start_m']:.0f} to "
        f"{row['truth']['seen_end_m']:.0f} m, found {row['queue'].start_m:.0f} to {row['queue'].end_m:.0f} m"
        for row in pairs[:count]
    ]
    lost = [row for row in rows if bool(row["truth"]) != bool(row["queue"])]
    return lines + [f"seed {row['seed']}: {'missed' if row['truth'] else 'false'}" for row in lost[:count]]


if __name__ == "__main__":
    main()
