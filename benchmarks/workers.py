"""What two workers gain over one: 64 jobs of 2 km each, done by both in turn; prints a table.

python benchmarks/workers.py [--jobs 64] [--repeat 1]

The jobs share the short sample and differ in a setting. Seconds are of the whole command, from the start of Python to
the merged files. On a machine that has other things to do two workers get less than two processors, so beside them is
told how many they got, and how many were at work for others meanwhile (of Linux's own count).
"""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

SAMPLE = Path(__file__).resolve().parents[1] / "sample_tiles" / "short"


def write_jobs(folder: Path, count: int) -> Path:
    rows = ["name,imagery,road,half_width_m"]
    rows += [f"job {number:03d},{SAMPLE},{SAMPLE / 'road.geojson'},{12 + number / 100}" for number in range(count)]
    table = folder / "jobs.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def run(table: Path, out: Path, workers: int) -> tuple[float, float]:
    """Do the jobs; return the seconds and the processor seconds that it took, its workers' included."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "jamline", "batch", str(table), "-o", str(out), "--workers", str(workers)]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, cpu


def busy() -> float:
    """Return the seconds that all processors together have worked; idle and waiting are the fourth and the fifth."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


@click.command()
@click.option("--jobs", "count", default=64, show_default=True)
@click.option("--repeat", default=1, show_default=True)
def main(count: int, repeat: int) -> None:
    """Print the table of docs/performance.md."""
    print("| workers | seconds | processor seconds | processors used | used by others |")
    print("|---|---|---|---|---|")
    took: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(repeat):
        for workers, every in took.items():
            with tempfile.TemporaryDirectory() as name:
                table = write_jobs(Path(name), count)
                before = busy()
                seconds, cpu = run(table, Path(name) / "out", workers)
                others = max(0.0, busy() - before - cpu)
                every.append(seconds)
                shares = f"{cpu / seconds:.2f} | {others / seconds:.2f}"
                print(f"| {workers} | {seconds:.1f} | {cpu:.1f} | {shares} |", flush=True)
    print(f"\n{count} jobs; two workers are {min(took[1]) / min(took[2]):.2f} times as fast as one, best of {repeat};")
    print(f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
