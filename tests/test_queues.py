"""The queue model on evidence made by hand: lengths one can add up, and intervals held against known truth."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jam_example as example
from jamline import tables
from jamline.claims import check_claim
from jamline.errors import JamlineError, UsageError
from jamline.evidence import Evidence
from jamline.queues import _chain, _laws, _reading, _rows, measure_queues

ROAD = example.bent_road(2000.0)
ONE_WAY = example.bent_road(2000.0, oneway=True)
RIGHT = -1.8


def row(start_m: float, count: int, *, spacing_m: float = 7.5) -> np.ndarray:
    """Centres of cars of 4.5 m standing one behind another; the first one begins at ``start_m``."""
    return start_m + 2.25 + spacing_m * np.arange(count)


def seen(road, station, offset=RIGHT, *, unseen=(), recall=0.95, score=0.95, **kwargs) -> Evidence:
    frame = example.vehicles(road, station, offset, **kwargs)
    frame["score"] = score
    evidence = example.evidence(road, frame, unseen)
    return replace(evidence, sight=example.sight(road, list(unseen), recall=recall))


def span(queue) -> tuple[float, float]:
    return pytest.approx((queue.start_m, queue.end_m), abs=0.01)


@pytest.mark.parametrize("seed", [25, 60, 126])
def test_no_road_is_in_two_queues_of_one_side(seed):
    # A thin row, seen badly, that many worlds part and many do not.
    rng = np.random.default_rng(seed)
    station = np.sort(np.concatenate([rng.uniform(300, 560, rng.integers(5, 16)), rng.uniform(300, 560, 3)]))
    queues = measure_queues(seen(ROAD, station, recall=0.6))
    found = sorted((q.start_m, q.end_m) for q in (*queues, *queues.doubtful))
    assert found
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(found))


def test_a_queue_in_few_worlds_is_not_reported_but_refutes_no_claim():
    rng = np.random.default_rng(23)
    station = np.sort(np.concatenate([rng.uniform(300, 560, rng.integers(5, 16)), rng.uniform(300, 560, 3)]))
    queues = measure_queues(seen(ROAD, station, recall=0.6))
    assert len(queues) == 0
    (doubtful,) = queues.doubtful
    assert 0.5 < (doubtful.length_samples_km > 0).mean() < 0.8
    assert "queued" not in set(queues.vehicles["state"])
    for claim in ("at least 0.1 km", "at least 8 vehicles"):
        assert check_claim(claim, queues).verdict == "undecided"
        assert check_claim(claim, replace(queues, doubtful=())).verdict == "refuted"


# ---------- lengths


@pytest.mark.parametrize("count", [8, 40, 120])
def test_a_row_is_as_long_as_its_vehicles_and_the_gaps_between(count):
    (queue,) = measure_queues(seen(ROAD, row(300.0, count)))
    length_m = 7.5 * (count - 1) + 4.5
    assert (300.0, 300.0 + length_m) == span(queue)
    assert queue.length_km.value == pytest.approx(length_m / 1000, abs=1e-5)
    assert queue.occupied_km.value == pytest.approx(length_m / 1000, abs=1e-5)
    assert queue.length_km.low <= queue.length_km.value <= queue.length_km.high
    assert (queue.side, queue.road, queue.length_km.open) == ("right", ROAD.name, ())
    assert queue.lanes == pytest.approx(1.0)
    assert queue.packing == "packed"


@settings(max_examples=15, deadline=None)
@given(start=st.floats(150, 500), count=st.integers(10, 60), spacing=st.floats(6.5, 9.0))
def test_length_does_not_depend_on_where_the_queue_stands(start, count, spacing):
    (queue,) = measure_queues(seen(ROAD, row(start, count, spacing_m=spacing)))
    assert queue.length_km.value * 1000 == pytest.approx(spacing * (count - 1) + 4.5, abs=0.01)


def two_rows(gap_m: float) -> np.ndarray:
    """Two rows of 30, the second ``gap_m`` behind the far end of the first."""
    first = row(300.0, 30)
    return np.concatenate([first, row(first[-1] + 2.25 + gap_m, 30)])


ROW_M = 29 * 7.5 + 4.5


@pytest.mark.parametrize(("gap_m", "gaps_m"), [(19.0, 0.0), (21.0, 21.0), (99.0, 99.0)])
def test_gaps_up_to_20_m_are_occupied_and_wider_ones_are_not(gap_m, gaps_m):
    (queue,) = measure_queues(seen(ROAD, two_rows(gap_m)))
    assert queue.length_km.value * 1000 == pytest.approx(2 * ROW_M + gap_m, abs=0.01)
    assert queue.occupied_km.value * 1000 == pytest.approx(2 * ROW_M + gap_m - gaps_m, abs=0.01)


def test_a_break_of_101_m_makes_two_queues():
    queues = measure_queues(seen(ROAD, two_rows(101.0)))
    assert [q.length_km.value * 1000 for q in queues] == pytest.approx([ROW_M, ROW_M], abs=0.01)


def test_the_rules_can_be_changed():
    evidence = seen(ROAD, two_rows(60.0))
    assert len(measure_queues(evidence)) == 1
    assert len(measure_queues(evidence, break_m=50.0)) == 2
    occupied = measure_queues(evidence, gap_m=70.0)[0].occupied_km.value
    assert occupied * 1000 == pytest.approx(2 * ROW_M + 60, abs=0.01)


@pytest.mark.parametrize(
    ("gap_m", "length_m"),
    [
        (10.0, {"20": 2 * ROW_M + 10, "50": 2 * ROW_M + 10, "100": 2 * ROW_M + 10}),
        (40.0, {"20": ROW_M, "50": 2 * ROW_M + 40, "100": 2 * ROW_M + 40}),
        (80.0, {"20": ROW_M, "50": ROW_M, "100": 2 * ROW_M + 80}),
    ],
)
def test_sensitivity_tells_the_length_under_other_breaks(gap_m, length_m):
    (queue,) = measure_queues(seen(ROAD, two_rows(gap_m)))
    assert {k: 1000 * v for k, v in queue.sensitivity_km.items()} == pytest.approx(length_m, abs=0.01)


def test_queues_come_longest_first_and_each_side_on_its_own():
    station = np.concatenate([row(100.0, 20), row(400.0, 50), row(1000.0, 35)])
    offset = np.concatenate([np.full(20, 1.8), np.full(50, -1.8), np.full(35, 1.8)])
    queues = measure_queues(seen(ROAD, station, offset))
    assert [(q.side, round(q.vehicles.value)) for q in queues] == [
        ("right", pytest.approx(50, abs=3)),
        ("left", pytest.approx(35, abs=3)),
        ("left", pytest.approx(20, abs=2)),
    ]


@pytest.mark.parametrize(("road", "side"), [(ROAD, "right"), (ONE_WAY, "all")])
def test_two_rows_abreast_are_two_lanes(road, side):
    station = np.concatenate([row(300.0, 40), row(301.0, 40)])
    offset = np.repeat([-1.8, -5.2], 40)
    (queue,) = measure_queues(seen(road, station, offset))
    assert queue.side == side
    assert queue.lanes == pytest.approx(2.0, abs=0.02)
    assert queue.length_km.value * 1000 == pytest.approx(39 * 7.5 + 4.5 + 1.0, abs=0.01)
    # 40 vehicles in 297 m; 95 % are found at large, but here none was missed: no gap has room for one.
    assert queue.density_per_km_lane == pytest.approx(40 / 0.297, rel=0.01)


def test_a_lane_that_fills_half_the_queue_is_one_and_a_half():
    station = np.concatenate([row(300.0, 40), row(300.0, 20)])
    (queue,) = measure_queues(seen(ROAD, station, np.repeat([-1.8, -5.2], [40, 20])))
    assert queue.lanes == pytest.approx(1.5, abs=0.02)


def test_creeping_traffic_is_dense_and_not_packed():
    (queue,) = measure_queues(seen(ROAD, row(300.0, 40, spacing_m=16.0), recall=0.99))
    assert queue.packing == "dense"
    assert 28 <= queue.density_per_km_lane < 90


def test_lorries_are_a_share():
    length = np.where(np.arange(40) % 4 == 0, 12.0, 4.5)
    (queue,) = measure_queues(seen(ROAD, row(300.0, 40, spacing_m=15.0), length_m=length))
    assert queue.trucks == pytest.approx(0.25)


# ---------- open ends


@pytest.mark.parametrize("reason", ["outside imagery", "cloud", "tree cover"])
def test_a_queue_that_reaches_an_unseen_stretch_has_an_open_end(reason):
    end_m = 300.0 + 39 * 7.5 + 4.5
    unseen = [("right", end_m + 3.0, 2000.0 if reason == "outside imagery" else 900.0, reason)]
    (queue,) = measure_queues(seen(ROAD, row(300.0, 40), unseen=unseen))
    assert queue.length_km.open == ("end",)
    assert queue.length_km.high is None
    assert queue.length_km.low <= 39 * 7.5e-3 + 4.5e-3 + 1e-9
    assert "at least" in str(queue.length_km)


def test_an_unseen_stretch_before_it_opens_the_start():
    (queue,) = measure_queues(seen(ROAD, row(300.0, 40), unseen=[("right", 0.0, 295.0, "outside imagery")]))
    assert queue.length_km.open == ("start",)


def test_both_ends_may_be_open():
    unseen = [("right", 0.0, 297.0, "cloud"), ("right", 602.0, 2000.0, "cloud")]
    (queue,) = measure_queues(seen(ROAD, row(300.0, 40), unseen=unseen))
    assert queue.length_km.open == ("start", "end")


@pytest.mark.parametrize(("first_m", "open_ends"), [(1.0, ("start",)), (ROAD.length_m - 301.0, ("end",)), (900.0, ())])
def test_the_end_of_the_line_is_an_open_end(first_m, open_ends):
    (queue,) = measure_queues(seen(ROAD, row(first_m, 40)))
    assert queue.length_km.open == open_ends


def test_an_unseen_stretch_on_the_other_side_opens_nothing():
    (queue,) = measure_queues(seen(ROAD, row(300.0, 40), unseen=[("left", 0.0, 2000.0, "cloud")]))
    assert queue.length_km.open == ()


def test_an_unseen_stretch_within_a_queue_is_bridged():
    # 150 m without a vehicle, of which 140 m were not seen: what was seen of it is no break.
    first = row(300.0, 40)
    far = first[-1] + 2.25
    unseen = [("right", far + 5.0, far + 145.0, "cloud")]
    (queue,) = measure_queues(seen(ROAD, np.concatenate([first, row(far + 150.0, 40)]), unseen=unseen))
    assert queue.length_km.value * 1000 == pytest.approx(2 * (39 * 7.5 + 4.5) + 150, abs=0.01)
    assert queue.length_km.open == ()


# ---------- what is no queue


def test_parked_vehicles_never_join():
    evidence = seen(ROAD, row(300.0, 60), -7.0, state="parked")
    queues = measure_queues(evidence)
    assert len(queues) == 0
    assert set(queues.vehicles["state"]) == {"parked"}
    both = seen(
        ROAD,
        np.concatenate([row(300.0, 40), row(606.0, 40)]),
        np.repeat([-1.8, -6.0], 40),
        state=["queued"] * 40 + ["parked"] * 40,
    )
    (queue,) = measure_queues(both)
    assert span(queue) == (300.0, 300.0 + 39 * 7.5 + 4.5)


@pytest.mark.parametrize("seed", range(12))
def test_free_traffic_is_no_queue(seed):
    # Poisson at 20 vehicles per km and lane in two lanes, no closer than 12 m from centre to centre.
    rng = np.random.default_rng(seed)
    road = example.bent_road(4000.0)
    station, offset = [], []
    for lane in (-1.8, -5.3):
        at = np.cumsum(12.0 + rng.exponential(38.0, 200))
        station.append(at[at < 3990.0])
        offset.append(np.full(len(station[-1]), lane))
    queues = measure_queues(seen(road, np.concatenate(station), np.concatenate(offset)))
    assert len(queues) == 0
    assert set(queues.vehicles["state"]) == {"flowing"}


@pytest.mark.parametrize("gap_m", [60.0, 80.0, 97.0])
@pytest.mark.parametrize("behind", [True, False])
def test_a_lone_vehicle_near_a_queue_is_not_its_end(gap_m, behind):
    station = row(400.0, 60)
    lone = station[-1] + 4.5 + gap_m if behind else station[0] - 4.5 - gap_m
    (queue,) = measure_queues(seen(ROAD, np.append(station, lone)))
    assert queue.length_km.value * 1000 == pytest.approx(59 * 7.5 + 4.5, abs=0.01)


def test_three_cars_are_no_queue():
    assert len(measure_queues(seen(ROAD, row(300.0, 3)))) == 0


@pytest.mark.parametrize("road", [ROAD, ONE_WAY])
def test_nothing_found_is_an_empty_table_with_its_schema(road):
    queues = measure_queues(seen(road, [], []))
    assert len(queues) == 0
    assert list(queues) == []
    frame = queues.to_frame()
    assert len(frame) == 0
    assert [c for c in frame.columns if c != "geometry"] == tables.QUEUES.names
    assert [c for c in queues.vehicles.columns if c != "geometry"] == tables.VEHICLES.names


def test_states_are_told_and_the_evidence_is_left_alone():
    station = np.concatenate([row(300.0, 40), [900.0, 1200.0, 1600.0]])
    evidence = seen(ROAD, station, state="flowing")
    before = evidence.vehicles.copy()
    queues = measure_queues(evidence)
    pd.testing.assert_frame_equal(evidence.vehicles, before)
    assert queues.vehicles["state"].tolist() == ["queued"] * 40 + ["flowing"] * 3


def test_the_table_holds_what_the_queues_say():
    queues = measure_queues(seen(ROAD, two_rows(101.0)))
    frame = tables.check(queues.to_frame(), tables.QUEUES, source="test")
    assert frame["length_km"].tolist() == pytest.approx([q.length_km.value for q in queues])
    assert frame["length_100_km"].tolist() == pytest.approx([q.sensitivity_km["100"] for q in queues])
    _, offset = ROAD.to_road(*np.array(frame.geometry[0].coords).T)
    assert offset == pytest.approx(np.full(len(offset), RIGHT), abs=0.05)


# ---------- counts and intervals


@pytest.mark.parametrize("recall", [0.95, 0.8, 0.6])
def test_the_count_is_corrected_for_what_is_missed(recall):
    rng = np.random.default_rng(3)
    station = row(300.0, 160)
    station = station[rng.random(160) < recall]
    (queue,) = measure_queues(seen(ROAD, station, recall=recall, score=0.99))
    assert queue.vehicles.low <= 160 <= queue.vehicles.high
    assert queue.vehicles.value == pytest.approx(160, rel=0.12)


def thinned(seed: int, *, recall: float):
    """A true queue of random length, of which a detector finds a share, with some false vehicles besides."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(25, 90))
    gap = rng.lognormal(np.log(2.7), 0.45, count)
    length = np.where(rng.random(count) < 0.1, 12.0, 4.5)
    near = 400.0 + np.concatenate([[0.0], np.cumsum(length + gap)[:-1]])
    middle, truth_m = near + length / 2, near[-1] + length[-1] - 400.0
    # Found by chance; some are invented, and the scores say how many of each score are true.
    found = rng.random(count) < recall
    false = rng.uniform(20.0, 1980.0, rng.poisson(3))
    station = np.concatenate([middle[found], false])
    score = np.concatenate([rng.beta(12, 1, found.sum()), rng.beta(3, 3, len(false))])
    lengths = np.concatenate([length[found], np.full(len(false), 4.5)])
    order = np.argsort(station, kind="stable")
    evidence = seen(ROAD, station, recall=recall, length_m=lengths, score=score[order])
    return evidence, truth_m / 1000, count


