"""One scene written in many ways is one jam: coordinates and tiles must not change its length."""

from __future__ import annotations

import json
import warnings

import pytest
import rasterio
from rasterio.merge import merge

from jamline import survey
from jamline.synth import SceneSpec, simulate

# A clear picture under a high sun: where a vehicle can hardly be told from the road, the noise of its pixels
# decides, and that is another in every grid of pixels. What is left is what geometry does.
SCENE = {
    "name": "one jam",
    "seed": 11,
    "road": {"length_m": 1100.0, "name": "R1", "lanes_right": 1, "lanes_left": 1},
    "queues": [{"side": "right", "start_m": 130.0, "end_m": 1070.0, "gap_car_m": 3.5}],
    "terrain": {"trees": 0.0},
    "light": {"sun_elevation_deg": 75.0, "haze": 0.0},
    "sensor": {"gsd_m": 0.4, "snr": 400.0, "pansharpened": False, "mtf_nyquist": 0.3, "white": 0.4},
    "line": {"offset_m": 0.5, "drift_m": 0.0},
}
IMAGERY = {"half_width_m": 25.0, "tile_px": 2048}
PLAIN = "utm"
WAYS = {
    "degrees": {"crs": "EPSG:4326"},
    "web mercator": {"crs": "EPSG:3857"},
    "rotated": {"rotation_deg": 25.0},
    "south-up": {"south_up": True},
    "US feet": {"crs": "+proj=tmerc +lat_0=42.8 +lon_0=44.6 +k=0.9999 +x_0=200000 +y_0=0 +units=us-ft"},
    "tiles": {"tile_px": 256, "overlap_px": 48},
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The scene's folder for each way of writing it."""
    folder = tmp_path_factory.mktemp("ways")
    done = {}

    def write(name: str):
        if name not in done:
            spec = SceneSpec.model_validate(SCENE | {"imagery": IMAGERY | WAYS.get(name, {})})
            done[name] = simulate(spec, folder / name.replace(" ", "_"))
        return done[name]

    return write


def jam(images, road, **options):
    """Return the one queue of a survey."""
    (queues,) = survey(images, road, **options).queues
    assert len(queues) == 1, queues
    return queues[0]


@pytest.fixture(scope="module")
def plain(written):
    scene = written(PLAIN)
    return jam(scene, scene / "road.geojson")


def test_the_jam_is_as_long_as_it_is(plain, written):
    (truth,) = json.loads((written(PLAIN) / "truth" / "queues.json").read_text())["queues"]
    assert plain.side == truth["side"] == "right"
    assert plain.length_km.value == pytest.approx(truth["length_km"], abs=0.005)


@pytest.fixture(scope="module")
def by_contrast(written):
    scene = written(PLAIN)
    return jam(scene, scene / "road.geojson", detector="contrast")


@pytest.mark.parametrize("name", [PLAIN, *WAYS])
def test_contrast_finds_the_jam_as_long_as_it_is_however_it_is_written(written, by_contrast, name):
    (truth,) = json.loads((written(PLAIN) / "truth" / "queues.json").read_text())["queues"]
    # A dark patch of 23 m lies in the jam's lane, 80 m off its end.
    queue = jam(written(name), written(PLAIN) / "road.geojson", detector="contrast")
    assert queue.length_km.value == pytest.approx(by_contrast.length_km.value, rel=1e-3)
    assert queue.length_km.value == pytest.approx(truth["length_km"], abs=0.005)


@pytest.mark.parametrize("seed", range(11, 17))
def test_contrast_joins_no_patch_or_shadow_to_a_jam(tmp_path, seed):
    sensor = SCENE["sensor"] | {"gsd_m": 0.5, "snr": 80.0}
    spec = SCENE | {"seed": seed, "light": {}, "sensor": sensor, "imagery": IMAGERY}
    scene = simulate(SceneSpec.model_validate(spec), tmp_path / "scene")
    (truth,) = json.loads((scene / "truth" / "queues.json").read_text())["queues"]
    # Noise may cost some vehicles at the ends, but nothing beyond them may join: a box is 4 m off at most.
    (found,) = survey(scene, scene / "road.geojson", detector="contrast").queues
    (queue,) = [queue for queue in found if queue.side == truth["side"]]
    assert 0.95 * truth["length_km"] < queue.length_km.value < truth["length_km"] + 0.0115


@pytest.mark.parametrize("name", WAYS)
def test_length_does_not_depend_on_how_the_scene_is_written(written, plain, name):
    scene = written(name)
    queue = jam(scene, written(PLAIN) / "road.geojson")
    assert queue.length_km.value == pytest.approx(plain.length_km.value, rel=1e-3)


def test_one_file_and_its_overlapping_tiles_are_the_same(written, tmp_path):
    tiles = sorted(written("tiles").glob("tile_*.tif"))
    assert len(tiles) > 3
    road = written(PLAIN) / "road.geojson"
    with rasterio.open(tiles[0]) as first:
        tags, profile = first.tags(), first.profile
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio's, of affine
        pixels, transform = merge(tiles)
    profile = {
        "driver": "GTiff",
        "count": 3,
        "dtype": pixels.dtype,
        "height": pixels.shape[1],
        "width": pixels.shape[2],
        "crs": profile["crs"],
        "transform": transform,
        "nodata": 0,
        "photometric": "RGB",
    }
    with rasterio.open(tmp_path / "one.tif", "w", **profile) as raster:
        raster.write(pixels)
        raster.update_tags(GSD=tags["GSD"], ACQUISITIONDATETIME=tags["ACQUISITIONDATETIME"])
    one, many = jam(tmp_path / "one.tif", road), jam(written("tiles"), road)
    assert one.length_km.value == pytest.approx(many.length_km.value, rel=1e-3)
    assert one.vehicles.value == pytest.approx(many.vehicles.value, rel=0.05)
