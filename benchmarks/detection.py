"""How well single vehicles are found, what scores are worth, counts, speed; prints tables of docs/accuracy.md.

python benchmarks/detection.py --part simulated --scenes 12 --first-seed 9200

Simulated vehicles that nobody could see, under cloud, crowns or a bridge or black on black, count neither way: those
that change the picture of the empty road by less than a twentieth of its range. With `--hidden` they count as missed.

Real frames are measured where their folder is (`JAMLINE_REAL`, by default ../shared/real beside the repository).
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

FRAMES = {
    "citysim_freewayc": (0.40, 0.50, 0.80),
    "kit_mos155": (0.13, 0.30, 0.50),
    "kit_mos165": (0.13, 0.30, 0.50),
    "kit_mos175": (0.13, 0.30, 0.50),
}
"""Real frames with road lines, and the resolutions that each is there in."""

POOLED = "kit"
"""Frames whose names begin so are moments of one place, and few vehicles each: told together as well."""

CORRIDOR_M = 15.0
"""Within it of a drawn line vehicles count, by the rules that came with the frames."""

SIZES_M = (0.30, 0.50, 0.80)

_TIMED_SEEDS = (9290, 9291, 9292)
_ROUNDS = 5


# --- real frames -----------------------------------------------------------------------------------------


def real(detectors: list[str]) -> None:
    """Measure every real frame."""
    folder = Path(os.environ.get("JAMLINE_REAL", ROOT.parent / "shared" / "real"))
    if not folder.is_dir():
        print("There are no real frames here; `JAMLINE_REAL` names their folder.")
        return
    from jamline.evaluate import pooled

    frames = [(name, gsd_m) for name, sizes in FRAMES.items() for gsd_m in sizes]
    got = {(d, *frame): frame_of(folder, *frame, d) for d in detectors for frame in frames}
    head("frame", "resolution", "detector")
    for (detector, name, gsd_m), result in got.items():
        row(result, name, f"{gsd_m:.2f} m", detector)
    for gsd_m, detector in product(sorted({gsd_m for _, gsd_m in frames}), detectors):
        alike = [r for (d, n, g), r in got.items() if d == detector and g == gsd_m and n.startswith(POOLED)]
        measured = [r for r in alike if not isinstance(r, str)]
        if measured:
            row(pooled(measured), f"{POOLED}, {len(measured)} of {len(alike)} frames", f"{gsd_m:.2f} m", detector)
    print()
    groups("frames")
    for detector in detectors:
        measured = [r for (d, *_), r in got.items() if d == detector and not isinstance(r, str)]
        if measured:
            group_rows(pooled(measured), "all", detector)


def frame_of(folder: Path, name: str, gsd_m: float, detector: str) -> Any:
    """Survey one frame and hold it against the marked vehicles; the error's text where it cannot be measured."""
    image = folder / name / f"{name}_{round(100 * gsd_m):03d}cm.tif"
    return held(image, folder / name / "roads.geojson", folder / name, detector, half_width_m=CORRIDOR_M)


def held(images: Path, roads: Path, truth: Path, detector: str, **rule: Any) -> Any:
    """Survey, write, and hold the result against a truth."""
    import jamline as jl
    from jamline.errors import JamlineError
    from jamline.evaluate import evaluate

    with tempfile.TemporaryDirectory() as folder:
        try:
            out = jl.survey(images, roads, detector=detector).write(Path(folder) / "out")
            return evaluate(out, truth, imagery=images, **rule)
        except JamlineError as error:
            return str(error)


# --- simulated scenes ------------------------------------------------------------------------------------


