"""Simulated scenes: the truth is what the pixels show, in any georeference, the same every time."""

from __future__ import annotations

import json
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from scipy import ndimage

from jamline.errors import JobError, OutputError
from jamline.road import read_road
from jamline.synth import SceneSpec, read_scene, simulate, varied
from jamline.synth.bodies import RICH
from jamline.synth.config import SensorSpec
from jamline.synth.lanes import Vehicle
from jamline.synth.noise import Noise, Window
from jamline.synth.portrait import portrait
from jamline.synth.render import Renderer
from jamline.synth.sensor import expose
from jamline.synth.traffic import drive
from jamline.synth.truth import corners_of, queue_truth
from jamline.synth.world import build_world
from jamline.tables import VEHICLES, check

PLACE = {"longitude_deg": -73.95, "latitude_deg": 40.75, "terrain": {"kind": "steppe", "trees": 0.1}}
SCENES = sorted((Path(__file__).parents[1] / "seeds/scenes").glob("*.toml"))


def small(**parts: object) -> SceneSpec:
    """A scene of 260 m that takes a second."""
    data: dict[str, object] = {
        "name": "small",
        "seed": 7,
        "road": {"length_m": 260.0, "shape": "gentle", "heading_deg": 60.0},
        "queues": [{"side": "right", "start_m": 40.0, "end_m": 200.0, "truck_share": 0.1}],
        "flows": [{"side": "left", "per_km_lane": 12.0}],
        "terrain": {"kind": "steppe", "trees": 0.0},
        "sensor": {"gsd_m": 0.5, "snr": 500.0},
        "imagery": {"half_width_m": 30.0, "tile_px": 512},
    }
    return SceneSpec.model_validate(data | parts)


def queued(station_m: float, length_m: float = 4.0, *, row: int = 0, state: str = "queued") -> Vehicle:
    return Vehicle(0, "right", row, station_m, -1.7, length_m, 1.8, 1.5, 0.0, True, "hatch", state)


def sample(folder: Path, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Read the mean of the bands at some places, each from a tile that shows it."""
    values = np.full(len(lon), np.nan)
    for path in sorted(folder.glob("tile_*.tif")):
        with rasterio.open(path) as raster:
            x, y = Transformer.from_crs("EPSG:4326", raster.crs, always_xy=True).transform(lon, lat)
            m = ~raster.transform
            col, row = (
                m.a * np.asarray(x) + m.b * np.asarray(y) + m.c,
                m.d * np.asarray(x) + m.e * np.asarray(y) + m.f,
            )
            grey = raster.read().astype(float).mean(axis=0)
            inside = (col > 1) & (row > 1) & (col < raster.width - 1) & (row < raster.height - 1)
            at = ndimage.map_coordinates(grey, [row[inside] - 0.5, col[inside] - 0.5], order=1)
            values[inside] = np.where(at > 0, at, values[inside])
    return values


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(small(), tmp_path_factory.mktemp("synth") / "scene")


@pytest.fixture(scope="module")
def new_york(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scene where a state plane in US feet fits."""
    imagery = {"half_width_m": 30.0, "tile_px": 512}
    return simulate(small(imagery=imagery, **PLACE), tmp_path_factory.mktemp("synth") / "utm")


# -- scene files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_seed_scenes_are_read(path: Path) -> None:
    spec = read_scene(path)
    assert spec.name == path.stem
    assert not spec.road.line or Path(spec.road.line).exists()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("colour = 1", "colour"),
        ("[road]\nlanes = 2", "road.lanes"),
        ("[[queues]]\nside = 'up'\nstart_m = 0\nend_m = 9", "queues.0.side"),
        ("[sensor]\ngsd_m = -1", "sensor.gsd_m"),
    ],
)
def test_wrong_key_is_named_with_its_file(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(JobError, match=r"^Invalid key '.*' in scene '.*wrong\.toml'\. Must .*\.$") as caught:
        read_scene(path)
    assert f"'{key}'" in str(caught.value)


def test_what_is_no_toml_or_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("= 3")
    for name in ("x.toml", "missing.toml"):
        with pytest.raises(JobError, match=name):
            read_scene(tmp_path / name)


def test_side_that_the_road_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="side 'left'"):
        SceneSpec.model_validate(
            {"road": {"oneway": True}, "queues": [{"side": "left", "start_m": 0.0, "end_m": 50.0}]}
        )


# -- truth ---------------------------------------------------------------------------------------------------


def test_queue_truth_by_hand() -> None:
    # Cars of 4 m: 0-4, 10-14 | gap 30 | 44-48 | gap 100 | 148-152 || gap 101 || 253-257
    vehicles = [queued(s) for s in (2.0, 12.0, 46.0, 150.0, 255.0)]
    long, short = queue_truth(vehicles, (0.0, 1000.0))
    assert (long["start_m"], long["end_m"], long["vehicles"]) == (0.0, 152.0, 4)
    assert long["length_km"] == pytest.approx(0.152)
    assert long["occupied_km"] == pytest.approx((14 + 4 + 4) / 1000)
    assert short["length_km"] == pytest.approx(0.004)
    assert long["open"] == []


