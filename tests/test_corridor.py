"""The road laid flat: images that hold their own coordinates, and roads drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer
from rasterio.transform import Affine
from scipy import ndimage

from drawn_road import Drawing, line, lonlat
from jamline.corridor import Corridor, Hidden, RoadGrid, lay_flat, quantile
from jamline.errors import NothingToMeasureError, UsageError
from jamline.imagery import open_scene
from jamline.road import Road, road_through

GEOD = Geod(ellps="WGS84")
VLADIKAVKAZ, NEW_YORK = (44.63, 42.85), (-73.95, 40.75)


BLOB = 121
"""Half way from the verge's red, 92, to a blob's, 150."""


def values(corridor: Corridor, section) -> np.ndarray:
    """Return a section's pixels as the (one) file has them."""
    stretch = corridor.stretches[0]
    return section.pixels * stretch.high + stretch.low[:, None, None]


def flat(path, road: Road, **kwargs) -> Corridor:
    kwargs.setdefault("align_road", False)
    return lay_flat(open_scene(path), road, **kwargs)


def code_at(corridor: Corridor, station_m, offset_m) -> Hidden:
    grid = corridor.grid
    hidden = corridor.read(grid).hidden
    return Hidden(hidden[round(float(grid.row_of(offset_m))), round(float(grid.column_of(station_m)))])


# ---------- coordinates


def own_coordinates(path, crs, place, *, pixel, turn_deg=0.0, south_up=False, size=420):
    """Write an image whose bands are its own map coordinates in pixels from its middle, plus 1000."""
    to_map = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x0, y0 = to_map.transform(*place)
    step_x, step_y = pixel
    transform = (
        Affine.translation(x0, y0)
        @ Affine.rotation(turn_deg)
        @ Affine.scale(step_x, step_y if south_up else -step_y)
        @ Affine.translation(-size / 2, -size / 2)
    )
    column, row = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    x, y = transform @ (column, row)
    bands = np.stack([(x - x0) / step_x, (y - y0) / step_y, np.zeros_like(x)]) + 1000
    profile = {"driver": "GTiff", "count": 3, "height": size, "width": size, "dtype": "float32"}
    with rasterio.open(path, "w", crs=crs, transform=transform, **profile) as raster:
        raster.write(bands.astype("float32"))
    return to_map, (x0, y0)


GEOREFERENCES = {
    "north-up": ("EPSG:32638", VLADIKAVKAZ, {"pixel": (0.5, 0.5)}),
    "fine": ("EPSG:32638", VLADIKAVKAZ, {"pixel": (0.15, 0.15), "size": 900}),
    "rotated": ("EPSG:32638", VLADIKAVKAZ, {"pixel": (0.5, 0.5), "turn_deg": 33.0}),
    "south-up": ("EPSG:32638", VLADIKAVKAZ, {"pixel": (0.5, 0.5), "south_up": True}),
    "degrees": ("EPSG:4326", VLADIKAVKAZ, {"pixel": (6e-6, 4.5e-6)}),
    "web mercator": ("EPSG:3857", VLADIKAVKAZ, {"pixel": (0.7, 0.7)}),
    "US feet": ("EPSG:2263", NEW_YORK, {"pixel": (1.6, 1.6)}),
}