@pytest.fixture(scope="module")
def thinnings():
    """The longest queue measured in each of 60 simulations, with its truth."""
    simulations = [thinned(seed, recall=0.7) for seed in range(60)]
    return [(next(iter(measure_queues(e)), None), km, count) for e, km, count in simulations]


def test_intervals_of_length_hold_the_truth(thinnings):
    hits = [q is not None and q.length_km.low <= km <= q.length_km.high for q, km, _ in thinnings]
    assert np.mean(hits) >= 0.8


def test_intervals_of_count_hold_the_truth(thinnings):
    hits = [q is not None and q.vehicles.low <= count <= q.vehicles.high for q, _, count in thinnings]
    assert np.mean(hits) >= 0.8


def test_intervals_are_not_wide_for_nothing(thinnings):
    widths = [q.length_km.high - q.length_km.low for q, _, _ in thinnings if q is not None]
    assert np.median(widths) < 0.060


def test_a_higher_level_gives_a_wider_interval():
    evidence, *_ = thinned(1, recall=0.7)
    narrow, wide = (measure_queues(evidence, level=level)[0].length_km for level in (0.5, 0.95))
    assert wide.level == 0.95
    assert wide.low < narrow.low
    assert wide.high > narrow.high


def test_samples_are_those_of_the_interval():
    (queue,) = measure_queues(seen(ROAD, row(300.0, 60)))
    low, high = np.quantile(queue.length_samples_km, [0.05, 0.95])
    assert queue.length_km.low == pytest.approx(min(low, queue.length_km.value))
    assert queue.length_km.high == pytest.approx(max(high, queue.length_km.value))
    assert len(queue.length_samples_km) == len(queue.count_samples)


