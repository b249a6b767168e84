"""The `network` detector: its geometry by hand, its promises on simulated roads that it was not trained on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from importlib.resources import files

import cv2
import geopandas as gpd
import numpy as np
import pytest
import shapely

from drawn_road import Drawing, line
from jamline.corridor import RoadGrid, lay_flat
from jamline.detect import detector_named, find_vehicles
from jamline.detect._cells import CELL, PIXEL_M, Peaks, View, _Aligned, _warped, one_each, peaks_of, resampled
from jamline.detect._protocol import Boxes
from jamline.detect._signs import Signs
from jamline.detect.network import Network
from jamline.evaluate import evaluate, match_vehicles
from jamline.imagery import open_scene
from jamline.pipeline import survey
from jamline.road import read_road
from jamline.synth import SceneSpec, simulate, varied

LENGTH_M = 300.0


def ramps(rows: int, columns: int) -> np.ndarray:
    """A picture whose values are its own columns and rows."""
    row, column = np.mgrid[:rows, :columns].astype(np.float32)
    return np.stack([column, row])


@pytest.mark.parametrize("zoom", [(0.75, 0.75), (0.9, 1.0), (1.5, 1.5), (2.4, 1.2)])
@pytest.mark.parametrize("first", [(0.0, 0.0), (-7.3, 2.5), (12.0, -4.0)])
def test_resampling_keeps_every_place(zoom, first):
    picture = ramps(60, 200)
    laid = resampled(picture, zoom=zoom, first=first, shape=(40, 120))
    row, column = np.mgrid[:40, :120]
    expected = (column + first[0] + 0.5) / zoom[0] - 0.5, (row + first[1] + 0.5) / zoom[1] - 0.5
    inside = (expected[0] > 4) & (expected[0] < 195) & (expected[1] > 4) & (expected[1] < 55)
    assert inside.sum() > 1000
    for plane, wanted in zip(laid, expected, strict=True):
        assert plane[inside] == pytest.approx(wanted[inside], abs=0.05)


@pytest.mark.parametrize("pixel_m", [0.25, 0.3, 0.35, 0.5, 0.8])
@pytest.mark.parametrize("first", [0, 37, 3999])
def test_pixels_that_fall_together_are_those_of_any_place(pixel_m, first):
    grid = RoadGrid.over(line(4000.0), half_width_m=15.0, pixel_m=pixel_m).cut(first, first + 300)
    view, zoom = View.of(grid), (grid.pixel_m / PIXEL_M,) * 2
    picture = np.random.default_rng(5).random((3, *grid.shape), np.float32)
    fine = picture if zoom[0] >= 0.9 else np.stack([cv2.GaussianBlur(band, (0, 0), 0.4 / zoom[0]) for band in picture])
    laid = resampled(picture, zoom=zoom, first=view.first, shape=view.shape)
    assert _Aligned.of(zoom[0], view.first[0], grid.columns, view.shape[1]) is not None
    assert laid == pytest.approx(_warped(fine, zoom=zoom, first=view.first, shape=view.shape), abs=1e-3)


def answer(rows: int, columns: int, vehicles) -> np.ndarray:
    """Maps as the network gives them: row, column, along, across, length_m, width_m, logit, parked of each vehicle."""
    maps = np.zeros((7, rows, columns), np.float32)
    maps[0] = -9.0
    maps[5] = -14.0
    for row, column, along, across, length_m, width_m, logit, parked in vehicles:
        maps[0, row - 1 : row + 2, column - 1 : column + 2] = logit - 2.0
        maps[0, row, column] = logit
        maps[1:5, row, column] = along, across, np.log(length_m), np.log(width_m)
        maps[6, row, column] = parked
    return maps


def test_peaks_lie_where_the_maps_say():
    peaks = peaks_of(answer(12, 40, [(5, 10, 0.25, -0.5, 4.5, 1.8, 3.0, -2.0), (5, 20, 0.0, 0.0, 12.0, 2.5, 1.0, 4.0)]))
    assert peaks.column == pytest.approx([(10 + 0.25 + 0.5) * CELL[1] - 0.5, 20.5 * CELL[1] - 0.5])
    assert peaks.row == pytest.approx([(5 - 0.5 + 0.5) * CELL[0] - 0.5, 5.5 * CELL[0] - 0.5])
    assert peaks.length_m == pytest.approx([4.5, 12.0])
    assert peaks.width_m == pytest.approx([1.8, 2.5])
    assert peaks.logit == pytest.approx([3.0, 1.0])
    assert peaks.parked == pytest.approx([-2.0, 4.0])


def test_a_vehicle_is_there_once_and_neighbours_stay():
    car, wide = 4.5, 1.8
    at = np.array([0.0, 1.2, 5.6, 0.0]) / PIXEL_M
    across = np.array([0.0, 0.0, 0.0, 2.6]) / PIXEL_M
    peaks = Peaks(at, across, np.full(4, car), np.full(4, wide), np.zeros(4), np.zeros(4))
    kept = one_each(peaks, np.array([0.9, 0.7, 0.8, 0.6]), least=0.1)
    assert sorted(kept.tolist()) == [0, 2, 3]
    assert one_each(peaks, np.array([0.05, 0.02, 0.2, 0.01]), least=0.1).tolist() == [2]
    assert len(one_each(peaks.take(np.zeros(0, int)), np.zeros(0), least=0.1)) == 0


@pytest.mark.parametrize("pixel_m", [0.25, 0.3, 0.45, 0.8])
def test_cells_begin_at_the_same_stations_whatever_the_cut(tmp_path, pixel_m):
    Drawing.of_road(LENGTH_M, pixel_m=0.4).write(tmp_path / "a.tif")
    whole = RoadGrid.over(line(LENGTH_M), half_width_m=15.0, pixel_m=pixel_m)
    starts = []
    for grid in (whole, whole.cut(37, 500), whole.cut(101, 400)):
        view = View.of(grid)
        first_m = grid.start_m + view.first[0] * PIXEL_M
        assert first_m <= grid.start_m + 1e-6
        assert first_m + view.shape[1] * PIXEL_M >= grid.end_m - 1e-6
        starts.append(first_m / (16 * PIXEL_M))
    assert starts == pytest.approx(np.rint(starts))


def test_what_is_shipped_is_small_and_tells_what_it_is():
    weights = files("jamline.detect").joinpath("network.onnx").read_bytes()
    assert len(weights) <= 2_000_000
    shipped = Network.shipped()
    assert shipped.sha256 == hashlib.sha256(weights).hexdigest()
    facts = json.loads(files("jamline.detect").joinpath("network.json").read_text())
    assert facts["trained_on"]["scenes"].startswith("simulated, seeds ")
    assert not {"kit_mos155", "kit_mos165", "kit_mos175", "citysim_freewayc"} & set(str(facts["trained_on"]).split())


def test_it_is_the_detector_that_is_used_unless_another_is_named(tmp_path):
    path = Drawing.of_road(LENGTH_M, pixel_m=0.4).write(tmp_path / "a.tif")
    corridor = lay_flat(open_scene(path), line(LENGTH_M, width_m=8.0), align_road=False)
    assert find_vehicles(corridor).detector == "network"
    assert detector_named("network").sha256 == Network.shipped().sha256


SCENES = {
    "colour": {"bands": "rgb", "bits": 8},
    "pan": {"bands": "pan", "bits": 8},
    "11 bit": {"bands": "rgb", "bits": 11, "jpeg_quality": 0},
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A plain queue as several cameras show it, measured and held against its truth."""
    done = {}

    def measure(name: str):
        if name not in done:
            folder = tmp_path_factory.mktemp("n")
            spec = varied(9401, gsd_m=0.5, length_km=0.8)
            spec = spec.model_copy(update={"sensor": spec.sensor.model_copy(update=SCENES[name])})
            scene = simulate(spec, folder / "scene")
            out = survey(scene, scene / "road.geojson").write(folder / "out")
            done[name] = evaluate(out, scene)
        return done[name]

    return measure