@pytest.mark.parametrize("name", GEOREFERENCES)
def test_every_strip_pixel_holds_the_coordinates_of_its_station_and_offset(tmp_path, name):
    crs, place, how = GEOREFERENCES[name]
    to_map, (x0, y0) = own_coordinates(tmp_path / "own.tif", crs, place, **how)
    bearings = [60.0, 80.0, 50.0, 75.0]
    start = GEOD.fwd(*place, 245.0, 55.0)[:2]
    points = [start]
    for bearing in bearings:
        points.append(GEOD.fwd(*points[-1], bearing, 25.0)[:2])
    corridor = flat(tmp_path / "own.tif", road_through(points), half_width_m=8.0)
    section = corridor.read(corridor.grid)
    assert section.seen.all()
    got = values(corridor, section)
    station, offset = np.meshgrid(corridor.grid.station_m(), corridor.grid.offset_m())
    lon, lat = corridor.road.to_map(station.ravel(), offset.ravel())
    x, y = to_map.transform(lon, lat)
    step_x, step_y = how["pixel"]
    # Cubic weights (a = -0.75) bend a ramp by up to 0.048 pixels; of the strip's, where the image is finer.
    tolerance = 0.1 * corridor.pixel_m / step_x if name == "fine" else 0.07
    assert np.abs(got[0].ravel() - 1000 - (x - x0) / step_x).max() < tolerance
    assert np.abs(got[1].ravel() - 1000 - (y - y0) / step_y).max() < tolerance


def test_left_is_up_and_along_is_right(tmp_path):
    drawing = Drawing.of_road(100, noise=0.0)
    drawing.box(20, 24, 5, 8, 150)
    corridor = flat(drawing.write(tmp_path / "a.tif"), line(100.0))
    section = corridor.read(corridor.grid)
    rows, columns = np.nonzero(values(corridor, section)[0] > BLOB)
    assert corridor.grid.offset_m()[rows].mean() == pytest.approx(6.5, abs=0.1)
    assert corridor.grid.station_m()[columns].mean() == pytest.approx(22.0, abs=0.1)
    assert rows.mean() < corridor.grid.rows / 2


def test_grid_rows_and_columns_invert(tmp_path):
    grid = RoadGrid.over(line(100.0), half_width_m=7.5, pixel_m=0.5).cut(30, 80)
    assert (grid.start_m, grid.end_m, grid.shape) == (15.0, 40.0, (30, 50))
    assert grid.column_of(grid.station_m()) == pytest.approx(np.arange(50))
    assert grid.row_of(grid.offset_m()) == pytest.approx(np.arange(30))
    assert grid.offset_m()[[0, -1]] == pytest.approx([7.25, -7.25])


# ---------- sections


@pytest.fixture(scope="module")
def noisy(tmp_path_factory) -> Corridor:
    """A slanting road over noise: nothing in it is alike."""
    drawing = Drawing.of_road(600, reach_m=60, noise=25.0)
    drawing.box(200, 280, -60, 60, 250)  # a cloud, so that the mask is compared too
    path = drawing.write(tmp_path_factory.mktemp("noisy") / "a.tif")
    return flat(path, line(580.0, lambda s: 20 * np.sin(s / 90)))


@pytest.fixture(scope="module")
def noisy_whole(noisy) -> np.ndarray:
    return noisy.read(noisy.grid).pixels


@pytest.mark.parametrize(("length_m", "overlap_m"), [(100.0, 40.0), (173.0, 40.0), (250.0, 60.0)])
def test_sections_equal_the_whole(noisy, length_m, overlap_m):
    whole = noisy.read(noisy.grid)
    assert (whole.hidden == Hidden.CLOUD).any()
    pixel_m, at_m = noisy.pixel_m, 0.0
    for section in noisy.sections(length_m=length_m, overlap_m=overlap_m):
        assert section.core.start_m == at_m
        at_m = section.core.end_m
        first, stop = (round(m / pixel_m) for m in (section.core.start_m, section.core.end_m))
        here = slice(first - section.grid.first, stop - section.grid.first)
        assert np.array_equal(section.pixels[:, :, here], whole.pixels[:, :, first:stop])
        assert np.array_equal(section.hidden[:, here], whole.hidden[:, first:stop])
    assert at_m >= noisy.road.length_m


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(0, 900), columns=st.integers(1, 200))
def test_any_cut_has_the_pixels_of_the_whole(noisy, noisy_whole, first, columns):
    grid = noisy.grid.cut(first, first + columns)
    assert np.array_equal(noisy.read(grid).pixels, noisy_whole[:, :, first : first + grid.columns])