def test_one_seed_gives_one_answer_and_another_nearly_the_same():
    evidence = seen(ROAD, row(300.0, 60)[np.arange(60) % 6 > 0], recall=0.8)
    one, same, other = (measure_queues(evidence, seed=seed)[0] for seed in (0, 0, 1))
    assert one.to_json() == same.to_json()
    assert np.array_equal(one.length_samples_km, same.length_samples_km)
    assert not np.array_equal(one.length_samples_km, other.length_samples_km)
    assert one.length_km.value == pytest.approx(other.length_km.value, abs=0.02)
    # To within a vehicle's length from seed to seed.
    assert one.length_km.high == pytest.approx(other.length_km.high, abs=0.01)


def test_a_long_run_of_doubtful_vehicles_does_not_break_a_queue():
    # Each of 1,200 has an even chance to be false, but not all at once: 100 m of them cannot be.
    road = example.bent_road(12000.0)
    rng = np.random.default_rng(0)
    station = row(1000.0, 1200, spacing_m=8.0)
    score = np.where(rng.random(1200) < 0.5, 0.45, 0.6)
    (queue,) = measure_queues(seen(road, station, score=score, recall=0.9))
    length_km = (1199 * 8.0 + 4.5) / 1000
    assert queue.length_km.low > 0.99 * length_km
    assert queue.length_km.high < 1.01 * length_km
    assert queue.vehicles.value > 1000


