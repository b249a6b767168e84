"""`jam.qgz` as a file: what it holds, that it is the same each time, and that a review changes its words alone."""

import html
import shutil
import zipfile
from xml.dom.minidom import parseString

import numpy as np
import pytest
import rasterio
from pyproj import CRS, Transformer

import jam_example as example
import jamline as jl
from jamline import tables
from jamline.claims import Claim, Finding
from jamline.outputs import PROJECT, Picture, read_run, run_record, write_layers
from jamline.outputs.layers import layers
from jamline.outputs.project import retell, source_of, write_project
from jamline.outputs.sheet import texts
from jamline.pipeline._pictures import pictures_of
from jamline.queues import measure_queues
from jamline.review import remeasure

NASTY = "<b> & \"16 km\" ]]> [% 1 + 1 %] 'Лapc' \u202e\x01"

LAYERS = ("vehicles", "queues", "road", "coverage")


@pytest.fixture(scope="module")
def queues():
    return measure_queues(example.jam())


@pytest.fixture(scope="module")
def surveyed(small_scene):
    claims = ["a jam of 300 m", "at least 16 km"]
    return jl.survey(str(small_scene), small_scene / "road.geojson", origin="border", claims=claims)


def document(path):
    """The project's XML, parsed."""
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["jam.qgs"]
        return parseString(archive.read("jam.qgs"))  # noqa: S318 - our own


def words(path):
    """The texts of the sheet, as the project holds them."""
    root = document(path)
    names, values = (
        [value.firstChild.data for value in root.getElementsByTagName(tag)[0].getElementsByTagName("value")]
        for tag in ("variableNames", "variableValues")
    )
    return dict(zip(names, values, strict=True))


def sources(path):
    return [element.firstChild.data for element in document(path).getElementsByTagName("datasource")]


def written(path, queues, **changes):
    """A project of the queues with changes to what the run says."""
    run = run_record(queues).model_copy(update=changes)
    write_project(path / PROJECT, run, layers([queues], [queues.evidence]))
    return path / PROJECT


def finding(text):
    claim = Claim(text=text, quantity="length", value=0.5, unit="km", qualifier="at least")
    return Finding(claim, "supported", 0.97, "almost certain", "The queue is 0.60 km long.")


# -- what it says ----------------------------------------------------------------------------------


def test_the_sheet_tells_the_length_with_its_interval_and_the_first_finding(queues):
    told = texts(run_record(queues, [finding("at least 0.5 km"), finding("16 km")]))
    assert told["jamline_title"] == f"A-161, right side: {queues[0].length_km}"
    assert told["jamline_subtitle"] == (
        "“at least 0.5 km”: supported, almost certain (0.97). The queue is 0.60 km long. 1 more in report.html."
    )
    assert "Measured with jamline" in told["jamline_provenance"]


def test_without_a_claim_it_tells_where_the_queue_lies(queues):
    told = texts(run_record(queues))["jamline_subtitle"]
    assert told == "Km 0.30 to 0.89 from start, packed. 1.30 of 1.50 km of road seen."


def test_an_open_length_is_at_least_so_long():
    road = example.bent_road()
    unseen = [(side, 850.0, road.length_m, "outside imagery") for side in road.sides]
    queues = measure_queues(example.jam(road, end_m=850.0, unseen=unseen))
    assert "at least 0.5" in texts(run_record(queues))["jamline_title"]


def test_the_longest_queue_is_the_one_told_to_be_the_longest():
    """An open one is told by its least length, however long it may be."""
    run = run_record(measure_queues(example.jam()))
    (road,), (queue,) = run.roads, run.roads[0].queues
    least = queue.length_km.model_copy(update={"value": 9.0, "low": 0.5, "high": None, "open": ["end"]})
    other = queue.model_copy(update={"side": "left", "length_km": least})
    told = texts(run.model_copy(update={"roads": [road.model_copy(update={"queues": [other, queue]})]}))
    assert told["jamline_title"].startswith("A-161, right side: 0.60 km")


def test_no_queue_is_said_so():
    road = example.bent_road(400.0, name="quiet road")
    queues = measure_queues(example.evidence(road, tables.empty(tables.VEHICLES)))
    assert texts(run_record(queues))["jamline_title"] == "quiet road: no queue was seen"


def test_provenance_names_images_and_days_but_no_signature(queues):
    class Photo:
        path, sha256, gsd_m, acquired = "https://host/a/one.tif?sig=secret", None, 0.5, "2022-09-25T08:03:00Z"

    class Later(Photo):
        path, acquired = "two.tif", "2022-09-27"

    told = texts(run_record(queues, imagery=[Photo(), Later()]))["jamline_provenance"]
    assert told.startswith("Imagery: 2 images, one.tif and others; taken 2022-09-25 to 2022-09-27, 0.5 m. ")
    assert "secret" not in told