def test_sections_equal_the_whole_where_the_image_is_finer_than_the_strip(tmp_path):
    # 0.15 m against 0.25 m: pixels are averaged down, window by window.
    drawing = Drawing.of_road(150, pixel_m=0.15, reach_m=25, noise=25.0)
    corridor = flat(drawing.write(tmp_path / "a.tif"), line(140.0, lambda s: 5 * np.sin(s / 30)))
    whole = corridor.read(corridor.grid).pixels
    for section in corridor.sections(length_m=37.0, overlap_m=0.0):
        first = section.grid.first
        assert np.array_equal(section.pixels, whole[:, :, first : first + section.grid.columns])


# ---------- each place once


def hairpin(apart_m: float) -> np.ndarray:
    """Stations and offsets of a road that goes east 200 m, turns left, and comes back."""
    turn = np.radians(np.linspace(-90, 90, 25))
    half = apart_m / 2
    x = np.concatenate([np.linspace(0, 200, 21), 200 + half * np.cos(turn[1:-1]), np.linspace(200, 0, 21)])
    y = np.concatenate([np.full(21, -half), half * np.sin(turn[1:-1]), np.full(21, half)])
    return np.column_stack([x, y])


def hairpin_road(apart_m: float) -> Road:
    return road_through(lonlat(*hairpin(apart_m).T))


@pytest.mark.parametrize("apart_m", [14.0, 20.0, 26.0])
def test_a_hairpin_claims_each_square_metre_once(tmp_path, apart_m):
    corridor = flat(Drawing.of_road(260).write(tmp_path / "a.tif"), hairpin_road(apart_m), half_width_m=15.0)
    section = corridor.read(corridor.grid)
    own = section.hidden != Hidden.ELSEWHERE
    station, offset = np.meshgrid(corridor.grid.station_m(), corridor.grid.offset_m())
    lon, lat = corridor.road.to_map(station.ravel(), offset.ravel())
    xy = np.stack(Transformer.from_crs("EPSG:4326", "EPSG:32638", always_xy=True).transform(lon, lat))
    # No two of its own pixels lie at one place: on a raster of 1 m, 4 pixels of 0.5 m are one cell.
    cell = np.floor(xy.T[own.ravel()]).astype(int)
    _, count = np.unique(cell, axis=0, return_counts=True)
    straight = np.bincount(count, minlength=9)
    assert straight[8:].sum() <= 0.02 * len(count)
    # And all of it is claimed: the road's surroundings, less nothing.
    middle = shapely.LineString(hairpin(apart_m))
    area = middle.buffer(15.0, cap_style="flat").area
    assert len(count) == pytest.approx(area, rel=0.05)


@pytest.mark.parametrize("offset_m", [-9.0, -4.0, 2.0, 5.0, 9.0])
def test_a_blob_between_the_legs_of_a_hairpin_appears_once(tmp_path, offset_m):
    drawing = Drawing.of_road(260, width_m=0.0, noise=0.0)
    drawing.box(98, 102, offset_m - 1, offset_m + 1, 150)
    corridor = flat(drawing.write(tmp_path / "a.tif"), hairpin_road(14.0), half_width_m=15.0)
    section = corridor.read(corridor.grid)
    blob = (values(corridor, section)[0] > BLOB) & (section.hidden != Hidden.ELSEWHERE)
    assert ndimage.label(blob)[1] == 1
    assert blob.sum() * corridor.pixel_m**2 == pytest.approx(8.0, rel=0.15)


