"""Many small jobs with broken ones among them, killed again and again and resumed; prints what that cost.

python benchmarks/batch.py [--jobs 1000] [--broken 10] [--kills 10] [--workers N] [--dask | --scheduler tcp://...]

The jobs share one simulated scene of 200 m and differ in a setting, so that what is measured is the batch: starting,
finding what is done, writing results whole, merging. A second batch of the same jobs, which nobody disturbs, is what
the first must equal byte for byte. With --dask a third is done by a Dask scheduler and its workers, started for it as
processes of this machine, one of which is killed when a third of the jobs is done.
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a Dask scheduler and its workers on this machine; give its address and the workers."""
    environment = os.environ | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1")
    where = folder / "scheduler.json"
    running: list[subprocess.Popen[bytes]] = []

    def begin(part: str, *options: str) -> None:
        common = ["--scheduler-file", str(where), "--no-dashboard", "--host", "127.0.0.1", *options]
        command = [sys.executable, "-m", f"distributed.cli.dask_{part}", *common]
        # Without a nanny nobody starts a new worker for one that was killed.
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment))

    try:
        begin("scheduler", "--port", "0")
        while not where.exists():
            time.sleep(0.1)
        for _ in range(workers):
            begin("worker", "--nthreads", "1", "--no-nanny")
        yield json.loads(where.read_text())["address"], running[1:]
    finally:
        for process in running:
            process.kill()
            process.wait()


def on_dask(table: Path, out: Path, *, workers: int, count: int) -> int:
    """Do the batch on Dask and kill a worker; return how many results were made anew after that."""
    with cluster(table.parent, workers) as (address, running):
        process = start(table, out, ["--scheduler", address])
        while process.poll() is None and len(list(out.glob("jobs/[!.]*"))) < count / 3:
            time.sleep(0.05)
        seen = made(out)
        running[0].kill()
        process.communicate()
    now = made(out)
    return sum(now.get(key) != value for key, value in seen.items())


@click.command()
@click.option("--jobs", "count", default=1000, show_default=True)
@click.option("--broken", default=10, show_default=True)
@click.option("--kills", default=10, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--scheduler")
@click.option("--dask", is_flag=True, help="Do them on a Dask cluster as well, and kill one of its workers.")
@click.option("--seed", default=0, show_default=True)
def main(count: int, broken: int, kills: int, workers: int, scheduler: str | None, dask: bool, seed: int) -> None:
    """Print the table of docs/batch.md."""
    options = ["--scheduler", scheduler] if scheduler else ["--workers", str(workers)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = make_jobs(folder, count, broken)
        whole, torn, far = folder / "whole", folder / "killed", folder / "dask"
        print("| what | seconds | jobs with a result | failed | made twice | merged results |")
        print("|---|---|---|---|---|---|")
        good = True
        again = 0

        def tell(what: str, out: Path, began: float) -> None:
            nonlocal good
            took = time.perf_counter() - began
            record = json.loads((out / "batch.json").read_text())
            same = all((out / each).read_bytes() == (whole / each).read_bytes() for each in MERGED)
            named = all(each["job"].startswith("bad ") for each in record["failed"])
            good &= same and named and not again
            good &= len(record["failed"]) == broken and record["done"] == count - broken
            bytes_told = "the first" if out == whole else "byte-identical" if same else "DIFFERENT"
            failed = f"{len(record['failed'])}{'' if named else ', NOT those that are broken'}"
            print(f"| {what} | {took:.0f} | {record['done']} | {failed} | {again} | {bytes_told} |", flush=True)

        for what in ("undisturbed", "the same command again"):
            began = time.perf_counter()
            start(table, whole, options).communicate()
            tell(what, whole, began)
        began = time.perf_counter()
        struck, again = killed(table, torn, options, kills=kills, count=count, seed=seed)
        tell(f"killed {struck} times", torn, began)
        if dask:
            began = time.perf_counter()
            again = on_dask(table, far, workers=workers, count=count)
            tell(f"on Dask, one of {workers} workers killed", far, began)
    print()
    print(f"{count} jobs, {broken} of them broken; {' '.join(options)}; {os.cpu_count()} processors,")
    print(f"{platform.machine()}, Python {platform.python_version()}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
