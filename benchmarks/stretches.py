"""One long road as a whole, and in stretches by one worker and two; prints what it took, and if the result is equal.

python benchmarks/stretches.py [--folder build/bench] [--km 100] [--stretch-km 20]

The road is a straight one of `benchmarks/scale/imagery.py`, which is made first where it is missing.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent / "scale"))


def run(image: Path, road: Path, out: Path, *, workers: int, stretch_m: float) -> tuple[float, float]:
    """Measure the road in a batch; return the seconds, and the processor seconds of the workers."""
    from jamline.batch import join_jobs, run_batch

    jobs = join_jobs(road, str(image)).jobs
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    batch = run_batch(jobs, out, workers=workers, stretch_m=stretch_m)
    if batch.failed:
        raise click.ClickException(str(batch.failed))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("build/bench"), show_default=True)
@click.option("--km", type=click.Choice(["10", "100", "500"]), default="100", show_default=True)
@click.option("--stretch-km", default=20.0, show_default=True)
def main(folder: Path, km: str, stretch_km: float) -> None:
    """Print the table of docs/batch.md."""
    from imagery import made

    paths = made(folder)
    image, road = paths["long"], paths[f"{km} km"]
    whole: dict[str, bytes] = {}
    print("| one road of so many km | workers | seconds | processor seconds | MB written | files |")
    print("|---|---|---|---|---|---|")
    for what, workers, stretch_m in (
        ("as a whole", 1, 1e9),
        ("in stretches", 1, 1000 * stretch_km),
        ("in stretches", 2, 1000 * stretch_km),
    ):
        with tempfile.TemporaryDirectory() as name:
            out = Path(name) / "out"
            seconds, cpu = run(image, road, out, workers=workers, stretch_m=stretch_m)
            files = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
        same = "the first" if not whole else "byte-identical" if files == whole else "DIFFERENT"
        whole = whole or files
        size_mb = sum(map(len, files.values())) / 1e6
        print(f"| {km} {what} | {workers} | {seconds:.1f} | {cpu:.1f} | {size_mb:.1f} | {same} |", flush=True)
    print(f"\n{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
