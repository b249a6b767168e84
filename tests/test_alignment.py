"""The road beside its drawn line, and where its lanes end: on simulated roads whose true line is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely

from drawn_road import ASPHALT, Drawing, line
from jamline.corridor import OUT_M, Corridor, _overview, lay_flat
from jamline.corridor._alignment import outward_m
from jamline.imagery import open_scene
from jamline.road import read_road, road_through
from jamline.synth import simulate, varied

SEEDS = range(41_000, 41_008)
"""Not among those the network learned from."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("roads")
    return {seed: simulate(varied(seed, gsd_m=0.9, length_km=0.8), folder / str(seed)) for seed in SEEDS}


def off_m(corridor: Corridor, folder) -> np.ndarray:
    """Return how far the aligned road lies from the true one, every few metres where imagery is."""
    truth = json.loads((folder / "truth" / "road.geojson").read_text())["features"][0]["geometry"]
    points = shapely.get_coordinates(shapely.segmentize(shapely.geometry.shape(truth), 5e-5))
    station, offset = corridor.road.to_road(*points.T)
    edges = corridor.edges
    seen = edges.station_m[np.ptp(edges.log_chance[0], axis=1) > 1.0]
    return offset[(station > seen.min()) & (station < seen.max())]


def test_most_drawn_lines_are_put_on_their_road(scenes):
    errors = []
    for folder in scenes.values():
        with open_scene(folder) as scene:
            corridor = lay_flat(scene, read_road(folder / "road.geojson"))
            errors.append(float(np.abs(off_m(corridor, folder)).mean()))
    assert np.median(errors) < 0.5
    assert sum(error > 1.0 for error in errors) <= 1


@pytest.mark.parametrize("drawn_m", [-2.5, 0.0, 2.5])
@pytest.mark.parametrize("sign", [1, -1])
def test_of_two_carriageways_the_one_that_was_drawn_is_kept(tmp_path, drawn_m, sign):
    drawing = Drawing.of_road(600, width_m=8.0, noise=2.5)
    drawing.box(-20, 620, sign * 14.0 - 4.0, sign * 14.0 + 4.0, ASPHALT)
    corridor = lay_flat(open_scene(drawing.write(tmp_path / "a.tif")), line(600.0, drawn_m, oneway=True, width_m=8.0))
    assert corridor.alignment_m.value == pytest.approx(-drawn_m, abs=1.0)


def test_seams_between_pieces_move_nothing(tmp_path, monkeypatch):
    drawing = Drawing.of_road(1400, width_m=8.0, noise=2.5)
    for station in range(0, 1400, 23):
        drawing.vehicle(station, 1.9, colour=215)
    scene, road = open_scene(drawing.write(tmp_path / "a.tif")), line(1400.0, 2.0, width_m=8.0)
    shifts = []
    for piece in (2000, 400):
        monkeypatch.setattr(_overview, "_PIECE", piece)
        station, shift = road.to_road(*lay_flat(scene, road).road.lonlat.T)
        shifts.append(np.interp(np.arange(1400), station, shift))
    assert np.abs(shifts[0] - shifts[1]).max() < 0.2


def test_the_lanes_end_where_the_asphalt_does(scenes):
    errors = []
    for seed, folder in scenes.items():
        road = varied(seed, gsd_m=0.9, length_km=0.8).road
        half_m = road.median_m / 2 + road.shoulder_m
        lanes = [road.lanes_right / 2] * 2 if road.oneway else [road.lanes_left, road.lanes_right]
        with open_scene(folder) as scene:
            edges = lay_flat(scene, read_road(folder / "road.geojson")).edges
        for log_chance, count in zip(edges.log_chance, lanes, strict=True):
            seen = np.ptp(log_chance, axis=1) > 1.0
            found_m = OUT_M[log_chance[seen].argmax(axis=1)]
            errors.append(float(np.median(found_m)) - (count * road.lane_width_m + half_m))
    assert np.median(np.abs(errors)) < 0.6
    assert sum(abs(error) > 2.0 for error in errors) <= 3


def test_a_road_is_moved_to_the_outside_of_its_bends():
    radius_m = 30.0
    angle = np.linspace(0.0, np.pi, 120)
    arc = np.column_stack([np.cos(angle), np.sin(angle)]) * radius_m / 111_000.0
    left = road_through(arc, name="to the left, on the equator")
    right = road_through(arc[::-1], name="the same, to the right")
    station = left.length_m / 2 + np.array([-20.0, 0.0, 20.0])
    assert outward_m(left, station)[1] == pytest.approx(-9.0 / radius_m, rel=0.05)
    assert outward_m(right, station)[1] == pytest.approx(9.0 / radius_m, rel=0.05)
    assert left.shifted(station, outward_m(left, station)).length_m > left.length_m
