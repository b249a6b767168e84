"""`jam.qgz` in QGIS itself: it opens whole and styled, its sheet prints, and it may be moved and saved."""

import shutil
import subprocess

import cv2
import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.warp import reproject

import in_qgis
import jam_example as example
import jamline as jl
import web_servers
from jamline.outputs import PROJECT, read_run
from jamline.outputs.sheet import texts

pytestmark = in_qgis.needs_qgis()

LAYERS = ["vehicles", "queues", "road", "coverage"]
CLAIMS = ["a jam of 300 m", "at least 16 km"]


def opened(place, *projects, save=False):
    """Open projects in one session of QGIS; return what it told of each."""
    place.mkdir(parents=True, exist_ok=True)
    args = ["--save"] if save else []
    return in_qgis.run_script("qgis_project.py", place, *args, place, *projects)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("project")


def turned(tile, home):
    """The image in a system that no authority has a number for, whose north is another."""
    crs = "+proj=omerc +lat_0=42.85 +lonc=44.65 +alpha=30 +k=1 +x_0=0 +y_0=0 +gamma=0 +datum=WGS84 +units=m"
    (home / "turned").mkdir()
    with rasterio.open(tile) as file:
        x, y = Transformer.from_crs(file.crs, crs, always_xy=True).transform(*file.xy(file.height / 2, file.width / 2))
        side_px = file.width + file.height
        transform = rasterio.Affine(0.5, 0.0, x - side_px / 4, 0.0, -0.5, y + side_px / 4)
        profile = file.profile | {"crs": crs, "transform": transform, "width": side_px, "height": side_px}
        with rasterio.open(home / "turned" / tile.name, "w", **profile) as other:
            bands = rasterio.band(file, [1, 2, 3]), rasterio.band(other, [1, 2, 3])
            reproject(*bands, resampling=Resampling.bilinear)
    return home / "turned"


@pytest.fixture(scope="module")
def results(place, small_scene):
    """Results of one scene, by how its image lies: beside the result, in 16 bits, on a server; and both moved."""
    (tile,) = small_scene.glob("tile_*.tif")
    home = place / "home"
    shutil.copytree(small_scene, home / "tiles")
    with rasterio.open(tile) as file:
        profile, pixels = file.profile | {"dtype": "uint16"}, file.read().astype(np.uint16)
    (home / "deep").mkdir()
    with rasterio.open(home / "deep" / tile.name, "w", **profile) as file:
        file.write(np.where(pixels > 0, 300 + 20 * pixels, 0).astype(np.uint16))

    def measured(images, name):
        survey = jl.survey(str(images), home / "tiles" / "road.geojson", origin="border", claims=CLAIMS)
        return survey.write(home / name)

    return {
        "beside": measured(home / "tiles", "out"),
        "deep": measured(home / "deep", "out16"),
        "turned": measured(turned(tile, home), "turned-out"),
        "item": measured(example.item_of(tile, home / "item"), "item-out"),
    }


@pytest.fixture(scope="module")
def told(place, results):
    """What QGIS tells of the results, of the first moved with its image, and of the first moved alone."""
    moved = shutil.copytree(results["beside"].parent, place / "elsewhere" / "copy") / "out"
    alone = shutil.copytree(results["beside"], place / "alone" / "out")
    projects = [*results.values(), moved, alone]
    return dict(
        zip([*results, "moved", "alone"], opened(place / "seen", *(p / PROJECT for p in projects)), strict=True)
    )


@pytest.mark.parametrize("name", ["beside", "deep", "turned", "item", "moved"])
def test_it_opens_whole_with_the_layers_over_the_imagery(told, name):
    project = told[name]
    assert (project["read"], project["bad"], project["crs"]) == (True, [], "EPSG:32638")
    (result, layers), (imagery, images) = project["tree"]
    assert (result, layers, imagery) == ("jamline", LAYERS, "imagery")
    assert len(images) == 1
    assert project["sheets"][0]["map"] == [*LAYERS, *images]


def test_each_layer_looks_as_its_default_style_in_the_geopackage_says(told):
    assert told["beside"]["styled"] == dict.fromkeys(LAYERS, True)


def test_moved_without_its_image_the_layers_are_there(told):
    project = told["alone"]
    assert project["read"]
    assert project["bad"] == project["tree"][1][1]
    assert project["styled"] == dict.fromkeys(LAYERS, True)


def test_the_sheet_is_a4_and_says_what_was_measured(told, results):
    (sheet,) = told["beside"]["sheets"]
    assert sheet["codes"] == [0, 0]
    assert sheet["page"] == [297, 210]
    said = texts(read_run(results["beside"]))
    assert sheet["labels"] == {
        "title": said["jamline_title"],
        "finding": said["jamline_subtitle"],
        "provenance": said["jamline_provenance"],
    }
    assert said["jamline_title"].startswith("R1, right side: 0.30 km (90 %: ")


def test_the_legend_explains_every_layer_but_the_image(told):
    assert told["beside"]["sheets"][0]["legend"] == [
        ["vehicles", "Vehicles", ["queued", "flowing", "parked", "rejected in review", "not told"]],
        ["queues", "Queues", ["packed (standing)", "dense (creeping, or standing with gaps)", "other"]],
        ["road", "Road, with km posts", ["Road, with km posts"]],
        ["coverage", "What was seen", ["seen", "not seen: may hold vehicles"]],
    ]


