"""The parts that are measured, each in a process of its own, so that time and memory are its own.

`python parts.py PART IMAGE ROAD` prints what one part took as JSON; `bench.py` calls it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

HALF_WIDTH_M = 15.0
"""What is looked at to each side of the road: a corridor of 30 m."""

_EVERY_M = 2.0
"""Spacing of the places that stand for the corridor; a block is 256 m wide."""

_WINDOW_M = 120.0
"""Road that GDAL warps at once: so long a piece of a winding road is nearly straight."""

Result = dict[str, Any]


class Watch:
    """Seconds and processor seconds of what is done while it runs."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        began, cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds += time.perf_counter() - began
        self.cpu += time.process_time() - cpu

    def told(self) -> Result:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "seconds": self.seconds,
            "cpu": self.cpu,
            "peak_mib": peak / (1 << 20 if sys.platform == "darwin" else 1 << 10),
        }


def decode(image: str, road: str, *, threads: int) -> Result:
    """Read each block that the corridor touches once, by rasterio, and do nothing with it."""
    import rasterio
    from rasterio.windows import Window

    high, wide, places = blocks(image, road)
    windows = [Window(c * wide, r * high, wide, high) for r, c in places]

    def read(part: list[Window]) -> int:
        with rasterio.Env(GDAL_CACHEMAX=64), rasterio.open(image) as file:
            return sum(file.read(window=file_window(file, window)).size for window in part)

    watch = Watch()
    with watch.running(), ThreadPoolExecutor(threads) as pool:
        values = sum(pool.map(read, [windows[number::threads] for number in range(threads)]))
    return watch.told() | {"blocks": len(windows), "megapixels": values / 3e6}


def file_window(file: Any, window: Any) -> Any:
    """Return the part of a window that a file has."""
    from rasterio.windows import Window

    return window.intersection(Window(0, 0, file.width, file.height))


def blocks(image: str, road: str) -> tuple[int, int, list[tuple[int, int]]]:
    """Return height and width of a file's blocks, and row and column of those that the corridor touches."""
    import numpy as np
    import rasterio

    with rasterio.open(image) as file:
        high, wide = file.block_shapes[0]
    row, column = corridor_pixels(image, road)
    places = np.unique(np.column_stack([row // high, column // wide]).astype(int), axis=0)
    return high, wide, [(int(r), int(c)) for r, c in places]


def corridor_pixels(image: str, road: str) -> tuple[Any, Any]:
    """Return row and column of places all over the corridor."""
    import numpy as np

    import jamline as jl

    line = jl.read_road(road)
    station = np.arange(0.0, line.length_m, _EVERY_M)
    offset = np.linspace(-HALF_WIDTH_M, HALF_WIDTH_M, int(2 * HALF_WIDTH_M / _EVERY_M) + 1)
    lon, lat = line.to_map(np.repeat(station, len(offset)), np.tile(offset, len(station)))
    with jl.open_scene(image) as scene:
        column, row = scene.images[0].to_pixel(lon, lat)
    return row, column


def survey(image: str, road: str) -> Result:
    """Measure the road: alignment, the strip, vehicles, queues."""
    import jamline as jl

    # The modules that are imported on first use are those of this program, not of this road.
    import jamline.corridor
    import jamline.detect
    import jamline.pipeline

    watch = Watch()
    with watch.running():
        found = jl.survey(image, road, half_width_m=HALF_WIDTH_M)
    told = watch.told()
    queues = found.queues[0]
    length_m = queues.evidence.road.length_m
    longest = str(queues[0].length_km) if len(queues) else "none"
    return told | {"km": length_m / 1000, "vehicles": len(queues.vehicles), "longest": longest}


def warp(image: str, road: str) -> Result:
    """Let GDAL warp the corridor into windows that lie along the road, cubic like our strip."""
    import numpy as np
    import rasterio
    from pyproj import Transformer
    from rasterio.enums import Resampling
    from rasterio.transform import Affine
    from rasterio.vrt import WarpedVRT

    import jamline as jl

    line = jl.read_road(road)
    ends = np.append(np.arange(0.0, line.length_m, _WINDOW_M), line.length_m)
    values = 0
    watch = Watch()
    with watch.running(), rasterio.Env(GDAL_CACHEMAX=64), rasterio.open(image) as file:
        pixel_m = file.res[0]
        x, y = Transformer.from_crs("EPSG:4326", file.crs, always_xy=True).transform(*line.to_map(ends, 0.0 * ends))
        for x0, y0, x1, y1 in zip(x[:-1], y[:-1], x[1:], y[1:], strict=True):
            length = float(np.hypot(x1 - x0, y1 - y0))
            ahead = np.array([x1 - x0, y1 - y0]) / length
            left = np.array([-ahead[1], ahead[0]])
            (a, d), (b, e) = pixel_m * ahead, -pixel_m * left
            corner = np.array([x0, y0]) + HALF_WIDTH_M * left
            grid = {
                "transform": Affine(a, b, corner[0], d, e, corner[1]),
                "width": round(length / pixel_m),
                "height": round(2 * HALF_WIDTH_M / pixel_m),
            }
            with WarpedVRT(file, crs=file.crs, resampling=Resampling.cubic, **grid) as window:
                values += window.read().size
    return watch.told() | {"megapixels": values / 3e6}


def tiles(image: str, road: str, *, side_px: int, overlap: float) -> list[list[int]]:
    """Return left, top, right and bottom of the slices of an image that the corridor touches, whole ones inwards."""
    import numpy as np
    import rasterio

    with rasterio.open(image) as file:
        width, height = file.width, file.height
    row, column = corridor_pixels(image, road)
    touched = []
    for left, top in slices(width, height, side_px=side_px, overlap=overlap):
        inside = (column >= left) & (column < left + side_px) & (row >= top) & (row < top + side_px)
        if np.any(inside):
            touched.append([left, top, left + side_px, top + side_px])
    return touched


def slices(width: int, height: int, *, side_px: int, overlap: float) -> list[tuple[int, int]]:
    """Return the corners of the overlapping slices that cover an image; the last of a row is moved inwards."""
    step = side_px - int(overlap * side_px)

    def starts(size: int) -> list[int]:
        return [*range(0, size - side_px, step), size - side_px]

    return [(left, top) for top in starts(height) for left in starts(width)]


PARTS: dict[str, Callable[[str, str], Result]] = {
    "decode-1": lambda image, road: decode(image, road, threads=1),
    "decode-2": lambda image, road: decode(image, road, threads=2),
    "survey": survey,
    "warp": warp,
}


def main() -> None:
    part, image, road = sys.argv[1:]
    print(json.dumps(PARTS[part](image, road)))


if __name__ == "__main__":
    main()