@pytest.mark.parametrize("seed", range(6))
def test_a_platoon_is_no_queue(seed):
    # Ten vehicles that follow each other at a second and a half, 50 to 70 km/h.
    rng = np.random.default_rng(seed)
    station = 600.0 + np.cumsum(rng.uniform(24.0, 34.0, 10))
    assert len(measure_queues(seen(ROAD, station))) == 0


def test_wrong_states_of_some_vehicles_do_not_part_a_row():
    rng = np.random.default_rng(5)
    state = np.where(rng.random(60) < 0.2, "parked", "flowing")
    (queue,) = measure_queues(seen(ROAD, row(400.0, 60), state=state))
    assert span(queue) == (400.0, 400.0 + 59 * 7.5 + 4.5)
    assert queue.vehicles.value == pytest.approx(60, abs=4)


def test_doubt_about_a_bay_enters_the_interval():
    # Half of a bay that lies in line with the queue is said to be in the lanes: either all of it is or none.
    state = ["flowing"] * 40 + ["parked", "flowing"] * 15
    (queue,) = measure_queues(seen(ROAD, row(300.0, 70), state=state))
    assert queue.length_km.low * 1000 < 400
    assert queue.length_km.high * 1000 > 69 * 7.5


@pytest.mark.parametrize("recall", [0.95, 0.7])
def test_vehicles_missed_behind_the_last_one_found_lengthen_the_queue(recall):
    rng = np.random.default_rng(1)
    station = row(300.0, 120)
    station = station[rng.random(120) < recall]
    (queue,) = measure_queues(seen(ROAD, station, recall=recall, score=0.99))
    found_m = station[-1] + 2.25 - (station[0] - 2.25)
    longer = np.mean(1000 * queue.length_samples_km > found_m + 4.0)
    # Behind each end at least one was missed with chance 1 - recall; the ends' own error adds little.
    assert longer == pytest.approx(1 - recall**2, abs=0.15)