def test_the_queue_fills_the_map(told, results):
    west, south, east, north = told["beside"]["extent"]
    (queue,) = read_run(results["beside"]).roads[0].queues
    assert max((east - west) / 205, (north - south) / 155) * 1000 == pytest.approx(
        told["beside"]["sheets"][0]["scale"], rel=0.01
    )
    assert queue.end_m - queue.start_m < max(east - west, north - south) < 3 * (queue.end_m - queue.start_m)


PARTS = {
    # Millimetres from the sheet's upper left corner, and what may differ of all that is drawn there.
    "title and finding": ((8, 6, 290, 33), 0.25),
    "map": ((9, 33, 216, 190), 0.02),
    "legend": ((217, 33, 297, 120), 0.2),
    "north arrow and scale bar": ((217, 150, 297, 190), 0.1),
    "provenance": ((8, 190, 290, 205), 0.5),
}


@pytest.mark.parametrize("part", PARTS)
def test_the_sheet_is_the_one_that_was_looked_at(told, place, repository, part):
    """At half its size and blurred by a millimetre: fonts differ from one machine to the next, places do not."""
    kept = cv2.imread(str(repository / "tests" / "pictures" / "sheet.png"))
    drawn = cv2.imread(str(place / "seen" / "0.png"))
    (left, top, right, bottom), most = PARTS[part]
    per_mm = kept.shape[1] / 297
    rows, cols = slice(round(top * per_mm), round(bottom * per_mm)), slice(round(left * per_mm), round(right * per_mm))
    small = cv2.resize(drawn, kept.shape[1::-1], interpolation=cv2.INTER_AREA)
    one, other = (cv2.GaussianBlur(image.astype(float), (0, 0), 2)[rows, cols] for image in (small, kept))
    assert abs(one - other).sum() < most * (255 - other).sum()
    # A queue is a thin line: too little of a map to be missed by that.
    orange = [((abs(image[rows, cols] - (0.0, 94.0, 213.0))) < 45).all(axis=2).sum() for image in (small, kept)]
    assert orange[0] == pytest.approx(orange[1], rel=0.2, abs=5)
    assert orange[1] > 100 or part not in ("map", "legend")


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm of poppler-utils is not installed")
def test_the_pdf_shows_the_same(told, place):
    in_pdf = place / "seen" / "page"
    subprocess.run(["pdftoppm", "-png", "-r", "50", "-singlefile", place / "seen" / "0.pdf", in_pdf], check=True)
    page, image = (cv2.imread(str(path)).astype(float) for path in (f"{in_pdf}.png", place / "seen" / "0.png"))
    image = cv2.resize(image, page.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert abs(page - image).sum() < 0.2 * (255 - image).sum()


def test_sixteen_bits_are_as_bright_as_eight(told, place):
    """Both show the same ground, but for a stretch over what the road shows."""
    eight, sixteen = (cv2.imread(str(place / "seen" / f"{number}.png")).astype(float) for number in (0, 1))
    bare = (eight > 250).all(axis=2)
    assert 0.2 < bare.mean() < 0.9
    assert abs(np.median(eight[~bare]) - np.median(sixteen[~bare])) < 40
    assert np.corrcoef(eight.ravel(), sixteen.ravel())[0, 1] > 0.9


def test_a_file_for_each_colour_makes_one_image_as_bright_as_all_others(told, place):
    assert told["item"]["tree"][1] == ["imagery", ["item"]]
    deep, item = (cv2.imread(str(place / "seen" / f"{number}.png")).astype(float) for number in (1, 3))
    assert np.corrcoef(deep.ravel(), item.ravel())[0, 1] > 0.97
    assert abs(deep - item).mean() < 6


def test_an_image_in_another_system_lies_where_it_belongs(told, place):
    assert told["beside"]["image crs"] == ["EPSG:32638"]
    assert told["turned"]["image crs"] != ["EPSG:32638"]
    straight, turned = (cv2.imread(str(place / "seen" / f"{number}.png")).astype(float) for number in (0, 2))
    assert np.corrcoef(straight.ravel(), turned.ravel())[0, 1] > 0.95


def test_imagery_on_a_server_opens_through_gdal(place, small_scene, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    (tile,) = small_scene.glob("tile_*.tif")
    with web_servers.nginx(small_scene, tmp_path) as server:
        address = f"{server.url}/{tile.name}"
        out = jl.survey(address, small_scene / "road.geojson").write(tmp_path / "out")
        (project,) = opened(tmp_path / "seen", out / PROJECT)
    assert project["bad"] == []
    assert project["sources"][tile.stem] == f"/vsicurl/{address}"


def test_saved_by_qgis_and_reviewed_it_says_the_new_and_keeps_the_saved(results, tmp_path):
    home = shutil.copytree(results["beside"].parent, tmp_path / "home")
    out = home / "out"
    before = texts(read_run(out))
    (first,) = opened(tmp_path / "first", out / PROJECT, save=True)
    assert first["saved"]
    example.reject_beyond(out, 300.0)
    jl.remeasure(out)
    (second,) = opened(tmp_path / "second", out / PROJECT)
    after = texts(read_run(out))
    assert after["jamline_title"] != before["jamline_title"]
    assert second["sheets"][0]["labels"]["title"] == after["jamline_title"]
    assert second["bad"] == []
    assert second["tree"][0][0] == "mine"
