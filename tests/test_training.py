"""What the network learns from: who is covered, and what it is asked to say. Training itself needs `[train]`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from jamline.detect._cells import CELL, PIXEL_M
from jamline.synth import SceneSpec
from jamline.synth.bridges import plan_bridges
from jamline.synth.canvas import Stage
from jamline.synth.noise import Noise
from jamline.synth.traffic import drive
from jamline.synth.world import build_world

sys.path.append(str(Path(__file__).parents[1] / "training"))

from covered import covered_share
from wanted import wanted

SCENE = {
    "seed": 3,
    "road": {"length_m": 400.0, "shape": "straight", "lanes_right": 2, "lanes_left": 2},
    "queues": [{"side": side, "start_m": 0.0, "end_m": 400.0, "rows": 2} for side in ("left", "right")],
    "terrain": {"trees": 0.0},
}


def scene(**parts: dict[str, object]) -> SceneSpec:
    return SceneSpec.model_validate({**SCENE, **{k: {**SCENE.get(k, {}), **v} for k, v in parts.items()}})


def test_in_the_open_nobody_is_covered():
    assert covered_share(scene()).max() == 0.0
    assert len(covered_share(scene())) == len(drive(scene(), 400.0)) > 100


def test_under_a_bridge_all_are_covered_and_beside_it_none():
    spec = scene(road={"bridges_m": (200.0,)})
    world = build_world(spec)
    (bridge,) = plan_bridges(Stage(spec, world, Noise(spec.seed)))
    vehicles = drive(spec, world.road.length_m)
    away = np.abs(np.array([v.station_m for v in vehicles]) - 200.0)
    reach = np.array([v.length_m for v in vehicles]) / 2
    share = covered_share(spec)
    assert share[away + reach < bridge.width_m / 2 - 3.0].min(initial=1.0) == 1.0
    assert (share[away < 1.0] > 0.5).all()
    assert (share > 0.9).sum() > 2
    assert share[away - reach > bridge.width_m / 2 + 5.0].max() == 0.0


def test_crowns_over_the_outer_lane_cover_some_of_it_and_nothing_of_the_inner_one():
    spec = scene(terrain={"tree_line": 0.8, "tree_radius_m": 3.0})
    share = covered_share(spec)
    offset = np.abs([v.offset_m for v in drive(spec, 400.0)])
    assert 0.0 < share[offset > 4.5].mean() < 1.0
    assert share[offset < 2.0].max() < 0.2


def test_a_covered_vehicle_is_neither_asked_for_nor_denied():
    seen = np.ones((96, 640), bool)
    at = np.array([100.0, 40.0, 4.5, 1.8])
    cell = (int(40 // CELL[0]), int(100 // CELL[1]))
    heat, _, weight, _ = wanted(np.array([[*at, 0.0]]), seen)
    assert heat[0][cell] == 1.0
    assert weight[cell] > 0.5
    hidden, _, unweighted, _ = wanted(np.array([[*at, 0.9]]), seen)
    assert 0.9 < hidden[0].max() < 0.999
    assert unweighted.max() == 0.0
    # It is one of the vehicles that are there all the same.
    assert hidden[1].sum() == pytest.approx(heat[1].sum()) == pytest.approx(1.0)
    reach = np.argwhere(heat[0] > 0.1) - cell
    assert np.abs(reach * np.array(CELL) * PIXEL_M).max() < 4.5
