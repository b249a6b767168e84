"""What coarser pixels leave of a queue: the small sample averaged to 3 and to 10 m, as docs/coarse-imagery.md has it.

python benchmarks/coarse.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.merge import merge
from rasterio.warp import reproject

import jamline as jl

SAMPLE = Path(__file__).resolve().parents[1] / "sample_tiles" / "short"
CLAIM = "at least 1 km"


def averaged(gsd_m: float, folder: Path) -> Path:
    """Write the sample with pixels of a size, each the mean of what lies under it."""
    tiles = sorted(SAMPLE.glob("*.tif"))
    pixels, transform = merge(tiles)
    with rasterio.open(tiles[0]) as tile:
        crs = tile.crs
    scale = gsd_m / transform.a
    shape = (3, round(pixels.shape[1] / scale), round(pixels.shape[2] / scale))
    coarse = transform * rasterio.Affine.scale(scale)
    means = np.zeros(shape, np.uint8)
    places = {"src_transform": transform, "src_crs": crs, "dst_transform": coarse, "dst_crs": crs}
    reproject(pixels[:3], means, **places, resampling=Resampling.average)
    path = folder / f"{gsd_m:g}.tif"
    profile = {"driver": "GTiff", "count": 3, "height": shape[1], "width": shape[2], "dtype": "uint8", "nodata": 0}
    with rasterio.open(path, "w", crs=crs, transform=coarse, **profile) as file:
        file.write(means)
    return path


def main() -> None:
    print('| pixels | what is said of the road | longest queue | "at least 1 km" |\n|---|---|---|---|')
    with tempfile.TemporaryDirectory() as folder:
        for gsd_m in (0.5, 3.0, 10.0):
            images = SAMPLE if gsd_m == 0.5 else averaged(gsd_m, Path(folder))
            result = jl.survey(images, SAMPLE / "road.geojson", claims=[CLAIM])
            (queues,) = result.queues
            seen_km = sum(span.length_m for span in queues.evidence.seen_by_any()) / 1000
            told = f"{seen_km:.2f} of {queues.evidence.road.length_m / 1000:.2f} km seen"
            longest = f"{queues[0].length_km}, {queues[0].vehicles}" if len(queues) else "none"
            print(f"| {gsd_m:g} m | {told} | {longest} | {result.findings[0].verdict} |")


if __name__ == "__main__":
    main()