def test_two_rows_count_each_place_once() -> None:
    vehicles = [queued(2.0), queued(12.0), queued(2.0, row=1)]
    (queue,) = queue_truth(vehicles, (0.0, 100.0))
    assert queue["occupied_km"] == pytest.approx(0.014)
    assert queue["lanes"] == pytest.approx((14 + 4) / 14, abs=1e-3)


def test_flowing_and_parked_are_no_queue() -> None:
    assert queue_truth([queued(5.0, state="flowing"), queued(15.0, state="parked")], (0.0, 100.0)) == []


def test_edge_of_the_imagery_leaves_the_queue_open() -> None:
    (queue,) = queue_truth([queued(float(s)) for s in range(10, 200, 8)], (50.0, 120.0))
    assert queue["open"] == ["start", "end"]
    assert (queue["seen_start_m"], queue["seen_end_m"]) == (50.0, 120.0)
    assert queue["length_km"] == pytest.approx(0.188)
    assert queue["seen_vehicles"] == sum(50 <= s <= 120 for s in range(10, 200, 8))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_traffic_of_any_scene_is_possible(seed: int) -> None:
    spec = varied(seed, length_km=1.0)
    vehicles = drive(spec, spec.road.length_m)
    rows: dict[tuple[str, int], list[Vehicle]] = {}
    for v in vehicles:
        assert v.length_m / 2 <= v.station_m <= spec.road.length_m - v.length_m / 2 + 1e-6 or v.state == "parked"
        if v.state == "queued":
            rows.setdefault((v.side, v.row), []).append(v)
    for row in rows.values():
        ordered = sorted(row, key=lambda v: v.station_m)
        assert all(b.station_m - a.station_m > (a.length_m + b.length_m) / 2 + 0.6 for a, b in pairwise(ordered))
    boxes = [
        shapely.Polygon(corners_of(v) + np.array([v.station_m, v.offset_m])) for v in vehicles if v.state != "flowing"
    ]
    first, second = shapely.STRtree(boxes).query(boxes) if boxes else ((), ())
    shared = [boxes[i].intersection(boxes[j]).area for i, j in zip(first, second, strict=True) if i < j]
    assert max(shared, default=0.0) < 0.15 * 8
    for queue in queue_truth(vehicles, (0.0, 1e9)):
        assert queue["occupied_km"] <= queue["length_km"] + 1e-9
        assert queue["vehicles"] / queue["occupied_km"] / queue["lanes"] > 28


def test_truth_files_hold_the_schema_and_the_true_stations(scene: Path) -> None:
    vehicles = check(gpd.read_file(scene / "truth/vehicles.geojson"), VEHICLES, source="truth")
    road = read_road(scene / "truth/road.geojson")
    middle = vehicles.geometry.centroid if vehicles.empty else shapely.centroid(vehicles.geometry.to_numpy())
    station, offset = road.to_road(shapely.get_x(middle), shapely.get_y(middle))
    assert np.abs(station - vehicles.station_m).max() < 0.05
    assert np.abs(offset - vehicles.offset_m).max() < 0.05
    assert set(vehicles.score) == {1.0}
    truth = json.loads((scene / "truth/queues.json").read_text())
    assert truth["vehicles"]["queued"] == (vehicles.state == "queued").sum() == truth["queues"][0]["vehicles"]


def test_drawn_line_lies_as_far_off_as_asked(tmp_path: Path) -> None:
    spec = small(line={"offset_m": 4.0, "drift_m": 0.0, "jitter_m": 0.0}, road={"length_m": 900.0})
    world = build_world(spec)
    _, offset = world.road.to_road(world.drawn[2:-2, 0], world.drawn[2:-2, 1])
    assert np.abs(offset - 4.0).max() < 0.1


@pytest.mark.parametrize("shape", ["winding", "hairpins"])
@pytest.mark.parametrize("seed", range(6))
def test_made_up_roads_never_meet_themselves(shape: str, seed: int) -> None:
    world = build_world(small(seed=seed, road={"length_m": 2500.0, "shape": shape}, queues=[], flows=[]))
    s = np.arange(0.0, world.road.length_m, 5.0)
    xy = world.place(s, np.zeros(len(s)))
    assert shapely.LineString(xy).is_simple
    # Left and right edges of the pavement do not meet either.
    assert not list(shapely.LineString(xy).buffer(8.0, cap_style="flat").interiors)


# -- pixels --------------------------------------------------------------------------------------------------


def test_same_scene_gives_same_pixels(scene: Path, tmp_path: Path) -> None:
    again = simulate(small(), tmp_path / "again")
    tiles = sorted(scene.glob("tile_*.tif"))
    assert [t.name for t in tiles] == [t.name for t in sorted(again.glob("tile_*.tif"))]
    for tile in tiles:
        with rasterio.open(tile) as a, rasterio.open(again / tile.name) as b:
            assert np.array_equal(a.read(), b.read())


