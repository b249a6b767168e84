"""Imagery on the web: what servers hand out is what the file holds, with few bytes, and an end to every wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import rasterio
from rasterio.shutil import copy

import web_servers
from jamline import open_scene, survey
from jamline.batch import read_jobs, run_batch
from jamline.corridor import lay_flat
from jamline.errors import ImageryError
from jamline.imagery import _remote
from jamline.road import read_road
from jamline.synth import SceneSpec, simulate

MOST_BYTES = 1.3
"""Bytes served over those of the blocks under the corridor, packed as they are."""

HALF_WIDTH_M = 15.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    web_servers.hurry(monkeypatch, _remote)
    monkeypatch.setenv("GDAL_HTTP_LOW_SPEED_TIME", "1")


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    """A folder with a COG of 1.5 km of simulated road, and its line."""
    spec = SceneSpec.model_validate(
        {
            "name": "remote",
            "seed": 5,
            "road": {"length_m": 1500.0, "name": "R1", "shape": "winding"},
            "queues": [{"side": "right", "start_m": 300.0, "end_m": 1100.0}],
            "imagery": {"half_width_m": 120.0, "tile_px": 8192},
        }
    )
    folder = simulate(spec, tmp_path_factory.mktemp("remote") / "scene")
    (tile,) = folder.glob("*.tif")
    copy(tile, folder / "scene.tif", driver="COG", compress="DEFLATE", blocksize=256)
    tile.unlink()
    return folder


@pytest.fixture(scope="module")
def on_disk(scene):
    return told(scene / "scene.tif", scene)


def told(image, scene):
    """What a survey finds: all of its vehicles and its queues."""
    (queues,) = survey(str(image), scene / "road.geojson", half_width_m=HALF_WIDTH_M).queues
    return queues.vehicles.drop(columns="geometry").to_csv(), [str(queue.length_km) for queue in queues]


def packed_bytes(scene) -> int:
    """Bytes of the blocks under the corridor, as the file has them."""
    road = read_road(scene / "road.geojson")
    with open_scene(scene / "scene.tif") as opened, rasterio.open(scene / "scene.tif") as file:
        corridor = lay_flat(opened, road, half_width_m=HALF_WIDTH_M)
        (image,) = opened.images
        high, wide = file.block_shapes[0]
        places = set()
        for section in corridor.sections():
            for offset_m in section.grid.offset_m():
                lon, lat = corridor.road.to_map(section.grid.station_m(), [offset_m] * section.grid.columns)
                col, row = image.to_pixel(lon, lat)
                places |= set(zip((col // wide).astype(int), (row // high).astype(int), strict=True))
        return sum(int(file.get_tag_item(f"BLOCK_SIZE_{col}_{row}", dm="TIFF", bidx=1)) for col, row in places)


def test_a_folder_on_this_machine_is_no_address_whatever_its_name():
    assert _remote.settings("/data/vsi/scene.tif") == {}
    assert _remote.settings("/vsicurl/http://host/scene.tif")


def test_a_cog_behind_nginx_is_measured_with_few_bytes_and_requests(scene, on_disk, tmp_path):
    with web_servers.nginx(scene, tmp_path) as server:
        assert told(f"{server.url}/scene.tif", scene) == on_disk
        gets = [(status, size) for method, status, size in server.requests() if method == "GET"]
    assert {status for status, _ in gets} == {206}
    needed = packed_bytes(scene)
    assert needed <= sum(size for _, size in gets) <= MOST_BYTES * needed
    # Two for the header; blocks side by side come together.
    assert len(gets) < 20


def test_what_is_not_there_is_named_without_its_query(scene, tmp_path):
    with web_servers.nginx(scene, tmp_path) as server:
        url = f"{server.url}/other.tif"
        with pytest.raises(ImageryError) as error:
            open_scene(f"{url}?key=SECRET")
        gets = server.requests()
    assert str(error.value).startswith(f"Invalid image '{url}'. Must be an address at which GDAL can read a raster (")
    assert "404" in str(error.value)
    assert "SECRET" not in str(error.value)
    assert len(gets) <= 3


def test_a_cog_in_s3_is_read_without_boto3(scene, on_disk, tmp_path):
    """Keys and endpoint come from the environment, as for every tool; the package that moto brings is hidden."""
    with web_servers.s3_endpoint() as endpoint:
        keys = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_DEFAULT_REGION": "us-east-1"}
        put = (
            "import boto3, sys; s3 = boto3.client('s3', endpoint_url=f'http://{sys.argv[1]}');"
            "s3.create_bucket(Bucket='images'); s3.upload_file(sys.argv[2], 'images', 'a/scene.tif')"
        )
        subprocess.run(
            [sys.executable, "-c", put, endpoint, scene / "scene.tif"], env=os.environ | keys, check=True, timeout=120
        )
        measure = (
            "import sys; sys.modules['boto3'] = None; from jamline.cli import main;"
            f"main(['measure', 's3://images/a/scene.tif', '--road', sys.argv[1], '--half-width', '{HALF_WIDTH_M}',"
            "'-o', sys.argv[2]])"
        )
        at = {"AWS_S3_ENDPOINT": endpoint, "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE"}
        done = subprocess.run(
            [sys.executable, "-c", measure, scene / "road.geojson", tmp_path / "out"],
            env=os.environ | keys | at,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        missing = subprocess.run(
            [sys.executable, "-c", measure.replace("a/scene", "b/scene"), scene / "road.geojson", tmp_path / "none"],
            env=os.environ | keys | at,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert len((tmp_path / "out" / "vehicles.geojson").read_text().split('"Feature"')) - 1 == on_disk[0].count("\n") - 1
    assert missing.returncode == 3
    assert "Invalid image 's3://images/b/scene.tif'. Must be an address" in missing.stderr
    assert "Traceback" not in missing.stderr


@pytest.mark.parametrize("after", [0, 1], ids=["at once", "once open"])
@pytest.mark.parametrize("fault", ["500", "hang", "cut"])
class TestFaultyServer:
    def test_what_happens_once_is_not_noticed(self, scene, on_disk, fault, after):
        server = web_servers.Faulty((scene / "scene.tif").read_bytes(), fault, after=after, times=1)
        with server.running() as url:
            assert told(url, scene) == on_disk
        assert server.failed == 1

    def test_what_does_not_end_is_told_in_one_line(self, scene, fault, after):
        server = web_servers.Faulty((scene / "scene.tif").read_bytes(), fault, after=after)
        with server.running() as url, pytest.raises(ImageryError) as error:
            told(f"{url}?key=SECRET", scene)
        assert server.failed >= 3
        message = str(error.value)
        assert message.startswith(f"Invalid image '{url}'. Must be an address at which GDAL can read a raster (")
        assert {"500": "500", "hang": "too slow"}.get(fault if not after else "", "bytes, ") in message
        assert "SECRET" not in message
        assert "\n" not in message


def test_a_server_that_cuts_fails_its_own_job_alone(scene, tmp_path):
    content = (scene / "scene.tif").read_bytes()
    good, bad = web_servers.Faulty(content, "cut", times=0), web_servers.Faulty(content, "cut", after=1)
    with good.running() as one, bad.running() as other:
        for name, url in (("good", one), ("bad", other)):
            text = f'imagery = "{url}"\nroad = "{scene / "road.geojson"}"\n'
            (tmp_path / f"{name}.toml").write_text(text)
        done = run_batch(read_jobs([tmp_path / "good.toml", tmp_path / "bad.toml"]), tmp_path / "out", workers=1)
    (failure,) = done.failed
    assert failure.rule.startswith(f"Invalid image '{other}'. Must be an address")
    assert done.done == 1
