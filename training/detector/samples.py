"""Flat road with its true vehicles: what the network learns from.

A sample is a strip of a simulated scene, laid flat along the line as someone drew it, exactly as a survey would lay
it, so that what the network learns from is what it will be given.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

import jamline as jl
from jamline.corridor import Hidden, RoadGrid
from jamline.errors import JamlineError
from jamline.road import Road
from jamline.synth import simulate
from training.detector.shown import shown
from training.scenes import scene_for

Pixels = npt.NDArray[np.float16]
Array = npt.NDArray[np.float32]

FINEST_M, COARSEST_M = 0.22, 0.95
"""Resolutions learned from. Finer images are averaged to pixels of 0.25 m before they are looked at."""

UNTOLD = -1.0
"""Stands for where a vehicle of a real frame is, in a lane or beside it: nobody has marked that."""

_REACH_M = 18.0
"""Strips are a little wider than a survey's, so that crops can be shifted sideways."""


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
    shows : array, float32, shape (n,)
        How much each vehicle changes the picture; see `shown`.
    parked : array, float32, shape (n,)
        1 where it stands beside the running lanes, 0 where it is not, `UNTOLD` where nobody knows.
    """

    pixels: Pixels
    seen: npt.NDArray[np.bool_]
    boxes: Array
    pixel_m: float
    gsd_m: float
    shows: Array
    parked: Array


def sample_of(seed: int, *, length_km: float = 0.6) -> Sample | None:
    """Simulate a scene and lay it flat; ``None`` where a survey would refuse it.

    Parameters
    ----------
    seed : int
        Of the scene and of its resolution.
    length_km : float
        Of its road.
    """
    spec, gsd_m = scene_for(seed, stream=77, finest_m=FINEST_M, coarsest_m=COARSEST_M, length_km=length_km)
    with tempfile.TemporaryDirectory() as folder:
        scene = simulate(spec, Path(folder) / "scene")
        empty = simulate(spec, Path(folder) / "empty", vehicles=())
        try:
            return laid_flat(scene, empty, gsd_m=gsd_m)
        except JamlineError:
            return None


def laid_flat(folder: Path, empty: Path, *, gsd_m: float) -> Sample:
    """Lay a simulated scene flat, with its truth.

    Parameters
    ----------
    folder, empty : Path
        Of the scene, and of the same without vehicles.
    gsd_m : float
        Its resolution.
    """
    road = jl.read_road(folder / "road.geojson")
    with jl.open_scene(folder) as scene:
        corridor = jl.lay_flat(scene, road, half_width_m=_REACH_M)
        section = corridor.read(corridor.grid)
    with jl.open_scene(empty) as scene:
        without = replace(corridor, scene=scene).read(corridor.grid)
    grid = section.grid
    rgb, bare = (np.broadcast_to(s.pixels[:3], (3, *grid.shape)) for s in (section, without))
    features = json.loads((folder / "truth" / "vehicles.geojson").read_text())["features"]
    boxes = boxes_on(grid, corridor.road, [shapely.geometry.shape(f["geometry"]) for f in features])
    seen = ~np.isin(section.hidden, (Hidden.OUTSIDE, Hidden.NODATA, Hidden.ELSEWHERE))
    shows = shown(rgb, bare, boxes, grid.pixel_m)
    parked = np.array([f["properties"]["state"] == "parked" for f in features], np.float32)
    return Sample(rgb.astype(np.float16), seen, boxes, grid.pixel_m, gsd_m, shows, parked)


def boxes_on(grid: RoadGrid, road: Road, shapes: Sequence[Any]) -> Array:
    """Return where footprints lie on a strip, shape (n, 4), as `Sample.boxes`."""
    if not len(shapes):
        return np.zeros((0, 4), np.float32)
    corners = [shapely.get_coordinates(shape)[:4] for shape in shapes]
    station, offset = (at.reshape(-1, 4) for at in road.to_road(*np.concatenate(corners).T))
    along, across = (np.column_stack([at.min(axis=1), at.max(axis=1)]) for at in (station, offset))
    return np.column_stack(
        [
            (along.mean(axis=1) - grid.start_m) / grid.pixel_m - 0.5,
            (grid.half_width_m - across.mean(axis=1)) / grid.pixel_m - 0.5,
            np.ptp(along, axis=1),
            np.ptp(across, axis=1),
        ]
    ).astype(np.float32)