def test_files_say_that_they_are_simulated(scene: Path) -> None:
    with rasterio.open(next(scene.glob("tile_*.tif"))) as raster:
        tags = raster.tags()
        assert "not a real place" in tags["TIFFTAG_IMAGEDESCRIPTION"]
        assert tags["JAMLINE_SIMULATED"] == "YES"
        assert tags["TIFFTAG_DATETIME"] == "2022:09:25 08:03:00"
        assert tags["GSD"] == "0.5"
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.nodata == 0


def test_without_traffic_pixels_change_where_the_truth_has_vehicles(scene: Path, tmp_path: Path) -> None:
    bare = simulate(small(queues=[], flows=[]), tmp_path / "bare")
    vehicles = gpd.read_file(scene / "truth/vehicles.geojson")
    road = read_road(scene / "truth/road.geojson")
    moves = np.array([[u, w] for u in (-0.3, 0.0, 0.3) for w in (-0.2, 0.0, 0.2)])
    change = []
    for v in vehicles.itertuples():
        lon, lat = road.to_map(v.station_m + moves[:, 0] * v.length_m, v.offset_m + moves[:, 1] * v.width_m)
        change.append(np.abs(sample(scene, lon, lat) - sample(bare, lon, lat)).max())
    assert np.mean(np.array(change) > 12) > 0.95
    # And nowhere else, but for their shadows: along the road's far verge nothing moves.
    s = np.linspace(20, 240, 200)
    lon, lat = road.to_map(s, np.full(200, 20.0))
    assert np.nanmax(np.abs(sample(scene, lon, lat) - sample(bare, lon, lat))) <= 1.0


@pytest.mark.parametrize(
    "imagery",
    [
        {"crs": "EPSG:4326"},
        {"crs": "EPSG:3857"},
        {"crs": "EPSG:2263"},
        {"rotation_deg": 27.0},
        {"south_up": True},
    ],
    ids=["degrees", "mercator", "US feet", "rotated", "south-up"],
)
def test_other_georeferences_hold_the_same_scene(new_york: Path, tmp_path: Path, imagery: dict[str, object]) -> None:
    common = {"half_width_m": 30.0, "tile_px": 512}
    here = new_york
    there = simulate(small(imagery=common | imagery, **PLACE), tmp_path / "other")
    road = read_road(here / "truth/road.geojson")
    rng = np.random.default_rng(1)
    lon, lat = road.to_map(rng.uniform(5, 255, 1500), rng.uniform(-15, 15, 1500))
    a, b = sample(here, lon, lat), sample(there, lon, lat)
    both = np.isfinite(a) & np.isfinite(b)
    assert both.mean() > 0.98
    assert np.corrcoef(a[both], b[both])[0, 1] > 0.97
    with rasterio.open(next(there.glob("tile_*.tif"))) as raster:
        assert raster.transform.e > 0 if "south_up" in imagery else raster.transform.determinant < 0


def test_tiles_agree_where_they_overlap(tmp_path: Path) -> None:
    folder = simulate(small(imagery={"half_width_m": 30.0, "tile_px": 256, "overlap_px": 64}), tmp_path / "tiles")
    tiles = []
    for path in sorted(folder.glob("tile_*.tif")):
        row, col = (int(part[1:]) for part in path.stem.split("_")[1:])
        with rasterio.open(path) as raster:
            tiles.append((row, col, raster.read().astype(int)))
    worst, shared = 0, 0
    for (r, c, a), (q, d, b) in combinations(tiles, 2):
        top, low = max(r, q), min(r + a.shape[1], q + b.shape[1])
        left, right = max(c, d), min(c + a.shape[2], d + b.shape[2])
        if top >= low or left >= right:
            continue
        a, b = a[:, top - r : low - r, left - c : right - c], b[:, top - q : low - q, left - d : right - d]
        both = (a.min(axis=0) > 0) & (b.min(axis=0) > 0)
        shared += both.sum()
        worst = max(worst, np.abs(a - b)[:, both].max(initial=0))
    assert shared > 500
    assert worst <= 2


def test_a_bridge_hides_what_is_under_it(tmp_path: Path) -> None:
    under = simulate(small(road={"length_m": 260.0, "bridges_m": [120.0]}), tmp_path / "under")
    bare = simulate(small(road={"length_m": 260.0, "bridges_m": [120.0]}, queues=[], flows=[]), tmp_path / "bare")
    road = read_road(under / "truth/road.geojson")
    lon, lat = road.to_map(np.full(7, 120.0), np.linspace(-4.0, 4.0, 7))
    assert np.abs(sample(under, lon, lat) - sample(bare, lon, lat)).max() <= 1.0
    assert json.loads((under / "truth/queues.json").read_text())["queues"][0]["open"] == []


def test_eleven_bits_and_one_band(tmp_path: Path) -> None:
    folder = simulate(small(sensor={"bands": "pan", "bits": 11, "gsd_m": 0.5}), tmp_path / "pan")
    with rasterio.open(next(folder.glob("tile_*.tif"))) as raster:
        assert (raster.count, raster.dtypes[0]) == (1, "uint16")
        assert 255 < raster.read().max() <= 2047


