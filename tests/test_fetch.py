"""Imagery found over a road by a real STAC API, and what lies along the road downloaded from nginx."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from click.testing import CliRunner

import web_servers
from jamline.cli import main
from jamline.errors import ImageryError, NothingToMeasureError, UsageError
from jamline.fetch import _api, download, search
from jamline.fetch._dates import Dates
from jamline.imagery import Why, _documents, _remote, open_scene
from jamline.jobs import read_job
from jamline.pipeline import survey
from stac_layouts import (
    COG_TYPE,
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
from stac_served import served

MOST_BYTES = 1.3
"""Bytes served over those of the blocks along the road, packed as they are."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    web_servers.hurry(monkeypatch, _api, _documents, _remote)


@pytest.fixture(scope="module")
def catalogue(small_scene, tmp_path_factory):
    """The small scene as several providers have it, some days apart, with items elsewhere and of radar."""
    home = tmp_path_factory.mktemp("www")
    (home / "naip").mkdir()
    (home / "radar").mkdir()
    items = [
        single_bands(home / "bands", small_scene),
        *maxar_ard(home / "maxar", small_scene, masks=("cloud-mask", "data-mask")),
        naip(home / "naip", small_scene),
        sentinel2(home / "s2"),
    ]
    changes = {"bands": {"datetime": "2022-09-24T23:59:59Z", "eo:cloud_cover": 90}, "naip": {"datetime": DAY_AFTER}}
    for path in items:
        item = json.loads(path.read_text())
        item["properties"] |= changes.get(path.relative_to(home).parts[0], {})
        write_json(path, item)
    radar = json.loads(items[0].read_text()) | {"id": "umbra"}
    radar["properties"] = {"datetime": "2022-09-25T01:00:00Z", "sar:frequency_band": "X"}
    items.append(write_json(home / "radar" / "umbra.json", radar))
    with served(items, home, small_scene / "road.geojson", home / "servers") as one:
        yield one


DAY_AFTER = "2022-09-26T00:00:00Z"
ALL = [
    "bands",
    "umbra",
    "38-120203022320-10500100AB12CD00",
    "38-120203022321-10500100AB12CD00",
    "tx_m_3009501_ne_15_030_20220925",
]


def ran(*args) -> tuple[int, str, str]:
    ended = CliRunner().invoke(main, [str(arg) for arg in args])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended.exit_code, ended.stdout, ended.stderr


def ids(found) -> list[str]:
    return [each.id for each in found.found]


