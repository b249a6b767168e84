"""The displacement test: shifts of patches one can work out, and simulated scenes whose bands are some time apart."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import jamline as jl
from jamline.cli import _band_times
from jamline.errors import UsageError
from jamline.imagery._metadata import band_times
from jamline.motion._measure import _Group, _pair, _told
from jamline.motion._shift import likeness, peak
from jamline.outputs import read_run
from jamline.report import words
from jamline.synth import SceneSpec, simulate
from jamline.synth.instants import driven_on
from jamline.synth.options import InstantsSpec
from jamline.synth.traffic import drive


@settings(max_examples=30, deadline=None)
@given(st.floats(-6.0, 6.0), st.integers(0, 1000), st.floats(0.3, 2.0), st.floats(-0.2, 0.5))
def test_a_shift_is_found_to_a_tenth_of_a_pixel_whatever_the_gain(shift, seed, gain, offset):
    rng = np.random.default_rng(seed)
    picture = ndimage.gaussian_filter(rng.normal(size=(6, 90)), (0.6, 1.4))
    moved = gain * ndimage.shift(picture, (0.0, shift), order=5, mode="nearest") + offset
    curve = likeness(picture[:, 30:60].astype(np.float32), moved[:, 20:70].astype(np.float32))
    at, height = peak(curve)
    assert at - 10 == pytest.approx(shift, abs=0.12)
    assert height > 0.9


def test_what_is_flat_is_like_nothing():
    flat = np.full((3, 8), 0.4, dtype=np.float32)
    assert not likeness(flat, np.tile(flat, (1, 2))).any()


def test_the_bands_that_lie_furthest_apart_are_compared():
    roles = ("red", "green", "blue")
    assert _pair(roles, {"red": 2.0, "green": 1.0, "blue": 0.5}) == (2, 0, 1.5)
    assert _pair(roles, {"red": 2.0, "nir": 9.0}) is None
    assert _pair(roles, {"red": 2.0, "blue": 2.0}) is None
    assert _pair(roles, {}) is None


def groups(shifts, gone=False):
    return [_Group(100.0 * n, shift, gone) for n, shift in enumerate(shifts)]


@pytest.mark.parametrize(
    ("found", "lag_s", "state", "speed_kmh"),
    [
        # 1 m in 1 s is 3.6 km/h; a tenth of a pixel of half a metre is far less.
        (groups([2.0] * 9), 1.0, "moving", 7.2),
        (groups([-2.0] * 9), 1.0, "moving", 7.2),
        (groups([0.02, -0.03, 0.0, 0.01]), 1.0, "standing", 0.0),
        # In a tenth of a second a pixel's tenth is 1.8 km/h, and half a km/h is nothing.
        (groups([0.1] * 4), 0.1, "unknown", 3.6),
        (groups([0.02] * 4), 0.1, "standing", 0.7),
        (groups([None] * 5 + [3.0]), 1.0, "unknown", None),
        (groups([None] * 5, gone=True), 1.0, "moving", None),
        ([], 1.0, "unknown", None),
    ],
)
def test_what_groups_say_together(found, lag_s, state, speed_kmh):
    motion = _told(found, lag_s, 0.5)
    assert motion.state == state
    if speed_kmh is None:
        assert motion.speed_kmh is None
    else:
        assert motion.speed_kmh.value == pytest.approx(speed_kmh, abs=0.4)
        assert motion.speed_kmh.low <= motion.speed_kmh.value <= motion.speed_kmh.high
    json.dumps(motion.to_json(), allow_nan=False)


def scene_spec(*, lag_s=(0.0, 0.0, 0.0), queue_kmh=(0.0, 0.0), seed=3):
    return SceneSpec.model_validate(
        {
            "seed": seed,
            "name": "instants",
            "road": {"name": "R", "length_m": 420.0},
            "queues": [{"side": "right", "start_m": 80.0, "end_m": 330.0}],
            "instants": {"lag_s": lag_s, "queue_kmh": queue_kmh},
            "sensor": {"pansharpened": False, "sharpen": 0.0},
            "imagery": {"half_width_m": 50.0},
        }
    )


@pytest.mark.parametrize(
    ("lag_s", "queue_kmh", "state"),
    [
        (1.0, (0.0, 0.0), "standing"),
        (1.0, (7.0, 7.0), "moving"),
        (0.2, (8.0, 8.0), "moving"),
        (0.0, (8.0, 8.0), "unknown"),
    ],
)
def test_a_queue_is_told_to_stand_or_to_move(tmp_path, lag_s, queue_kmh, state):
    scene = simulate(scene_spec(lag_s=(0.0, lag_s / 2, lag_s), queue_kmh=queue_kmh), tmp_path / "scene")
    found = jl.survey(scene, scene / "road.geojson")
    queues = found.queues[0]
    motion = queues[0].motion
    assert motion.state == state, motion
    frame = queues.to_frame()
    assert frame["motion"].tolist() == [state]
    queued = queues.vehicles["state"] == "queued"
    assert set(queues.vehicles.loc[queued, "motion"]) == {state}
    assert set(queues.vehicles.loc[~queued, "motion"]) <= {"unknown"}
    if lag_s:
        # Each vehicle's own speed goes 3 % around the one asked for.
        assert motion.speed_kmh.low - 0.3 <= queue_kmh[0] <= motion.speed_kmh.high + 0.3
        assert motion.lag_s == pytest.approx(lag_s)
        assert f"taken {lag_s:.2g} s apart" in words.moving(queues[0])
    else:
        assert frame["speed_kmh"].isna().all()
        assert motion.reason == "the bands' times are not known"
    record = read_run(found.write(tmp_path / "out")).roads[0].queues[0]
    assert record.motion.state == state


def test_times_that_somebody_gives_go_before_those_of_the_file(tmp_path):
    scene = simulate(scene_spec(lag_s=(0.0, 0.5, 1.0), queue_kmh=(7.0, 7.0)), tmp_path / "scene")
    (queue,) = jl.survey(scene, scene / "road.geojson", band_times={"red": 0.0, "blue": 2.0}).queues[0]
    assert queue.motion.speed_kmh.value == pytest.approx(3.5, abs=0.5)
    for wrong in ({"pan": 0.0}, {"red": float("nan")}):
        with pytest.raises(UsageError, match=r"^Invalid band"):
            jl.survey(scene, scene / "road.geojson", band_times=wrong)


def test_bands_that_were_packed_together_tell_no_shift(tmp_path):
    spec = scene_spec(lag_s=(0.0, 0.5, 1.0), queue_kmh=(7.0, 7.0))
    spec = spec.model_copy(update={"sensor": spec.sensor.model_copy(update={"jpeg_quality": 90})})
    scene = simulate(spec, tmp_path / "scene")
    (queue,) = jl.survey(scene, scene / "road.geojson").queues[0]
    assert queue.motion.state == "unknown"
    with pytest.raises(UsageError, match="JPEG and WebP mix"):
        jl.survey(scene, scene / "road.geojson", band_times={"red": 0.0, "blue": 1.0})


def test_vehicles_drive_on_between_bands_and_nothing_else_changes():
    spec = scene_spec(lag_s=(0.0, 0.0, 1.0), queue_kmh=(36.0, 36.0))
    here = drive(spec, 420.0)
    there = driven_on(here, spec.instants, 1.0, seed=spec.seed)
    step = np.array([b.station_m - a.station_m for a, b in zip(here, there, strict=True) if a.state == "queued"])
    assert np.abs(step).mean() == pytest.approx(10.0, abs=0.3)
    assert driven_on(here, InstantsSpec(), 5.0, seed=1) == tuple(here)


@pytest.mark.parametrize(
    ("item", "own", "times"),
    [
        ({}, {"red": {"TIME_OFFSET_S": "0.3"}, "blue": {"TIME_OFFSET_S": "0.1"}}, {"red": 0.2, "blue": 0.0}),
        (
            {},
            {
                "red": {"ACQUISITIONDATETIME": "2022-09-25T08:03:01.5Z"},
                "blue": {"ACQUISITIONDATETIME": "2022-09-25T08:03:00+00:00"},
            },
            {"red": 1.5, "blue": 0.0},
        ),
        ({}, {"red": {"TIME_OFFSET_S": "soon"}, "blue": {}}, {}),
        ({}, {"red": {"TIME_OFFSET_S": "1"}, "blue": {}}, {}),
        ({"properties": {"platform": "Sentinel-2A"}}, {"red": {}, "green": {}, "blue": {}}, {"red": 1.01, "blue": 0.0}),
        ({"properties": {"platform": "worldview-2"}}, {"red": {}, "green": {}, "blue": {}}, {}),
    ],
)
def test_band_times_are_read_and_never_made_up(item, own, times):
    assert band_times(item, {}, own) == pytest.approx(times)


def test_band_times_on_the_command_line():
    assert _band_times(None, None, "red=0, blue=1.01") == {"red": 0.0, "blue": 1.01}
    with pytest.raises(Exception, match="is not seconds"):
        _band_times(None, None, "red:0")