def test_an_unseen_stretch_is_bridged_with_its_probability():
    first = row(300.0, 40)
    far = first[-1] + 2.25
    near, distant = (
        measure_queues(
            seen(
                example.bent_road(5000.0),
                np.concatenate([first, row(far + gap + 10.0, 40)]),
                unseen=[("right", far + 5.0, far + gap + 5.0, "cloud")],
            )
        )
        for gap in (140.0, 2000.0)
    )
    (bridge,) = near[0].bridged
    assert (bridge.start_m, bridge.end_m) == pytest.approx((far + 5.0, far + 145.0))
    assert bridge.probability > 0.9
    # Two km that nobody saw may hold anything.
    joined = [b.probability for queue in distant for b in queue.bridged]
    assert all(probability < 0.9 for probability in joined)
    assert min(queue.length_km.low for queue in distant) < 0.35


def across(gap_m, *, shown_m=300.0, offset=RIGHT):
    """Rows of cars seen over so much before and behind a stretch that nobody saw."""
    road = example.bent_road(6000.0)
    count = max(2, round(shown_m / 7.5))
    first = row(1000.0, count)
    far = first[-1] + 2.25
    station = np.concatenate([first, row(far + gap_m + 10.0, count)])
    rows = np.atleast_1d(offset)
    unseen = [("right", far + 5.0, far + gap_m + 5.0, "cloud")]
    return seen(road, np.tile(station, len(rows)), np.repeat(rows, len(station)), unseen=unseen)