def test_names_and_claims_may_hold_anything(tmp_path):
    road = example.bent_road(name=NASTY)
    queues = measure_queues(example.jam(road))
    out = write_layers(tmp_path / "out", queues, findings=finding(NASTY))
    assert words(out / PROJECT) == texts(read_run(out))
    assert NASTY.replace("\x01", "\ufffd") in words(out / PROJECT)["jamline_subtitle"]


# -- what it shows ---------------------------------------------------------------------------------


def test_images_that_share_a_folder_are_found_relative_and_all_others_by_their_address(tmp_path):
    home = tmp_path / "project" / "out"
    tile = tmp_path / "project" / "tiles" / "a b.tif"
    assert source_of(str(tile), home) == "../tiles/a b.tif"
    assert source_of("/elsewhere/a.tif", home) == "/elsewhere/a.tif"
    assert source_of("/vsizip/a.zip/a.tif", home) == "/vsizip/a.zip/a.tif"
    assert source_of("GTIFF_DIR:2:a.tif", home) == "GTIFF_DIR:2:a.tif"


def test_a_link_to_the_images_is_followed(tmp_path):
    (tmp_path / "far" / "tiles").mkdir(parents=True)
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "tiles").symlink_to(tmp_path / "far" / "tiles")
    assert source_of(str(tmp_path / "near" / "tiles" / "a.tif"), tmp_path / "near" / "out") == "../../far/tiles/a.tif"


def test_eight_bits_are_shown_as_they_are(surveyed):
    (picture,), (image,) = surveyed.pictures, surveyed.scene.images
    assert picture == Picture(name=image.path, path=image.path, crs=image.crs, bands={"red": 1, "green": 2, "blue": 3})


def test_a_mask_of_the_file_is_one_more_band_to_qgis(repository):
    tiles = repository / "sample_tiles" / "short"
    with jl.open_scene(str(tiles)) as scene:
        pictures = pictures_of(scene, [jl.lay_flat(scene, jl.read_road(tiles / "road.geojson"))])
    assert len(pictures) == 4
    assert all(picture.bands == {"red": 1, "green": 2, "blue": 3, "alpha": 4} for picture in pictures)


def test_sixteen_bits_are_stretched_alike_and_what_lies_elsewhere_is_left_out(small_scene, tmp_path):
    for tile in small_scene.glob("tile_*.tif"):
        with rasterio.open(tile) as file:
            profile, pixels = file.profile | {"dtype": "uint16", "nodata": 0}, file.read()
        with rasterio.open(tmp_path / tile.name, "w", **profile) as file:
            file.write(100 + 20 * pixels.astype(np.uint16))
    shutil.copy(tmp_path / tile.name, tmp_path / "far.tif")
    with rasterio.open(tmp_path / "far.tif", "r+") as file:
        file.transform = rasterio.Affine.translation(0, 5000) @ file.transform
    survey = jl.survey(str(tmp_path), small_scene / "road.geojson", detector="contrast")
    assert "far.tif" in {image.path.rpartition("/")[2] for image in survey.scene.images}
    assert "far.tif" not in {picture.path.rpartition("/")[2] for picture in survey.pictures}
    ((low, high),) = {limits for picture in survey.pictures for limits in picture.limits.values()}
    assert 100 <= low < high <= 100 + 20 * 255


def test_an_item_is_shown_by_its_files_with_its_own_numbers(small_scene, tmp_path):
    """Scale and offset of the item are unknown to QGIS: what is black and white is told in the files' numbers."""
    (tile,) = small_scene.glob("tile_*.tif")
    item = example.item_of(tile, tmp_path / "item")
    (picture,) = jl.survey(str(item), small_scene / "road.geojson", detector="contrast").pictures
    assert picture.name == str(item)
    assert source_of(picture.path, tmp_path / "out") == picture.path
    for colour in ("red", "green", "blue"):
        assert str(tmp_path / "item" / f"{colour}.tif") in picture.path
        low, high = picture.limits[colour]
        assert 1200 <= round(low) < high <= 1200 + 20 * 255


def test_more_images_than_qgis_opens_at_once_are_counted(tmp_path, queues):
    frames = layers([queues], [queues.evidence])
    pictures = [
        Picture(name=f"{number}.tif", path=str(tmp_path / f"{number}.tif"), crs=CRS(32638)) for number in range(1234)
    ]
    write_project(tmp_path / PROJECT, run_record(queues), frames, pictures)
    assert len(sources(tmp_path / PROJECT)) == 4 + 200
    groups = [
        each.getAttribute("name") for each in document(tmp_path / PROJECT).getElementsByTagName("layer-tree-group")
    ]
    assert "imagery (200 of 1234)" in groups