class TestSearch:
    def test_what_lies_over_the_road_by_time(self, catalogue):
        found = search(catalogue.api, catalogue.road)
        assert ids(found) == ALL
        assert found.covered_m == pytest.approx(found.length_m, abs=0.5)
        assert [each.unfit for each in found.found] == [None, "not optical", None, None, None]
        assert [each.cloud_percent for each in found.found] == [90, None, 12.5, 12.5, None]
        assert {each.gsd_m for each in found.found} == {0.5, None}

    def test_how_much_of_the_road_each_item_covers(self, catalogue):
        """Both tiles together cover the road, and their overlap of 312.5 m is covered twice."""
        found = search(catalogue.api, catalogue.road, collections=["maxar"])
        west, east = found.found
        assert west.covered_m < found.length_m
        assert east.covered_m < found.length_m
        line, *tiles = (
            shapely.geometry.shape(rasterio.warp.transform_geom("EPSG:4326", UTM38N, shapely.geometry.mapping(each)))
            for each in (found.roads[0].line(0.0, found.roads[0].length_m), west.footprint, east.footprint)
        )
        for each, tile in zip(found.found, tiles, strict=True):
            # Here a metre of UTM is 1.0004 m on the ground.
            assert each.covered_m == pytest.approx(1.0004 * line.intersection(tile).length, abs=0.2)
        (first,), (second,) = west.stretches, east.stretches
        assert (first.start_m, second.end_m) == (0.0, pytest.approx(found.length_m))
        # Stretches are told to some 20 m.
        assert first.end_m - second.start_m == pytest.approx(west.covered_m + east.covered_m - found.length_m, abs=45)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"dates": "2022-09-25"}, ALL[1:4]),
            ({"dates": "2022-09-24/2022-09-25"}, ALL[:4]),
            ({"dates": "2022-09-26/"}, ALL[4:]),
            ({"dates": "/2022-09-24"}, ALL[:1]),
            ({"max_cloud": 50}, ALL[1:]),
            ({"max_cloud": 12.4}, [ALL[1], ALL[4]]),
            ({"collections": ["naip", "bands"]}, [ALL[0], ALL[4]]),
            ({"items": ["bands"]}, ALL[:1]),
        ],
    )
    def test_by_day_cloud_collection_and_id(self, catalogue, options, expected):
        assert ids(search(catalogue.api, catalogue.road, **options)) == expected
        # A file of the same items is searched by the same rules.
        assert ids(search(catalogue.items, catalogue.road, **options)) == expected

    def test_pages_are_followed(self, catalogue, monkeypatch):
        monkeypatch.setattr(_api, "_PAGE", 2)
        assert ids(search(catalogue.api, catalogue.road)) == ALL

    def test_too_many(self, catalogue):
        with pytest.raises(UsageError, match="Must find at most 2 items; narrow the dates"):
            search(catalogue.api, catalogue.road, max_items=2)

    def test_nothing(self, catalogue):
        with pytest.raises(NothingToMeasureError, match=r"Must find imagery over .* it found none of these dates"):
            search(catalogue.api, catalogue.road, dates="1999-01-01")

    def test_the_table(self, catalogue):
        code, out, err = ran("fetch", catalogue.api, "--road", catalogue.road)
        assert (code, err) == (0, "")
        lines = out.splitlines()
        assert len(lines) == 2 + len(ALL)
        assert [line.split()[3] for line in lines[1:-1]] == ALL
        assert "####################" in lines[1]
        assert "not optical" in lines[2]
        assert lines[-1] == "5 items; together they cover 0.70 of 0.70 km of R1."
        code, out, _ = ran("fetch", catalogue.api, "--road", catalogue.road, "--json")
        assert [each["id"] for each in json.loads(out)["items"]] == ALL

    def test_a_static_catalogue_is_walked_where_it_may_lie_over_the_road(self, catalogue, tmp_path, small_scene):
        near = single_bands(tmp_path / "near", small_scene)
        box = json.loads(near.read_text())["bbox"]
        # What these link to is not there, and must not be asked for.
        elsewhere = {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [[None, None]]}}
        before = {"spatial": {"bbox": [box]}, "temporal": {"interval": [[None, "2021-01-01T00:00:00Z"]]}}
        here = {"spatial": {"bbox": [box]}, "temporal": {"interval": [["2022-01-01T00:00:00Z", None]]}}
        parts = []
        for name, extent, item in (("a", elsewhere, "no.json"), ("b", before, "no.json"), ("c", here, near.name)):
            links = [{"rel": "item", "href": item}]
            content = {"type": "Collection", "id": name, "extent": extent, "links": links}
            write_json(near.with_name(f"{name}.json"), content)
            parts.append({"rel": "child", "href": f"./near/{name}.json"})
        root = write_json(tmp_path / "catalog.json", {"type": "Catalog", "id": "root", "links": parts})
        assert ids(search(root, catalogue.road, dates="2022-09-01/2022-09-30")) == ["bands"]
        assert ids(search(root, catalogue.road, collections=["c"], dates="2022-09-01/")) == ["bands"]