def test_the_longer_nobody_saw_the_less_a_queue_is_one():
    likely = []
    for gap in (50.0, 200.0, 500.0, 1000.0, 2000.0):
        queues = measure_queues(across(gap))
        longest = queues[0].length_samples_km
        likely.append(np.mean(1000 * longest > 300.0 + gap))
    assert likely == sorted(likely, reverse=True)
    assert likely[0] > 0.95
    assert likely[2] > 0.7
    assert likely[-1] < likely[0] - 0.2


def test_what_is_told_of_bridges_goes_into_the_record():
    (queue,) = measure_queues(across(200.0))
    (bridge,) = queue.bridged
    assert queue.unbroken == bridge.probability
    told = queue.to_json()
    assert told["bridged"] == [
        {"start_m": round(bridge.start_m, 1), "end_m": round(bridge.end_m, 1), "probability": round(queue.unbroken, 3)}
    ]
    # Unseen road is no gap: no rule breaks the queue there.
    assert queue.sensitivity_km["50"] == pytest.approx(queue.length_km.value)


def test_a_queue_that_ends_in_what_was_not_seen_bridges_nothing():
    far = row(300.0, 40)[-1] + 2.25
    (queue,) = measure_queues(seen(ROAD, row(300.0, 40), unseen=[("right", far - 1.0, 900.0, "cloud")]))
    assert (queue.bridged, queue.unbroken) == ((), 1.0)


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("shown_m", [20.0, 60.0, 300.0])
def test_what_stands_unseen_stands_in_as_many_rows_as_beside_it(rows, shown_m):
    queues = measure_queues(across(500.0, shown_m=shown_m, offset=RIGHT - 3.2 * np.arange(rows)))
    joined = [queue for queue in queues if queue.bridged]
    for queue in joined:
        full = rows * (2 * shown_m + 510.0) / 7.5
        assert queue.lanes < rows + 0.5
        assert queue.vehicles.value < 1.35 * full
        # About one world in twenty leaves it open at the unseen road: whether it is told so is a matter of the seed.
        most = math.inf if queue.vehicles.open else queue.vehicles.high
        assert queue.vehicles.low < full < most or shown_m < 100.0
        # Nobody saw the middle: the count is less sure than that of a queue seen whole.
        assert most - queue.vehicles.low > 0.1 * full
    assert joined or shown_m < 100.0