@pytest.mark.parametrize(("lonlat", "epsg"), [([44.6, 42.8], 32638), ([-58.4, -34.6], 32721), ([179.9, 10.0], 32660)])
def test_the_map_is_in_the_utm_zone_of_the_road_around_its_longest_queue(tmp_path, lonlat, epsg):
    road = example.road_through(np.add(lonlat, [[0.0, 0.0], [0.0, 0.0135]]), name="north")
    queues = measure_queues(example.jam(road))
    root = document(written(tmp_path, queues))
    assert root.getElementsByTagName("authid")[0].firstChild.data == f"EPSG:{epsg}"
    box = root.getElementsByTagName("DefaultViewExtent")[0]
    sides = [float(box.getAttribute(side)) for side in ("xmin", "ymin", "xmax", "ymax")]
    to_map = Transformer.from_crs(4326, epsg, always_xy=True)
    for station_m in (queues[0].start_m, queues[0].end_m):
        x, y = to_map.transform(*road.to_map(station_m, 0.0))
        assert sides[0] < x < sides[2]
        assert sides[1] < y < sides[3]
    assert sides[3] - sides[1] == pytest.approx(1.3 * (queues[0].end_m - queues[0].start_m), rel=0.01)


def test_a_run_about_another_road_opens_on_the_queue_that_is_there(tmp_path, queues):
    other = run_record(measure_queues(example.jam(example.bent_road(name="another"))))
    write_project(tmp_path / PROJECT, other, layers([queues], [queues.evidence]))
    box = document(tmp_path / PROJECT).getElementsByTagName("DefaultViewExtent")
    assert box[0].getAttribute("xmin")


# -- the file --------------------------------------------------------------------------------------


def test_equal_runs_give_equal_bytes_and_they_move_with_their_images(surveyed, small_scene, tmp_path):
    first, second = (surveyed.write(tmp_path / name) for name in ("one", "other"))
    assert (first / PROJECT).read_bytes() == (second / PROJECT).read_bytes()
    own = [source for source in sources(first / PROJECT) if source.endswith((".gpkg", ".tif"))]
    assert own
    assert not any(source.startswith("/") for source in sources(first / PROJECT))
    assert all((first / source).exists() for source in own)


def test_a_review_changes_what_is_said_and_keeps_what_a_person_made_of_the_project(surveyed, tmp_path):
    out = surveyed.write(tmp_path / "out")
    with zipfile.ZipFile(out / PROJECT) as archive:
        text = archive.read("jam.qgs").decode()
    with zipfile.ZipFile(out / PROJECT, "w") as archive:
        archive.writestr("jam.qgs", text.replace('name="imagery"', 'name="my own"'))
        archive.writestr("jam_styles.db", b"kept")
    before = read_run(out)
    example.reject_beyond(out, 300.0)
    remeasure(out)
    with zipfile.ZipFile(out / PROJECT) as archive:
        after = archive.read("jam.qgs").decode()
        assert archive.read("jam_styles.db") == b"kept"
    assert 'name="my own"' in after
    told = texts(read_run(out))
    assert told["jamline_title"] != texts(before)["jamline_title"]
    assert "reviewed by a person" in told["jamline_provenance"]
    assert all(html.escape(text, quote=False) in after for text in told.values())
    once = (out / PROJECT).read_bytes()
    remeasure(out)
    assert (out / PROJECT).read_bytes() == once


def test_the_unedited_result_has_its_own_project_which_finds_the_images(surveyed, tmp_path):
    out = surveyed.write(tmp_path / "out")
    before = words(out / PROJECT)
    example.reject_beyond(out, 300.0)
    remeasure(out)
    unedited = out / "unedited" / PROJECT
    assert words(unedited) == before
    # To go back its files are moved up: the image must be found from there, too.
    (image,) = [source for source in sources(unedited) if source.endswith(".tif")]
    assert image == surveyed.scene.images[0].path
    assert [source for source in sources(unedited) if source != image] == [f"./jam.gpkg|layername={n}" for n in LAYERS]


def test_a_result_of_before_there_were_projects_gets_one_at_its_review(tmp_path, queues):
    out = write_layers(tmp_path / "out", queues)
    (out / PROJECT).unlink()
    remeasure(out)
    assert words(out / PROJECT) == texts(read_run(out))
    assert not (out / "unedited" / PROJECT).exists()


def test_what_a_person_took_out_of_the_project_is_not_missed(tmp_path, queues):
    path = written(tmp_path, queues)
    with zipfile.ZipFile(path) as archive:
        text = archive.read("jam.qgs").decode()
    start, end = text.index("<Variables>"), text.index("</Variables>")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("jam.qgs", text[:start] + text[end + len("</Variables>") :])
    before = path.read_bytes()
    retell(path, run_record(queues, finding("16 km")))
    assert path.read_bytes() == before
