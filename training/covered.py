"""Which vehicles of a scene hardly anyone could see, because crowns or a bridge stand over them.

The truth has them all the same. A network that is told to name them learns to make cars up wherever a tree stands in
a row of cars.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from jamline.synth.bridges import plan_bridges
from jamline.synth.canvas import Stage
from jamline.synth.config import SceneSpec
from jamline.synth.cover import Grove
from jamline.synth.noise import Noise, Window
from jamline.synth.terrain import plan_buildings, plan_towers
from jamline.synth.traffic import drive
from jamline.synth.truth import corners_of
from jamline.synth.world import build_world

Array = npt.NDArray[np.float64]

_DENSE = 0.9
"""Share of a crown's radius within which little of the ground shows."""

_ALONG, _ACROSS = 7, 3
"""Places on each vehicle that are looked at."""


def covered_share(spec: SceneSpec) -> Array:
    """Return how much of each vehicle is covered, shape (n,), in the order of the truth's table.

    Parameters
    ----------
    spec : SceneSpec
        The scene.
    """
    world = build_world(spec)
    vehicles = drive(spec, world.road.length_m)
    terrain = spec.terrain
    if not vehicles or (max(terrain.trees, terrain.tree_line) <= 0 and not spec.road.bridges_m):
        return np.zeros(len(vehicles))
    stage = Stage(spec, world, Noise(spec.seed))
    places = np.concatenate([_places(corners_of(v)) + np.array([v.station_m, v.offset_m]) for v in vehicles])
    xy = world.place(places[:, 0], places[:, 1])
    under = np.zeros(len(xy), bool)
    west, south = np.floor(xy.min(axis=0)).astype(int) - 20
    east, north = np.ceil(xy.max(axis=0)).astype(int) + 20
    grove = Grove(stage, plan_buildings(stage) + plan_towers(stage))
    for x, y, radius, _ in grove.trees(Window(int(west), -int(north), int(east - west), int(north - south), 1.0)):
        under |= np.hypot(*(xy - (x, y)).T) < _DENSE * radius
    for bridge in plan_bridges(stage):
        outline = bridge.outline().astype(np.float32)
        under |= [cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0 for x, y in xy]
    return np.asarray(under.reshape(len(vehicles), -1).mean(axis=1))


def _places(corners: Array) -> Array:
    """Return places spread over a footprint, ahead and to the left of its middle, shape (n, 2)."""
    u, w = np.meshgrid(np.linspace(0.07, 0.93, _ALONG), np.linspace(0.15, 0.85, _ACROSS))
    ahead, left = corners[1] - corners[0], corners[3] - corners[0]
    places: Array = corners[0] + u.reshape(-1, 1) * ahead + w.reshape(-1, 1) * left
    return places