class TestDownload:
    def test_what_was_downloaded_measures_as_what_was_there(self, catalogue, tmp_path):
        """By each provider: vehicles, queues, and what masks hide with their reasons."""
        code, out, err = ran("fetch", catalogue.api, "--road", catalogue.road, "-o", tmp_path / "out")
        assert (code, err) == (0, "")
        assert "Left out: umbra: not optical" in out
        features = {each["id"]: each for each in json.loads(catalogue.items.read_text())["features"]}
        for name in (ALL[0], ALL[2], ALL[4]):
            there = write_json(tmp_path / f"{name}.json", features[name])
            one, other = (survey(path, catalogue.road) for path in (there, tmp_path / "out" / "items" / f"{name}.tif"))
            for a, b in zip(one.queues, other.queues, strict=True):
                for table in ("vehicles", "sight"):
                    was, now = (getattr(q.evidence, table).drop(columns="geometry", errors="ignore") for q in (a, b))
                    pd.testing.assert_frame_equal(was, now, rtol=1e-5, atol=1e-6)
                assert [str(queue.length_km) for queue in a] == [str(queue.length_km) for queue in b]
            assert (one.scene.acquired, one.scene.gsd_m) == (other.scene.acquired, other.scene.gsd_m)
            if name == ALL[2]:
                assert "cloud" in set(other.queues[0].evidence.sight.reason)

    def test_the_job_file_is_ready(self, catalogue, tmp_path):
        claims = ("--claim", 'at least 300 m of a "jam"', "--origin", "border", "--half-width", "12")
        code, _, _ = ran(
            "fetch", catalogue.api, "--road", catalogue.road, "--item", "bands", *claims, "-o", tmp_path / "out"
        )
        assert code == 0
        job = tomllib.loads((tmp_path / "out/job.toml").read_text())
        assert job["imagery"] == ["items/bands.tif"]
        assert (job["origin"], job["half_width_m"], job["claims"]) == ("border", 12, ['at least 300 m of a "jam"'])
        code, out, _ = ran("check", tmp_path / "out/job.toml", "-o", tmp_path / "result")
        assert code == 0
        assert 'at least 300 m of a "jam"' in out

    def test_several_days_are_several_looks(self, catalogue, tmp_path):
        options = ("--item", "bands", "--item", ALL[4])
        code, _, _ = ran("fetch", catalogue.api, "--road", catalogue.road, *options, "-o", tmp_path / "out")
        assert code == 0
        job = read_job(tmp_path / "out/job.toml")
        assert [look.imagery for look in job.looks] == [
            (str(tmp_path / f"out/items/{name}.tif"),) for name in ("bands", ALL[4])
        ]
        times = [open_scene(look.imagery).acquired for look in job.looks]
        assert times == ["2022-09-24T23:59:59Z", DAY_AFTER]

    def test_only_blocks_along_the_road_are_asked_for_and_copied(self, tmp_path):
        """A picture of 1.3 km by 1.3 km of noise, and a road aslant through it."""
        home = tmp_path / "www"
        pixels = np.random.default_rng(3).integers(1, 255, (3, 2560, 2560)).astype(np.uint8)
        grid = Affine(0.5, 0, 469_000.0, 0, -0.5, 4_740_000.0)
        write_raster(home / "noise/noise.tif", pixels, grid, photometric="rgb")
        box = outline((469_000, 4_738_720, 470_280, 4_740_000), UTM38N)
        asset = {"href": "./noise.tif", "type": COG_TYPE, "eo:bands": [{"name": c} for c in ("red", "green", "blue")]}
        item = write_json(home / "noise/noise.json", item_of("noise", geometry=box, assets={"visual": asset}))
        ends = [(469_100.0, 4_739_800.0), (470_000.0, 4_739_000.0)]
        road = write_road(tmp_path / "road.geojson", ends)
        with served([item], home, road, tmp_path / "servers") as one:
            fetched = download(search(one.api, road), tmp_path / "out")
            gets = [(status, size) for method, status, size in one.files.requests() if method == "GET"]
        with rasterio.open(home / "noise/noise.tif") as whole, rasterio.open(fetched.images[0]) as copied:
            assert copied.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert copied.overviews(1)
            left, top = round((copied.transform.c - 469_000) / 0.5), round((4_740_000 - copied.transform.f) / 0.5)
            values, seen = copied.read(), copied.read_masks(1) > 0
            line = shapely.LineString([((x - 469_000) / 0.5, (4_740_000 - y) / 0.5) for x, y in ends])
            # All within 40 m is there as it was, and nothing 40 m and two blocks away.
            rows, cols = np.mgrid[: copied.height, : copied.width]
            x, y = cols[::8, ::8] + left + 0.5, rows[::8, ::8] + top + 0.5
            away_px = shapely.distance(line, shapely.points(x, y))
            beside = shapely.contains_xy(line.buffer(80, cap_style="flat"), x, y)
            assert seen[::8, ::8][beside].all()
            assert not seen[::8, ::8][away_px > 80 + 2 * 362].any()
            here = np.s_[top : top + copied.height, left : left + copied.width]
            assert np.array_equal(np.where(seen, values, 0), np.where(seen, pixels[:, *here], 0))
            rows, cols = np.nonzero(seen[::64, ::64])
            blocks = set(zip((64 * rows + top) // 256, (64 * cols + left) // 256, strict=True))
            needed = sum(int(whole.get_tag_item(f"BLOCK_SIZE_{c}_{r}", dm="TIFF", bidx=1)) for r, c in blocks)
        assert len(blocks) < 60
        assert needed <= sum(size for _, size in gets) <= MOST_BYTES * needed
        assert {status for status, _ in gets} == {206}

    def test_sentinel_2_keeps_what_its_numbers_mean_and_what_hides_them(self, tmp_path):
        item = sentinel2(tmp_path / "s2", size=256)
        road = write_road(tmp_path / "road.geojson", [(460_100.0, 4_749_000.0), (462_400.0, 4_748_900.0)])
        fetched = download(search(item, road), tmp_path / "out")
        (one,), (other,) = open_scene(item).images, open_scene(fetched.images[0]).images
        assert other.band_times == one.band_times == {"red": 1.01, "blue": 0.0}
        assert (other.gsd_m, other.acquired, other.cloud_percent) == (one.gsd_m, one.acquired, 7.5)
        cols = np.arange(10, 240)
        rows = np.full_like(cols, 103)
        there = other.to_pixel(*one.to_lonlat(cols, rows))
        a, seen = one.read(10, 103, 230, 1, roles=["red", "green", "blue", "nir"])
        b, also = other.read(round(there[0][0]), round(there[1][0]), 230, 1, roles=["red", "green", "blue", "nir"])
        assert np.array_equal(seen, also)
        assert np.array_equal(a, b)
        reasons = one.why_hidden(cols.astype(float), rows.astype(float))
        assert np.array_equal(reasons, other.why_hidden(*there))
        assert {Why.CLOUD, Why.SHADOW} <= set(reasons.tolist())

    def test_planetscope_keeps_its_mask(self, tmp_path):
        path = planetscope(tmp_path)
        names = ("coastal", "blue", "green_i", "green", "yellow", "red", "rededge", "nir")
        udm2 = path.name.replace("AnalyticMS_SR_8b", "udm2")
        assets = {
            "ortho_analytic_8b_sr": {"href": path.name, "type": "image/tiff", "eo:bands": [{"name": n} for n in names]},
            "ortho_udm2": {"href": udm2, "type": "image/tiff", "roles": ["data", "cloud", "cloud-shadow"]},
        }
        box = outline((470_000, 4_744_712, 470_288, 4_745_000), UTM38N)
        item = write_json(tmp_path / "item.json", item_of("PS", geometry=box, assets=assets, gsd=3.9))
        road = write_road(tmp_path / "road.geojson", [(470_010.0, 4_744_850.0), (470_280.0, 4_744_850.0)])
        fetched = download(search(item, road), tmp_path / "out")
        (one,), (other,) = open_scene(item).images, open_scene(fetched.images[0]).images
        cols, rows = np.arange(5.0, 92.0), np.full(87, 50.0)
        reasons = one.why_hidden(cols, rows)
        assert np.array_equal(reasons, other.why_hidden(*other.to_pixel(*one.to_lonlat(cols, rows))))
        assert set(reasons.tolist()) == {Why.SEEN, Why.NODATA, Why.CLOUD, Why.SHADOW}
        assert (other.gsd_m, list(other.bands)) == (3.9, ["red", "green", "blue", "nir"])

    def test_a_mask_of_which_nothing_lies_near_hides_nothing(self, tmp_path, small_scene):
        path = single_bands(tmp_path / "bands", small_scene)
        item = json.loads(path.read_text())
        far = geopandas.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=UTM38N)
        far.to_file(path.with_name("bands-cloud-mask.gpkg"), driver="GPKG", engine="pyogrio")
        item["assets"]["cloud-mask"] = {"href": "./bands-cloud-mask.gpkg"}
        fetched = download(search(write_json(path, item), small_scene / "road.geojson"), tmp_path / "out")
        (image,) = open_scene(fetched.images[0]).images
        assert image.veiled
        assert not image.why_hidden(np.arange(10.0, 90.0), np.full(80, 50.0)).any()

    @pytest.mark.parametrize("kind", ["fill", "mask", "alpha", "nan", "palette", "nodata"])
    def test_what_was_not_seen_stays_so(self, tmp_path, kind):
        """However a file says what was not seen: half of the road is in nothing."""
        road = write_road(tmp_path / "road.geojson", [(469_020.0, 4_739_950.0), (469_320.0, 4_739_940.0)])
        item = gappy(tmp_path, kind)
        fetched = download(search(item, road), tmp_path / "out")
        (one,), (other,) = open_scene(item).images, open_scene(fetched.images[0]).images
        roles = [role for role in one.bands if role != "alpha"]
        cols, rows = np.arange(60, 640), np.arange(70, 140)
        left, top = (
            round(float(each[0]))
            for each in other.to_pixel(*one.to_lonlat(cols[:1].astype(float), rows[:1].astype(float)))
        )
        a, seen = one.read(60, 70, 580, 70, roles=roles)
        b, also = other.read(left, top, 580, 70, roles=roles)
        assert 0.2 < seen.mean() < 0.8
        assert np.array_equal(seen, also)
        assert np.array_equal(a, b)
        # Further from the road no more is seen than there was.
        here = other.read(0, 0, other.width, other.height, roles=roles)[1]
        there = one.read(60 - left, 70 - top, other.width, other.height, roles=roles)[1]
        assert not (here & ~there).any()


def write_road(path: Path, ends: list[tuple[float, float]]) -> Path:
    """A straight road through points of UTM 38N."""
    lonlat = rasterio.warp.transform(UTM38N, "EPSG:4326", *zip(*ends, strict=True))
    geometry = {"type": "LineString", "coordinates": np.transpose(lonlat).tolist()}
    feature = {"type": "Feature", "properties": {"name": "R1"}, "geometry": geometry}
    return write_json(path, {"type": "FeatureCollection", "features": [feature]})


def gappy(folder: Path, kind: str) -> Path:
    """A picture of noise, of which columns 300 on hold nothing, and say so in one of the ways there are."""
    count, dtype = {"palette": (1, np.uint8), "nan": (3, np.float32), "alpha": (4, np.uint8)}.get(kind, (3, np.uint8))
    pixels = np.random.default_rng(5).integers(1, 200, (count, 700, 700)).astype(dtype)
    void = {"nan": np.nan, "nodata": 255}.get(kind, 0)
    pixels[:, :, 300:] = void
    if kind == "alpha":
        pixels[3, :, :300] = 255
    path = folder / "picture.tif"
    profile = {"nodata": void} if kind in ("nan", "nodata") else {}
    if kind == "alpha":
        profile = {"photometric": "rgb", "alpha": "unspecified"}
    if kind == "palette":
        profile = {"photometric": "palette"}
    write_raster(path, pixels, Affine(0.5, 0, 469_000.0, 0, -0.5, 4_740_000.0), **profile)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
        if kind == "mask":
            file.write_mask(np.where(np.arange(700) < 300, 255, 0).astype(np.uint8)[None].repeat(700, axis=0))
        if kind == "palette":
            file.write_colormap(1, {n: (n, n, n, 255 if n else 0) for n in range(256)})
    box = outline((469_000, 4_739_650, 469_350, 4_740_000), UTM38N)
    asset = {"href": "./picture.tif", "type": COG_TYPE}
    return write_json(folder / "picture.json", item_of(kind, geometry=box, assets={"visual": asset}))


class TestFailures:
    def test_an_asset_that_is_not_there(self, catalogue, tmp_path):
        items = json.loads(catalogue.items.read_text())
        items["features"][0]["assets"]["green"]["href"] += ".gone"
        path = write_json(tmp_path / "items.json", items)
        code, _, err = ran("fetch", path, "--road", catalogue.road, "-o", tmp_path / "out")
        assert code == 3
        assert err.count("\n") == 1
        assert "green.tif.gone'. Must be an address at which GDAL can read a raster (" in err
        assert [each.name for each in tmp_path.iterdir()] == ["items.json"]

    def test_a_mask_that_is_not_there(self, catalogue, tmp_path):
        items = json.loads(catalogue.items.read_text())
        items["features"][1]["assets"]["cloud-mask"]["href"] += ".gone.gpkg"
        path = write_json(tmp_path / "items.json", items)
        code, _, err = ran("fetch", path, "--road", catalogue.road, "-o", tmp_path / "out")
        assert code == 3
        assert "cloud-mask.gpkg.gone.gpkg'. Must be polygons that can be read (HTTP 404)." in err
        assert [each.name for each in tmp_path.iterdir()] == ["items.json"]

    @pytest.mark.parametrize("fault", ["500", "hang", "cut", "trickle"])
    def test_an_api_that_fails(self, catalogue, tmp_path, monkeypatch, fault):
        monkeypatch.setattr(_documents, "_TIMEOUT_S", 0.3)
        root = json.dumps({"type": "Catalog", "id": "x", "links": []}).encode()
        server = web_servers.Faulty(root, fault)
        with server.running() as address:
            code, out, err = ran("fetch", address, "--road", catalogue.road, "-o", tmp_path / "out")
        assert (code, out) == (3, "")
        assert err.startswith(f"Error: Invalid catalogue '{address}'. Must be an address that answers (")
        assert {"500": "HTTP 500", "hang": "timed out", "cut": "bytes", "trickle": "too slow"}[fault] in err
        assert err.count("\n") == 1
        assert server.asked == 3
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("status", "delay_s", "reason"),
        [(500, 0, "HTTP 500"), (200, 3, "no answer within"), (400, 0, "HTTP 400"), (200, 0, "")],
    )
    def test_a_search_that_fails(self, catalogue, tmp_path, monkeypatch, status, delay_s, reason):
        """The landing page answers, the search does not, or answers what is no answer."""
        monkeypatch.setattr(_api, "_TIMEOUT_S", 0.3)
        with web_servers.broken_api(status=status, delay_s=delay_s) as address:
            code, out, err = ran("fetch", address, "--road", catalogue.road, "-o", tmp_path / "out")
        assert (code, out) == (3, "")
        assert err.startswith(
            f"Error: Invalid catalogue '{address}'. Must be a STAC API that answers a search ({reason}"
        )
        assert err.count("\n") == 1
        assert not list(tmp_path.iterdir())

    def test_without_pystac_client(self, catalogue, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "pystac_client", None)
        with pytest.raises(UsageError, match=r"pip install 'jamline\[stac\]'"):
            search(catalogue.api, catalogue.road)

    @pytest.mark.parametrize(
        ("content", "rule"),
        [
            ("nothing", "Must be JSON"),
            ('{"type": "Point"}', "Must be a STAC API, a catalogue, or a collection of items"),
            ('{"type": "Catalog", "links": [{"rel": "child", "href": "gone.json"}]}', "gone.json'. Must be a file"),
        ],
    )
    def test_what_is_no_catalogue(self, catalogue, tmp_path, content, rule):
        path = tmp_path / "catalog.json"
        path.write_text(content)
        with pytest.raises(ImageryError, match=rule):
            search(path, catalogue.road)

    def test_a_broken_outline_is_named(self, catalogue, tmp_path):
        item = item_of("x", geometry=outline((469_000, 4_739_650, 469_350, 4_740_000), UTM38N), assets={})
        item["geometry"] = {"type": "Polygon", "coordinates": "?"}
        path = write_json(tmp_path / "item.json", item)
        with pytest.raises(ImageryError, match=r"Invalid item '.*item\.json'\. Must have a geometry as GeoJSON has it"):
            search(path, catalogue.road)

    def test_an_existing_folder(self, catalogue, tmp_path):
        command = ("fetch", catalogue.items, "--road", catalogue.road, "--item", "bands", "-o", tmp_path / "out")
        assert ran(*command)[0] == 0
        code, _, err = ran(*command)
        assert code == 3
        assert "overwrite it with --overwrite" in err
        assert ran(*command, "--overwrite")[0] == 0

    def test_nothing_but_radar(self, catalogue, tmp_path):
        code, out, err = ran(
            "fetch", catalogue.api, "--road", catalogue.road, "--item", "umbra", "-o", tmp_path / "out"
        )
        assert code == 4
        assert "not optical" in out
        assert "Must find a picture that shows the road" in err
        assert not list(tmp_path.iterdir())


class TestDates:
    @pytest.mark.parametrize(
        ("text", "interval"),
        [
            ("2022-09-25", "2022-09-25T00:00:00Z/2022-09-25T23:59:59Z"),
            ("2022-09-24/2022-09-26", "2022-09-24T00:00:00Z/2022-09-26T23:59:59Z"),
            ("2022-09-25T08:00:00+03:00/..", "2022-09-25T05:00:00Z/.."),
            ("/2022-09-25", "../2022-09-25T23:59:59Z"),
        ],
    )
    def test_passes(self, text, interval):
        assert Dates.read(text).interval == interval

    @pytest.mark.parametrize(
        "text", ["", "/", "yesterday", "2022-09-26/2022-09-25", "2022-01-01/2022-02-01/2022-03-01"]
    )
    def test_fails(self, text):
        with pytest.raises(UsageError, match="Invalid dates"):
            Dates.read(text)
