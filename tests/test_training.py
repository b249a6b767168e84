"""What the network learns from: how much each vehicle shows, and what it is asked to say. Training needs `[train]`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

from jamline.detect._cells import CELL, PIXEL_M
from jamline.detect.network import Network
from jamline.synth import SceneSpec, simulate

# `training` is no part of the package. These of its modules do not need torch.
sys.path.append(str(Path(__file__).parents[1]))

from training.detector.shown import shown
from training.detector.sight import Witness, insight_of, told_by_share, witness_of
from training.detector.wanted import wanted


def test_an_unchanged_vehicle_shows_nothing_and_a_changed_one_by_how_much():
    empty = np.full((3, 40, 100), 0.3, np.float32)
    full = empty.copy()
    full[1, 10:16, 20:40] += 0.2
    boxes = np.array([[29.5, 12.5, 5.0, 1.5], [70.0, 30.0, 5.0, 1.5], [500.0, 12.0, 5.0, 1.5]])
    shows = shown(full, empty, boxes, 0.25)
    # Outlines are rounded outwards by up to a pixel, so a little of the road counts with it.
    assert shows[0] == pytest.approx(0.2, rel=0.2)
    assert shows[1:].tolist() == [0.0, 0.0]


def test_the_same_scene_without_vehicles_differs_only_where_they_are(tmp_path):
    spec = SceneSpec.model_validate(
        {
            "seed": 3,
            "road": {"length_m": 200.0, "shape": "straight"},
            "queues": [{"side": "right", "start_m": 0.0, "end_m": 60.0}],
        }
    )
    pictures = []
    for name, there in (("full", {}), ("empty", {"vehicles": ()})):
        tiles = sorted(simulate(spec, tmp_path / name, **there).glob("*.tif"))
        with rasterio.open(tiles[0]) as tile:
            pictures.append(tile.read().astype(int))
    changed = (pictures[0] != pictures[1]).any(axis=0).mean()
    assert 0.002 < changed < 0.2


def test_a_vehicle_that_does_not_show_is_neither_asked_for_nor_denied():
    seen = np.ones((96, 640), bool)
    at = np.array([100.0, 40.0, 4.5, 1.8])
    cell = (int(40 // CELL[0]), int(100 // CELL[1]))
    heat, targets, weight, _ = wanted(np.array([[*at, 0.2, 1.0]]), seen)
    assert heat[0][cell] == 1.0
    assert weight[cell] > 0.5
    assert targets[4][cell] == 1.0
    hidden, _, unweighted, _ = wanted(np.array([[*at, 0.01, 1.0]]), seen)
    assert 0.9 < hidden[0].max() < 0.999
    assert unweighted.max() == 0.0
    # It is one of the vehicles that are there all the same.
    assert hidden[1].sum() == pytest.approx(heat[1].sum()) == pytest.approx(1.0)
    reach = np.argwhere(heat[0] > 0.1) - cell
    assert np.abs(reach * np.array(CELL) * PIXEL_M).max() < 4.5


def test_what_the_signs_are_worth_is_found_again():
    rng = np.random.default_rng(5)
    seen = []
    for _ in range(150):
        gsd_m = float(np.exp(rng.uniform(np.log(0.25), np.log(0.9))))
        finer, count = np.log(gsd_m / 0.5), int(rng.integers(5, 120))
        doubt, named = rng.normal(-2.0, 0.6) + np.zeros(count), rng.normal(2.0, 1.0, count)
        odds = -2.0 - 1.8 * doubt + 0.4 * named - 0.5 * finer
        found = rng.random(count) < 1.0 / (1.0 + np.exp(-odds))
        weak = float(rng.gamma(2.0, 1.0))
        false = int(rng.poisson(1.7 * weak))
        seen.append(Witness(gsd_m, doubt, named, found, false, weak, 1.0))
    got = insight_of(seen)
    assert (got.found, got.by_doubt, got.by_named, got.by_gsd) == pytest.approx((-2.0, -1.8, 0.4, -0.5), abs=0.35)
    assert got.false == pytest.approx(1.7, rel=0.15)
    for line in told_by_share(got, seen):
        said, found = (float(word.split()[-1]) for word in line.split(","))
        assert said == pytest.approx(found, abs=0.03)


def test_a_scene_is_witnessed_as_a_survey_sees_it():
    witness = witness_of(Network.shipped(), 8202)
    assert len(witness.found) == len(witness.doubt) == len(witness.named) > 20
    assert witness.found.mean() > 0.7
    assert witness.seen_km == pytest.approx(1.0, abs=0.01)
