"""Evaluation: pairing that can be worked out by hand, and whole folders with a known answer."""

from __future__ import annotations

import itertools
import json
import math
import warnings

import numpy as np
import pytest
import rasterio
import shapely
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from drawn_road import Drawing, line
from jamline.cli import main
from jamline.errors import InputError
from jamline.evaluate import (
    CountError,
    Score,
    average_precision,
    calibration,
    draw_misses,
    evaluate,
    match_vehicles,
    pooled,
)
from jamline.evaluate.glyphs import lettering
from jamline.evaluate.misses import COLOURS
from jamline.road import road_through

ROAD = road_through([[44.63, 42.75], [44.631, 42.76]], name="A-161")


# --- pairing ---------------------------------------------------------------------------------------------


def test_each_vehicle_is_paired_once():
    # Both found ones lie near the one true: the nearer one wins.
    pairs = match_vehicles(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.8, 0.0]]), 2.5)
    assert pairs.tolist() == [[1, 0]]


def test_more_pairs_go_before_less_distance():
    # Greedy by distance would pair 0 at its nearest and leave 1 without a partner.
    found = np.array([[0.0, 0.0], [2.0, 0.0]])
    truth = np.array([[1.1, 0.0], [-2.0, 0.0]])
    assert match_vehicles(found, truth, 2.5).tolist() == [[0, 1], [1, 0]]


def test_radius_is_each_true_vehicles_own():
    found = np.array([[4.0, 0.0], [104.0, 0.0]])
    truth = np.array([[0.0, 0.0], [100.0, 0.0]])
    assert match_vehicles(found, truth, np.array([2.5, 6.0])).tolist() == [[1, 1]]
    assert match_vehicles(found, truth, 3.9).shape == (0, 2)


def test_nothing_pairs_with_nothing():
    none, some = np.zeros((0, 2)), np.zeros((3, 2))
    for found, truth in [(none, none), (none, some), (some, none)]:
        assert match_vehicles(found, truth, 2.5).shape == (0, 2)


places = st.lists(st.tuples(st.floats(0, 8), st.floats(0, 4)), max_size=5).map(
    lambda xy: np.array(xy, dtype=float).reshape(-1, 2)
)


def brute_force(found, truth, radius):
    """The most pairs, and the least distance with so many, by trying all."""
    distance = np.linalg.norm(found[:, None] - truth[None], axis=2)
    best = (0, 0.0)
    for k in range(1, min(len(found), len(truth)) + 1):
        sums = [
            distance[list(a), list(b)].sum()
            for a in itertools.combinations(range(len(found)), k)
            for b in itertools.permutations(range(len(truth)), k)
            if (distance[list(a), list(b)] <= radius).all()
        ]
        if sums:
            best = (k, min(sums))
    return best


@given(places, places)
@settings(max_examples=60, deadline=None)
def test_pairs_are_the_best_there_are(found, truth):
    pairs = match_vehicles(found, truth, 2.5)
    distance = np.linalg.norm(found[pairs[:, 0]] - truth[pairs[:, 1]], axis=1)
    count, total = brute_force(found, truth, 2.5)
    assert len(pairs) == count
    assert distance.sum() == pytest.approx(total, abs=1e-9)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)
    assert (distance <= 2.5).all()


@given(places, places, st.randoms())
@settings(max_examples=60, deadline=None)
def test_order_does_not_matter(found, truth, random):
    a, b = list(range(len(found))), list(range(len(truth)))
    random.shuffle(a)
    random.shuffle(b)
    pairs = match_vehicles(found, truth, 2.5)
    other = match_vehicles(found[a], truth[b], 2.5)
    assert len(pairs) == len(other)
    sums = [
        np.linalg.norm(f[p[:, 0]] - t[p[:, 1]], axis=1).sum()
        for f, t, p in ((found, truth, pairs), (found[a], truth[b], other))
    ]
    assert sums[0] == pytest.approx(sums[1])


