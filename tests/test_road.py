"""The road: what comes in from files, and stations and offsets against pyproj."""

from __future__ import annotations

import json
from itertools import permutations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from jamline.errors import RoadError
from jamline.road import Road, metres_per_degree, read_road, read_roads, road_through

GEOD = Geod(ellps="WGS84")
LON, LAT = 44.6, 42.8


def walk(bearings_deg, steps_m, *, lon=LON, lat=LAT) -> np.ndarray:
    """Return the vertices of a walk on the ellipsoid, shape (n + 1, 2)."""
    points = [(lon, lat)]
    for bearing, step in zip(bearings_deg, steps_m, strict=True):
        points.append(GEOD.fwd(*points[-1], bearing, step)[:2])
    return np.array(points)


STRAIGHT = walk([30.0] * 4, [100.0] * 4)


def write(path, shapes, *, crs="EPSG:4326", driver=None, **columns):
    """Write geometries given in WGS 84 to a vector file."""
    frame = gpd.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:4326")
    frame.to_crs(crs).to_file(path, driver=driver, engine="pyogrio")
    return path


def distance_m(a, b) -> float:
    return GEOD.inv(*a, *b)[2]


# ---------- files


@pytest.mark.parametrize("name", ["r.geojson", "r.gpkg", "r.shp", "r.kml", "r.fgb"])
def test_any_vector_file_gives_the_same_road(tmp_path, name):
    driver = "KML" if name.endswith("kml") else None
    path = write(tmp_path / name, [shapely.LineString(STRAIGHT)], driver=driver, name=["A-161"])
    road = read_road(path)
    assert road.name == "A-161"
    assert road.source == str(path)
    assert road.length_m == pytest.approx(400.0, abs=0.01)
    assert distance_m(road.lonlat[0], STRAIGHT[0]) < 0.01


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:32638", "EPSG:4326", "EPSG:3395", "ESRI:102017"])
def test_length_is_geodesic_in_whatever_crs_it_comes(tmp_path, crs):
    # In EPSG:3857 the same line is 1 / cos(42.8°) = 1.36 times as long.
    path = write(tmp_path / "r.gpkg", [shapely.LineString(STRAIGHT)], crs=crs)
    assert read_road(path).length_m == pytest.approx(400.0, abs=0.01)


PARTS = [STRAIGHT[:2], STRAIGHT[1:3], STRAIGHT[2:4], STRAIGHT[3:]]


@pytest.mark.parametrize("order", list(permutations(range(1, 4))))
@pytest.mark.parametrize("turned", [(), (2,), (1, 3), (1, 2, 3)])
def test_parts_are_chained_in_the_direction_of_the_first(tmp_path, order, turned):
    parts = [PARTS[0], *(PARTS[i][::-1] if i in turned else PARTS[i] for i in order)]
    path = write(tmp_path / "r.geojson", [shapely.MultiLineString([p.tolist() for p in parts])])
    road = read_road(path)
    assert road.length_m == pytest.approx(400.0, abs=0.1)
    assert distance_m(road.lonlat[0], STRAIGHT[0]) < 0.1


def test_the_first_part_keeps_its_direction_in_the_middle_too(tmp_path):
    parts = [STRAIGHT[1:3][::-1], STRAIGHT[2:], STRAIGHT[:2]]
    road = read_road(write(tmp_path / "r.gpkg", map(shapely.LineString, parts), name=["a", "a", "a"]))
    assert road.length_m == pytest.approx(400.0, abs=0.1)
    assert distance_m(road.lonlat[0], STRAIGHT[-1]) < 0.1


@pytest.mark.parametrize(("gap_m", "roads"), [(0.0, 1), (5.0, 1), (19.0, 1), (21.0, 2), (200.0, 2)])
def test_small_gaps_are_closed_and_wide_ones_are_not(tmp_path, gap_m, roads):
    line = walk([90.0] * 3, [100.0, max(gap_m, 1e-6), 100.0])
    parts = [shapely.LineString(line[:2]), shapely.LineString(line[2:])]
    found = read_roads(write(tmp_path / "r.gpkg", parts, name=["M4", "M4"]))
    assert [road.name for road in found] == ["M4", "M4 (2)"][:roads]
    assert sum(road.length_m for road in found) == pytest.approx(200 + (gap_m if roads == 1 else 0), abs=0.1)


