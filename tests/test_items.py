"""STAC items and vendors' layouts as imagery: which assets are read, what they mean, and what masks hide."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from click.testing import CliRunner

import web_servers
from jamline.cli import main
from jamline.errors import ImageryError, NothingToMeasureError
from jamline.imagery import Why, open_scene
from stac_layouts import (
    UTM38N,
    item_of,
    maxar_ard,
    naip,
    outline,
    planetscope,
    sentinel2,
    single_bands,
    write_json,
    write_raster,
)


def reasons(image, row: int) -> list[Why]:
    """Why each pixel of a row is hidden by masks."""
    cols = np.arange(image.width, dtype=float)
    return [Why(code) for code in image.why_hidden(cols, np.full(image.width, float(row)))]


class TestSentinel2:
    @pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
    @pytest.mark.parametrize("offset", [-0.1, 0.0])
    def test_bands_are_joined_and_mean_reflectance(self, tmp_path, version, offset):
        (image,) = open_scene(sentinel2(tmp_path, offset=offset, version=version)).images
        assert list(image.bands) == ["red", "green", "blue", "nir"]
        pixels, valid = image.read(0, 0, 64, 64, roles=["red", "green", "blue", "nir"])
        # Column 8 is class 2 of the scene classification, which hides nothing; row 0 is the files' nodata.
        assert np.allclose(pixels[:, 5, 8], [0.308, 0.208, 0.108, 0.408], atol=6e-5)
        assert valid[5, 8]
        assert not valid[0].any()
        assert (image.gsd_m, image.acquired) == (pytest.approx(10, rel=1e-3), "2022-09-25T08:03:00Z")

    def test_the_offset_is_each_item_s_own(self, tmp_path):
        old, new = sentinel2(tmp_path / "old", offset=0.0), sentinel2(tmp_path / "new", offset=-0.1)
        values = [open_scene(path).images[0].read(20, 5, 1, 1, roles=["red"])[0].item() for path in (old, new)]
        stored = []
        for path in (old, new):
            with rasterio.open(path.parent / "B04.tif") as file:
                stored.append(int(file.read(1)[5, 20]))
        assert stored[1] - stored[0] == 1000
        assert values[0] == pytest.approx(values[1], abs=1e-5)

    def test_an_offset_that_was_applied_is_not_applied_again(self, tmp_path):
        path = sentinel2(tmp_path, applied=True)
        value = open_scene(path).images[0].read(20, 5, 1, 1, roles=["red"])[0].item()
        assert value == pytest.approx(0.3 + 0.02 + 0.1, abs=6e-5)

    def test_the_scene_classification_hides_cloud_and_shadow(self, tmp_path):
        (image,) = open_scene(sentinel2(tmp_path)).images
        classes = np.minimum(np.arange(64) // 4, 11)
        expected = {0: Why.NODATA, 3: Why.SHADOW, 8: Why.CLOUD, 9: Why.CLOUD, 10: Why.CLOUD}
        assert reasons(image, 30) == [expected.get(each, Why.SEEN) for each in classes]
        valid = image.read(0, 30, 64, 1, roles=["red"])[1][0]
        assert list(valid) == [each not in expected for each in classes]

    @pytest.mark.parametrize(
        "grid",
        [
            Affine(10, 0, 0, 0, -10, 0),  # elsewhere
            Affine(10, 0, 460_000.0, 0, 10, 4_749_360.0),  # upside down
            Affine(10, 1, 460_000.0, 1, -10, 4_750_000.0),  # turned
        ],
    )
    def test_bands_that_do_not_lie_on_one_another_are_refused(self, tmp_path, grid):
        path = sentinel2(tmp_path)
        write_raster(path.parent / "B03.tif", np.ones((1, 64, 64), np.uint16), grid)
        with pytest.raises(ImageryError, match=r"colours on one grid.*does not lie over") as error:
            open_scene(path)
        assert "B03.tif" in str(error.value)

    def test_a_coarser_band_is_laid_on_the_finer_ones(self, tmp_path):
        """Red comes at 20 m, growing by 200 with each of its columns: by 100 with each column of 10 m."""
        path = sentinel2(tmp_path)
        stored = np.broadcast_to(2000 + 200 * np.arange(32), (1, 32, 32)).astype(np.uint16)
        write_raster(path.parent / "B04.tif", stored, Affine(20, 0, 460_000.0, 0, -20, 4_750_000.0), nodata=0)
        item = json.loads(path.read_text())
        item["assets"]["red"] |= {"gsd": 20, "raster:bands": [{"scale": 0.0001, "offset": -0.1}]}
        del item["assets"]["visual"], item["assets"]["scl"]
        write_json(path, item)
        (image,) = open_scene(path).images
        assert (image.pixel_m, image.gsd_m) == (pytest.approx(10, rel=1e-3), pytest.approx(20, rel=1e-3))
        pixels, _ = image.read(8, 5, 40, 30, roles=["red", "green"])
        # The centre of the finer column 8 lies a quarter of a coarser pixel before that of the coarser column 4.
        expected = (2000 + 200 * ((np.arange(8, 48) + 0.5) / 2 - 0.5)) * 0.0001 - 0.1
        assert np.allclose(pixels[0], expected, atol=6e-5)
        assert np.allclose(pixels[1], 0.2 + 0.001 * np.arange(8, 48), atol=6e-5)
        del item["assets"]["red"]["gsd"]
        assert open_scene(write_json(path, item)).images[0].gsd_m == pytest.approx(20, rel=1e-3)

    def test_what_a_coarser_band_shows_does_not_depend_on_cuts(self, tmp_path):
        path = sentinel2(tmp_path, size=768)
        stored = np.random.default_rng(1).integers(1000, 5000, (1, 384, 384)).astype(np.uint16)
        write_raster(path.parent / "B04.tif", stored, Affine(20, 0, 460_000.0, 0, -20, 4_750_000.0), nodata=0)
        (image,) = open_scene(path).images
        whole = image.read(0, 0, 768, 768, roles=["red"])[0]
        for left, top in ((250, 250), (256, 512), (511, 3)):
            image._source.blocks.clear()
            here = slice(top, top + 9), slice(left, left + 9)
            assert np.array_equal(image.read(left, top, 9, 9, roles=["red"])[0], whole[:, *here])

    def test_the_mask_inside_a_band_s_file_counts(self, tmp_path):
        path = sentinel2(tmp_path)
        for name in ("B02", "B03", "B04", "B08"):
            with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path.parent / f"{name}.tif", "r+") as file:
                file.nodata = None
                file.write_mask(np.where(np.arange(64) < 20, 0, 255).astype(np.uint8)[None].repeat(64, axis=0))
        item = json.loads(path.read_text())
        for asset in item["assets"].values():
            asset.pop("raster:bands", None)
        del item["assets"]["scl"], item["assets"]["visual"]
        (image,) = open_scene(write_json(path, item)).images
        assert list(image.read(0, 5, 64, 1, roles=["red"])[1][0]) == [False] * 20 + [True] * 44

    def test_a_file_that_is_damaged_or_missing_is_named(self, tmp_path):
        path = sentinel2(tmp_path)
        broken = path.parent / "B03.tif"
        whole = broken.read_bytes()
        with rasterio.open(broken) as file:
            at = int(file.get_tag_item("BLOCK_OFFSET_0_0", dm="TIFF", bidx=1))
        broken.write_bytes(whole[:at] + b"\0" * 40 + whole[at + 40 :])
        (image,) = open_scene(path).images
        with pytest.raises(ImageryError, match=r"Invalid image '.*B03\.tif'\. Must be a raster"):
            image.read(0, 0, 64, 64, roles=["green"])
        broken.unlink()
        with pytest.raises(ImageryError, match=r"Invalid image '.*B03\.tif'\. Must be a raster"):
            open_scene(path)

    def test_many_threads_read_one_joined_image(self, tmp_path):
        """Datasets that shared what they read from would be used by two threads at once."""
        (image,) = open_scene(sentinel2(tmp_path, size=1024)).images
        rows = np.arange(0, 1024, 32)
        expected = image.read(0, 0, 1024, 1024, roles=["red", "blue"])[0]
        with ThreadPoolExecutor(8) as threads:
            for _ in range(3):
                image._source.blocks.clear()
                parts = threads.map(lambda row: image.read(0, row, 1024, 32, roles=["red", "blue"])[0], rows)
                assert np.array_equal(np.concatenate(list(parts), axis=1), expected)

    def test_what_was_joined_opens_from_any_folder_with_the_item_s_nodata(self, tmp_path, monkeypatch):
        """As another program does, which was not started where the item was named."""
        path = sentinel2(tmp_path)
        for name in ("B02", "B03", "B04", "B08"):
            with rasterio.open(path.parent / f"{name}.tif", "r+") as file:
                file.nodata = None
        monkeypatch.chdir(tmp_path)
        (image,) = open_scene(str(path.relative_to(tmp_path))).images
        monkeypatch.chdir("/")
        with rasterio.open(image.opened) as file:
            assert file.nodatavals == (0, 0, 0, 0)
            assert file.read(1)[5, 20] == round((0.3 + 0.02 + 0.1) / 0.0001)
        assert not image.read(0, 0, 64, 1, roles=["red"])[1].any()

    def test_cloud_cover_is_told(self, tmp_path):
        assert open_scene(sentinel2(tmp_path)).images[0].cloud_percent == 7.5


class TestMaxar:
    def test_tiles_overlap_and_the_item_tells_the_resolution(self, tmp_path, small_scene):
        items = maxar_ard(tmp_path, small_scene)
        first, second = open_scene(items).images
        assert (first.width, first.pixel_m) == (17_408, pytest.approx(0.3052, abs=2e-4))
        assert first.gsd_m == second.gsd_m == 0.5
        assert list(first.bands) == ["red", "green", "blue"]
        west, east = sorted((first, second), key=lambda image: image.transform.c)
        assert west.transform.c + 17_408 * 0.30517578125 - east.transform.c == pytest.approx(312.5)

    def test_a_folder_with_the_item_beside_is_the_same(self, tmp_path, small_scene):
        items = maxar_ard(tmp_path, small_scene, masks=("cloud-mask", "data-mask"))
        by_item, by_folder = open_scene(items[1]).images[0], open_scene(items[1].parent).images[0]
        # Of the tile, what the scene shows, and the edge of the data.
        one, other = (image.read(0, 6_500, 1_500, 1_500, roles=["red"]) for image in (by_item, by_folder))
        assert 0 < one[1].mean() < 1
        assert np.array_equal(one[1], other[1])
        assert np.array_equal(one[0], other[0])
        assert by_folder.gsd_m == 0.5

    def test_polygons_hide_with_their_reason(self, tmp_path, small_scene):
        path = maxar_ard(tmp_path, small_scene, masks=("cloud-mask", "data-mask"))[0]
        image = open_scene(path).images[0]
        cloud, data = (
            geopandas.read_file(path.with_name(f"{path.stem}-{name}.gpkg"), engine="pyogrio").geometry[0].bounds
            for name in ("cloud-mask", "data-mask")
        )

        def why(x: float, y: float) -> Why:
            grid = image.transform
            col, row = (x - grid.c) / grid.a, (y - grid.f) / grid.e
            return Why(image.why_hidden(np.array([col - 0.5]), np.array([row - 0.5]))[0])

        middle = (data[1] + data[3]) / 2
        assert why(cloud[2] - 1, middle) == Why.CLOUD
        assert why(cloud[2] + 1, middle) == Why.SEEN
        assert why(data[0] - 1, middle) == Why.NODATA

    def test_a_mask_that_the_item_names_must_be_there(self, tmp_path, small_scene):
        path = maxar_ard(tmp_path, small_scene, masks=("cloud-mask",))[0]
        path.with_name(f"{path.stem}-cloud-mask.gpkg").unlink()
        with pytest.raises(ImageryError, match=r"Invalid mask '.*-cloud-mask\.gpkg'\. Must be polygons"):
            open_scene(path)
        # Of a folder that was copied in part, what is there is read.
        assert not open_scene(path.parent).images[0].veiled


def test_measure_takes_an_item_with_a_file_for_each_band(tmp_path, small_scene, monkeypatch):
    """The queue is that of the one file which the bands were cut from; on disk, and served by nginx."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    item = single_bands(tmp_path / "item", small_scene)
    road = str(small_scene / "road.geojson")
    (tile,) = small_scene.glob("*.tif")
    told = {}
    with web_servers.nginx(tmp_path / "item", tmp_path) as server:
        for name, image in (("tile", tile), ("joined", item), ("web", f"{server.url}/{item.name}")):
            out = tmp_path / name
            ended = CliRunner().invoke(main, ["measure", str(image), "--road", road, "-o", str(out)])
            assert ended.exit_code == 0, ended.output
            told[name] = json.loads((out / "run.json").read_text())
        requests = server.requests()
    queues = {name: run["roads"][0]["queues"] for name, run in told.items()}
    assert queues["tile"] == queues["joined"] == queues["web"]
    assert len(queues["tile"]) == 1
    assert told["joined"]["imagery"][0]["path"] == str(item)
    assert told["joined"]["imagery"][0]["acquired"] == "2022-09-25T08:03:00Z"
    assert told["joined"]["imagery"][0]["sha256"]
    assert told["web"]["imagery"][0]["sha256"] is None
    # The item comes whole, pixels in ranges.
    assert [status for method, status, _ in requests if method == "GET" and status != 206] == [200]


