"""Roads joined to the items of a STAC API, and measured from what nginx serves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

import web_servers
from jamline.batch import Failure, join_jobs
from jamline.batch._keys import keys
from jamline.batch._prints import fingerprints
from jamline.cli import main
from jamline.errors import NothingToMeasureError
from jamline.fetch import _api, download, search
from jamline.fetch._api import around
from jamline.imagery import _documents, _remote
from jamline.synth import SceneSpec, simulate
from stac_layouts import naip, sentinel2, single_bands, write_json
from stac_served import served


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    web_servers.hurry(monkeypatch, _api, _documents, _remote)


def simulated(folder: Path, name: str, longitude_deg: float) -> Path:
    """A scene of 200 m of road with a queue."""
    spec = {
        "name": name,
        "seed": 8,
        "longitude_deg": longitude_deg,
        "road": {"length_m": 200.0, "name": name},
        "queues": [{"side": "right", "start_m": 40.0, "end_m": 160.0}],
        "imagery": {"half_width_m": 30.0},
    }
    return simulate(SceneSpec.model_validate(spec), folder / f"scene-{name}")


@pytest.fixture(scope="module")
def country(tmp_path_factory):
    """Three roads: one imaged on two days, one on one beneath thick cloud, and one of which there is only radar."""
    home = tmp_path_factory.mktemp("country")
    scenes = [simulated(home, name, longitude) for name, longitude in (("R1", 44.6), ("R2", 44.7), ("R3", 44.8))]
    (home / "naip").mkdir()
    items = [
        single_bands(home / "bands", scenes[0]),
        naip(home / "naip", scenes[0]),
        single_bands(home / "other", scenes[1]),
        single_bands(home / "radar", scenes[2]),
    ]
    changes = [
        {},
        {"datetime": "2022-09-26T08:00:00Z"},
        {"datetime": "2022-09-27T08:00:00Z", "eo:cloud_cover": 80.0},
        {"sar:frequency_band": "X"},
    ]
    for number, (path, change) in enumerate(zip(items, changes, strict=True)):
        item = json.loads(path.read_text())
        item["id"] = f"{item['id']}-{number}"
        item["properties"] |= change
        write_json(path, item)
    lines = [json.loads((scene / "road.geojson").read_text())["features"] for scene in scenes]
    features = [line for each in lines for line in each if line["geometry"]["type"] == "LineString"]
    roads = write_json(home / "roads.geojson", {"type": "FeatureCollection", "features": features})
    with served(items, home, roads, home / "servers") as one:
        yield one


def told(join) -> dict[str, list[str]]:
    return {job.name: [path.rsplit("/", 1)[-1] for path in job.job.imagery] for job in join.jobs}


EVERY = {
    "R1 2022-09-25": ["bands-0"],
    "R1 2022-09-26": ["tx_m_3009501_ne_15_030_20220925-1"],
    "R2 2022-09-27": ["bands-2"],
}


class TestJoin:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, [0, 1, 2]),
            ({"dates": "2022-09-26/"}, [1, 2]),
            ({"max_cloud": 50.0}, [0, 1]),
            ({"collections": ["bands", "other"]}, [0, 2]),
        ],
    )
    def test_there_is_a_job_for_each_road_and_day(self, country, options, expected):
        before = len(country.files.requests())
        join = join_jobs(country.road, country.api, **options)
        names = [list(EVERY)[number] for number in expected]
        assert told(join) == {name: EVERY[name] for name in names}
        assert join.unseen == tuple(sorted({"R1", "R2", "R3"} - {name[:2] for name in names}))
        # No image is opened for it.
        assert len(country.files.requests()) == before

    def test_a_file_of_items_and_images_go_together(self, country):
        scene = country.road.parent / "scene-R3"
        join = join_jobs(country.road, [country.items, scene])
        assert [path.split("#")[-1] for job in join.jobs[:3] for path in job.job.imagery] == [
            name for names in EVERY.values() for name in names
        ]
        assert join.jobs[3].name == "R3 2022-09-25"
        with pytest.raises(NothingToMeasureError):
            join_jobs(country.road, scene, dates="2022-09-24")

    def test_keys_change_with_the_items_and_with_their_files(self, country, tmp_path):
        home = country.road.parent
        item = shutil.copytree(home / "bands", tmp_path / "bands") / "bands.json"
        before = keys(join_jobs(country.road, item).jobs)
        assert keys(join_jobs(country.road, item).jobs) == before
        content = json.loads(item.read_text())
        content["properties"]["gsd"] = 0.6
        write_json(item, content)
        after = keys(join_jobs(country.road, item).jobs)
        green = tmp_path / "bands" / "green.tif"
        green.write_bytes(green.read_bytes() + b"\0")
        last = keys(join_jobs(country.road, item).jobs)
        assert len({*before, *after, *last}) == 3
        green.unlink()
        assert not isinstance(keys(join_jobs(country.road, item).jobs)[0], Failure)

    def test_what_was_fetched_changes_with_its_masks(self, tmp_path):
        item = sentinel2(tmp_path / "s2", size=128)
        box = shapely.box(*json.loads(item.read_text())["bbox"])
        line = {"type": "LineString", "coordinates": [[box.bounds[0], box.centroid.y], [box.bounds[2], box.centroid.y]]}
        road = write_json(tmp_path / "road.geojson", {"type": "Feature", "properties": {}, "geometry": line})
        image = str(download(search(item, road), tmp_path / "out").images[0])
        before = fingerprints([image])[image]
        mask = Path(image.replace(".tif", "_scl.tif"))
        mask.write_bytes(mask.read_bytes() + b"\0")
        assert fingerprints([image])[image] != before

    def test_a_catalogue_that_fails_is_no_batch(self, country, tmp_path):
        with web_servers.broken_api(status=500, delay_s=0) as address:
            command = ["batch", "--roads", country.road, "--images", address, "-o", tmp_path / "out"]
            ran = CliRunner().invoke(main, list(map(str, command)))
        assert ran.exit_code == 3
        assert ran.stderr == (
            f"Error: Invalid catalogue '{address}'. Must be a STAC API that answers a search (HTTP 500).\n"
        )
        assert not (tmp_path / "out").exists()

    def test_the_area_asked_about_is_small_and_holds_all_roads(self):
        rng = np.random.default_rng(2)
        starts = rng.uniform((5, 45), (15, 50), (500, 2))
        lines = [np.cumsum(np.vstack([at, rng.normal(0, 0.01, (200, 2))]), axis=0) for at in starts]
        network = shapely.MultiLineString([shapely.LineString(line) for line in lines])
        area = around(network)
        assert shapely.get_num_coordinates(area) <= 1000
        assert area.covers(network)
        one = shapely.LineString(lines[0])
        assert around(one).covers(one)
        assert around(one).area < 0.02


def test_a_batch_over_an_api_finds_what_measuring_each_item_finds(country, tmp_path):
    """One of the items has lost a file: it alone fails. The same command again does nothing."""
    green = country.road.parent / "other" / "green.tif"
    command = ["batch", "--roads", country.road, "--images", country.api, "-o", tmp_path / "out", "--workers", "1"]
    kept = green.rename(green.with_suffix(".kept"))
    try:
        ran = CliRunner().invoke(main, list(map(str, command)))
    finally:
        kept.rename(green)
    assert ran.exit_code == 5, ran.stderr
    assert ran.stdout.startswith("2 of 3 jobs done, 0 of them before.")
    assert "1 of 3 roads are in none of the images." in ran.stderr
    (failed,) = json.loads((tmp_path / "out/batch.json").read_text())["failed"]
    assert failed["job"] == "R2 2022-09-27"
    assert f"{country.files.url}/other/green.tif" in failed["rule"]
    table = pd.read_parquet(tmp_path / "out/results.parquet")
    for row, folder, name in zip(table.itertuples(), ("bands", "naip"), ("bands.json", "*_item.json"), strict=True):
        (item,) = (country.road.parent / folder).glob(name)
        alone = ["measure", item, "--road", country.road, "--road-name", "R1", "--json"]
        alone = CliRunner().invoke(main, [*map(str, alone), "-o", str(tmp_path / folder)])
        here = json.loads((tmp_path / "out" / row.folder / "run.json").read_text())
        assert here["roads"] == json.loads(alone.stdout)["roads"]
        assert here["roads"][0]["queues"]
    again = CliRunner().invoke(main, list(map(str, command)))
    assert again.exit_code == 0, again.stderr
    assert again.stdout.startswith("3 of 3 jobs done, 2 of them before.")