def test_names_group_lines_and_lines_without_a_name_are_roads_of_their_own(tmp_path):
    lines = [shapely.LineString(walk([90.0], [100.0], lat=LAT + 0.01 * k)) for k in range(4)]
    lines[2] = shapely.LineString(walk([90.0], [100.0], lon=float(GEOD.fwd(LON, LAT, 90, 100)[0])))
    path = write(tmp_path / "r.gpkg", lines, name=["B", None, "B", ""], ref=["1", "E50", "2", None])
    roads = read_roads(path)
    assert [road.name for road in roads] == ["B", "E50", "road 3"]
    assert roads[0].length_m == pytest.approx(200.0, abs=0.1)
    assert read_road(path, name="E50").name == "E50"
    with pytest.raises(RoadError, match=r"Invalid road name 'C'.*'B', 'E50', 'road 3'"):
        read_road(path, name="C")
    with pytest.raises(RoadError, match="Must be one of"):
        read_road(path)


@pytest.mark.parametrize(
    ("value", "sides"),
    [
        ("yes", ("all",)),
        ("true", ("all",)),
        ("1", ("all",)),
        ("-1", ("all",)),
        ("reverse", ("all",)),
        ("YES", ("all",)),
        (True, ("all",)),
        (1, ("all",)),
        (-1, ("all",)),
        ("no", ("left", "right")),
        ("", ("left", "right")),
        (None, ("left", "right")),
        (False, ("left", "right")),
        (0, ("left", "right")),
        ("alternating", ("left", "right")),
    ],
)
def test_oneway_as_osm_writes_it(tmp_path, value, sides):
    feature = {
        "type": "Feature",
        "properties": {"oneway": value},
        "geometry": {"type": "LineString", "coordinates": STRAIGHT.tolist()},
    }
    path = tmp_path / "r.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert read_road(path).sides == sides


@pytest.mark.parametrize(
    ("lanes", "width", "expected"),
    [
        ("2", "7", (2, 7.0)),
        (3, 10.5, (3, 10.5)),
        ("2;3", "7.5 m", (2, 7.5)),
        ("two", "wide", (None, None)),
        ("0", "0", (None, None)),
        (None, "24'", (None, 24 * 0.3048)),
        ("4", "50 ft", (4, 15.24)),
        ("4", "50 feet", (4, 15.24)),
    ],
)
def test_lanes_and_width_as_osm_writes_them(tmp_path, lanes, width, expected):
    path = write(tmp_path / "r.geojson", [shapely.LineString(STRAIGHT)], lanes=[lanes], width=[width])
    road = read_road(path)
    assert road.lanes == expected[0]
    assert road.width_m == pytest.approx(expected[1]) if expected[1] else road.width_m is None


@pytest.fixture
def with_points(tmp_path):
    """A road, a border post 10 m beside its station 250, and a village far behind its end."""
    station = GEOD.fwd(LON, LAT, 30.0, 250.0)[:2]
    border = GEOD.fwd(*station, 120.0, 10.0)[:2]
    village = GEOD.fwd(LON, LAT, 30.0, 3000.0)[:2]
    shapes = [shapely.Point(border), shapely.LineString(STRAIGHT), shapely.Point(village)]
    return write(tmp_path / "r.geojson", shapes, name=["border", "A", "village"]), border


def test_an_origin_is_a_named_point_or_a_position(with_points):
    path, border = with_points
    assert read_road(path).origin_station_m == 0.0
    assert read_road(path).origin == "start"
    by_name = read_road(path, origin="border")
    assert (by_name.origin, by_name.origin_station_m) == ("border", pytest.approx(250.0, abs=0.1))
    by_place = read_road(path, origin=f" {border[0]:.7f}, {border[1]:.7f}")
    assert by_place.origin_station_m == pytest.approx(250.0, abs=0.1)
    # A place beyond the end is the end.
    assert read_road(path, origin="village").origin_station_m == pytest.approx(400.0, abs=0.01)