def test_a_long_jam_is_paired_fast_and_right():
    rng = np.random.default_rng(3)
    truth = np.column_stack([np.arange(4000) * 7.5, np.zeros(4000)])
    order = rng.permutation(4000)
    found = truth[order] + rng.uniform(-0.8, 0.8, truth.shape)
    pairs = match_vehicles(found, truth, 2.5)
    assert (order[pairs[:, 0]] == pairs[:, 1]).all()
    assert len(pairs) == 4000


# --- folders ---------------------------------------------------------------------------------------------


def box(station_m, offset_m=-1.8, length_m=4.5, width_m=1.8, *, road=ROAD):
    return road.box(station_m - length_m / 2, station_m + length_m / 2, offset_m - width_m / 2, offset_m + width_m / 2)


def write(path, shapes, properties=None):
    properties = properties or [{} for _ in shapes]
    features = [
        {"type": "Feature", "properties": p, "geometry": json.loads(shapely.to_geojson(shape))}
        for shape, p in zip(shapes, properties, strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def estimate(value, low, high, open_=()):
    return {"value": value, "low": low, "high": high, "level": 0.9, "open": list(open_)}


def found_queue(start_m, end_m, low, high, *, side="right", open_=(), vehicles=(80, 76, 84)):
    return {
        "side": side,
        "start_m": start_m,
        "end_m": end_m,
        "length_km": estimate((end_m - start_m) / 1000, low, high, open_),
        "vehicles": estimate(*vehicles),
    }


def true_queue(start_m, end_m, *, side="right", seen_end_m=None, vehicles=80):
    seen_end_m = end_m if seen_end_m is None else seen_end_m
    return {
        "side": side,
        "start_m": start_m,
        "end_m": end_m,
        "length_km": (end_m - start_m) / 1000,
        "seen_length_km": (seen_end_m - start_m) / 1000,
        "seen_vehicles": vehicles,
        "vehicles": vehicles,
        "open": [],
    }


@pytest.fixture
def folders(tmp_path):
    """Write a result that saw the first 900 m of the road, and its truth."""

    def make(found, truth, *, found_queues=(), true_queues=None, seen_m=900.0, drawn=ROAD, properties=None):
        out, true = tmp_path / "hand" / "out", tmp_path / "hand" / "truth"
        out.mkdir(parents=True)
        true.mkdir()
        write(out / "vehicles.geojson", found, properties)
        write(true / "vehicles.geojson", truth)
        write(
            out / "coverage.geojson",
            [ROAD.box(0, seen_m, -12, 12), ROAD.box(seen_m, ROAD.length_m, -12, 12)],
            [{"seen": True}, {"seen": False}],
        )
        write(out / "road.geojson", [drawn.line(0, drawn.length_m)], [{"name": "A-161"}])
        run = {"roads": [{"name": "A-161", "queues": list(found_queues)}]}
        (out / "run.json").write_text(json.dumps(run))
        if true_queues is not None:
            write(true / "road.geojson", [ROAD.line(0, ROAD.length_m)], [{"name": "true"}])
            (true / "queues.json").write_text(json.dumps(list(true_queues)))
        return out, true

    return make


def test_vehicles_by_hand(folders):
    truth = [
        box(100),
        box(110),
        box(120),
        box(140, length_m=16.0, width_m=2.5),
        box(899),  # cut by the end of what was seen
        box(950),  # beyond it
        box(300, 40.0),  # outside the corridor
    ]
    found = [
        box(101),  # 1 m off
        box(110, -3.5),  # 1.7 m off
        box(123),  # 3 m off: false
        box(146, length_m=16.0, width_m=2.5),  # 6 m off a truck of 16 m
        box(500),  # false
        box(897),  # whole in sight, on the cut one
    ]
    result = evaluate(*folders(found, truth))
    every, car, truck = result.vehicles
    assert (every.truth, every.found, every.truth_matched, every.found_matched) == (4, 5, 3, 3)
    assert (every.precision, every.recall) == (3 / 5, 3 / 4)
    assert every.f1 == pytest.approx(2 * 0.6 * 0.75 / 1.35)
    assert every.count_error == 1
    assert (car.truth, car.found, car.found_matched) == (3, 4, 2)
    assert (truck.kind, truck.precision, truck.recall) == ("truck", 1.0, 1.0)
    assert (result.ignored_truth, result.ignored_found) == (3, 1)
    assert result.distance_m == pytest.approx(1.7, abs=0.01)
    assert (result.queues, result.missed_queues, result.false_queues) == ((), 0, 0)
    assert "0.600" in str(result)
    json.dumps(result.to_json(), allow_nan=False)


def test_match_m_is_the_radius(folders):
    out, truth = folders([box(103)], [box(100)])
    assert evaluate(out, truth).vehicles[0].found_matched == 0
    assert evaluate(out, truth, match_m=3.1).vehicles[0].found_matched == 1


def test_what_nobody_could_see_counts_neither_way(folders):
    hidden = [{"hidden": False}, {"hidden": True}, {"hidden": True}, {}]
    there = [box(100), box(120), box(140), box(160)]
    out, truth = folders([box(100), box(120)], there)
    write(truth / "vehicles.geojson", there, hidden)
    every, *_ = (result := evaluate(out, truth)).vehicles
    assert (every.truth, every.found, every.found_matched) == (2, 1, 1)
    assert (result.ignored_truth, result.ignored_found) == (2, 1)


def test_the_tables_own_kind_wins_over_the_shape(folders):
    out, truth = folders([box(100)], [box(100)], properties=[{"kind": "truck", "length_m": 8.0}])
    _, car, truck = evaluate(out, truth).vehicles
    assert (car.truth, car.found, truck.truth, truck.found) == (1, 0, 0, 1)


def test_nothing_found_and_nothing_there(folders):
    result = evaluate(*folders([], [], true_queues=[]))
    assert result.vehicles[0] == Score("all", 0, 0, 0, 0)
    assert math.isnan(result.vehicles[0].f1)
    assert result.to_json()["vehicles"]["all"]["precision"] is None
    assert "nan" in str(result)


def test_queues_by_hand(folders):
    found = [
        found_queue(100, 700, 0.595, 0.606),
        found_queue(100, 200, 0.09, 0.11, side="left"),
        found_queue(750, 800, 0.04, 0.06),
    ]
    true = [true_queue(103, 701), true_queue(650, 720), true_queue(920, 1000)]
    result = evaluate(*folders([], [], found_queues=found, true_queues=true))
    (queue,) = result.queues
    assert queue.error_km == pytest.approx(0.002)
    assert queue.hit
    assert queue.vehicles_hit
    # The one at 920 m was out of sight and counts neither way.
    assert (result.missed_queues, result.false_queues) == (1, 2)
    assert "yes" in str(result)


def test_an_open_interval_must_reach_down_to_the_truth(folders):
    true = [true_queue(100, 1000, seen_end_m=900)]
    out, truth = folders([], [], found_queues=[found_queue(100, 897, 0.79, None, open_=["end"])], true_queues=true)
    (queue,) = evaluate(out, truth).queues
    assert queue.hit
    assert queue.error_km == pytest.approx(-0.003)
    assert "open" in str(evaluate(out, truth))
    # A closed interval that takes the seen part for the whole misses it.
    run = {"roads": [{"name": "A-161", "queues": [found_queue(100, 897, 0.79, 0.80)]}]}
    (out / "run.json").write_text(json.dumps(run))
    assert not evaluate(out, truth).queues[0].hit


def test_a_road_drawn_the_other_way_is_turned_round(folders):
    reverse = road_through(ROAD.lonlat[::-1], name="A-161")
    end = reverse.length_m
    found = [found_queue(end - 700, end - 100, 0.59, 0.61, side="left")]
    result = evaluate(*folders([], [], found_queues=found, true_queues=[true_queue(100, 700)], drawn=reverse))
    assert len(result.queues) == 1
    assert result.queues[0].side == "right"


def test_a_simulated_scene_holds_its_truth(folders):
    found = [found_queue(100, 700, 0.595, 0.606)]
    out, truth = folders([box(100)], [box(100)], found_queues=found, true_queues=[true_queue(100, 700)])
    plain = evaluate(out, truth)
    queues = json.loads((truth / "queues.json").read_text())
    (truth / "queues.json").write_text(json.dumps({"schema": "jamline/truth/1", "queues": queues}))
    assert evaluate(out, truth.parent) == plain
    (truth / "queues.json").write_text('{"queues": [{"side": "right"}]}')
    with pytest.raises(InputError, match=r"queues\.json"):
        evaluate(out, truth)


@pytest.mark.parametrize("name", ["run.json", "vehicles.geojson", "coverage.geojson"])
def test_evaluate_fails(folders, name):
    out, truth = folders([box(100)], [box(100)])
    for content in ("{}", "{"):
        (out / name).write_text(content)
        with pytest.raises(InputError, match=name):
            evaluate(out, truth)
    (out / name).write_text("[]")
    with pytest.raises(InputError, match=name):
        evaluate(out, truth)
    (out / name).unlink()
    with pytest.raises(InputError, match=rf"Invalid file '.*{name}'\. Must exist"):
        evaluate(out, truth)


# --- scores ----------------------------------------------------------------------------------------------


def test_average_precision_by_hand():
    # Precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1: 1/2 * 1 + 1/2 * 2/3.
    assert average_precision([0.9, 0.8, 0.7], [True, False, True], 2) == pytest.approx(5 / 6)
    # What was never found takes its share away.
    assert average_precision([0.9], [True], 4) == 0.25
    assert average_precision([], [], 3) == 0.0
    assert math.isnan(average_precision([0.9], [False], 0))
    assert math.isnan(average_precision([0.9, math.nan], [True, True], 2))


def test_equal_scores_are_one_step_of_the_ranking():
    for hit in ([True, False], [False, True]):
        assert average_precision([0.5, 0.5], hit, 1) == 0.5


ranked = st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.6, 0.9]), st.booleans()), max_size=9)