def test_ends_and_rows_have_intervals():
    (queue,) = measure_queues(seen(ROAD, row(300.0, 60)))
    for estimate, value in ((queue.start, queue.start_m), (queue.end, queue.end_m), (queue.rows, queue.lanes)):
        assert estimate.low <= value <= estimate.high
        assert estimate.value == value
    assert queue.end.high - queue.start.low > 1000 * queue.length_km.low


# ---------- the chain and the laws, against independent sums


def test_paths_are_drawn_from_the_exact_posterior():
    rng = np.random.default_rng(2)
    seen_bins = rng.normal(0.0, 2.0, (40, 1, _chain.VIEWS))
    filtered = _chain.filter_states(lambda first, stop: seen_bins[first:stop], bins=40, columns=1)
    draws = 20000
    paths = _chain.in_order(_chain.draw_paths(filtered, draws=draws, rng=rng))
    drawn = np.zeros((40, 5))
    for state in range(5):
        mine = paths.state == state
        change = np.zeros(41)
        np.add.at(change, paths.first[mine], 1)
        np.add.at(change, paths.last[mine] + 1, -1)
        drawn[:, state] = np.cumsum(change)[:40] / draws
    # Forward times backward sums, written down plainly.
    likelihood = np.exp(seen_bins[:, 0])[:, _chain._PHASE_VIEW]
    forward = [_chain._PRIOR * likelihood[0]]
    for each in likelihood[1:]:
        forward.append(forward[-1] @ _chain._STEP * each)
    backward = [np.ones(len(_chain._PRIOR))]
    for each in likelihood[:0:-1]:
        backward.append(_chain._STEP @ (each * backward[-1]))
    posterior = np.array(forward) * np.array(backward[::-1])
    posterior /= posterior.sum(axis=1, keepdims=True)
    exact = np.stack([posterior[:, state == _chain.PHASE_STATE].sum(axis=1) for state in range(5)], axis=1)
    assert drawn == pytest.approx(exact, abs=0.02)
    assert drawn.sum(axis=1) == pytest.approx(np.ones(40))


def test_bins_asked_for_piece_by_piece_are_explained_as_all_at_once():
    station = np.concatenate([row(300.0, 40), row(700.0, 9, spacing_m=60.0), row(1320.0, 30)])
    evidence = seen(ROAD, station, unseen=[(520.0, 610.0, "cloud"), (1400.0, 1430.0, "nodata")], recall=0.7)
    for reading in _reading.readings(evidence, "right", np.random.default_rng(1)):
        bins = reading.sight.bins
        for size in (1, 7, 64):
            parts = [reading.log_likelihood(at, min(at + size, bins)) for at in range(0, bins, size)]
            assert np.concatenate(parts).tolist() == reading.log_likelihood(0, bins).tolist()


def test_a_long_road_is_asked_for_in_pieces_with_the_same_result(monkeypatch):
    evidence = seen(ROAD, np.concatenate([row(300.0, 60), row(1320.0, 30)]), unseen=[(520.0, 560.0, "cloud")])
    monkeypatch.setattr(_chain, "_BLOCK", 16)
    found = []
    for asked in (1, 3, 100):
        monkeypatch.setattr(_chain, "_ASKED", asked)
        found.append([queue.to_json() for queue in measure_queues(evidence)])
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 2