def test_an_unknown_origin_is_told_with_those_known(with_points):
    with pytest.raises(RoadError, match=r"Invalid origin 'customs'.*'border', 'village'"):
        read_road(with_points[0], origin="customs")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p / "absent.geojson", "Must be a file that exists"),
        (lambda p: _text(p / "r.geojson", "not a vector"), "vector file that GDAL/OGR can read"),
        (lambda p: _text(p / "r.csv", "name,width\nA,7\n"), "Must hold geometries"),
        (lambda p: write(p / "r.geojson", [shapely.Point(LON, LAT)]), "Must hold a line; it holds Point"),
        (lambda p: write(p / "r.gpkg", [shapely.Point(LON, LAT).buffer(0.01)]), "it holds Polygon"),
        (lambda p: write(p / "r.geojson", [shapely.LineString([(LON, LAT)] * 2)]), "longer than 2 m"),
        (lambda p: write(p / "r.geojson", [shapely.LineString(walk([0.0], [1.5]))]), "longer than 2 m"),
        (lambda p: _without_crs(p), "coordinate reference system"),
    ],
)
def test_a_file_that_is_no_road_is_told_in_one_line_with_its_name(tmp_path, make, words):
    path = make(tmp_path)
    with pytest.raises(RoadError, match=words) as caught:
        read_roads(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


def _text(path, text):
    path.write_text(text)
    return path


def _without_crs(folder):
    path = write(folder / "r.shp", [shapely.LineString(STRAIGHT)])
    path.with_suffix(".prj").unlink()
    return path


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_coordinates_must_be_on_the_globe(bad):
    with pytest.raises(RoadError, match="finite coordinates on the globe"):
        road_through([(LON, LAT), (LON, bad)])
    with pytest.raises(RoadError, match="finite coordinates on the globe"):
        road_through([(500_000.0, 4_700_000.0), (500_100.0, 4_700_000.0)])


# ---------- stations


@pytest.mark.parametrize("lat", [-60.0, 0.0, 42.8, 75.0])
def test_stations_along_a_meridian_and_a_parallel_are_those_of_pyproj(lat):
    for end in ((LON, lat + 0.02), (LON + 0.02, lat)):
        line = np.linspace((LON, lat), end, 60)
        road = road_through(line)
        assert road.length_m == pytest.approx(GEOD.line_length(*line.T), rel=1e-6)
        station = np.array([0.25, 0.5, 0.9]) * road.length_m
        lon, lat_at = road.to_map(station, np.zeros(3))
        for s, x, y in zip(station, lon, lat_at, strict=True):
            assert distance_m((LON, lat), (x, y)) == pytest.approx(s, abs=0.02)


@pytest.mark.parametrize("lat", [0.0, 42.8, -67.0, 85.0])
def test_stations_of_a_curve_are_those_of_pyproj(lat):
    road = road_through([[20.0, lat], [20.01, lat + 0.01], [20.03, lat + 0.004]])
    lon, lat = road.lonlat.T
    steps = Geod(ellps="WGS84").inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2]
    assert np.diff(road.station_m) == pytest.approx(steps, abs=1e-7)


@pytest.mark.parametrize("lat", [-60.0, 0.0, 42.8, 75.0])
def test_metres_per_degree_are_those_of_pyproj(lat):
    east = GEOD.inv(LON, lat, LON + 1e-4, lat)[2] * 1e4
    north = GEOD.inv(LON, lat - 5e-5, LON, lat + 5e-5)[2] * 1e4
    assert metres_per_degree([lat])[0] == pytest.approx((east, north), rel=1e-6)


@pytest.mark.parametrize("bearing", [0.0, 30.0, 90.0, 200.0, 330.0])
def test_offsets_are_metres_to_the_left(bearing):
    road = road_through(walk([bearing], [300.0]))
    assert road.heading_at([150.0])[0] == pytest.approx(bearing, abs=0.01)
    middle = road.to_map([150.0], [0.0])
    left = road.to_map([150.0], [12.0])
    azimuth, _, away = GEOD.inv(middle[0][0], middle[1][0], left[0][0], left[1][0])
    assert away == pytest.approx(12.0, abs=1e-4)
    assert azimuth % 360 == pytest.approx((bearing - 90.0) % 360, abs=0.01)