def test_lossy_tiles_keep_their_mask(tmp_path: Path) -> None:
    folder = simulate(small(sensor={"jpeg_quality": 75}), tmp_path / "jpeg")
    for path in folder.glob("tile_*.tif"):
        with rasterio.open(path) as raster:
            assert raster.nodata is None
            mask = raster.dataset_mask()
            assert 0 < (mask == 0).mean() < 1
            assert raster.read().max(axis=0)[mask > 0].min() > 0


def test_existing_folder_is_refused_and_a_failed_run_leaves_none(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="--overwrite"):
        simulate(small(), tmp_path / "out")
    with pytest.raises(JobError, match=r"imagery\.crs 'EPSG:0'"):
        simulate(small(imagery={"crs": "EPSG:0"}), tmp_path / "fails")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_random_fields_depend_on_the_place_alone() -> None:
    noise = Noise(3)
    whole = Window(-64, 128, 160, 160, 0.25)
    part = Window(-32, 160, 96, 96, 0.25)
    for cell_m in (0.25, 0.9, 3.1):
        a = noise.field(whole, cell_m, 2)[32:128, 32:128]
        b = noise.field(part, cell_m, 2)
        assert np.abs(a - b)[8:-8, 8:-8].max() < 1e-3


def test_varied_scenes_differ_by_seed_alone() -> None:
    assert varied(5) == varied(5)
    assert varied(5) != varied(6)
    assert varied(5, gsd_m=0.8).queues == varied(5, gsd_m=0.5).queues
    specs = [varied(seed) for seed in range(120)]
    assert {spec.terrain.kind for spec in specs} == {
        "desert",
        "steppe",
        "fields",
        "grass",
        "forest",
        "rock",
        "town",
    }
    assert 5 <= sum(not spec.queues for spec in specs) <= 40
    assert sum(spec.imagery.end_m < 1e8 or spec.imagery.start_m > 0 for spec in specs) >= 20


def test_vehicles_stand_where_the_truth_says_to_a_fraction_of_a_pixel(tmp_path: Path) -> None:
    # The sun overhead: no shadow pulls the centre away, and what differs from the empty road is the vehicle.
    parts = {
        "light": {"sun_elevation_deg": 88.0},
        "flows": [],
        "road": {
            "length_m": 260.0,
            "shape": "straight",
            "heading_deg": 60.0,
            "brightness": 0.4,
            "markings": 0.0,
        },
        "sensor": {"gsd_m": 0.5, "snr": 2000.0, "gamma": 1.0, "white": 1.5, "sharpen": 0.0, "bits": 11},
    }
    full = simulate(small(**parts), tmp_path / "full")
    bare = simulate(small(**parts | {"queues": []}), tmp_path / "bare")
    road = read_road(full / "truth/road.geojson")
    vehicles = gpd.read_file(full / "truth/vehicles.geojson")
    u, w = (a.ravel() for a in np.meshgrid(np.arange(-4.5, 4.6, 0.25), np.arange(-2.4, 2.5, 0.2)))
    shifts = []
    for v in vehicles[vehicles.kind == "car"].itertuples():
        lon, lat = road.to_map(v.station_m + u, v.offset_m + w)
        change = np.abs(sample(full, lon, lat) - sample(bare, lon, lat))
        inside = (np.abs(u) < v.length_m / 2 + 0.6) & (np.abs(w) < v.width_m / 2 + 0.6)
        shifts.append(np.average(np.column_stack([u, w])[inside], axis=0, weights=change[inside]))
    assert len(shifts) > 10
    assert np.abs(np.median(shifts, axis=0)).max() < 0.1
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.15


# -- layers that are off unless asked for -----------------------------------------------------------------------

BARE: dict[str, object] = {
    "road": {"length_m": 200.0, "shape": "straight", "heading_deg": 60.0, "lanes_right": 2, "lanes_left": 2},
    "queues": [],
    "flows": [],
    "light": {"sun_elevation_deg": 40.0, "sun_azimuth_deg": 150.0},
}
RICH_LOOKS = {"fleet": {"looks": "rich"}}