def simulated(detectors: list[str], scenes: int, first_seed: int, length_km: float, workers: int, hidden: bool) -> None:
    """Measure simulated scenes, pooled by resolution."""
    from jamline.evaluate import pooled

    seeds = range(first_seed, first_seed + scenes)
    jobs = [(seed, gsd_m, length_km, detectors, hidden) for gsd_m, seed in product(SIZES_M, seeds)]
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            done = list(pool.map(scene_of, *zip(*jobs, strict=True)))
    else:
        done = [scene_of(*job) for job in jobs]
    got: dict[tuple[float, str], list[Any]] = {}
    for (_, gsd_m, *_), results in zip(jobs, done, strict=True):
        for detector, result in results.items():
            got.setdefault((gsd_m, detector), []).append(result)
    measured = {key: [r for r in results if not isinstance(r, str)] for key, results in got.items()}
    together = {key: pooled(results) for key, results in measured.items() if results}
    head("scenes", "resolution", "detector")
    for (gsd_m, detector), result in together.items():
        row(result, f"{len(measured[gsd_m, detector])} of {scenes}", f"{gsd_m:.2f} m", detector)
    print()
    groups("resolution")
    for (gsd_m, detector), result in together.items():
        group_rows(result, f"{gsd_m:.2f} m", detector)
    print()
    print("| resolution | detector | queues | counted | each | corrected | each | interval holds | missed | false |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for (gsd_m, detector), r in together.items():
        told = [q.vehicles_hit for q in r.queues if math.isfinite(q.truth_vehicles)]
        cells = [cell for e in (r.counted, r.corrected) for cell in (percent(e.total, "+"), percent(e.median))]
        holds = percent(sum(told) / len(told)) if told else "–"
        print(
            f"| {gsd_m:.2f} m | {detector} | {r.counted.queues} | {' | '.join(cells)} | {holds} "
            f"| {r.missed_queues} | {r.false_queues} |"
        )
    print()
    print(
        f"Seeds {seeds[0]} to {seeds[-1]}, {length_km:g} km each. Counted and corrected: error of all queues together, "
        "and the median of each queue's own without its sign."
    )


def scene_of(seed: int, gsd_m: float, length_km: float, detectors: list[str], hidden: bool) -> dict[str, Any]:
    """Simulate one scene and measure it with each detector."""
    from jamline.synth import simulate, varied

    with tempfile.TemporaryDirectory() as folder:
        spec = varied(seed, gsd_m=gsd_m, length_km=length_km)
        scene = simulate(spec, Path(folder) / "scene")
        if not hidden:
            hide(scene, simulate(spec, Path(folder) / "empty", vehicles=()))
        return {detector: held(scene, scene / "road.geojson", scene, detector) for detector in detectors}


def hide(scene: Path, empty: Path) -> None:
    """Mark in a scene's truth the vehicles that nobody could see."""
    import geopandas as gpd
    from training.detector.samples import boxes_on
    from training.detector.shown import shown
    from training.detector.wanted import SHOWS

    import jamline as jl

    truth = scene / "truth" / "vehicles.geojson"
    vehicles = gpd.read_file(truth)
    if vehicles.empty:
        return
    road = jl.read_road(scene / "truth" / "road.geojson")
    with jl.open_scene(scene) as images, jl.open_scene(empty) as bare:
        corridor = jl.lay_flat(images, road, align_road=False, half_width_m=20.0)
        grid = corridor.grid
        full, without = (replace(corridor, scene=s).read(grid).pixels[:3] for s in (images, bare))
    boxes = boxes_on(grid, road, list(vehicles.geometry))
    vehicles["hidden"] = shown(full, without, boxes, grid.pixel_m) < SHOWS
    vehicles.to_file(truth, driver="GeoJSON", engine="pyogrio", RFC7946="YES", COORDINATE_PRECISION=8)


# --- speed -----------------------------------------------------------------------------------------------


def timed(detectors: list[str]) -> None:
    """Time each detector in a process of its own, on one thread."""
    print("| detector | resolution | road km | vehicles | ms per road km | laying flat, ms per road km |")
    print("|---|---|---|---|---|---|")
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    for detector in detectors:
        command = [sys.executable, __file__, "--part", "find", "--detector", detector]
        done = subprocess.run(command, env=os.environ | single, stdout=subprocess.PIPE, text=True, check=True)
        for line in json.loads(done.stdout):
            print(
                f"| {detector} | {line['gsd_m']:.2f} m | {line['km']:.2f} | {line['vehicles']} "
                f"| {line['find_ms'] / line['km']:.0f} | {line['lay_ms'] / line['km']:.0f} |"
            )


def find(detectors: list[str]) -> None:
    """Time one detector on sections that are already laid flat; the median of some rounds, as JSON."""
    import cv2

    import jamline as jl
    from jamline.detect import detector_named
    from jamline.synth import simulate, varied

    cv2.setNumThreads(1)
    (name,) = detectors
    lines = []
    for gsd_m in SIZES_M:
        line = {"gsd_m": gsd_m, "km": 0.0, "vehicles": 0, "find_ms": 0.0, "lay_ms": 0.0}
        for seed in _TIMED_SEEDS:
            with tempfile.TemporaryDirectory() as folder:
                path = simulate(varied(seed, gsd_m=gsd_m, length_km=1.0), Path(folder) / "scene")
                detector = detector_named(name)
                with jl.open_scene(path) as scene:
                    began = time.perf_counter()
                    corridor = jl.lay_flat(scene, jl.read_road(path / "road.geojson"))
                    sections = list(corridor.sections())
                    line["lay_ms"] += 1000 * (time.perf_counter() - began)
            rounds = []
            for _ in range(_ROUNDS + 1):
                began = time.perf_counter()
                found = [detector.find(section, carriageway_m=corridor.carriageway_m) for section in sections]
                rounds.append(1000 * (time.perf_counter() - began))
            # The first round also loads what the detector needs.
            line["find_ms"] += statistics.median(rounds[1:])
            line["km"] += corridor.road.length_m / 1000
            line["vehicles"] += sum(len(each.boxes) for each in found)
        lines.append(line)
    print(json.dumps(lines))


# --- tables ----------------------------------------------------------------------------------------------


def head(*names: str) -> None:
    """Print the head of a table of scores."""
    names += ("vehicles", "found", "precision", "recall", "F1", "AP", "calibration error", "by chance")
    print(f"| {' | '.join(names)} |\n{'|---' * len(names)}|")


def row(result: Any, *cells: str) -> None:
    """Print one result as a row of the table of scores."""
    if isinstance(result, str):
        print(f"| {' | '.join(cells)} | {result} ||||||||")
        return
    s, c = result.vehicles[0], result.calibration
    figures = [s.precision, s.recall, s.f1, s.average_precision, c.error, c.error_by_chance]
    print(f"| {' | '.join((*cells, str(s.truth), str(s.found), *map(figure, figures)))} |", flush=True)


def groups(name: str) -> None:
    """Print the head of a table by kind and brightness."""
    print(f"| {name} | detector | which | vehicles | found | precision | recall | F1 | AP | count error |")
    print("|---|---|---|---|---|---|---|---|---|---|")


def group_rows(result: Any, name: str, detector: str) -> None:
    """Print the rows by kind and brightness."""
    for s in (*result.vehicles[1:], *result.brightness):
        figures = " | ".join(map(figure, (s.precision, s.recall, s.f1, s.average_precision)))
        print(f"| {name} | {detector} | {s.kind} | {s.truth} | {s.found} | {figures} | {s.count_error:+d} |")


def figure(value: float) -> str:
    """Return a share for a table."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def percent(value: float, sign: str = "") -> str:
    """Return a share in percent for a table."""
    return "–" if math.isnan(value) else f"{100 * value:{sign}.1f} %"


@click.command()
@click.option("--part", type=click.Choice(["real", "simulated", "time", "find"]), help="Only this; else all.")
@click.option("--detector", help="Only this one; else all that there are.")
@click.option("--scenes", default=12, show_default=True, help="Simulated scenes at each resolution.")
@click.option("--first-seed", default=9200, show_default=True)
@click.option("--length", "length_km", default=1.0, show_default=True)
@click.option("--workers", default=1, show_default=True)
@click.option("--hidden", is_flag=True, help="Count simulated vehicles that nobody could see as well.")
def main(part: str | None, detector: str | None, **scenes: Any) -> None:
    """Print the tables. The part `find` is what `time` starts in a process of its own."""
    from jamline.detect import DETECTORS

    if detector and detector not in DETECTORS:
        raise click.BadParameter(f"'{detector}' is none of {', '.join(sorted(DETECTORS))}.", param_hint="--detector")
    detectors = [detector] if detector else sorted(DETECTORS)
    if part == "find":
        find(detectors)
    if part in (None, "real"):
        real(detectors)
    if part in (None, "simulated"):
        if part is None:
            print()
        simulated(detectors, **scenes)
    if part in (None, "time"):
        if part is None:
            print()
        timed(detectors)


if __name__ == "__main__":
    main()
