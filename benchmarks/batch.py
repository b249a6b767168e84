"""Many small jobs with broken ones among them, killed again and again and resumed; prints what that cost.

python benchmarks/batch.py [--jobs 1000] [--broken 10] [--kills 10] [--workers N] [--scheduler tcp://...]

The jobs share one simulated scene of 200 m and differ in a setting, so that what is measured is the batch: starting,
finding what is done, writing results whole, merging. A second batch of the same jobs, which nobody disturbs, is what
the first must equal byte for byte.
"""

from __future__ import annotations

import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click

MERGED = ("jam.gpkg", "results.parquet", "batch.json")


def make_jobs(folder: Path, count: int, broken: int) -> Path:
    """Simulate a scene and write a table of jobs, the broken ones spread among the others."""
    from jamline.synth import SceneSpec, simulate

    spec = {
        "seed": 7,
        "road": {"length_m": 200.0, "name": "R1"},
        "queues": [{"side": "right", "start_m": 50.0, "end_m": 150.0}],
        "terrain": {"trees": 0.0},
        "imagery": {"half_width_m": 30.0},
    }
    scene = simulate(SceneSpec.model_validate(spec), folder / "scene")
    (tile,) = scene.glob("*.tif")
    (folder / "cut.tif").write_bytes(tile.read_bytes()[:5000])
    rows = ["name,imagery,road,half_width_m"]
    wrong = {count * number // max(1, broken) for number in range(broken)}
    for number in range(count):
        kind = "bad" if number in wrong else "good"
        imagery = ("cut.tif", "missing.tif")[number % 2] if number in wrong else "scene"
        rows.append(f"{kind} {number:05d},{imagery},scene/road.geojson,{10 + number / 1000}")
    table = folder / "jobs.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def start(table: Path, out: Path, options: Sequence[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "jamline", "batch", str(table), "-o", str(out), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def made(out: Path) -> dict[str, tuple[int, int]]:
    """Return which results are there, and when each was made."""
    stats = {run.parent.name: run.stat() for run in out.glob("jobs/[!.]*/run.json")}
    return {key: (stat.st_ino, stat.st_mtime_ns) for key, stat in stats.items()}


def killed(table: Path, out: Path, options: Sequence[str], *, kills: int, count: int, seed: int) -> tuple[int, int]:
    """Run a batch and kill it at random moments; return how often it was, and how many results were made anew."""
    chance = random.Random(seed)  # noqa: S311 (moments, not secrets)
    moments = sorted(chance.random() for _ in range(kills))
    seen: dict[str, tuple[int, int]] = {}
    struck = again = 0
    for moment in moments:
        process = start(table, out, options)
        while process.poll() is None and len(list(out.glob("jobs/[!.]*"))) < moment * count:
            time.sleep(0.05)
        time.sleep(chance.random())
        if process.poll() is None:
            # Every other time its workers are left to find out for themselves.
            (os.killpg if struck % 2 else os.kill)(process.pid, signal.SIGKILL)
            struck += 1
        process.communicate()
        now = made(out)
        again += sum(now.get(key) != value for key, value in seen.items())
        seen = now
    process = start(table, out, options)
    process.communicate()
    now = made(out)
    return struck, again + sum(now.get(key) != value for key, value in seen.items())


@click.command()
@click.option("--jobs", "count", default=1000, show_default=True)
@click.option("--broken", default=10, show_default=True)
@click.option("--kills", default=10, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--scheduler")
@click.option("--seed", default=0, show_default=True)
def main(count: int, broken: int, kills: int, workers: int, scheduler: str | None, seed: int) -> None:
    """Print the table of docs/performance.md."""
    options = ["--scheduler", scheduler] if scheduler else ["--workers", str(workers)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = make_jobs(folder, count, broken)
        print("| what | seconds | jobs with a result | failed |")
        print("|---|---|---|---|")
        for what, out in (("undisturbed", folder / "whole"), ("the same command again", folder / "whole")):
            began = time.perf_counter()
            start(table, out, options).communicate()
            record = json.loads((out / "batch.json").read_text())
            took = time.perf_counter() - began
            print(f"| {what} | {took:.1f} | {record['done']} | {len(record['failed'])} |", flush=True)
        began = time.perf_counter()
        out = folder / "killed"
        struck, again = killed(table, out, options, kills=kills, count=count, seed=seed)
        record = json.loads((out / "batch.json").read_text())
        took = time.perf_counter() - began
        print(f"| killed {struck} times | {took:.1f} | {record['done']} | {len(record['failed'])} |")
        same = all((out / each).read_bytes() == (folder / "whole" / each).read_bytes() for each in MERGED)
        bad = all(each["job"].startswith("bad ") for each in record["failed"])
        print()
        print(
            f"{count} jobs, {broken} broken; results made twice: {again}; merged results "
            f"{'byte-identical' if same else 'DIFFERENT'}; failures {'are those' if bad else 'are NOT those'} broken."
        )
        print(f"{' '.join(options)}; {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
        ok = same and bad and not again and len(record["failed"]) == broken and record["done"] == count - broken
        sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