def test_neighbours_take_what_is_nearer_to_them(tmp_path):
    drawing = Drawing.of_road(200, width_m=0.0, noise=0.0)
    drawing.box(98, 102, -4, -1, 150)  # 2.5 m left of the lower road, 7.5 m right of the upper one
    path = drawing.write(tmp_path / "a.tif")
    lower, upper = line(200.0, -5.0, name="lower"), line(200.0, 5.0, name="upper")
    blobs = {}
    for mine, other in ((lower, upper), (upper, lower)):
        corridor = flat(path, mine, half_width_m=15.0, neighbours=[other])
        section = corridor.read(corridor.grid)
        own = section.hidden != Hidden.ELSEWHERE
        blobs[mine.name] = float(((values(corridor, section)[0] > BLOB) & own).sum() * corridor.pixel_m**2)
        assert own.mean() == pytest.approx(20 / 30, abs=0.03)
    assert blobs == pytest.approx({"lower": 12.0, "upper": 0.0}, abs=0.5)


def test_a_crossing_road_takes_nothing(tmp_path):
    path = Drawing.of_road(200).write(tmp_path / "a.tif")
    crossing = road_through(lonlat([100.0, 100.0], [-40.0, 40.0]), name="crossing")
    corridor = flat(path, line(200.0), neighbours=[crossing])
    assert not (corridor.read(corridor.grid).hidden == Hidden.ELSEWHERE).any()


@pytest.mark.parametrize(
    ("first", "second", "wins"),
    [
        ({"GSD": "0.5"}, {"GSD": "0.6"}, 0),
        ({"GSD": "0.6"}, {"GSD": "0.5"}, 1),
        ({"ACQUISITIONDATETIME": "2022-09-25T08:00:00Z"}, {"ACQUISITIONDATETIME": "2022-09-26T08:00:00Z"}, 1),
        ({"ACQUISITIONDATETIME": "2022-09-26T08:00:00Z"}, {"ACQUISITIONDATETIME": "2022-09-25T08:00:00Z"}, 0),
        (
            {"GSD": "0.5", "ACQUISITIONDATETIME": "2021-01-01T08:00:00Z"},
            {"GSD": "0.6", "ACQUISITIONDATETIME": "2022-01-01T08:00:00Z"},
            0,
        ),
    ],
)
def test_where_tiles_overlap_the_finest_then_the_newest_shows(tmp_path, first, second, wins):
    for name, level, (start, end), tags in (("a", 100, (-20, 130), first), ("b", 120, (70, 220), second)):
        drawing = Drawing.of_road(200, noise=0.0)
        drawing.pixels[:] = level
        drawing.write(tmp_path / f"{name}.tif", start_m=start, end_m=end, **tags)
    corridor = flat([tmp_path / "a.tif", tmp_path / "b.tif"], line(200.0))
    section = corridor.read(corridor.grid)
    got = section.pixels * corridor.stretches[0].high + corridor.stretches[0].low[:, None, None]
    station = corridor.grid.station_m()
    border = 130.0 if wins == 0 else 70.0
    expected = np.where(station < border, 100.0, 120.0)
    near = np.abs(station - border) < 1.5  # at its very edge the better one gives way
    assert np.abs(got[0] - expected)[:, ~near].max() < 0.5
    assert not np.isin(section.hidden, (Hidden.OUTSIDE, Hidden.NODATA)).any()


def test_overlapping_tiles_have_the_pixels_of_one_image(tmp_path):
    drawing = Drawing.of_road(200, noise=3.0)
    one = drawing.write(tmp_path / "one.tif")
    ends = ((-20, 60), (50, 130), (120, 220))
    tiles = [drawing.write(tmp_path / f"{a}.tif", start_m=a, end_m=b) for a, b in ends]
    road = line(200.0, lambda s: 8 * np.sin(s / 40))
    whole, parts = flat(one, road), flat(tiles, road)
    a, b = whole.read(whole.grid), parts.read(parts.grid)
    assert np.abs(values(whole, a) - values(parts, b)).max() < 0.01
    assert np.array_equal(a.hidden, b.hidden)
    # Half a percent of the brightness: the overview is averaged down tile by tile.
    assert parts.stretches[0].high == pytest.approx(whole.stretches[0].high, rel=0.005)


