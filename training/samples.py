"""Flat road with its true vehicles: what the network learns from.

A sample is a strip of a simulated scene, laid flat along the line as someone drew it, exactly as a survey would lay
it, so that what the network learns from is what it will be given.
"""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

import jamline as jl
from covered import covered_share
from jamline.corridor import Hidden
from jamline.errors import JamlineError
from jamline.synth import simulate, varied

Pixels = npt.NDArray[np.float16]
Array = npt.NDArray[np.float32]

FINEST_M, COARSEST_M = 0.22, 0.95
"""Resolutions learned from. Finer images are averaged to pixels of 0.25 m before they are looked at."""

_REACH_M = 18.0
"""Strips are a little wider than a survey's, so that crops can be shifted sideways."""


_IMAGED_M = 34.0
"""Reach of the alignment, and of a line that lies off by 8 m."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A strip and its vehicles.

    Parameters
    ----------
    pixels : array, float16, shape (3, rows, columns)
        Stretched as `Section.pixels`; pan three times over.
    seen : array of bool, shape (rows, columns)
        Where the strip shows this road.
    boxes : array, float32, shape (n, 4)
        Column and row of the middle in pixels, extent along and across the road in metres.
    pixel_m, gsd_m : float
        Size of the strip's pixels, and the resolution of the imagery.
    covered : array, float32, shape (n,)
        Share of each vehicle that is under something.
    """

    pixels: Pixels
    seen: npt.NDArray[np.bool_]
    boxes: Array
    pixel_m: float
    gsd_m: float
    covered: Array


def sample_of(seed: int, *, length_km: float = 0.6) -> Sample | None:
    """Simulate a scene and lay it flat; ``None`` where a survey would refuse it.

    Parameters
    ----------
    seed : int
        Of the scene and of its resolution.
    length_km : float
        Of its road.
    """
    rng = np.random.default_rng([seed, 77])
    gsd_m = float(np.exp(rng.uniform(np.log(FINEST_M), np.log(COARSEST_M))))
    with tempfile.TemporaryDirectory() as folder:
        spec = varied(seed, gsd_m=gsd_m, length_km=length_km)
        # No wider than what is looked at: pixels beside the road cost as much as those on it.
        near = spec.imagery.model_copy(update={"half_width_m": _IMAGED_M})
        spec = spec.model_copy(update={"imagery": near})
        scene = simulate(spec, Path(folder) / "scene")
        try:
            return laid_flat(scene, gsd_m=gsd_m, covered=covered_share(spec))
        except JamlineError:
            return None


def laid_flat(folder: Path, *, gsd_m: float, covered: npt.NDArray[np.float64]) -> Sample:
    """Lay a simulated scene flat, with its truth.

    Parameters
    ----------
    folder : Path
        Of the scene.
    gsd_m : float
        Its resolution.
    covered : array, shape (n,)
        Share of each vehicle that is under something.
    """
    road = jl.read_road(folder / "road.geojson")
    with jl.open_scene(folder) as scene:
        corridor = jl.lay_flat(scene, road, half_width_m=_REACH_M)
        section = corridor.read(corridor.grid)
    grid = section.grid
    rgb = section.pixels[:3] if len(section.pixels) >= 3 else np.repeat(section.pixels[:1], 3, axis=0)
    features = json.loads((folder / "truth" / "vehicles.geojson").read_text())["features"]
    along, across = extents_m(corridor.road, [shapely.geometry.shape(f["geometry"]) for f in features])
    boxes = np.column_stack(
        [
            (along.mean(axis=1) - grid.start_m) / grid.pixel_m - 0.5,
            (grid.half_width_m - across.mean(axis=1)) / grid.pixel_m - 0.5,
            np.ptp(along, axis=1),
            np.ptp(across, axis=1),
        ]
    )
    seen = ~np.isin(section.hidden, (Hidden.OUTSIDE, Hidden.NODATA, Hidden.ELSEWHERE))
    return Sample(
        rgb.astype(np.float16), seen, boxes.astype(np.float32), grid.pixel_m, gsd_m, covered.astype(np.float32)
    )


def extents_m(road: Any, shapes: list[Any]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the least and the greatest station and offset of each footprint, shapes (n, 2)."""
    along, across = np.zeros((len(shapes), 2)), np.zeros((len(shapes), 2))
    corners = [shapely.get_coordinates(shape)[:4] for shape in shapes]
    if corners:
        station, offset = road.to_road(*np.concatenate(corners).T)
        station, offset = station.reshape(-1, 4), offset.reshape(-1, 4)
        along = np.column_stack([station.min(axis=1), station.max(axis=1)])
        across = np.column_stack([offset.min(axis=1), offset.max(axis=1)])
    return along, across


def save(sample: Sample, path: Path) -> None:
    """Write a sample whole or not at all."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(
            file,
            pixels=sample.pixels,
            seen=np.packbits(sample.seen),
            boxes=sample.boxes,
            scale=[sample.pixel_m, sample.gsd_m],
            covered=sample.covered,
        )
    part.rename(path)


def load(path: Path) -> Sample:
    """Read a sample."""
    with np.load(path) as data:
        pixels = data["pixels"]
        shape = pixels.shape[1:]
        seen = np.unpackbits(data["seen"], count=shape[0] * shape[1]).reshape(shape).astype(bool)
        pixel_m, gsd_m = (float(x) for x in data["scale"])
        return Sample(pixels, seen, data["boxes"], pixel_m, gsd_m, data["covered"])


def _make(seed: int, folder: Path) -> None:
    path, refused = folder / f"{seed}.npz", folder / f"{seed}.none"
    if path.exists() or refused.exists():
        return
    sample = sample_of(seed)
    if sample is None:
        refused.touch()
    else:
        save(sample, path)


def make(seeds: range, folder: Path, *, workers: int) -> list[Path]:
    """Make the samples of some seeds, those that are not there yet, and return their files in order."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(_make, seeds, [folder] * len(seeds), chunksize=4))
    return [path for seed in seeds if (path := folder / f"{seed}.npz").exists()]