@given(ranked, st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_average_precision_is_the_area_under_the_best_precision(pairs, unfound):
    score, hit = [s for s, _ in pairs], [h for _, h in pairs]
    truth = sum(hit) + unfound
    if not truth:
        return
    # Every true vehicle adds the best precision of all thresholds at which it is among those taken.
    area = 0.0
    for k in range(1, truth + 1):
        taken = [[h for s, h in pairs if s >= t] for t in set(score)]
        area += max((sum(part) / len(part) for part in taken if sum(part) >= k), default=0.0) / truth
    assert average_precision(score, hit, truth) == pytest.approx(area)


def test_calibration_by_hand():
    got = calibration([0.1, 0.3, 0.9, 0.7], [False, True, True, True], bins=2)
    assert [(b.low, b.high, b.count, b.true_share) for b in got.bins] == [(0.1, 0.3, 2, 0.5), (0.7, 0.9, 2, 1.0)]
    assert got.error == pytest.approx((2 * 0.3 + 2 * 0.2) / 4)
    assert len(calibration(np.linspace(0, 1, 34), np.ones(34)).bins) == 10
    assert len(calibration([0.5], [True]).bins) == 1
    for none in (calibration([], []), calibration([math.nan], [True])):
        assert none.bins == ()
        assert math.isnan(none.error)
        assert none.to_json()["error"] is None


def test_calibration_does_not_depend_on_the_order_of_a_table():
    score, hit = np.repeat([0.2, 0.6], 30), np.arange(60) % 3 == 0
    order = np.random.default_rng(1).permutation(60)
    assert calibration(score, hit) == calibration(score[order], hit[order])


def test_scores_that_hold_err_by_chance_alone():
    rng = np.random.default_rng(5)
    errors, by_chance = [], []
    for _ in range(200):
        score = rng.uniform(0.1, 0.99, 400)
        got = calibration(score, rng.random(400) < score)
        errors.append(got.error)
        by_chance.append(got.error_by_chance)
    assert np.mean(errors) == pytest.approx(np.mean(by_chance), rel=0.05)
    # Scores that promise 0.15 too much stand out.
    low = calibration(score, rng.random(400) < score - 0.15)
    assert low.error > 2 * low.error_by_chance


def test_what_is_found_on_another_kind_is_no_part_of_a_ranking(folders):
    # Two cars found as cars, one with a score above; a truck found as a car with the best score of all.
    truth = [box(100), box(200), box(300, length_m=12.0, width_m=2.5)]
    found = [box(100), box(210), box(300, length_m=5.0)]
    scores = [{"score": 0.8}, {"score": 0.9}, {"score": 0.95}]
    every, car, truck = evaluate(*folders(found, truth, properties=scores)).vehicles
    assert car.average_precision == pytest.approx(0.5 * 0.5)
    assert truck.average_precision == 1.0
    # Right, wrong, right: precision 1 up to a third of the recall, then 2/3.
    assert every.average_precision == pytest.approx(1 / 3 + 1 / 3 * 2 / 3)


def test_a_table_without_scores_has_no_ranking(folders):
    result = evaluate(*folders([box(100)], [box(100)]))
    assert math.isnan(result.vehicles[0].average_precision)
    assert result.calibration.bins == ()
    json.dumps(result.to_json(), allow_nan=False)


# --- counts ----------------------------------------------------------------------------------------------


def test_counts_of_a_queue_by_hand(folders):
    stations = [100.0, 300.0, 700.0, 710.0, 400.0, 500.0]
    tell = {"road": "A-161", "side": "right", "state": "queued"}
    others = [tell, tell, tell, tell, tell | {"state": "flowing"}, tell | {"side": "left"}]
    properties = [{**t, "station_m": s} for t, s in zip(others, stations, strict=True)]
    found = [found_queue(100, 700, 0.595, 0.606, vehicles=(5, 4, 6))]
    result = evaluate(
        *folders(
            [box(s) for s in stations],
            [],
            properties=properties,
            found_queues=found,
            true_queues=[true_queue(103, 701, vehicles=4)],
        )
    )
    (queue,) = result.queues
    assert queue.counted_vehicles == 3
    assert result.counted == CountError(1, -0.25, 0.25)
    assert result.corrected == CountError(1, 0.25, 0.25)
    assert "-25.0%" in str(result)
    assert result.to_json()["count_error"]["corrected"]["total"] == 0.25


def test_count_errors_over_several_queues():
    got = CountError.of([100, 300, 50, math.nan, 0], [90, 330, 50, 7, 3])
    assert (got.queues, got.median) == (3, pytest.approx(0.1))
    assert got.total == pytest.approx(20 / 450)
    assert math.isnan(CountError.of([], []).total)


# --- which vehicles count, and how they look ---------------------------------------------------------------


@pytest.fixture
def drawn(tmp_path):
    """Write a drawing of 200 m, a result on it and a truth; the corridor is seen from 0 to 100 m only."""

    def make(found, truth, *, vehicles=(), properties=None, true_properties=None, **runs):
        drawing = Drawing.of_road(200.0, noise=1.0)
        for station, offset, colour in vehicles:
            drawing.vehicle(station, offset, colour=colour)
        image = drawing.write(tmp_path / "image.tif")
        road = line(200.0, name="R")
        out, true = tmp_path / "out", tmp_path / "truth"
        out.mkdir()
        true.mkdir()
        write(out / "vehicles.geojson", [box(*v, road=road) for v in found], properties)
        write(true / "vehicles.geojson", [box(*v, road=road) for v in truth], true_properties)
        parts = [road.box(0, 100, -15, 15), road.box(100, 200, -15, 15)]
        write(out / "coverage.geojson", parts, [{"seen": True}, {"seen": False}])
        write(out / "road.geojson", [road.line(0, road.length_m)], [{"name": "R"}])
        run = {
            "imagery": [{"path": str(image), "gsd_m": 0.5}],
            "settings": {"half_width_m": 15.0, "gsd_m": None, "bands": None},
            "roads": [{"name": "R", "queues": []}],
        }
        (out / "run.json").write_text(json.dumps(run | runs))
        return out, true, image

    return make


def test_half_width_counts_all_that_the_picture_shows(drawn):
    truth = [(50, 2), (150, 2), (150, -9.5), (219, 2), (-30, 0)]
    found = [(50, 2), (150, 2), (160, 12.0), (60, 8.0)]
    out, true, image = drawn(found, truth)
    seen = evaluate(out, true).vehicles[0]
    assert (seen.truth, seen.found, seen.truth_matched) == (1, 2, 1)
    wide = evaluate(out, true, half_width_m=10.0)
    # Beyond the line's end, 219 m, the corridor is cut square.
    assert (wide.vehicles[0].truth, wide.vehicles[0].found, wide.vehicles[0].truth_matched) == (3, 3, 2)
    assert (wide.ignored_truth, wide.ignored_found) == (2, 1)
    narrow = evaluate(out, true, half_width_m=5.0, imagery=image)
    assert (narrow.vehicles[0].truth, narrow.vehicles[0].found) == (2, 2)
    # The truth's own line goes before the result's.
    write(true / "roads.geojson", [line(100.0).line(0, 100.0)], [{"name": "half"}])
    assert evaluate(out, true, half_width_m=5.0).vehicles[0].truth == 1


def test_what_the_picture_or_its_nodata_cuts_counts_neither_way(drawn):
    out, true, image = drawn([(60, 2), (100, 2)], [(60, 2), (100, 2), (140, 2)])
    with rasterio.open(image, "r+") as raster:
        pixels = raster.read()
        # The picture begins 20 m before the road, half a metre a pixel: nodata from 100 m to 130 m.
        pixels[:, :, 240:300] = 0
        raster.write(pixels)
    result = evaluate(out, true, half_width_m=10.0)
    assert (result.vehicles[0].truth, result.vehicles[0].found) == (2, 1)
    assert (result.ignored_truth, result.ignored_found) == (1, 1)
    # An image that ends within a vehicle cuts it as well.
    with rasterio.open(image) as raster:
        profile, pixels = raster.profile, raster.read(window=((0, 160), (0, 160)))
    with rasterio.open(image, "w", **profile | {"width": 160}) as raster:
        raster.write(pixels)
    assert evaluate(out, true, half_width_m=10.0).ignored_truth == 3


def test_brightness_is_measured_against_the_road_beside(drawn):
    # At 40 m nothing is drawn: a vehicle just like the road.
    truth = [(20, 2), (40, 2), (60, 2), (80, -2)]
    places = [(20, 2, 20), (60, 2, 220), (80, -2, 20)]
    out, true, image = drawn([(20, 2), (60, 2), (90, 2)], truth, vehicles=places)
    result = evaluate(out, true, imagery=image)
    assert [(s.kind, s.truth, s.truth_matched, s.found) for s in result.brightness] == [
        ("dark", 2, 1, 1),
        ("like road", 1, 0, 1),
        ("bright", 1, 1, 1),
    ]
    assert "like road" in str(result)
    assert evaluate(out, true).brightness == ()


def test_the_truths_own_brightness_goes_before_the_measured_one(drawn):
    truth = [(20, 2), (40, 2), (60, 2)]
    out, true, image = drawn(
        [(20, 2), (90, 2)], truth, true_properties=[{"brightness": name} for name in ("bright", "dark", "odd")]
    )
    bright = {score.kind: score for score in evaluate(out, true).brightness}
    assert set(bright) == {"dark", "bright"}
    assert bright["bright"].recall == 1.0
    # Nobody looked what the false one looks like.
    assert math.isnan(bright["bright"].precision)
    assert bright["dark"].to_json()["found"] is None
    # Nothing is drawn there: what is not told looks like the road.
    bright = {score.kind: score for score in evaluate(out, true, imagery=image).brightness}
    assert (bright["bright"].precision, bright["like road"].truth, bright["like road"].found) == (1.0, 1, 1)


def test_pooled_is_all_of_them_together(drawn, folders):
    scores = [{"score": 0.9}, {"score": 0.6}]
    fine = evaluate(*drawn([(20, 2), (90, 2)], [(20, 2), (40, 2)], properties=scores)[:2])
    run = {"roads": [], "imagery": [{"gsd_m": 0.8012}, {"gsd_m": 1.0}]}
    out, truth = folders([box(100)], [box(101)], properties=[{"score": 0.7}])
    (out / "run.json").write_text(json.dumps(run))
    coarse = evaluate(out, truth)
    both = pooled([fine, coarse])
    every = both.vehicles[0]
    assert (every.truth, every.found, every.truth_matched) == (3, 3, 2)
    # 0.9 true, 0.7 true, 0.6 false, of three.
    assert every.average_precision == pytest.approx(2 / 3)
    assert [(s.kind, s.truth, s.found_matched) for s in both.gsd] == [("0.50 m", 2, 1), ("0.80 m", 1, 1)]
    assert both.distance_m == pytest.approx(0.5, abs=0.02)
    assert "0.80 m" in str(both)
    assert pooled([fine]) == fine


# --- the picture of the misses ----------------------------------------------------------------------------


def picture_of(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path) as raster:
            return np.moveaxis(raster.read(), 0, -1)


def test_misses_are_outlined_where_they_are(drawn, tmp_path):
    out, true, _ = drawn([(20, 2), (90, 2)], [(20, 2), (40, 2)], vehicles=[(20, 2, 220), (40, 2, 20)])
    picture = picture_of(draw_misses(out, true, tmp_path / "misses.png"))
    # One tile holds the missed one at 40 m and the false one at 90 m: 60 m from 8 m before the first's end,
    # 4 pixels of the picture to a strip pixel of 0.5 m.
    start_m, zoom = 40 - 2.25 - 8.0, 8.0
    found = {}
    for name, colour in COLOURS.items():
        rows, columns = np.nonzero((picture[80:] == colour).all(axis=2))
        found[name] = (columns.min() / zoom, columns.max() / zoom, len(rows)) if len(rows) else None
    left = 6 / zoom  # the sheet's margin
    assert found["missed"][0] - left == pytest.approx(40 - 2.25 - start_m, abs=0.6)
    assert found["missed"][1] - left == pytest.approx(40 + 2.25 - start_m, abs=0.6)
    assert found["false"][0] - left == pytest.approx(90 - 2.25 - start_m, abs=0.6)
    # What was found at 20 m lies before the tile.
    assert found["found"] is None
    with pytest.raises(InputError, match=r"misses\.png.*--overwrite"):
        draw_misses(out, true, tmp_path / "misses.png")
    draw_misses(out, true, tmp_path / "misses.png", overwrite=True)


def test_the_command_takes_the_same_options(drawn, tmp_path):
    out, true, image = drawn([(50, 2), (60, 8.0)], [(50, 2), (150, 2)], vehicles=[(50, 2, 220)])
    picture = tmp_path / "misses.png"
    options = ["--half-width", "5", "--imagery", str(image), "--picture", str(picture)]
    done = CliRunner().invoke(main, ["evaluate", str(out), str(true), "--json", *options])
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == evaluate(out, true, half_width_m=5.0, imagery=image).to_json()
    assert picture.read_bytes().startswith(b"\x89PNG")
    done = CliRunner().invoke(main, ["evaluate", str(out), str(true), *options])
    assert done.exit_code == 3
    assert "misses.png" in done.stderr


def test_a_picture_of_no_misses_says_so(drawn, tmp_path):
    out, true, _ = drawn([(20, 2)], [(20, 2)])
    picture = picture_of(draw_misses(out, true, tmp_path / "none.png"))
    assert picture.shape[0] < 60
    assert (picture == COLOURS["found"]).all(axis=2).any()
    out.joinpath("vehicles.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    true.joinpath("vehicles.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    assert picture_of(draw_misses(out, true, tmp_path / "nothing.png")).shape[0] < 60


def test_without_imagery_there_is_no_picture(drawn, tmp_path):
    out, true, _ = drawn([(20, 2)], [(20, 2)], imagery=[])
    with pytest.raises(InputError, match=r"run\.json.*imagery"):
        draw_misses(out, true, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_letters_are_dots():
    one = lettering("1", dot_px=1)
    assert ["".join(".#"[dot] for dot in row) for row in one.astype(int)] == [
        "..#...", ".##...", "..#...", "..#...", "..#...", "..#...", ".###..",
    ]  # fmt: skip
    assert (lettering("é") == lettering("E")).all()
    assert (lettering("路") == lettering("?")).all()
    assert lettering("km 1.5").shape == (14, 72)
    assert lettering("").shape[0] == 14