def test_sides_are_left_and_right_or_all():
    two_way, one_way = road_through(STRAIGHT), road_through(STRAIGHT, oneway=True)
    assert two_way.side_of([3.0, -3.0]).tolist() == ["left", "right"]
    assert one_way.side_of([3.0, -3.0]).tolist() == ["all", "all"]
    assert "two-way" in repr(two_way)


# Drawn roads: steps of 40 to 200 m, turns up to 35 degrees, the steepest that the 15 m beside it can follow.
roads = st.builds(
    lambda turns, steps, start, lat: road_through(walk(start + np.cumsum(turns), steps[: len(turns)], lat=lat)),
    st.lists(st.floats(-35, 35), min_size=1, max_size=8),
    st.lists(st.floats(40, 200), min_size=8, max_size=8),
    st.floats(0, 360),
    st.sampled_from([-55.0, 0.1, 42.8, 70.0]),
)


@settings(max_examples=40, deadline=None)
@given(road=roads, along=st.floats(-0.05, 1.05), offset=st.floats(-15, 15))
def test_to_road_inverts_to_map(road: Road, along, offset):
    station = along * road.length_m
    found = road.to_road(*road.to_map([station], [offset]))
    # The road may come back to within 15 m of itself; then another station is as right.
    if abs(found[0][0] - station) < 60:
        assert found[0][0] == pytest.approx(station, abs=0.01)
        assert found[1][0] == pytest.approx(offset, abs=0.01)
    else:
        assert abs(found[1][0]) <= abs(offset) + 0.7


@settings(max_examples=40, deadline=None)
@given(road=roads)
def test_normals_turn_and_do_not_tear(road: Road):
    station = np.arange(0.0, road.length_m, 0.25)
    _, left = road.frame_at(station)
    normal = left * metres_per_degree(np.full(len(station), road.lonlat[0, 1]))
    turn = np.degrees(np.abs(np.diff(np.unwrap(np.arctan2(normal[:, 1], normal[:, 0])))))
    # Over 0.25 m a vertex of 35 degrees turns by at most 35 / (sqrt(2 pi) * 4 m) * 0.25 m = 0.9 degrees.
    assert turn.max() < 1.5


@settings(max_examples=40, deadline=None)
@given(road=roads)
def test_the_smooth_curve_stays_with_the_line(road: Road):
    steps = GEOD.inv(*road.lonlat[:-1].T, *road.lonlat[1:].T)[2]
    assert steps == pytest.approx(np.ones(len(steps)), abs=0.15)
    assert road.station_m[0] == 0.0
    assert np.all(np.diff(road.station_m) > 0)


def test_a_corner_is_cut_by_little():
    corner = walk([90.0, 60.0], [200.0, 200.0])
    road = road_through(corner)
    _, offset = road.to_road(corner[[1], 0], corner[[1], 1])
    # A gaussian of 4 m rounds 30 degrees by 4 / sqrt(2 pi) * 2 sin(15°) = 0.8 m.
    assert abs(offset[0]) == pytest.approx(4 / np.sqrt(2 * np.pi) * 2 * np.sin(np.radians(15)), abs=0.1)
    assert road.length_m == pytest.approx(400.0, abs=1.0)


def test_the_antimeridian_is_no_edge(tmp_path):
    line = np.array([(179.999, -17.0), (-179.999, -17.0)])
    road = road_through(line)
    assert road.length_m == pytest.approx(distance_m(*line), abs=0.01)
    station, offset = road.to_road(*road.to_map([50.0, 150.0], [3.0, -3.0]))
    assert station == pytest.approx([50.0, 150.0], abs=0.01)
    assert offset == pytest.approx([3.0, -3.0], abs=0.01)


def test_a_position_is_found_on_whichever_side_of_the_antimeridian_it_is_written():
    road = road_through([(179.999, -17.0), (-179.999, -17.0)])
    for lon in (180.0005, -179.9995):
        assert road.to_road([lon], [-17.0])[0][0] == pytest.approx(0.75 * road.length_m, abs=0.1)