@pytest.mark.parametrize("name", SCENES)
def test_vehicles_are_found_by_every_camera(measured, name):
    score = measured(name).vehicles[0]
    assert score.truth >= 30
    assert score.f1 >= 0.85, score


def test_sections_find_what_the_whole_finds(tmp_path):
    spec = varied(9402, gsd_m=0.45, length_km=0.9)
    scene = simulate(spec, tmp_path / "scene")
    with open_scene(scene) as opened:
        corridor = lay_flat(opened, read_road(scene / "road.geojson"))
        network = Network.shipped()
        whole = network.find(corridor.read(corridor.grid), carriageway_m=corridor.carriageway_m).boxes
        parts = []
        for section in corridor.sections(length_m=200.0):
            boxes = network.find(section, carriageway_m=corridor.carriageway_m).boxes
            own = (boxes.station_m >= section.core.start_m) & (boxes.station_m < section.core.end_m)
            parts.append(boxes.take(own))
    assert sum(map(len, parts)) == len(whole) > 20
    for name in ("station_m", "offset_m", "score", "parked"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        order = np.lexsort([np.concatenate([p.offset_m for p in parts]), np.concatenate([p.station_m for p in parts])])
        expected = getattr(whole, name)[np.lexsort([whole.offset_m, whole.station_m])]
        assert joined[order] == pytest.approx(expected, abs=0.02)


def test_parked_rows_look_otherwise_than_a_queue(tmp_path):
    # Kerb rows on both sides of a two-lane street, and a queue in one of its lanes; nobody says how wide it is.
    base = varied(9405, gsd_m=0.4, length_km=0.6)
    scene = base.model_dump(exclude_unset=True) | {
        "road": {"length_m": 600.0, "shape": "gentle", "lanes_right": 1, "lanes_left": 1, "kerb": True},
        "queues": [{"side": "right", "start_m": 60.0, "end_m": 540.0}],
        "flows": [],
        "parked": [
            {"side": side, "start_m": 100.0, "end_m": 500.0, "where": "kerb", "fill": 0.9} for side in ("left", "right")
        ],
    }
    spec = SceneSpec.model_validate(scene)
    folder = simulate(spec, tmp_path / "scene")
    with open_scene(folder) as opened:
        corridor = lay_flat(opened, read_road(folder / "road.geojson"))
        boxes = Network.shipped().find(corridor.read(corridor.grid), carriageway_m=corridor.carriageway_m).boxes
    truth = gpd.read_file(folder / "truth" / "vehicles.geojson")
    station, offset = corridor.road.to_road(*shapely.get_coordinates(shapely.centroid(truth.geometry.to_numpy())).T)
    pairs = match_vehicles(np.column_stack([boxes.station_m, boxes.offset_m]), np.column_stack([station, offset]), 1.5)
    told, parked = boxes.parked[pairs[:, 0]], (truth["state"] == "parked").to_numpy()[pairs[:, 1]]
    assert min(parked.sum(), (~parked).sum()) >= 30
    assert (told[parked] > 0.5).mean() >= 0.8
    assert (told[~parked] < 0.5).mean() >= 0.8


def test_a_picture_of_nothing_has_no_vehicle(tmp_path):
    path = Drawing.of_road(LENGTH_M, pixel_m=0.4, noise=2.0).write(tmp_path / "a.tif")
    corridor = lay_flat(open_scene(path), line(LENGTH_M, width_m=8.0), align_road=False)
    assert len(find_vehicles(corridor).vehicles) <= 1


def test_another_calibration_changes_scores_and_not_places():
    shipped = Network.shipped()
    doubtful = replace(shipped, calibration=replace(shipped.calibration, bias=shipped.calibration.bias - 1.0))
    logit = np.linspace(-3, 3, 7)
    assert (doubtful.score(logit, 0.5) < shipped.score(logit, 0.5)).all()
    assert shipped.score(logit, 0.5) == pytest.approx(np.sort(shipped.score(logit, 0.5)))


def signs_of(station, score, *, expected: float = 0.0, offset_m: float = 1.8) -> Signs:
    """The signs on 400 m of road, with so many vehicles promised per metre."""
    grid = RoadGrid(line(400.0), 0, 800, 60, 0.5)
    count = len(station)
    ones = np.ones(count)
    boxes = Boxes(np.array(station), offset_m * ones, 4.5 * ones, 1.8 * ones, np.array(score), 0.5 * ones)
    return Signs.of(boxes, np.full(grid.columns, expected * grid.pixel_m), grid, carriageway_m=8.0)


def test_signs_by_hand():
    # Ten vehicles within 40 m of the middle, and 0.2 per metre promised: 16 on 80 m, six more than their scores.
    signs = signs_of(np.linspace(170.0, 230.0, 10), np.full(10, 0.6), expected=0.2)
    at = 400
    assert signs.named[at] == pytest.approx(np.log((6.0 + 1.0) / (16.1 - 6.0 + 0.05)), abs=0.02)
    assert signs.doubt[at] == pytest.approx(np.log((10 * 0.4 + 0.3) / (10 + 3)))
    assert signs.weak_per_km[at] == pytest.approx(10 * 0.4 / 0.4)
    # Far from them nothing is named, and what is promised there is missed.
    assert signs.named[0] == pytest.approx(np.log(1.0 / (0.2 * 40.5 + 0.05)), abs=0.02)
    # What is named beside the lanes tells nothing of them.
    assert signs_of([200.0], [0.5], offset_m=6.0).weak_per_km.max() == 0.0


def test_it_knows_that_it_misses_more_where_it_doubts_and_where_more_is_promised():
    insight = Network.shipped().insight
    station = np.linspace(20.0, 380.0, 50)
    sure, unsure = (signs_of(station, np.full(50, score)) for score in (0.97, 0.7))
    promised = signs_of(station, np.full(50, 0.97), expected=0.2)
    middle = 400
    missed = [1.0 - float(insight.recall(signs, 0.5)[middle]) for signs in (sure, unsure, promised)]
    assert missed[0] < 0.01
    assert missed[1] > 0.05
    assert missed[2] > 3 * missed[0]
    # Before anything was seen it promises less at coarser resolutions, and more false ones.
    fine, coarse = insight.at(0.3), insight.at(0.8)
    assert fine.recall > coarse.recall > 0.8
    assert fine.false_per_km < coarse.false_per_km


def test_a_road_that_ends_within_a_pixel_of_a_section_has_no_section_more(tmp_path):
    # 3,333 pixels of 0.3 m are a section of 1 km; the road reaches 5 cm into one more.
    path = Drawing.of_road(1000.0, pixel_m=0.3, noise=2.0).write(tmp_path / "a.tif")
    corridor = lay_flat(open_scene(path), line(999.95, width_m=8.0), align_road=False)
    assert corridor.pixel_m == pytest.approx(0.3)
    sections = list(corridor.sections())
    assert len(sections) == 1
    assert sections[0].core.end_m >= corridor.road.length_m
    sight = find_vehicles(corridor).sight
    assert (sight["end_m"] > sight["start_m"]).all()
    assert sight["end_m"].max() == pytest.approx(corridor.road.length_m)
