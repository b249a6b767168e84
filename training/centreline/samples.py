"""Strips along lines drawn beside simulated roads, with where the road really runs: what `Centreline` learns from."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

import jamline as jl
from jamline.corridor import Hidden, RoadGrid
from jamline.corridor._centreline import PIXEL_M, REACH_M, planes
from jamline.corridor._overview import NEAR_M
from jamline.corridor._strip import read_strip
from jamline.errors import JamlineError
from jamline.synth import SceneSpec, simulate
from training.scenes import scene_for

Array = npt.NDArray[np.float64]

FINEST_M, COARSEST_M = 0.5, 1.2
"""Resolutions learned from. Finer images are averaged to pixels of 1 m before they are looked at."""

_DENSE_DEG = 2e-5


@dataclass(frozen=True, eq=False)
class RoadSample:
    """A strip along a drawn line, and the road beside it.

    Parameters
    ----------
    pixels : array, float16, shape (3, 48, columns)
        As `planes` stretches them.
    seen : array of bool, shape (48, columns)
    middle_m : array, shape (columns,)
        Offset of the road's middle, or of the border between its directions.
    left_m, right_m : float
        Paved width to both sides of it.
    median_m : float
        Green in the middle.
    oneway : bool
    width_m : float
        As tagged, 0 where it is not.
    """

    pixels: npt.NDArray[np.float16]
    seen: npt.NDArray[np.bool_]
    middle_m: Array
    left_m: float
    right_m: float
    median_m: float
    oneway: bool
    width_m: float


def sample_of(seed: int, *, length_km: float = 0.8) -> RoadSample | None:
    """Simulate a scene and lay it flat along its drawn line; ``None`` where a survey would refuse it.

    Parameters
    ----------
    seed : int
        Of the scene and of its resolution.
    length_km : float
        Of its road.
    """
    spec, _ = scene_for(seed, stream=78, finest_m=FINEST_M, coarsest_m=COARSEST_M, length_km=length_km)
    with tempfile.TemporaryDirectory() as folder:
        try:
            return laid_flat(simulate(spec, Path(folder) / "scene"), spec)
        except JamlineError:
            return None


def laid_flat(folder: Path, spec: SceneSpec) -> RoadSample:
    """Lay a simulated scene flat along its drawn line, as the overview of a survey does."""
    drawn = jl.read_road(folder / "road.geojson")
    grid = RoadGrid.over(drawn, half_width_m=REACH_M, pixel_m=PIXEL_M)
    with jl.open_scene(folder) as scene:
        values, hidden, _ = read_strip(scene, grid)
    seen = hidden == Hidden.SEEN
    near = np.abs(grid.offset_m()) <= NEAR_M
    strip = planes(values, seen, near=near, oneway=spec.road.oneway, width_m=None)
    truth = json.loads((folder / "truth" / "road.geojson").read_text())["features"][0]["geometry"]
    line = shapely.get_coordinates(shapely.segmentize(shapely.geometry.shape(truth), _DENSE_DEG))
    station, offset = drawn.to_road(*line.T)
    order = np.argsort(station)
    road = spec.road
    half_m = road.lanes_right * road.lane_width_m / 2 if road.oneway else None
    beside_m = road.median_m / 2 + road.shoulder_m
    lanes = drawn.lanes or 0
    return RoadSample(
        pixels=strip[:3].astype(np.float16),
        seen=seen,
        middle_m=np.interp(grid.station_m(), station[order], offset[order]),
        left_m=(half_m or road.lanes_left * road.lane_width_m) + beside_m,
        right_m=(half_m or road.lanes_right * road.lane_width_m) + beside_m,
        median_m=road.median_m,
        oneway=road.oneway,
        width_m=drawn.width_m or (lanes * 3.5 + (0.0 if road.oneway else 1.0) if lanes else 0.0),
    )
