"""`survey` is the straight line, and nothing else."""

import json

import numpy as np
import pytest
import rasterio
from affine import Affine

import jamline as jl

CLAIM = "a jam of 300 m"


@pytest.fixture(scope="module")
def surveyed(small_scene):
    done = []
    result = jl.survey(
        small_scene,
        small_scene / "road.geojson",
        origin="border",
        claims=[CLAIM],
        progress=lambda done_m, total_m: done.append((done_m, total_m)),
    )
    return result, done


def test_it_is_the_line_walked_by_hand(surveyed, small_scene):
    result, _ = surveyed
    road = jl.read_road(small_scene / "road.geojson", origin="border")
    with jl.open_scene(small_scene) as scene:
        evidence = jl.find_vehicles(jl.lay_flat(scene, road))
    queues = jl.measure_queues(evidence)
    assert [queue.to_json() for queue in result.queues[0]] == [queue.to_json() for queue in queues]
    assert result.findings == (jl.check_claim(CLAIM, queues),)


def test_progress_reaches_the_end(surveyed):
    _, done = surveyed
    assert sum(done_m for done_m, _ in done) == pytest.approx(done[0][1], abs=1.0)


def test_strips_cover_the_road_without_a_gap(surveyed):
    result, _ = surveyed
    at_m = 0.0
    for strip in result.strips:
        assert strip.start_m <= at_m + 1e-6
        assert strip.pixel_m == pytest.approx(0.5)
        assert strip.top_offset_m == pytest.approx(15.0)
        assert strip.image.shape[:2] == (60, round((strip.end_m - strip.start_m) / 0.5))
        at_m = strip.end_m
    assert at_m >= result.queues[0].evidence.road.length_m


def striped_image(path, *, roads=1):
    """Write 300 m by 100 m of dark road on ground that is bright to its north; return its road file."""
    pixels = np.full((1, 400, 1200), 60, dtype="uint8")
    pixels[:, :200] = 200
    pixels += np.random.default_rng(2).integers(0, 3, pixels.shape).astype("uint8")
    pixels[:, 188:212] = np.random.default_rng(3).integers(20, 24, (24, 1200))
    pixels[:, :, 1000:] = 0
    metre = 1 / 111_320
    transform = Affine(0.25 * metre, 0, 10.0, 0, -0.25 * metre, 50 * metre)
    profile = {"count": 1, "width": 1200, "height": 400, "dtype": "uint8", "crs": "EPSG:4326", "nodata": 0}
    with rasterio.open(path, "w", driver="GTiff", transform=transform, **profile) as file:
        file.write(pixels)
    lines = [[[10.0 + 10 * metre, 0.0], [10.0 + 290 * metre, 0.0]], [[11.0, 0.0], [11.0 + 400 * metre, 0.0]]]
    features = [
        {
            "type": "Feature",
            "properties": {"name": f"R{i}"},
            "geometry": {"type": "LineString", "coordinates": line},
        }
        for i, line in enumerate(lines[:roads], start=1)
    ]
    road = path.with_suffix(".geojson")
    road.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return road


def test_a_strip_shows_left_above_and_unseen_grey(tmp_path):
    road = striped_image(tmp_path / "image.tif")
    (strip,) = jl.survey(tmp_path / "image.tif", road).strips
    assert strip.image.shape == (60, 560)
    # Eastwards, so north is left and above; nodata from 250 m of the image, 240 m of the road, on.
    top, middle, bottom = strip.image[:15, :460], strip.image[27:33, :460], strip.image[-15:, :460]
    assert np.median(top) > np.median(bottom) > np.median(middle)
    assert np.all(strip.image[:, 490:] == 128)


class TestSeveralRoads:
    def test_one_outside_is_unseen_but_there(self, tmp_path):
        road = striped_image(tmp_path / "image.tif", roads=2)
        result = jl.survey(tmp_path / "image.tif", road)
        result.write(tmp_path / "out")
        run = json.loads((tmp_path / "out" / "run.json").read_text())
        first, second = run["roads"]
        assert first["coverage"]["seen_m"] == pytest.approx(240.0, abs=15.0)
        assert (second["name"], second["coverage"]["seen_m"], second["queues"]) == ("R2", 0.0, [])
        (unseen,) = second["coverage"]["unseen"]
        assert (unseen["start_m"], unseen["reason"]) == (0.0, "outside imagery")
        assert unseen["end_m"] == second["length_m"] == pytest.approx(400.0, abs=1.0)

    def test_one_can_be_named(self, tmp_path):
        road = striped_image(tmp_path / "image.tif", roads=2)
        result = jl.survey(tmp_path / "image.tif", road, road_name="R1")
        assert [queues.evidence.road.name for queues in result.queues] == ["R1"]
        with pytest.raises(jl.JamlineError, match="road 'R2'"):
            jl.survey(tmp_path / "image.tif", road, road_name="R2")


def test_nothing_is_left_of_a_result_that_cannot_be_written(surveyed, tmp_path):
    result, _ = surveyed
    (tmp_path / "file").write_text("mine")
    with pytest.raises(jl.JamlineError):
        result.write(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
