"""How long a survey of the 16 km sample takes, beside the least that any program must do; prints a table.

python benchmarks/speed.py

The least is to decode, once, each block of the files that the corridor touches. Each part runs in a process of its own,
so that its peak memory is its own. Ratios are of processor seconds, which mean the same while the machine has other
things to do.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
TILES = ROOT / "sample_tiles" / "lars"
ROAD = ROOT / "seeds" / "roads" / "lars.geojson"

HALF_WIDTH_M = 15.0
"""What is looked at to each side of the road; also the default of `jamline measure`."""

_EVERY_M = 2.0
"""Spacing of the places that stand for the corridor; the sample's blocks are 128 m wide."""


def load() -> dict[str, Any]:
    """Import what the other parts import, and do nothing."""
    import jamline as jl

    return {"loaded": [jl.survey.__name__, jl.open_scene.__name__]}


def decode() -> dict[str, Any]:
    """Read each block that the corridor touches once, by rasterio, in one thread."""
    import rasterio

    import jamline as jl

    road = jl.read_road(ROAD)
    with jl.open_scene(TILES) as scene:
        touched = blocks(scene, road)
    began, cpu = time.perf_counter(), time.process_time()
    pixels = 0
    with rasterio.Env(GDAL_CACHEMAX=64):
        for path, windows in touched.items():
            with rasterio.open(path) as file:
                for window in windows:
                    pixels += file.read(window=window)[0].size
                    file.read_masks(1, window=window)
    return {
        "parts": [("decode the blocks", time.perf_counter() - began, time.process_time() - cpu, peak_mib())],
        "blocks": sum(map(len, touched.values())),
        "files": len(touched),
        "pixels": pixels,
    }


def blocks(scene: Any, road: Any) -> dict[str, list[Any]]:
    """Return the windows of the blocks that a corridor needs by file, each place from the best image only."""
    import numpy as np
    import rasterio
    from rasterio.windows import Window

    station = np.arange(0.0, road.length_m, _EVERY_M)
    offset = np.linspace(-HALF_WIDTH_M, HALF_WIDTH_M, int(2 * HALF_WIDTH_M / _EVERY_M) + 1)
    lon, lat = road.to_map(np.repeat(station, len(offset)), np.tile(offset, len(station)))
    wanted = np.ones(len(lon), bool)
    touched = {}
    for image in scene.images:
        column, row = image.to_pixel(lon, lat)
        inside = wanted & (column >= 0) & (column < image.width) & (row >= 0) & (row < image.height)
        if not inside.any():
            continue
        wanted &= ~inside
        with rasterio.open(image.path) as file:
            high, wide = file.block_shapes[0]
        places = np.unique(np.column_stack([row[inside] // high, column[inside] // wide]).astype(int), axis=0)
        touched[image.path] = [
            Window(c * wide, r * high, min(wide, image.width - c * wide), min(high, image.height - r * high))
            for r, c in places
        ]
    return touched


def survey() -> dict[str, Any]:
    """Measure the road and check a claim, then write the result."""
    import jamline as jl

    began, cpu = time.perf_counter(), time.process_time()
    found = jl.survey(TILES, ROAD, origin="border", claims=["at least 16 km"], half_width_m=HALF_WIDTH_M)
    parts = [("survey", time.perf_counter() - began, time.process_time() - cpu, peak_mib())]
    began, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        found.write(Path(folder) / "out")
        parts.append(("write the result", time.perf_counter() - began, time.process_time() - cpu, peak_mib()))
    seen_m = sum(span.length_m for span in found.queues[0].evidence.seen_by_any())
    return {
        "parts": parts,
        "seen_km": seen_m / 1000,
        "vehicles": len(found.queues[0].vehicles),
        "length": str(found.queues[0][0].length_km) if len(found.queues[0]) else "none",
    }


def peak_mib() -> float:
    """Return the most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


PARTS = {"load": load, "decode": decode, "survey": survey}


def in_a_process(part: str) -> dict[str, Any]:
    """Run one part in a process of its own."""
    command = [sys.executable, __file__, "--part", part]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"The part '{part}' failed.\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@click.command()
@click.option("--part", type=click.Choice(list(PARTS)), hidden=True)
def main(part: str | None) -> None:
    """Print the table of docs/performance.md."""
    if part:
        print(json.dumps(PARTS[part]() | {"peak_mib": peak_mib()}))
        return
    for path in TILES.glob("*.tif"):
        path.read_bytes()  # from now on no part waits for the disk
    loaded, decoded, surveyed = map(in_a_process, PARTS)
    km = surveyed["seen_km"]
    floor = decoded["parts"][0][2]
    print("| what | seconds | processor seconds | of those per road km | times the decoding | peak MiB |")
    print("|---|---|---|---|---|---|")
    for name, seconds, cpu, peak in (*decoded["parts"], *surveyed["parts"]):
        print(f"| {name} | {seconds:.2f} | {cpu:.2f} | {cpu / km:.3f} | {cpu / floor:.1f} | {peak:.0f} |")
    print(f"| only import | | | | | {loaded['peak_mib']:.0f} |")
    print()
    print(
        f"{km:.2f} km of road seen; {decoded['blocks']} blocks in {decoded['files']} files, "
        f"{decoded['pixels'] / 1e6:.1f} Mpx; {surveyed['vehicles']} vehicles, "
        f"longest queue {surveyed['length']}"
    )
    packages = ", ".join(f"{name} {version(name)}" for name in ("rasterio", "opencv-python-headless", "numpy"))
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {packages}")


if __name__ == "__main__":
    main()
