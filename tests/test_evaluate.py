"""Evaluation: pairing that can be worked out by hand, and whole folders with a known answer."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from jamline.errors import InputError
from jamline.evaluate import Score, evaluate, match_vehicles
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
        out, true = tmp_path / "out", tmp_path / "truth"
        out.mkdir()
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