def along(image, row: int):
    """Places along a row of an image, 16 pixels apart, and three rows of them."""
    col, at = np.meshgrid(np.arange(0.0, image.width, 16.0), [row - 16.0, row, row + 16.0])
    return col.ravel(), at.ravel()


def test_masks_on_the_web_come_with_the_pixels(tmp_path, monkeypatch):
    """What is asked for at once takes no requests later, masks included, and is what the files hold."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    path = sentinel2(tmp_path / "www", size=256)
    (local,) = open_scene(path).images
    roles = ["red", "green", "blue", "nir"]
    with web_servers.nginx(tmp_path / "www", tmp_path) as server:
        (image,) = open_scene(f"{server.url}/{path.relative_to(tmp_path / 'www')}").images
        assert image.remote
        near = along(image, 103)
        image.fetch(roles, near)
        before = len(server.requests())
        pixels, valid = image.read(0, 100, 256, 8, roles=roles, near=near)
        hidden = reasons(image, 103)
        assert len(server.requests()) == before
    expected, seen = local.read(0, 100, 256, 8, roles=roles)
    assert np.array_equal(pixels, expected)
    assert np.array_equal(valid, seen)
    assert hidden == reasons(local, 103)
    assert Why.CLOUD in hidden


def test_bands_in_s3_are_joined(tmp_path, monkeypatch):
    """The item lies here, and names its assets as s3 does."""
    path = sentinel2(tmp_path, size=256)
    (local,) = open_scene(path).images
    item = json.loads(path.read_text())
    with web_servers.s3_endpoint() as endpoint:
        put = (
            "import boto3, pathlib, sys; s3 = boto3.client('s3', endpoint_url=f'http://{sys.argv[1]}');"
            "s3.create_bucket(Bucket='images');"
            "[s3.upload_file(str(f), 'images', f.name) for f in pathlib.Path(sys.argv[2]).glob('*.tif')]"
        )
        keys = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_DEFAULT_REGION": "us-east-1"}
        at = {"AWS_S3_ENDPOINT": endpoint, "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE"}
        for name, value in {**keys, **at, "NO_PROXY": "127.0.0.1,localhost"}.items():
            monkeypatch.setenv(name, value)
        subprocess.run([sys.executable, "-c", put, endpoint, path.parent], check=True, timeout=120)
        for asset in item["assets"].values():
            asset["href"] = f"s3://images/{asset['href'].rsplit('/', 1)[-1]}"
        (image,) = open_scene(write_json(tmp_path / "item.json", item)).images
        assert image.remote
        assert image._source.elsewhere
        here = {"roles": ["red", "blue"], "near": along(image, 103)}
        assert np.array_equal(image.read(0, 100, 256, 8, **here)[0], local.read(0, 100, 256, 8, **here)[0])


def test_naip(tmp_path, small_scene):
    (image,) = open_scene(naip(tmp_path, small_scene)).images
    assert image.bands == {"red": 1, "green": 2, "blue": 3, "nir": 4}
    assert (image.gsd_m, image.veiled) == (pytest.approx(0.5, rel=1e-3), False)


class TestPlanetScope:
    def test_the_usable_data_mask_beside_it(self, tmp_path):
        path = planetscope(tmp_path)
        (image,) = open_scene(tmp_path).images
        assert image.path == str(path)
        assert image.bands == {"blue": 2, "green": 4, "red": 6, "nir": 8}
        assert (image.gsd_m, image.acquired) == (3.9, "2022-09-25T08:03:12Z")
        stripes = [Why.SEEN, Why.SEEN, Why.SHADOW, Why.SEEN, Why.CLOUD, Why.CLOUD, Why.NODATA]
        assert reasons(image, 40) == [stripes[col // 8] if col < 56 else Why.SEEN for col in range(96)]

    def test_as_a_stac_item(self, tmp_path):
        path = planetscope(tmp_path)
        names = ("coastal", "blue", "green_i", "green", "yellow", "red", "rededge", "nir")
        udm2 = path.name.replace("AnalyticMS_SR_8b", "udm2")
        assets = {
            "ortho_analytic_8b_sr": {"href": path.name, "type": "image/tiff", "eo:bands": [{"name": n} for n in names]},
            "ortho_udm2": {"href": udm2, "type": "image/tiff", "roles": ["data", "cloud", "cloud-shadow"]},
            "ortho_analytic_8b_xml": {"href": "metadata.xml", "type": "text/xml", "roles": ["metadata"]},
        }
        box = outline((470_000, 4_744_712, 470_288, 4_745_000), UTM38N)
        item = write_json(tmp_path / "item.json", item_of("PS", geometry=box, assets=assets, gsd=3.9))
        by_item, by_file = open_scene(item).images[0], open_scene(path).images[0]
        assert by_item.bands == by_file.bands
        assert np.array_equal(
            by_item.read(0, 0, 96, 96, roles=["pan"])[1], by_file.read(0, 0, 96, 96, roles=["pan"])[1]
        )


class TestCatalogues:
    def test_all_items_of_a_static_catalogue(self, tmp_path):
        items = [sentinel2(tmp_path / "2022" / str(number)) for number in (1, 2)]
        months = []
        for number, path in enumerate(items):
            link = {"rel": "item", "href": f"./{path.relative_to(tmp_path / '2022')}"}
            up = {"rel": "root", "href": "../catalog.json"}
            content = {"type": "Collection", "id": f"month {number}", "links": [up, link]}
            months.append(write_json(tmp_path / "2022" / f"month-{number}.json", content).name)
        links = [{"rel": "child", "href": f"2022/{name}"} for name in months]
        # A catalogue that leads back to itself is read once.
        links += [{"rel": "child", "href": "catalog.json"}, {"rel": "self", "href": "catalog.json"}]
        path = write_json(tmp_path / "catalog.json", {"type": "Catalog", "id": "all", "links": links})
        assert sorted(image.path for image in open_scene(path).images) == [str(item) for item in items]

    def test_what_it_links_to_must_be_there(self, tmp_path):
        link = {"rel": "item", "href": "./gone.json"}
        path = write_json(tmp_path / "catalog.json", {"type": "Catalog", "id": "all", "links": [link]})
        with pytest.raises(ImageryError, match=r"Invalid item '.*gone\.json'\. Must be a file that can be read"):
            open_scene(path)

    def test_pages_of_items_are_followed(self, tmp_path):
        items = [json.loads(sentinel2(tmp_path).read_text()) | {"id": str(number)} for number in range(3)]
        for number, item in enumerate(items):
            for asset in item["assets"].values():
                asset["href"] = f"S2B_38TMN_20220925_0_L2A/{asset['href'][2:]}"
            following = [{"rel": "next", "href": f"page-{number + 1}.json"}] if number < 2 else []
            page = {"type": "FeatureCollection", "features": [item], "links": following}
            write_json(tmp_path / f"page-{number}.json", page)
        assert len(open_scene(tmp_path / "page-0.json").images) == 3


class TestCollectionsOfItems:
    def test_each_item_is_an_image_and_one_can_be_named(self, tmp_path):
        items = [json.loads(sentinel2(tmp_path / str(n)).read_text()) for n in (1, 2)]
        for number, item in enumerate(items, start=1):
            item["id"] = f"S2 #{number}"
            for asset in item["assets"].values():
                asset["href"] = f"{number}/S2B_38TMN_20220925_0_L2A/{asset['href'][2:]}"
        path = write_json(tmp_path / "items.json", {"type": "FeatureCollection", "features": items})
        assert [image.path for image in open_scene(path).images] == [f"{path}#S2 #1", f"{path}#S2 #2"]
        (image,) = open_scene(f"{path}#S2 #2").images
        assert image.files[0] == str(tmp_path / "2/S2B_38TMN_20220925_0_L2A/B04.tif")
        assert image.sha256 == open_scene(f"{path}#S2 #1").images[0].sha256
        with pytest.raises(ImageryError, match="Must hold an item 'S3'"):
            open_scene(f"{path}#S3")

    @pytest.mark.parametrize(
        ("content", "rule"),
        [
            ("no json", "Must be JSON"),
            ("[]", "Must be a STAC item, a collection of items or a catalogue"),
            ('{"type": "Catalog", "links": []}', "Must hold at least one item"),
            ('{"type": "FeatureCollection", "features": []}', "Must hold at least one item"),
            (
                '{"type": "Feature", "properties": {}, "geometry": null}',
                "Must be a STAC item, with properties and assets",
            ),
            (
                '{"type": "Feature", "properties": null, "assets": {}}',
                "Must be a STAC item, with properties and assets",
            ),
            ('{"type": "FeatureCollection", "features": [7]}', "Must be a STAC item, with properties"),
        ],
    )
    def test_what_is_no_item(self, tmp_path, content, rule):
        path = tmp_path / "item.json"
        path.write_text(content)
        with pytest.raises(ImageryError, match=rule) as caught:
            open_scene(path)
        assert str(path) in str(caught.value)

    def test_radar(self, tmp_path):
        assets = {"GEC": {"href": "x.tif", "type": COG}}
        item = item_of(
            "umbra", geometry=outline((0, 0, 1, 1), "EPSG:4326"), assets=assets, **{"sar:frequency_band": "X"}
        )
        with pytest.raises(NothingToMeasureError, match="its STAC item describes radar"):
            open_scene(write_json(tmp_path / "item.json", item))

    def test_no_picture(self, tmp_path):
        assets = {"thumbnail": {"href": "x.tif", "type": COG, "roles": ["thumbnail"]}}
        item = item_of("none", geometry=outline((0, 0, 1, 1), "EPSG:4326"), assets=assets)
        with pytest.raises(ImageryError, match="Must have an asset that shows red, green and blue"):
            open_scene(write_json(tmp_path / "item.json", item))

    def test_bands_of_which_nothing_tells_are_looked_up_in_the_file(self, tmp_path, small_scene):
        # swisstopo's items name neither bands nor roles, and hold the same picture at 2 m beside the one at 0.1 m.
        path = naip(tmp_path, small_scene)
        item = json.loads(path.read_text())
        image = item["assets"].pop("image")
        fine = {"href": image["href"], "type": COG, "eo:gsd": 0.5}
        coarse = {"href": "swissimage_2.tif", "type": COG, "eo:gsd": 2.0}
        item["assets"] = {"swissimage_2.tif": coarse, "swissimage_0.5.tif": fine}
        del item["properties"]["gsd"]
        (opened,) = open_scene(write_json(path, item)).images
        assert opened.files == (str(path.with_name(image["href"])),)
        assert list(opened.bands)[:3] == ["red", "green", "blue"]


COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def test_a_masked_stretch_of_road_is_unseen_and_says_why(tmp_path, small_scene):
    """The road's first part is under a cloud polygon, and the queue runs across the seam of two tiles."""
    from jamline.pipeline import survey

    clear = survey(maxar_ard(tmp_path / "clear", small_scene), small_scene / "road.geojson")
    (queue,) = clear.queues[0]
    assert queue.length_km.value == pytest.approx(0.3, abs=0.02)
    veiled = survey(
        maxar_ard(tmp_path / "veiled", small_scene, masks=("cloud-mask", "data-mask")), small_scene / "road.geojson"
    )
    # The cloud is 250 m wide from the scene's western edge; its edge across the road is found by hand.
    file = next(tmp_path.glob("veiled/**/*-cloud-mask.gpkg"))
    cloud = geopandas.read_file(file, engine="pyogrio").to_crs("EPSG:4326").geometry[0]
    road = veiled.queues[0].evidence.road
    stations = np.arange(0.0, road.length_m, 1.0)
    lon, lat = road.to_map(stations, np.zeros_like(stations))
    under = stations[shapely.contains_xy(cloud, lon, lat)]
    sight = veiled.queues[0].evidence.sight
    hidden = sight[~sight.seen & (sight.side == "right") & (sight.reason == "cloud")]
    assert hidden.start_m.min() == pytest.approx(under.min(), abs=6.0)
    assert hidden.end_m.max() == pytest.approx(under.max(), abs=6.0)
    assert set(sight[~sight.seen].reason) == {"cloud"}
    (queue,) = veiled.queues[0]
    assert queue.length_km.open == ("start",)