# ---------- what was not seen


def test_outside_and_nodata_are_told_apart(tmp_path):
    drawing = Drawing.of_road(200)
    drawing.box(100, 120, -40, 40, 0)
    corridor = flat(drawing.write(tmp_path / "a.tif", end_m=150), line(200.0))
    hidden = corridor.read(corridor.grid).hidden
    station = corridor.grid.station_m()
    for low, high, code in (
        (0, 99, Hidden.SEEN),
        (102, 118, Hidden.NODATA),
        (122, 149, Hidden.SEEN),
        (151, 200, Hidden.OUTSIDE),
    ):
        assert (hidden[:, (station > low) & (station < high)] == code).all()
    assert Hidden.OUTSIDE.reason == "outside imagery"
    assert Hidden.SEEN.reason == ""


@pytest.fixture(scope="module")
def long_road() -> Drawing:
    """A plain road of 800 m with traffic, lane marks and no cloud anywhere."""
    drawing = Drawing.of_road(800, noise=2.5)
    for station in range(0, 800, 12):
        drawing.box(station, station + 4, -0.1, 0.1, 220)
    for k, station in enumerate(range(30, 800, 45)):
        drawing.vehicle(station, 2.0 if k % 2 else -2.0, colour=(225, 40, 150)[k % 3])
    drawing.box(500, 530, -4, 4, 190)  # a stretch of new concrete, as wide as the road and no wider
    return drawing


def test_a_plain_road_is_seen_all_over(tmp_path, long_road):
    corridor = flat(long_road.write(tmp_path / "a.tif"), line(800.0, width_m=8.0))
    assert corridor.read(corridor.grid).seen.mean() > 0.999


@pytest.mark.parametrize(("level", "code"), [(235, Hidden.CLOUD), (10, Hidden.SHADOW)])
def test_cloud_and_deep_shadow_are_marked(tmp_path, long_road, level, code):
    clear = long_road.pixels
    drawing = Drawing(clear.copy(), long_road.pixel_m, long_road.west_m, long_road.reach_m)
    drawing.box(300, 400, -40, 40, level)
    rng = np.random.default_rng(1)
    drawing.pixels += rng.normal(0, 1.0, drawing.pixels.shape[1:])
    corridor = flat(drawing.write(tmp_path / "a.tif"), line(800.0, width_m=8.0))
    hidden = corridor.read(corridor.grid).hidden
    station = corridor.grid.station_m()
    assert (hidden[:, (station > 310) & (station < 390)] == code).mean() > 0.99
    assert (hidden[:, (station < 290) | (station > 410)] == Hidden.SEEN).mean() > 0.995


# ---------- alignment


@pytest.fixture(scope="module")
def one_km(tmp_path_factory):
    drawing = Drawing.of_road(1000, noise=2.5)
    drawing.box(-20, 1020, -3.85, -3.7, 210)
    drawing.box(-20, 1020, 3.7, 3.85, 210)
    for station in range(0, 1000, 12):
        drawing.box(station, station + 4, -0.08, 0.08, 210)
    for k, station in enumerate(range(30, 990, 35)):
        drawing.vehicle(station, 1.9 if k % 2 else -1.9, colour=(225, 30, 150)[k % 3])
    return drawing.write(tmp_path_factory.mktemp("one_km") / "a.tif")


def off_m(corridor: Corridor) -> np.ndarray:
    """Return how far the aligned road lies left of the true one, every metre."""
    return line(1000.0).to_road(*corridor.road.lonlat.T)[1]