def test_states_last_their_least_durations():
    rng = np.random.default_rng(3)
    seen_bins = rng.normal(0.0, 3.0, (200, 1, _chain.VIEWS))
    filtered = _chain.filter_states(lambda first, stop: seen_bins[first:stop], bins=200, columns=1)
    paths = _chain.in_order(_chain.draw_paths(filtered, draws=200, rng=rng))
    inner = (paths.first > 0) & (paths.last < 199)
    lasted = paths.last - paths.first + 1
    for state, least in ((_chain.STANDING, 4), (_chain.CREEPING, 4), (_chain.HOLE, 2), (_chain.FLOWING, 5)):
        assert lasted[inner & (paths.state == state)].min() >= least


@pytest.mark.parametrize("recall", [0.95, 0.7, 0.4])
def test_the_law_of_found_gaps_is_that_of_a_thinned_row(recall):
    rng = np.random.default_rng(4)
    true = _laws.TrueGaps(_laws.STANDING, 4.6, 0.5)
    n = 400_000
    part = rng.choice(len(true.mixture), n, p=[share for share, _, _ in true.mixture])
    mean, shape = np.array([mean for _, mean, _ in true.mixture])[part], 6.0
    gap, length = rng.gamma(shape, mean / shape), rng.normal(4.6, 0.5, n)
    # A vehicle fares as the one before it with the chance of a run, else by itself.
    missed = np.zeros(n, dtype=bool)
    own, run = rng.random(n) >= recall, rng.random(n) < true.run
    for i in range(1, n):
        missed[i] = missed[i - 1] if run[i] else own[i]
    near = np.cumsum(gap + length) - length
    found = np.flatnonzero(~missed)
    gaps = near[found[1:]] - (near + length)[found[:-1]]
    _, survival = true.thinned(np.array([2.0, 5.0, 10.0, 15.0, 25.0, 40.0]), np.full(6, recall))
    expected = [np.mean(gaps > x) for x in (2.0, 5.0, 10.0, 15.0, 25.0, 40.0)]
    assert survival.sum(axis=-1) == pytest.approx(np.array(expected), abs=0.02)


def test_a_row_is_followed_past_the_row_beside_it():
    start = np.sort(np.concatenate([8.0 * np.arange(50), 8.0 * np.arange(50) + 3.0]))
    offset = np.tile([-1.8, -4.6], 50)
    ahead = _rows.predecessors(start, start + 4.5, offset)
    assert ahead.tolist() == [-1, -1, *range(98)]


# ---------- what is refused


@pytest.mark.parametrize(
    "wrong",
    [{"gap_m": 0.0}, {"gap_m": -5.0}, {"gap_m": 120.0}, {"break_m": 10.0}, {"level": 0.0}, {"level": 1.0}],
)
def test_rules_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError, match="Must"):
        measure_queues(seen(ROAD, row(300.0, 40)), **wrong)


@pytest.mark.parametrize("table", ["vehicles", "sight"])
def test_evidence_without_a_column_is_refused(table):
    evidence = seen(ROAD, row(300.0, 40))
    broken = getattr(evidence, table).drop(columns="side")
    with pytest.raises(JamlineError, match="Must have the columns side"):
        replace(evidence, **{table: broken})


def test_what_was_seen_is_told_by_side_and_is_the_caller_s_own():
    evidence = seen(ROAD, row(500.0, 5), unseen=[("right", 300.0, 400.0, "cloud")])
    spans = evidence.seen("right")
    assert [(each.start_m, each.end_m) for each in spans] == [(0.0, 300.0), (400.0, ROAD.length_m)]
    assert [(each.start_m, each.end_m) for each in evidence.seen("left")] == [(0.0, ROAD.length_m)]
    assert evidence.seen("all") == []
    spans.clear()
    assert len(evidence.seen("right")) == 2
