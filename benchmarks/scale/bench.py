"""What a survey costs, beside the least that any program must do, GDAL's warp, and sliced inference; prints tables.

python benchmarks/scale/bench.py [--folder build/bench] [--peers .venv-bench/bin/python] [--plot PNG] [--longest KM]

On a square of 20,000 pixels to a side at 0.5 m, packed by JPEG and by deflate, along a winding road of 10 km, 15 m to
each side of it; and along 1, 10, 100 and 500 km of a straight road. The imagery is simulated, made once and kept. Every
part runs in a process of its own, with its files in the system's cache, and is timed without the imports. Ratios are
of processor seconds, for they mean the same on a machine that has other things to do.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))

from imagery import LONGEST_KM, PACKED, SIDE_PX, made
from parts import slices, tiles

HERE = Path(__file__).resolve().parent

SLICE_PX, OVERLAP = 1024, 0.2
"""The size that the makers of YOLO11n-obb give its speed and accuracy for, and SAHI's own overlap."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM", "GDAL_NUM_THREADS")

_SAMPLE = 12
"""Slices of the whole image that are timed, evenly over it; the rest would take as long each."""

NAMES = {
    "decode-1": "decode the blocks",
    "decode-2": "decode the blocks, two threads",
    "survey-1": "survey, one thread",
    "survey": "survey, threads as it likes",
    "warp": "GDAL's warp of the corridor",
    "sahi-tiles": "SAHI + YOLO11n-obb, slices that the corridor touches",
    "sahi-whole": "SAHI + YOLO11n-obb, whole image (from a sample)",
}

Result = dict[str, Any]


def part(name: str, image: Path, road: Path, *, threads: int | None = 1, repeat: int = 1) -> Result:
    """Run a part in a process of its own, a few times; return the run that took the least of the processor."""
    command = [sys.executable, str(HERE / "parts.py"), name, str(image), str(road)]
    runs = [json.loads(_run(command, threads=threads)) for _ in range(repeat)]
    return min(runs, key=lambda run: run["cpu"])


def sliced(python: str, image: Path, places: list[list[int]]) -> Result:
    """Look at slices of an image with SAHI in its own environment, on one thread."""
    asked = {"image": str(image), "slices": places, "side_px": SLICE_PX, "threads": 1}
    result: Result = json.loads(_run([python, str(HERE / "sliced.py")], asked).splitlines()[-1])
    return result


def _run(command: list[str], asked: Result | None = None, *, threads: int | None = None) -> str:
    text = None if asked is None else json.dumps(asked)
    limits = dict.fromkeys(_THREADS, str(threads)) if threads else {}
    done = subprocess.run(command, capture_output=True, text=True, check=False, input=text, env=os.environ | limits)
    if done.returncode:
        raise click.ClickException(f"'{' '.join(command)}' failed.\n{done.stderr}")
    return done.stdout


def measure_square(paths: dict[str, Path], kind: str, peers: str | None) -> dict[str, Result]:
    """Measure every part on one packing of the square."""
    image, road = paths[kind], paths["road"]
    part("decode-1", image, road)  # from now on no part waits for the disk
    found = {
        "decode-1": part("decode-1", image, road, repeat=3),
        "decode-2": part("decode-2", image, road, repeat=3),
        "survey-1": part("survey", image, road, repeat=3),
        "survey": part("survey", image, road, threads=None),
        "warp": part("warp", image, road),
    }
    if peers:
        every = slices(SIDE_PX, SIDE_PX, side_px=SLICE_PX, overlap=OVERLAP)
        found["sahi-tiles"] = sliced(peers, image, tiles(str(image), str(road), side_px=SLICE_PX, overlap=OVERLAP))
        some = every[len(every) // _SAMPLE // 2 :: len(every) // _SAMPLE][:_SAMPLE]
        sample = sliced(peers, image, [[x, y, x + SLICE_PX, y + SLICE_PX] for x, y in some])
        factor = len(every) / len(some)
        found["sahi-whole"] = sample | {key: factor * sample[key] for key in ("seconds", "cpu")}
        found["sahi-whole"] |= {"slices": len(every), "sampled": len(some)}
    return found


def print_square(kind: str, found: dict[str, Result]) -> None:
    floor, ours = found["decode-1"]["cpu"], found["survey-1"]["cpu"]
    print(f"\n### {kind}, {SIDE_PX:,} by {SIDE_PX:,} pixels, {found['survey']['km']:.1f} km of road\n")
    print("| what | seconds | processor seconds | times the decoding | times the survey | peak MiB |")
    print("|---|---|---|---|---|---|")
    for name, result in found.items():
        ratios = f"{result['cpu'] / floor:.1f} | {result['cpu'] / ours:.1f}"
        print(
            f"| {NAMES[name]} | {result['seconds']:.2f} | {result['cpu']:.2f} | {ratios} | {result['peak_mib']:.0f} |"
        )
    decoded, survey = found["decode-1"], found["survey"]
    print(f"\n{decoded['blocks']} blocks, {decoded['megapixels']:.1f} Mpx; {survey['vehicles']} vehicles, "
          f"longest queue {survey['longest']}", end="")  # fmt: skip
    if "sahi-whole" in found:
        tile, whole = found["sahi-tiles"], found["sahi-whole"]
        print(f"; {tile['slices']} slices touched, {whole['slices']} in all, of which {whole['sampled']} were timed",
              end="")  # fmt: skip
    print(flush=True)


def print_lengths(found: dict[int, Result]) -> None:
    print("\n### One straight road, so much of it\n")
    print("| road km | processor seconds | seconds per road km | against 10 km | peak MiB |")
    print("|---|---|---|---|---|")
    per_km = {km: result["cpu"] / result["km"] for km, result in found.items()}
    for km, result in found.items():
        against = f"{100 * (per_km[km] / per_km[10] - 1):+.0f} %" if 10 in per_km else ""
        print(f"| {km} | {result['cpu']:.2f} | {per_km[km]:.3f} | {against} | {result['peak_mib']:.0f} |")
    print(flush=True)


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("build/bench"), show_default=True)
@click.option("--peers", metavar="PYTHON", help="Python of the environment that has SAHI; left out without.")
@click.option("--plot", type=click.Path(), help="Draw the figures there, with the matplotlib of --peers.")
@click.option("--longest", default=LONGEST_KM, show_default=True, help="Leave out roads that are longer, in km.")
def main(folder: Path, peers: str | None, plot: str | None, longest: int) -> None:
    """Print the tables of docs/performance.md."""
    paths = made(folder)
    squares, lengths = {}, {}
    for kind in PACKED:
        squares[kind] = measure_square(paths, kind, peers)
        print_square(kind, squares[kind])
    for km in (1, 10, 100, LONGEST_KM):
        if km <= longest:
            lengths[km] = part("survey", paths["long"], paths[f"{km} km"], repeat=3 if km <= 10 else 1)
    print_lengths(lengths)
    packages = ", ".join(f"{name} {version(name)}" for name in ("rasterio", "opencv-python-headless", "numpy"))
    print(f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}, {packages}")
    results = {"names": NAMES, "squares": squares, "lengths": lengths}
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    if plot and peers:
        _run([peers, str(HERE / "plot.py"), str(folder / "results.json"), plot])


if __name__ == "__main__":
    main()
