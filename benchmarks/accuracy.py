"""Length and interval on simulated scenes that nobody tuned on; prints the table of docs/accuracy.md.

python benchmarks/accuracy.py --scenes 40 --first-seed 9000 --gsd 0.5
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import click


def measure(seed: int, gsd_m: float, length_km: float) -> dict[str, Any]:
    """Simulate one scene, survey it, and hold the result against its truth."""
    import jamline as jl
    from jamline.errors import JamlineError
    from jamline.evaluate import evaluate
    from jamline.synth import simulate, varied

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        scene = simulate(varied(seed, gsd_m=gsd_m, length_km=length_km), Path(folder) / "scene")
        try:
            out = jl.survey(scene, scene / "road.geojson").write(Path(folder) / "out")
        except JamlineError as error:
            return {"seed": seed, "error": str(error)}
        result = evaluate(out, scene)
    vehicles = result.vehicles[0]
    return {
        "seed": seed,
        "f1": vehicles.f1,
        "precision": vehicles.precision,
        "recall": vehicles.recall,
        "truth": vehicles.truth,
        "found": vehicles.found,
        "queues": [
            {
                "truth_km": q.truth_km,
                "found_km": q.found_km,
                "low_km": q.low_km,
                "high_km": q.high_km,
                "hit": q.hit,
            }
            for q in result.queues
        ],
        "missed": result.missed_queues,
        "false": result.false_queues,
        "seconds": time.perf_counter() - began,
    }


@click.command()
@click.option("--scenes", default=40, show_default=True)
@click.option("--first-seed", default=9000, show_default=True)
@click.option("--gsd", "gsd_m", default=0.5, show_default=True)
@click.option("--length", "length_km", default=2.0, show_default=True)
@click.option("--workers", default=2, show_default=True)
def main(scenes: int, first_seed: int, gsd_m: float, length_km: float, workers: int) -> None:
    """Print a row per queue, then the summary."""
    print("| seed | true km | found km | error | 90 % interval | holds | F1 | missed | false |")
    print("|---|---|---|---|---|---|---|---|---|")
    seeds = range(first_seed, first_seed + scenes)
    rows = []
    with ProcessPoolExecutor(workers) as pool:
        for row in pool.map(measure, seeds, [gsd_m] * scenes, [length_km] * scenes):
            rows.append(row)
            _show(row)
    _summarise([row for row in rows if "error" not in row], len(rows))


def _show(row: dict[str, Any]) -> None:
    if "error" in row:
        print(f"| {row['seed']} | {row['error']} |||||||")
        return
    tail = f"{row['f1']:.2f} | {row['missed']} | {row['false']} |"
    if not row["queues"]:
        print(f"| {row['seed']} | – | – | – | – | – | {tail}")
    for q in row["queues"]:
        high = "open" if math.isinf(q["high_km"]) else f"{q['high_km']:.3f}"
        error = 100 * (q["found_km"] / q["truth_km"] - 1)
        print(
            f"| {row['seed']} | {q['truth_km']:.3f} | {q['found_km']:.3f} | {error:+.1f} % "
            f"| {q['low_km']:.3f} to {high} | {'yes' if q['hit'] else 'no'} | {tail}",
            flush=True,
        )


def _summarise(rows: list[dict[str, Any]], scenes: int) -> None:
    queues = [q for row in rows for q in row["queues"]]
    errors = sorted(abs(q["found_km"] / q["truth_km"] - 1) * 100 for q in queues)
    truth = sum(row["truth"] for row in rows)
    found = sum(row["found"] for row in rows)
    hit_t = sum(row["recall"] * row["truth"] for row in rows if row["truth"])
    hit_f = sum(row["precision"] * row["found"] for row in rows if row["found"])
    print()
    print(f"scenes {scenes}, measured {len(rows)}, queues matched {len(queues)}")
    print(f"missed {sum(r['missed'] for r in rows)}, false {sum(r['false'] for r in rows)}")
    if errors:
        worst = errors[int(0.9 * len(errors))]
        print(f"median length error {statistics.median(errors):.2f} %, 90th percentile {worst:.2f} %")
        print(f"interval holds the truth in {100 * sum(q['hit'] for q in queues) / len(queues):.0f} %")
    precision, recall = hit_f / max(found, 1), hit_t / max(truth, 1)
    f1 = (hit_t + hit_f) / max(truth + found, 1)
    print(f"vehicles: precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}")


if __name__ == "__main__":
    main()
