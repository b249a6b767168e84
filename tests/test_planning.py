"""Planning: made-up evidence is what it says, and the least imagery that decides is found."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from jamline.claims import read_claim
from jamline.cli import main
from jamline.detect import DETECTORS, detector_named
from jamline.errors import ClaimError, UsageError
from jamline.planning import Setting, Traffic, plan
from jamline.planning._plan import _Trial
from jamline.planning._sighting import HEAD_M, extent, sighted
from jamline.spans import total_m

DETECTOR = detector_named("network")


def evidence(length_m=2000.0, *, gsd_m=0.5, covered_m=1e9, looks=1, clouds=0.0, seed=0, rows=1):
    vehicles = Traffic(rows=rows).queue(length_m, seed=seed)
    rng = np.random.default_rng(seed)
    seen = sighted(
        vehicles, DETECTOR.usual(gsd_m), gsd_m=gsd_m, covered_m=covered_m, looks=looks, clouds=clouds, rng=rng
    )
    return seen, extent(vehicles)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_that_finds_less_needs_finer_pixels(name):
    recalls = [detector_named(name).usual(gsd_m).recall for gsd_m in (0.3, 0.5, 0.8, 1.2, 2.0)]
    assert recalls == sorted(recalls, reverse=True)
    assert recalls[0] > 0.7
    assert recalls[-1] < 0.15
    (seen, _), told = evidence(gsd_m=0.5), detector_named("network").usual(0.5)
    shown = seen.sight[seen.sight["seen"]]
    assert set(shown["recall"]) == {told.recall}
    assert set(shown["false_per_km"]) == {told.false_per_km}


def test_planning_asks_the_detector_that_would_be_used():
    settings = {"gsds_m": [0.8], "looks": [1], "clouds": 0.0, "cases": 8}
    better, worse = (plan("at least 600 m", detector=name, **settings).tried[0] for name in ("network", "contrast"))
    assert better.share > worse.share
    with pytest.raises(UsageError, match="Invalid detector"):
        plan("1 km", detector="eyes")


@pytest.mark.parametrize("rows", [1, 2])
def test_a_queue_is_as_long_as_asked_and_as_full_as_promised(rows):
    lengths, counts = zip(*(evidence(3000.0, seed=seed, rows=rows)[1] for seed in range(6)), strict=True)
    assert [span.start_m for span in lengths] == pytest.approx([HEAD_M] * 6, abs=25.0)
    assert [span.length_m for span in lengths] == pytest.approx([3000.0] * 6, abs=60.0)
    assert np.mean(counts) == pytest.approx(3 * Traffic(rows=rows).per_km, rel=0.12)


@pytest.mark.parametrize("gsd_m", [0.3, 1.2])
def test_vehicles_are_found_as_often_as_the_resolution_lets(gsd_m):
    shares = []
    for seed in range(8):
        seen, (span, count) = evidence(gsd_m=gsd_m, seed=seed)
        station = seen.vehicles["station_m"]
        shares.append(((station > span.start_m) & (station < span.end_m)).sum() / count)
    usual = DETECTOR.usual(gsd_m)
    # False ones besides.
    assert np.mean(shares) == pytest.approx(usual.recall + usual.false_per_km / Traffic().per_km, abs=0.06)


def test_clouds_hide_their_share_and_further_looks_see_under_them():
    seen_m = {looks: [] for looks in (1, 3)}
    for looks, shares in seen_m.items():
        for seed in range(30):
            seen, _ = evidence(clouds=0.3, looks=looks, seed=seed)
            shares.append(total_m(seen.seen("all")) / seen.road.length_m)
            at = seen.vehicles["station_m"].to_numpy()
            assert all(any(s.start_m <= m <= s.end_m for s in seen.seen("all")) for m in at)
    assert np.mean(seen_m[1]) == pytest.approx(0.7, abs=0.08)
    assert np.mean(seen_m[3]) == pytest.approx(1 - 0.3**3, abs=0.05)


def test_nothing_is_seen_beyond_the_coverage():
    seen, _ = evidence(covered_m=900.0)
    assert total_m(seen.seen("all")) == pytest.approx(900.0)
    assert seen.vehicles["station_m"].max() <= 900.0
    assert set(seen.sight["reason"]) == {"", "outside imagery"}


def test_the_sides_of_a_claim_are_simulated_by_turns():
    for text in ("1 km", "at least 1 km", "at most 1 km", "1 to 2 km", "100 cars"):
        claim = read_claim(text)
        trial = _Trial(claim, Traffic(), DETECTOR, 0.0, 8, 0, lambda: None)
        scale = 1.0 if claim.quantity == "length" else Traffic().per_km
        truths = [scale * trial._length_km(n, np.random.default_rng(n)) for n in range(8)]
        low, high = claim.bounds
        assert sum(low <= truth <= high for truth in truths) == 4
        # None stands on the edge.
        assert all(abs(truth / edge - 1) > 0.04 for truth in truths for edge in (low, high) if 0 < edge < np.inf)


def test_the_least_imagery_that_decides_is_found():
    made = plan("at least 600 m", gsds_m=[0.3, 1.6], looks=[1, 2], clouds=0.0, cases=5)
    assert made.choice is not None
    assert (made.choice.gsd_m, made.choice.looks) == (0.3, 1)
    assert made.choice.covered_km in (0.6, 0.75, 0.9, 1.2)
    shares = {outcome.setting: outcome.share for outcome in made.tried}
    assert shares[Setting(1.6, 1.2, 2)] < 0.8 <= shares[made.choice]
    assert all(outcome.wrong == 0 for outcome in made.tried)
    assert made == plan("at least 600 m", gsds_m=[0.3, 1.6], looks=[1, 2], clouds=0.0, cases=5)
    told = list(made.sentences())
    assert told[0].startswith("'at least 600 m': decided by 0.3 m over")
    json.dumps(made.to_json(), allow_nan=False)


def test_the_shortest_queue_grows_with_the_pixels():
    made = plan("300 m", gsds_m=[0.3, 1.2, 1.6], looks=[1], clouds=0.0, cases=4)
    fine, coarse = made.shortest_m[0.3], made.shortest_m[1.2]
    assert fine is not None
    assert coarse is None or fine < coarse
    assert made.shortest_m[1.6] is None or made.shortest_m[1.6] >= 500
    assert any(f"an image of 0.3 m shows queues from {fine:g} m up" in line for line in made.sentences())


def test_no_image_decides_a_rate():
    made = plan("37,000 cars a week")
    assert (made.choice, made.tried) == (None, ())
    assert "no image decides it" in " ".join(made.sentences())


@pytest.mark.parametrize(
    "wrong",
    [
        {"gsds_m": []},
        {"gsds_m": [0.0]},
        {"gsds_m": [float("nan")]},
        {"looks": [0]},
        {"clouds": 1.0},
        {"clouds": -0.1},
        {"cases": 0},
        {"traffic": Traffic(rows=0)},
        {"traffic": Traffic(trucks=1.0)},
    ],
)
def test_plan_fails(wrong):
    with pytest.raises(UsageError, match=r"^Invalid .*\. Must be"):
        plan("1 km", **wrong)


def test_that_there_is_no_queue_cannot_be_planned_for():
    with pytest.raises(ClaimError, match="of some length or count"):
        plan("no traffic jam")


def test_the_command_prints_a_plan():
    args = ["plan", "200 m", "37,000 cars a week", "--gsd", "0.3", "--looks", "1", "--clouds", "0", "--cases", "2"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("'") == 4
    assert "an image of 0.3 m" in done.stdout
    printed = json.loads(CliRunner().invoke(main, [*args, "--json"]).stdout)
    assert [each["claim"] for each in printed] == ["200 m", "37,000 cars a week"]
    assert CliRunner().invoke(main, ["plan", "1 km", "--gsd", "fine"]).exit_code == 2
    assert CliRunner().invoke(main, ["plan", "1 km", "--clouds", "2"]).exit_code == 2
