"""The `contrast` detector on roads drawn by hand: every vehicle there is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from drawn_road import Drawing, line
from jamline import tables
from jamline.corridor import Hidden, lay_flat
from jamline.detect import DETECTORS, _sight, detector_named, find_vehicles
from jamline.errors import UsageError
from jamline.imagery import open_scene

LENGTH_M = 300.0
BRIGHT, DARK, WHITE = 205, 28, 235

MISSED = pytest.mark.xfail(strict=True, reason="what contrast cannot tell apart yet: docs/limits.md")


def plain(*, marks: bool = True, **kwargs) -> Drawing:
    """An 8 m road of two lanes; a dashed middle line and edge lines are 12 cm wide."""
    drawing = Drawing.of_road(LENGTH_M, pixel_m=0.4, noise=2.0, **kwargs)
    if marks:
        for offset in (-3.7, 3.7):
            drawing.box(-20, LENGTH_M + 20, offset - 0.06, offset + 0.06, 215)
        for station in range(0, int(LENGTH_M), 12):
            drawing.box(station, station + 4, -0.06, 0.06, 215)
    return drawing


def corridor_of(drawing: Drawing, folder, *, length_m=LENGTH_M, **kwargs):
    road = line(length_m, width_m=8.0, **kwargs)
    return lay_flat(open_scene(drawing.write(folder / "a.tif")), road, align_road=False)


def found_on(drawing: Drawing, folder, **kwargs) -> pd.DataFrame:
    return find_vehicles(corridor_of(drawing, folder, **kwargs), detector="contrast").vehicles


def assert_found(vehicles, expected, *, along_m=1.2, across_m=0.7):
    """Every vehicle expected is there, in order of station, and no other."""
    got = vehicles.sort_values(["station_m", "offset_m"])
    expected = sorted(expected)
    at = np.column_stack([got["station_m"], got["offset_m"]])
    assert len(at) == len(expected), at.round(1).tolist()
    assert np.abs(at - np.array(expected)).max(axis=0) == pytest.approx([0, 0], abs=max(along_m, across_m))
    assert np.abs(at - np.array(expected))[:, 1].max() <= across_m


@pytest.mark.parametrize("colour", [BRIGHT, DARK, WHITE, (190, 40, 40), (40, 60, 150)])
def test_single_cars_are_found_where_they_are(tmp_path, colour):
    drawing = plain()
    places = [(40.0, -2.0), (90.0, 2.0), (150.0, -2.0), (205.0, 2.0), (260.0, -2.0)]
    for station, offset in places:
        drawing.vehicle(station, offset, colour=colour)
    vehicles = found_on(drawing, tmp_path)
    assert_found(vehicles, places)
    assert set(vehicles["kind"]) == {"car"}
    assert vehicles["side"].tolist() == ["right", "left", "right", "left", "right"]
    assert vehicles["length_m"].to_numpy() == pytest.approx(4.5, abs=1.6)
    assert vehicles["width_m"].to_numpy() == pytest.approx(1.8, abs=0.5)
    assert set(vehicles["state"]) == {"flowing"}
    assert vehicles["score"].between(0.5, 1.0).all()


@pytest.mark.parametrize("gap_m", [2.0, 3.0])
@pytest.mark.parametrize("colours", [(BRIGHT, BRIGHT), (DARK, DARK), (BRIGHT, DARK)])
def test_two_bumper_to_bumper_are_two(tmp_path, gap_m, colours):
    drawing = plain()
    places = [(100.0, -2.0), (104.5 + gap_m, -2.0)]
    for (station, offset), colour in zip(places, colours, strict=True):
        drawing.vehicle(station, offset, colour=colour)
    assert_found(found_on(drawing, tmp_path), places)


@pytest.mark.parametrize("colours", [(BRIGHT, BRIGHT), (DARK, DARK), pytest.param((WHITE, DARK), marks=MISSED)])
def test_two_abreast_are_two(tmp_path, colours):
    drawing = plain()
    places = [(120.0, -2.0), (121.0, 1.5)]
    for (station, offset), colour in zip(places, colours, strict=True):
        drawing.vehicle(station, offset, colour=colour)
    assert_found(found_on(drawing, tmp_path), places)


@pytest.mark.parametrize("colour", [BRIGHT, pytest.param(DARK, marks=MISSED), WHITE])
@pytest.mark.parametrize("length_m", [12.0, 16.0])
def test_a_lorry_is_one_truck(tmp_path, colour, length_m):
    drawing = plain()
    drawing.vehicle(150.0, -2.0, length_m=length_m, width_m=2.5, colour=colour)
    vehicles = found_on(drawing, tmp_path)
    assert_found(vehicles, [(150.0, -2.0)], along_m=2.0)
    assert vehicles["kind"].tolist() == ["truck"]
    assert vehicles["length_m"].iloc[0] == pytest.approx(length_m, abs=3.0)


@pytest.mark.parametrize("start_m", [150.0, 60.0])
def test_a_queue_is_counted(tmp_path, start_m):
    drawing = plain()
    rng = np.random.default_rng(5)
    places = [(start_m + 7.4 * k, -2.0) for k in range(16)]
    for station, offset in places:
        drawing.vehicle(station, offset, colour=rng.choice([BRIGHT, DARK, WHITE, 60, 165]))
    vehicles = found_on(drawing, tmp_path)
    assert len(vehicles) == pytest.approx(16, abs=1)
    assert vehicles["offset_m"].to_numpy() == pytest.approx(-2.0, abs=0.7)


def test_marks_on_the_road_are_no_vehicles(tmp_path):
    drawing = plain()
    for station in (60.0, 180.0):
        drawing.box(station, station + 0.5, -4, 0, 225)  # stop line
        drawing.box(station + 10, station + 14, -2.1, -1.9, 225)  # shaft of an arrow
        drawing.box(station + 14, station + 15.5, -2.4, -1.6, 225)  # and its head
    drawing.box(230, 290, -0.3, -0.1, 225)  # a double line
    drawing.box(230, 290, 0.1, 0.3, 225)
    assert len(found_on(drawing, tmp_path)) == 0


@pytest.mark.parametrize(("pitch_m", "first_m"), [(1.0, -3.75), (0.9, -3.6), (1.2, -3.4)])
@pytest.mark.parametrize("paint", [170, 225])
def test_a_zebra_crossing_is_no_vehicle(tmp_path, pitch_m, first_m, paint):
    drawing = plain()
    for offset in np.arange(first_m, 3.76, pitch_m):
        drawing.box(100, 103, offset - pitch_m / 4, offset + pitch_m / 4, paint)
    places = [(93.0, -2.0), (109.0, 2.0)]
    for station, offset in places:
        drawing.vehicle(station, offset, colour=BRIGHT)
    assert_found(found_on(drawing, tmp_path), places)


def test_shadows_beside_vehicles_are_none(tmp_path):
    drawing = plain()
    places = [(30.0 + 24.0 * k, (-2.0, 2.0)[k % 2]) for k in range(10)]
    for station, offset in places:
        drawing.box(station - 2.25, station + 2.25, offset - 2.7, offset - 0.9, 30)
        drawing.vehicle(station, offset, colour=BRIGHT)
    assert_found(found_on(drawing, tmp_path), places)


@pytest.mark.parametrize("tone", [45, 60])
@pytest.mark.parametrize("length_m", [12.0, 23.0])
@pytest.mark.parametrize("middle_m", [-2.0, -0.6, 1.8])
def test_a_patch_of_darker_asphalt_is_no_lorry(tmp_path, tone, length_m, middle_m):
    drawing = plain(marks=False)
    drawing.box(100, 100 + length_m, middle_m - 1.25, middle_m + 1.25, tone)
    drawing.vehicle(180.0, -2.0, length_m=12.0, width_m=2.5, colour=BRIGHT)
    vehicles = found_on(drawing, tmp_path)
    assert_found(vehicles, [(180.0, -2.0)], along_m=2.0)


@pytest.mark.parametrize("marks", [True, False])
def test_an_empty_road_has_no_vehicles(tmp_path, marks):
    assert len(found_on(plain(marks=marks), tmp_path)) == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_alone_gives_next_to_nothing(tmp_path, seed):
    drawing = plain(marks=False)
    drawing.pixels[:] = np.random.default_rng(seed).uniform(90, 110, drawing.pixels.shape[1:])
    assert len(found_on(drawing, tmp_path)) <= 1


def test_vehicles_in_the_verge_are_parked_and_far_ones_are_left_alone(tmp_path):
    drawing = plain()
    drawing.box(-20, LENGTH_M + 20, -6.5, -4, (100, 100, 102))  # a bay beside the lanes
    drawing.vehicle(100.0, -5.3, colour=BRIGHT)
    drawing.vehicle(160.0, -2.0, colour=BRIGHT)
    drawing.vehicle(220.0, -11.0, colour=BRIGHT)
    vehicles = found_on(drawing, tmp_path).sort_values("station_m")
    assert vehicles["state"].tolist() == ["parked", "flowing"]


def busy() -> tuple[Drawing, list[float]]:
    """1.1 km with a vehicle on each seam of sections of 200 m and many elsewhere."""
    drawing = Drawing.of_road(1100, pixel_m=0.4, noise=2.0)
    station = sorted([*np.arange(30.0, 1090.0, 26.0), 200.0, 400.0, 599.0, 801.0])
    station = [s for k, s in enumerate(station) if k == 0 or s - station[k - 1] > 7.0]
    for k, s in enumerate(station):
        drawing.vehicle(s, -2.0 if k % 2 else 2.0, colour=(BRIGHT, DARK)[k % 3 == 0])
    return drawing, station


def test_seams_neither_double_nor_lose_a_vehicle(tmp_path):
    drawing, station = busy()
    corridor = corridor_of(drawing, tmp_path, length_m=1100.0)

    class Short(type(corridor)):
        """The same corridor in sections of 200 m."""

        def sections(self, *, length_m=200.0, **how):
            return super().sections(length_m=length_m, **how)

    fields = {name: getattr(corridor, name) for name in corridor.__dataclass_fields__}
    whole, cut = (find_vehicles(each, detector="contrast") for each in (corridor, Short(**fields)))
    assert len(whole.vehicles) == len(station)
    assert len(cut.vehicles) == len(whole.vehicles)
    for name in ("station_m", "offset_m", "length_m"):
        assert cut.vehicles[name].to_numpy() == pytest.approx(whole.vehicles[name].to_numpy(), abs=0.8)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    drawing = plain()
    drawing.box(200, 240, -40, 40, 0)
    drawing.vehicle(100.0, -2.0, colour=BRIGHT)
    drawing.vehicle(160.0, -2.0, length_m=12.0, width_m=2.5, colour=BRIGHT)
    corridor = corridor_of(drawing, tmp_path_factory.mktemp("e"), name="M4", length_m=310.0)
    return find_vehicles(corridor, detector="contrast")


def test_evidence_has_its_schema(evidence):
    vehicles = tables.check(evidence.vehicles, tables.VEHICLES, source="test")
    assert set(vehicles["road"]) == {"M4"}
    assert vehicles["station_m"].is_monotonic_increasing
    assert vehicles["heading_deg"].to_numpy() == pytest.approx(evidence.road.heading_at(vehicles["station_m"]) % 180)
    assert evidence.detector == "contrast"


def test_footprints_lie_where_the_columns_say(evidence):
    for _, vehicle in evidence.vehicles.iterrows():
        assert vehicle.geometry.exterior.is_ccw
        lon, lat = shapely.get_coordinates(vehicle.geometry)[:4].T
        station, offset = evidence.road.to_road(lon, lat)
        assert np.ptp(station) == pytest.approx(vehicle["length_m"], abs=0.05)
        assert np.ptp(offset) == pytest.approx(vehicle["width_m"], abs=0.05)
        assert station.mean() == pytest.approx(vehicle["station_m"], abs=0.05)


def test_sight_tiles_each_side_and_says_what_was_not_seen(evidence):
    for side in ("left", "right"):
        rows = evidence.sight[evidence.sight["side"] == side]
        assert rows["start_m"].iloc[0] == 0.0
        assert rows["end_m"].iloc[-1] == pytest.approx(evidence.road.length_m)
        assert rows["start_m"].to_numpy()[1:] == pytest.approx(rows["end_m"].to_numpy()[:-1])
        hidden = rows[~rows["seen"]]
        assert (hidden["start_m"].min(), hidden["end_m"].max()) == (200.0, 240.0)
        assert set(hidden["reason"]) == {"nodata"}
        assert (rows.loc[rows["seen"], "reason"] == "").all()
        assert rows.loc[rows["seen"], "recall"].between(0.5, 1.0).all()


def test_a_one_way_road_is_one_side(tmp_path):
    drawing = plain()
    for offset in (-2.0, 2.0):
        drawing.vehicle(100.0, offset, colour=BRIGHT)
    evidence = find_vehicles(corridor_of(drawing, tmp_path, oneway=True), detector="contrast")
    assert set(evidence.vehicles["side"]) == {"all"}
    assert set(evidence.sight["side"]) == {"all"}


def test_the_same_picture_gives_the_same_vehicles(tmp_path):
    corridor = corridor_of(busy()[0], tmp_path, length_m=1100.0)
    a, b = (find_vehicles(corridor, detector="contrast").vehicles for _ in range(2))
    pd.testing.assert_frame_equal(pd.DataFrame(a), pd.DataFrame(b))


def test_a_detector_may_be_given_itself(tmp_path):
    corridor = corridor_of(plain(), tmp_path)
    detector = replace(detector_named("contrast"), name="mine")
    assert find_vehicles(corridor, detector=detector).detector == "mine"


def test_an_unknown_detector_is_told_with_those_known(tmp_path):
    with pytest.raises(UsageError, match=r"Invalid detector 'magic'. Must be one of .*contrast") as caught:
        find_vehicles(corridor_of(plain(), tmp_path), detector="magic")
    assert caught.value.exit_code == 2
    assert "contrast" in DETECTORS


@given(
    codes=arrays(
        np.uint8, st.tuples(st.integers(1, 4), st.integers(12, 30)), elements=st.sampled_from([0, 0, 0, 1, 4, 6])
    ),
    ends=st.lists(st.integers(0, 12), min_size=2, max_size=5),
)
def test_a_bin_is_hidden_by_what_hides_most_of_it(codes, ends):
    edges = np.sort(ends)
    low, high = edges[:-1], edges[1:]
    told = _sight._hidden(codes, low, high)
    values = np.arange(codes.shape[1]) ** 1.5
    means = _sight._means(values, low, high)
    for a, b, code, mean in zip(low, high, told, means, strict=True):
        part = codes[:, a:b][codes[:, a:b] != Hidden.ELSEWHERE]
        assert (code == Hidden.SEEN) == bool(len(part) and np.mean(part == 0) >= 0.6)
        if code:
            counts = np.bincount(part[part > 0], minlength=7)
            assert counts[code] == counts.max() if len(part) else code == Hidden.OUTSIDE
        assert mean == (values[a:b].mean() if b > a else 0.0)