@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize("drawn_m", [-8.0, -5.0, -2.0, 0.0, 1.0, 4.0, 8.0])
def test_a_displaced_line_is_put_on_its_road(one_km, drawn_m, tagged):
    road = line(1000.0, drawn_m, width_m=8.0 if tagged else None)
    corridor = flat(one_km, road, align_road=True)
    assert np.sqrt(np.mean(off_m(corridor) ** 2)) < 0.5
    # The road lies to the right of a line drawn too far left: minus.
    assert corridor.alignment_m.value == pytest.approx(-drawn_m, abs=0.5)
    assert corridor.alignment_m.low <= -drawn_m <= corridor.alignment_m.high
    assert corridor.drawn is road


@pytest.mark.parametrize("sign", [1, -1])
def test_a_line_that_drifts_is_put_on_its_road(one_km, sign):
    road = line(1000.0, lambda s: sign * (1.0 + 2.0 * np.sin(s / 150)), width_m=8.0)
    corridor = flat(one_km, road, align_road=True)
    # Half a metre is wanted; a line that swings by 2 m within 500 m is followed with a lag of up to a metre.
    assert np.sqrt(np.mean(off_m(corridor) ** 2)) < 0.8


@pytest.mark.parametrize("width_m", [7.0, 10.0, 14.0])
def test_an_untagged_width_is_found(tmp_path, width_m):
    path = Drawing.of_road(600, width_m=width_m, noise=2.5).write(tmp_path / "a.tif")
    corridor = flat(path, line(600.0), align_road=True)
    assert corridor.carriageway_m == pytest.approx(width_m, rel=0.26)


# ---------- what there is nothing to measure in, and other kinds of image


def test_a_road_outside_the_imagery_is_told(tmp_path):
    path = Drawing.of_road(100).write(tmp_path / "a.tif")
    with pytest.raises(NothingToMeasureError, match="Must run through the imagery") as caught:
        flat(path, line(100.0, 500.0, name="M4"))
    assert "M4" in str(caught.value)
    assert caught.value.exit_code == 4


def test_a_road_over_nodata_alone_is_told(tmp_path):
    drawing = Drawing.of_road(100)
    drawing.box(-20, 120, -28, 28, 0)
    with pytest.raises(NothingToMeasureError, match="at least one valid pixel"):
        flat(drawing.write(tmp_path / "a.tif"), line(100.0))


@pytest.mark.parametrize("half_width_m", [0.0, 1.9, 201.0, -5.0])
def test_a_half_width_out_of_range_is_told(tmp_path, half_width_m):
    with pytest.raises(UsageError, match="Must lie between 2 and 200 m"):
        flat(Drawing.of_road(100).write(tmp_path / "a.tif"), line(100.0), half_width_m=half_width_m)


@pytest.mark.parametrize(("bands", "dtype"), [(1, "uint8"), (3, "uint16"), (1, "uint16")])
def test_pan_and_sixteen_bits_look_like_colour_and_eight(tmp_path, long_road, bands, dtype):
    plain = flat(long_road.write(tmp_path / "a.tif"), line(800.0, width_m=8.0))
    other = flat(long_road.write(tmp_path / "b.tif", bands=bands, dtype=dtype), line(800.0, width_m=8.0))
    a, b = (each.read(each.grid) for each in (plain, other))
    assert b.roles == (("pan",) if bands == 1 else ("red", "green", "blue"))
    assert b.pixels.shape[0] == bands
    assert np.corrcoef(a.brightness().ravel(), b.brightness().ravel())[0, 1] > 0.99
    assert np.array_equal(a.hidden, b.hidden)
    assert -0.05 <= np.percentile(b.pixels, 10) < np.percentile(b.pixels, 90) <= 1.0


@pytest.mark.parametrize("count", [1, 2, 3, 1000, 1001])
@pytest.mark.parametrize("share", [0.0, 0.005, 0.25, 0.5, 0.995, 1.0])
def test_quantiles_are_those_of_numpy(count, share):
    values = np.random.default_rng(count).normal(100.0, 30.0, (3, count)).astype(np.float32)
    assert quantile(values, share) == pytest.approx(np.quantile(values.astype(float), share, axis=1), rel=1e-6)