def look(spec: SceneSpec, *, at_m: float = 100.0, reach_m: float = 45.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Paint a square of a scene before any camera: grey level, station and offset of its cells."""
    world = build_world(spec)
    x, y = world.place([at_m], [0.0])[0]
    px_m, side = 0.2, int(2 * reach_m / 0.2) // 8 * 8
    col, row = (int((v - reach_m) / px_m) // 8 * 8 for v in (x, -y))
    light, station, offset = Renderer(world, drive(spec, world.road.length_m)).paint(Window(col, row, side, side, px_m))
    return light.mean(axis=-1), station, offset


def bare(**parts: object) -> SceneSpec:
    return small(**BARE | parts)


@cache
def empty(seed: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same square with nothing on it."""
    return look(bare(seed=seed))


def test_sample_tiles_are_what_their_scene_still_gives(tmp_path: Path) -> None:
    root = Path(__file__).parents[1]
    again = simulate(read_scene(root / "seeds/scenes/lars-short.toml"), tmp_path / "short")
    kept = sorted((root / "sample_tiles/short").glob("tile_*.tif"))
    assert kept
    for tile in kept:
        with rasterio.open(tile) as a, rasterio.open(again / tile.name) as b:
            change = np.abs(a.read().astype(int) - b.read())
        # Another build of the libraries may round another way, and JPEG spreads that over its blocks.
        assert (change > 2).mean() < 1e-4


@pytest.mark.parametrize(
    ("wear", "where", "brighter"),
    [
        ({"oil": 1.0}, (-7.0 + 1.55, -7.0 + 1.95), False),
        ({"tracks": 1.0}, (-7.0 + 0.75, -7.0 + 1.05), True),
        ({"tracks": -0.8}, (-7.0 + 0.75, -7.0 + 1.05), False),
        ({"gloss": 1.0}, (-6.0, 6.0), False),
        ({"edge": "snow", "drift_m": 0.8}, (-7.5, -7.0), True),
        ({"edge": "sand", "drift_m": 0.8}, (-7.5, -7.0), True),
    ],
    ids=lambda value: str(value)[:24],
)
def test_wear_shows_where_it_lies(wear: dict[str, object], where: tuple[float, float], brighter: bool) -> None:
    plain, _, offset = empty()
    worn, _, _ = look(bare(wear=wear))
    on = (offset > where[0]) & (offset < where[1])
    change = float(np.median(worn[on] / plain[on]))
    assert change > 1.08 if brighter else change < 0.92
    if wear.get("edge") != "snow":
        assert np.abs(worn - plain)[np.abs(offset) > 20].max() < 1e-6


def test_seams_are_thin_and_dark_and_courses_have_edges() -> None:
    plain, station, offset = empty()
    road = np.abs(offset) < 6.5
    sealed = look(bare(wear={"seams": 0.8}))[0][road] / plain[road]
    assert 0.01 < np.mean(sealed < 0.9) < 0.3
    assert sealed.max() < 1.01
    mixed = look(bare(seed=3, wear={"patched": 0.5, "mixed": True}))[0] / empty(3)[0]
    along = [np.median(mixed[road & (np.abs(station - s) < 0.5)]) for s in np.arange(65.0, 135.0, 1.0)]
    assert np.abs(np.diff(along)).max() > 0.05
    lane = look(bare(seed=3, wear={"resurfaced": 0.6}))[0] / empty(3)[0]
    lanes = [
        [np.median(lane[(np.abs(offset - o) < 1) & (np.abs(station - s) < 1)]) for o in (-5.2, -1.8, 1.8, 5.2)]
        for s in range(65, 136, 5)
    ]
    assert np.ptp(lanes, axis=1).max() > 0.05


@pytest.mark.parametrize("kind", ["arrows", "stops", "zebras", "hatched", "words", "blocks"])
def test_marks_are_bright_and_on_the_road(kind: str) -> None:
    plain, _, offset = empty()
    marked, _, _ = look(bare(paint={f"{kind}_per_km": 20.0, "worn": 0.0}))
    new = marked > plain + 0.15
    assert new.sum() * 0.04 > 1.5
    assert np.abs(offset[new]).max() < 9.0
    worn, _, _ = look(bare(paint={f"{kind}_per_km": 20.0, "worn": 1.0}))
    assert (worn - plain)[new].mean() < 0.6 * (marked - plain)[new].mean()


def test_bays_are_as_long_as_their_pitch_and_marked() -> None:
    row = {"side": "right", "start_m": 10.0, "end_m": 190.0, "fill": 1.0, "pitch_m": 5.6}
    spec = bare(parked=[row | {"marked": True}])
    cars = [v for v in drive(spec, 200.0) if v.state == "parked"]
    assert len(cars) > 15
    assert max(v.length_m for v in cars) < 5.6
    bays = np.array([(v.station_m - 10.0) / 5.6 for v in cars])
    assert np.abs(bays - np.floor(bays) - 0.5).max() < 0.12
    lines, station, offset = look(bare(parked=[row | {"fill": 0.0, "marked": True}]))
    plain = look(bare(parked=[row | {"fill": 0.0}]))[0]
    new = (lines > plain + 0.1) & (np.abs(station - 100.0) < 40)
    phase = (station[new] - 10.0) / 5.6
    assert new.sum() > 20
    assert np.abs(phase - np.round(phase)).max() * 5.6 < 0.6
    assert (offset[new] < -7.0).all()


STRIP = {"side": "left", "start_m": 40.0, "end_m": 160.0, "near_m": 1.0, "wide_m": 3.0}


@pytest.mark.parametrize(
    "plants", [{}, {"shrubs": 0.8}, {"hedge_m": 1.5}, {"young_m": 6.0}, {"path_m": 2.0}], ids=lambda value: str(value)
)
def test_strips_lie_beside_the_road_and_in_no_truth(plants: dict[str, float]) -> None:
    spec = bare(seed=0, strips=[STRIP | plants])
    light, station, offset = look(spec)
    changed = np.abs(light - empty(0)[0]) > 0.02
    # The pavement of the fixture ends 7.3 m from its middle; crowns and shadows reach beyond a strip, its ground not.
    ground = (offset > 8.6) & (offset < 11.0) & (station > 42) & (station < 158)
    assert changed[ground].mean() > 0.5
    assert changed[(offset < 0) | (station < 20) | (station > 180)].mean() < 0.01
    assert drive(spec, 200.0) == ()
    if plants:
        assert (np.abs(light - look(bare(seed=0, strips=[STRIP]))[0]) > 0.02).sum() * 0.04 > 2.0


def test_rows_at_the_kerb_stand_beside_the_lanes_on_the_road_s_own_surface() -> None:
    row = {"side": "right", "start_m": 60.0, "end_m": 140.0, "where": "kerb", "fill": 1.0}
    cars = [v for v in drive(bare(parked=[row]), 200.0) if v.state == "parked"]
    assert len(cars) > 10
    edge = 7.0 + BARE["road"].get("shoulder_m", 0.6)  # type: ignore[attr-defined]
    assert all(edge < -v.offset_m < edge + 2.2 for v in cars)
    light, station, offset = look(bare(parked=[row | {"fill": 0.0}]))
    paved = light[(offset < -edge - 0.4) & (offset > -edge - 1.8) & (np.abs(station - 100) < 60)]
    lane = light[(offset < -4.5) & (offset > -6.0) & (np.abs(station - 100) < 60)]
    assert np.median(paved) == pytest.approx(np.median(lane), rel=0.15)


def test_lines_are_as_wide_and_as_often_broken_as_asked() -> None:
    road = BARE["road"] | {"line_m": 0.3, "dashes_m": (2.0, 8.0)}  # type: ignore[operator]
    light, station, offset = look(bare(road=road))
    line = (np.abs(np.abs(offset) - 3.5) < 0.1) & (np.abs(station - 100) < 40)
    lane = light[(np.abs(np.abs(offset) - 5.2) < 0.5) & (np.abs(station - 100) < 40)]
    assert (light[line] > 1.5 * np.median(lane)).mean() == pytest.approx(2.0 / 8.0, abs=0.1)


def test_a_dark_fleet_is_dark() -> None:
    queue = [{"side": "right", "start_m": 0.0, "end_m": 200.0, "rows": 2, "truck_share": 0.0}]
    looks = [look(bare(queues=queue, fleet={"looks": "rich", "dark": dark})) for dark in (0.0, 1.0)]
    bright = [(light > empty()[0] + 0.15).sum() for light, _, _ in looks]
    assert bright[1] < 0.6 * bright[0]


LOT = {"side": "left", "start_m": 50.0, "end_m": 150.0, "near_m": 9.0, "rows": 2, "fill": 0.8}


def test_bays_are_stained_and_hatched_where_asked() -> None:
    plain, _, offset = look(bare(lots=[LOT | {"fill": 0.0, "surface": "asphalt"}]))
    stained, _, _ = look(bare(lots=[LOT | {"fill": 0.0, "surface": "asphalt", "stains": 1.0}]))
    hatched, _, _ = look(bare(lots=[LOT | {"fill": 0.0, "surface": "asphalt", "hatched": 0.5, "paint": 1.0}]))
    dark, bright = stained < 0.85 * plain, hatched > plain + 0.05
    assert dark.sum() * 0.04 > 5.0
    assert bright.sum() * 0.04 > 2.0
    assert (offset[dark | bright] > 7.0).all()


@pytest.mark.parametrize("angle_deg", [90.0, 60.0])
def test_car_parks_hold_cars_turned_to_the_road(tmp_path: Path, angle_deg: float) -> None:
    parts = {"lots": [LOT | {"angle_deg": angle_deg}], "imagery": {"half_width_m": 60.0}, "parked": []}
    full = simulate(bare(**parts | RICH_LOOKS), tmp_path / "full")
    hollow = simulate(
        bare(**parts | RICH_LOOKS | {"lots": [LOT | {"angle_deg": angle_deg, "fill": 0.0}]}), tmp_path / "b"
    )
    cars = gpd.read_file(full / "truth/vehicles.geojson")
    assert len(cars) > 25
    assert set(cars.state) == {"parked"}
    assert cars.offset_m.between(7.6 + 9.0, 7.6 + 9.0 + 18.0).all()
    across = np.abs((cars.heading_deg - 60.0 + 90.0) % 180.0 - 90.0)
    assert np.abs(across - angle_deg).max() < 9.0
    middle = shapely.centroid(cars.geometry.to_numpy())
    lon, lat = shapely.get_x(middle), shapely.get_y(middle)
    assert np.mean(np.abs(sample(full, lon, lat) - sample(hollow, lon, lat)) > 6) > 0.85
    # The polygon in the file is the car's, whichever way it stands.
    boxes = cars.to_crs(cars.estimate_utm_crs()).geometry
    assert boxes.area.to_numpy() == pytest.approx((cars.length_m * cars.width_m).to_numpy(), rel=0.01)
    assert json.loads((full / "truth/queues.json").read_text())["queues"] == []


def test_no_tree_and_no_house_stands_in_a_car_park_or_on_a_crossing() -> None:
    terrain = {"kind": "town", "trees": 0.9, "buildings_per_km": 80.0}
    spec = bare(lots=[LOT], crossings=[{"station_m": 170.0}], terrain=terrain, imagery={"half_width_m": 90.0})
    renderer = Renderer(build_world(spec), ())
    trees = renderer.grove.trees(Window(*_around(renderer), 600, 600, 0.4))
    corners = np.vstack([house.corners for house in renderer.buildings])
    for xy, least in ((trees[:, :2], 50), (corners, 4)):
        station, offset = renderer.stage.world.locate(xy)
        assert len(xy) >= least
        assert not np.any((station > 50) & (station < 150) & (offset > 16.6) & (offset < 32.0))
        assert not np.any((np.abs(station - 170) < 3.3) & (np.abs(offset) < 65))


def _around(renderer: Renderer) -> tuple[int, int]:
    x, y = renderer.stage.world.place([100.0], [0.0])[0]
    return int((x - 120) / 0.4) // 8 * 8, int((-y - 120) / 0.4) // 8 * 8


def test_crossing_traffic_is_in_the_truth_and_in_no_queue(tmp_path: Path) -> None:
    crossing = {"station_m": 110.0, "skew_deg": 12.0, "waiting": 5, "per_km_lane": 40.0}
    parts = {"crossings": [crossing], "imagery": {"half_width_m": 60.0}}
    spec = bare(**parts | RICH_LOOKS)
    vehicles = drive(spec, 200.0)
    assert len(vehicles) >= 10
    assert {v.state for v in vehicles} == {"flowing"}
    assert queue_truth(vehicles, (0.0, 200.0)) == []
    assert all(70 < abs(v.turn_deg) < 110 for v in vehicles)
    assert min(abs(v.offset_m) - v.length_m / 2 for v in vehicles) > 7.0
    # Who waits looks at the road and keeps to the right: its left flank faces the other lane.
    waiting = min(vehicles, key=lambda v: (v.offset_m < 0, v.along, abs(v.offset_m)))
    assert waiting.offset_m > 0
    assert not waiting.along
    full = simulate(spec, tmp_path / "full")
    hollow = simulate(
        bare(**parts | RICH_LOOKS | {"crossings": [crossing | {"waiting": 0, "per_km_lane": 0.0}]}), tmp_path / "b"
    )
    middle = shapely.centroid(gpd.read_file(full / "truth/vehicles.geojson").geometry.to_numpy())
    lon, lat = shapely.get_x(middle), shapely.get_y(middle)
    seen = np.isfinite(sample(full, lon, lat))
    change = np.abs(sample(full, lon, lat) - sample(hollow, lon, lat))[seen]
    assert seen.sum() > 8
    assert np.mean(change > 6) > 0.85


@pytest.mark.parametrize("kind", ["people", "cycles", "manholes", "puddles", "junk", "signs", "gantries"])
def test_clutter_is_seen_and_in_no_truth(kind: str) -> None:
    spec = bare(seed=0, clutter={f"{kind}_per_km": {"gantries": 10.0}.get(kind, 60.0)})
    changed = np.abs(look(spec)[0] - empty(0)[0]) > 0.02
    assert changed.sum() * 0.04 > 0.5
    # Little of the picture: it is clutter.
    assert changed.mean() < 0.12
    assert drive(spec, 200.0) == ()


def test_gantries_hang_over_the_traffic_and_rails_cast_shadows() -> None:
    queue = [
        {"side": side, "start_m": 0.0, "end_m": 200.0, "rows": 2, "truck_share": 1.0} for side in ("left", "right")
    ]
    parts = {"seed": 0, "queues": queue, "clutter": {"gantries_per_km": 10.0}}
    beam = (look(bare(**parts))[0], look(bare(**parts | {"queues": []}))[0])
    without_it = look(bare(seed=0, queues=queue))[0]
    over = np.abs(beam[1] - empty(0)[0]) > 0.02
    same = np.abs(beam[0] - beam[1]) < 1e-3
    assert (over & same & (np.abs(beam[0] - without_it) > 0.02)).sum() * 0.04 > 2.0
    road = {**BARE["road"], "rails": True}  # type: ignore[dict-item]
    light, _, offset = look(bare(road=road, clutter={"rail_shadow": True}))
    dark = light < 0.8 * look(bare(road=road))[0]
    # The road runs to 60 degrees and the sun stands at 150: shadows fall to the left of either rail.
    assert dark.sum() * 0.04 > 10
    assert ((offset[dark] > 7.5) | (offset[dark] < -6.3)).all()


def test_trees_let_flecks_through_and_towers_shade_the_road() -> None:
    grove = {"kind": "grass", "trees": 0.0, "tree_line": 1.0}
    deep, flecked = (look(bare(terrain=grove, shade={"dapple": share}))[0] for share in (0.0, 0.9))
    assert (flecked > deep + 0.01).mean() > 0.01
    assert (flecked < deep - 1e-6).sum() == 0
    light, _, offset = look(bare(shade={"towers_per_km": 40.0}))
    road = np.abs(offset) < 6.5
    assert np.mean(light[road] < 0.5 * empty()[0][road]) > 0.02


@pytest.mark.parametrize("body", [*RICH.cars, *RICH.trucks])
@pytest.mark.parametrize("lean", [(0.0, 0.0), (0.1, 0.3)], ids=["from above", "aslant"])
def test_pictures_of_vehicles_cover_their_footprint(body: str, lean: tuple[float, float]) -> None:
    _, long, _, wide, _, high = (RICH.cars | RICH.trucks)[body]
    v = Vehicle(3, "right", 0, 0.0, 0.0, long, wide, high, 0.0, True, body, "queued")
    picture = portrait(v, np.array([0.6, 0.8]), np.array(lean), 40.0, np.random.default_rng(5))
    rows, cols = np.nonzero(picture[..., 3] > 0.5)
    middle = ((picture.shape[1] - 1) / 2, (picture.shape[0] - 1) / 2)
    u, w = (cols - middle[0]) * 0.1, (middle[1] - rows) * 0.1
    slack = 0.45 + 0.1
    assert abs(u.min() + long / 2) < slack
    assert long / 2 - slack < u.max() < long / 2 + lean[0] * high * 1.2 + slack
    assert wide / 2 - slack < w.max() < wide / 2 + lean[1] * high * 1.2 + slack
    assert w.min() > -wide / 2 - slack
    if lean[1]:
        # A flank shows: the far side has moved out, the near one stands on the ground.
        assert w.max() > wide / 2 + 0.2 * high * lean[1]


def test_vehicles_shadows_are_as_deep_as_asked() -> None:
    queue = [{"side": "right", "start_m": 20.0, "end_m": 180.0, "truck_share": 0.5}]
    plain = empty()[0]
    darkest = [np.quantile(look(bare(queues=queue, shade={"depth": d}))[0] / plain, 0.005) for d in (1.0, 0.4)]
    assert darkest[0] < 0.6 * darkest[1]


def _exposed(image: np.ndarray, **sensor: object) -> np.ndarray:
    plan = SensorSpec.model_validate(
        {"snr": 1e5, "gamma": 1.0, "white": 1.0, "sharpen": 0.0, "pansharpened": False} | sensor
    )
    window = Window(0, 0, image.shape[1], image.shape[0], 0.5)
    return expose(image.astype(np.float32), plan, 0.0, Noise(1), window).astype(float)


def test_cameras_halo_fringe_smear_and_cast() -> None:
    edge = np.full((80, 80, 3), 0.2)
    edge[:, 40:] = 0.6
    plain = _exposed(edge)
    halo = _exposed(edge, halo=1.0)
    assert halo[1].max() > plain[1].max() + 20
    assert halo[1].min() < plain[1].min() - 10
    # Half-way up the edge lies elsewhere in red than in blue.
    soft = ndimage.gaussian_filter1d(edge, 2.0, axis=1)
    apart = _exposed(soft, fringe_px=2.0)
    middle = [np.interp(102.0, band.mean(axis=0), np.arange(band.shape[1])) for band in apart]
    assert middle[0] - middle[2] == pytest.approx(2.0 * 0.6, abs=0.1)
    line = np.full((80, 80, 3), 0.2)
    line[40] = 0.6
    smeared = _exposed(line, smear_px=3.0)[1].mean(axis=1)
    assert smeared.max() < _exposed(line)[1].max() - 30
    assert smeared.sum() == pytest.approx(_exposed(line)[1].mean(axis=1).sum(), rel=0.01)
    warm = _exposed(edge, cast=(1.2, 1.0, 0.8))
    assert [band.mean() / base.mean() for band, base in zip(warm, plain, strict=True)] == pytest.approx(
        [1.2, 1, 0.8], abs=0.02
    )


def test_varied_scenes_draw_every_layer() -> None:
    specs = [varied(seed) for seed in range(150)]
    for part in ("wear", "paint", "clutter", "shade", "fleet"):
        for name, field in type(getattr(specs[0], part)).model_fields.items():
            share = np.mean([getattr(getattr(spec, part), name) != field.default for spec in specs])
            assert share > 0.02, (part, name)
    for name in ("view_east", "halo", "fringe_px", "smear_px", "cast", "pixel_m"):
        assert sum(getattr(spec.sensor, name) != SensorSpec.model_fields[name].default for spec in specs) > 5, name
    assert sum(bool(spec.lots) for spec in specs) > 25
    assert sum(bool(spec.crossings) for spec in specs) > 25
    assert sum(any(row.pitch_m > 0 for row in spec.parked) for spec in specs) > 25
    assert sum(spec.fleet.looks == "plain" for spec in specs) > 3
    assert sum(bool(spec.strips) for spec in specs) > 25
    assert sum(any(row.where == "kerb" for row in spec.parked) for spec in specs) > 25
    assert sum(spec.road.dashes_m is not None for spec in specs) > 25
    assert sum(any(lot.stains > 0 for lot in spec.lots) for spec in specs) > 5
    # What is drawn apart leaves many scenes as they were.
    assert sum(not spec.strips and spec.road.dashes_m is None and spec.fleet.dark == 0 for spec in specs) > 40