# ---------- shapes and shifts


@settings(max_examples=25, deadline=None)
@given(road=roads, start=st.floats(0.0, 0.6), length=st.floats(2.0, 20.0), right=st.floats(-10, 5))
def test_boxes_are_counter_clockwise_and_as_large_as_they_say(road: Road, start, length, right):
    low = start * road.length_m
    box = road.box(low, low + length, right, right + 2.0)
    assert box.is_valid
    assert box.exterior.is_ccw
    area, _ = GEOD.geometry_area_perimeter(box)
    assert area == pytest.approx(2.0 * length, rel=0.35)  # wider outside a bend, narrower inside


def test_a_box_on_a_straight_road_has_its_area():
    area, _ = GEOD.geometry_area_perimeter(road_through(STRAIGHT).box(100, 150, -7.0, -1.0))
    assert area == pytest.approx(300.0, rel=1e-4)


def test_a_line_beside_the_road_is_where_it_says():
    road = road_through(STRAIGHT)
    line = road.line(50.0, 250.0, offset_m=-5.0)
    assert GEOD.geometry_length(line) == pytest.approx(200.0, abs=0.01)
    _, offset = road.to_road(*shapely.get_coordinates(line).T)
    assert offset == pytest.approx(np.full(len(offset), -5.0), abs=0.01)


def turns(radius_m: float) -> Road:
    """Two bends of a hairpin road, one to each side, of 200 degrees each, and straights before and behind them."""
    bend = np.arange(0.0, 200.0, np.degrees(1.0 / radius_m))
    bearings = np.concatenate([np.full(60, 0.0), bend, np.full(60, 200.0), 200.0 - bend, np.full(60, 0.0)])
    return road_through(walk(bearings, np.ones(len(bearings))), name="up")


@pytest.mark.parametrize("radius_m", [20.0, 40.0])
def test_a_shifted_road_is_not_drawn_into_its_bends(radius_m):
    road = turns(radius_m)
    moved = road.shifted(np.array([0.0, road.length_m]), np.zeros(2))
    station = np.arange(30.0, road.length_m - 30.0, 2.0)
    _, offset = road.to_road(*moved.to_map(station, np.zeros(len(station))))
    # Rounded once more it would lie 16 / 2 / radius to the inside.
    assert np.abs(offset).max() < 2.0 / radius_m
    assert moved.length_m == pytest.approx(road.length_m, rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(shift=st.floats(-8, 8), origin=st.floats(20, 380))
def test_a_shifted_road_lies_beside_and_keeps_its_origin(shift, origin):
    road = read_with_origin(origin)
    moved = road.shifted(np.array([0.0, 400.0]), np.array([shift, shift]))
    _, offset = road.to_road(*moved.lonlat.T)
    assert offset == pytest.approx(np.full(len(offset), shift), abs=0.01)
    assert moved.origin_station_m == pytest.approx(origin, abs=0.05)
    assert (moved.name, moved.lanes, moved.origin) == (road.name, road.lanes, road.origin)


def read_with_origin(station: float) -> Road:
    from dataclasses import replace

    return replace(road_through(STRAIGHT, lanes=2), origin="x", origin_station_m=station)


def test_a_long_road_is_worked_out_piece_by_piece_with_the_same_result(monkeypatch):
    vertices = walk(np.cumsum(np.tile([9.0, -14.0, 4.0], 20)), [60.0] * 60)
    station = np.arange(0.0, 3500.0, 8.0)

    def made() -> tuple[np.ndarray, ...]:
        road = road_through(vertices).shifted(station, np.sin(station / 300.0))
        # Far beside the road nothing lies near, and all of it is searched.
        far = road.to_road(*road.to_map(station[::10], np.full(44, 900.0)))
        return (road.lonlat, road.station_m, *road.to_map(station, 3.0 + 0.0 * station), *far)

    whole = made()
    monkeypatch.setattr("jamline.road._points.BLOCK", 97)
    monkeypatch.setattr("jamline.road._nearest._PLACES", 31)
    for one, other in zip(whole, made(), strict=True):
        assert one.tolist() == other.tolist()
