"""What is written: whole or not at all, in the formats' own words."""

import hashlib
import json
import sqlite3
from contextlib import closing

import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

import jam_example as example
from jamline import tables
from jamline.claims import Claim, Finding
from jamline.errors import OutputError
from jamline.outputs import RunRecord, check_outdir, read_run, result_folder, run_record, write_layers
from jamline.outputs.layers import coverage_table, layers, stretches
from jamline.queues import measure_queues

LAYERS = ("queues", "vehicles", "coverage", "road")


@pytest.fixture(scope="module")
def queues():
    return measure_queues(example.jam())


@pytest.fixture(scope="module")
def nothing():
    road = example.bent_road(400.0, name="quiet road")
    return measure_queues(example.evidence(road, tables.empty(tables.VEHICLES)))


@pytest.fixture(scope="module")
def finding():
    claim = Claim(text="at least 0.5 km", quantity="length", value=0.5, unit="km", qualifier="at least")
    return Finding(claim, "supported", 0.97, "almost certain", "The queue is 0.60 km long.")


@pytest.fixture(scope="module")
def folder(queues, finding, tmp_path_factory):
    return write_layers(tmp_path_factory.mktemp("result") / "out", queues, findings=finding)


class Photo:
    path, sha256, gsd_m, acquired = "lars.tif", "ab" * 32, 0.5000001, "2022-09-25T08:03:00Z"


def test_every_file_of_the_contract_is_there(folder):
    names = {path.name for path in folder.iterdir()}
    layers = {*(f"{n}.geojson" for n in LAYERS), *(f"{n}.qml" for n in LAYERS)}
    assert names == {"jam.gpkg", "jam.qgz", "evidence.gpkg", "run.json", "claimreview.json", *layers}


@pytest.mark.parametrize("name", LAYERS)
def test_both_formats_hold_the_schema_and_the_same_rows(folder, name):
    of_gpkg = pyogrio.read_dataframe(folder / "jam.gpkg", layer=name)
    of_json = pyogrio.read_dataframe(folder / f"{name}.geojson")
    for frame in (of_gpkg, of_json):
        assert [c for c in frame.columns if c != "geometry"] == tables.SCHEMAS[name].names
    assert len(of_gpkg) == len(of_json) > 0
    for column in tables.SCHEMAS[name].columns:
        if column.dtype == "float64":
            np.testing.assert_allclose(
                of_gpkg[column.name].astype(float), of_json[column.name].astype(float), rtol=1e-12
            )
        else:
            assert of_gpkg[column.name].tolist() == of_json[column.name].tolist()


def test_states_and_counts_come_through(folder, queues):
    written = pyogrio.read_dataframe(folder / "vehicles.geojson")["state"].value_counts().to_dict()
    assert written == queues.vehicles["state"].value_counts().to_dict()
    assert written["queued"] >= 70
    assert written["parked"] == 2


@pytest.mark.parametrize("name", LAYERS)
def test_geojson_is_rfc_7946(folder, name):
    text = (folder / f"{name}.geojson").read_text(encoding="utf-8")
    collection = json.loads(text)
    assert "crs" not in collection
    for feature in collection["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        for polygon in shapely.get_parts(shape) if shape.geom_type.endswith("Polygon") else []:
            assert polygon.exterior.is_ccw
        x, y = shapely.get_coordinates(shape).T
        assert ((x > 44) & (x < 45) & (y > 42) & (y < 43)).all()
        decimals = [len(repr(float(v)).partition(".")[2]) for v in x]
        assert max(decimals) <= 7


def test_an_open_length_has_null_for_its_high_end(tmp_path):
    road = example.bent_road()
    unseen = [(side, 850.0, road.length_m, "outside imagery") for side in road.sides]
    jam = example.jam(road, end_m=850.0, unseen=unseen)
    queues = measure_queues(jam)
    assert queues[0].length_km.open == ("end",)
    out = write_layers(tmp_path / "out", queues)
    (feature,) = json.loads((out / "queues.geojson").read_text())["features"]
    assert feature["properties"]["length_high_km"] is None
    assert feature["properties"]["label"].startswith("≥")
    assert read_run(out).roads[0].queues[0].length_km.high is None


def test_geopackage_says_that_it_is_1_2(folder):
    with closing(sqlite3.connect(folder / "jam.gpkg")) as file:
        assert file.execute("PRAGMA application_id").fetchone() == (0x47504B47,)  # "GPKG"
        assert file.execute("PRAGMA user_version").fetchone() == (10200,)
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        contents = dict(file.execute("SELECT table_name, data_type FROM gpkg_contents").fetchall())
    assert contents == {**dict.fromkeys(LAYERS, "features"), "layer_styles": "attributes"}


def test_layer_styles_are_found_by_qgis(folder):
    """The row as QGIS looks it up: empty schema, the true geometry column, marked as default."""
    with closing(sqlite3.connect(folder / "jam.gpkg")) as file:
        geometry = dict(file.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall())
        for name in LAYERS:
            rows = file.execute(
                "SELECT styleQML FROM layer_styles WHERE f_table_schema = '' AND f_table_name = ? "
                "AND f_geometry_column = ? AND useAsDefault = 1",
                (name, geometry[name]),
            ).fetchall()
            assert rows == [((folder / f"{name}.qml").read_text(encoding="utf-8"),)]


def test_nothing_found_is_empty_layers_with_the_full_schema(tmp_path, nothing):
    out = write_layers(tmp_path / "out", nothing)
    for name in ("queues", "vehicles"):
        info = pyogrio.read_info(out / "jam.gpkg", layer=name)
        assert info["features"] == 0
        assert info["geometry_type"] == tables.SCHEMAS[name].geometry
        assert list(info["fields"]) == tables.SCHEMAS[name].names
        assert json.loads((out / f"{name}.geojson").read_text())["features"] == []
    assert read_run(out).roads[0].queues == []


def test_same_input_gives_the_same_bytes(tmp_path, queues, finding):
    run = run_record(queues, finding, imagery=[Photo()])
    first = write_layers(tmp_path / "a", queues, findings=finding, run=run)
    second = write_layers(tmp_path / "b", queues, findings=finding, run=run)
    for path in first.iterdir():
        # Compared by its digest: the difference of two databases as text is thousands of lines.
        one, other = (hashlib.sha256(each.read_bytes()).hexdigest() for each in (path, second / path.name))
        assert one == other, path.name


def test_several_roads_share_the_layers(tmp_path, queues, nothing):
    out = write_layers(tmp_path / "out", [nothing, queues])
    assert pyogrio.read_dataframe(out / "road.geojson")["name"].tolist() == ["quiet road", "A-161"]
    assert [road.name for road in read_run(out).roads] == ["quiet road", "A-161"]


# -- the layers ------------------------------------------------------------------------------------


def test_coverage_polygons_are_as_large_as_the_corridor(queues):
    """500 to 560 m of the left side, 12 m wide, is 720 m², measured on the ellipsoid."""
    frame = coverage_table(queues.evidence)
    patch = frame[frame["reason"] == "tree cover"].geometry.item()
    area_m2, _ = Geod(ellps="WGS84").geometry_area_perimeter(patch)
    assert area_m2 == pytest.approx(720.0, rel=0.02)
    left = frame[frame["side"] == "left"]
    assert left["end_m"].max() == pytest.approx(queues.evidence.road.length_m)
    assert (left["end_m"] - left["start_m"]).sum() == pytest.approx(queues.evidence.road.length_m)


def test_stretches_join_where_only_the_recall_changes(queues):
    columns = {
        "side": ["left"] * 3,
        "start_m": [0.0, 10.0, 20.0],
        "end_m": [10.0, 20.0, 20.0],
        "seen": [True, True, False],
        "reason": ["", "", "cloud"],
        "recall": [0.9, 0.5, 0.0],
        "false_per_km": [0.0] * 3,
    }
    assert list(stretches(tables.table(tables.SIGHT, columns))) == [
        {"side": "left", "start_m": 0.0, "end_m": 20.0, "seen": True, "reason": ""}
    ]


def test_beyond_the_antimeridian_longitudes_stay_on_the_globe():
    road = example.road_through([[181.0, 65.0], [181.02, 65.0]], name="Chukotka")
    frames = layers([measure_queues(example.evidence(road, tables.empty(tables.VEHICLES)))], [
        example.evidence(road, tables.empty(tables.VEHICLES))
    ])  # fmt: skip
    assert frames["road"].total_bounds[0] == pytest.approx(-179.0)


# -- the folder ------------------------------------------------------------------------------------


def test_an_existing_folder_is_refused_and_untouched(tmp_path, nothing):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"^Invalid output folder '.*out'. Must not exist.*--overwrite.$"):
        write_layers(out, nothing)
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine.txt"]


@pytest.mark.parametrize("record", [None, "{}", "not json", '{"schema": "other/1"}', "[]"])
def test_overwrite_spares_what_is_no_result(tmp_path, nothing, record):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    if record is not None:
        (out / "run.json").write_text(record)
    with pytest.raises(OutputError, match="empty or an earlier result"):
        write_layers(out, nothing, overwrite=True)
    assert (out / "mine.txt").read_text() == "mine"


def test_overwrite_replaces_a_result_as_a_whole(tmp_path, nothing, queues):
    out = write_layers(tmp_path / "out", nothing)
    (out / "report.html").write_text("old")
    write_layers(out, queues, overwrite=True)
    assert read_run(out).roads[0].name == "A-161"
    assert not (out / "report.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_overwrite_takes_an_empty_folder(tmp_path, nothing):
    (tmp_path / "out").mkdir()
    assert (write_layers(tmp_path / "out", nothing, overwrite=True) / "jam.gpkg").exists()


def test_a_file_or_an_address_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="it is a file"):
        check_outdir(tmp_path / "out", overwrite=True)
    with pytest.raises(OutputError, match="on this machine"):
        check_outdir("s3://bucket/out")


@pytest.mark.parametrize("place", ["file/out", "file/deep/out", "o" * 250, "nul\0"])
def test_a_place_where_no_folder_can_be_made_is_told_before_measuring(tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputError, match="Must be writable") as caught:
        check_outdir(tmp_path / place)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_asking_early_leaves_nothing_behind(tmp_path):
    assert check_outdir(tmp_path / "deep" / "out") == tmp_path / "deep" / "out"
    assert not list(tmp_path.iterdir())


def test_a_write_that_fails_leaves_nothing(tmp_path, queues, nothing):
    kept = write_layers(tmp_path / "kept", nothing)
    before = {path.name: path.read_bytes() for path in kept.iterdir()}
    broken = measure_queues(example.jam())
    broken.vehicles.loc[3, "geometry"] = shapely.Point(44.6, 42.8)
    with pytest.raises(OutputError, match="Invalid geometry"):
        write_layers(tmp_path / "new", broken)
    with pytest.raises(OutputError, match="Invalid geometry"):
        write_layers(kept, broken, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before


def test_a_failure_late_in_the_block_leaves_nothing(tmp_path):
    def break_off():
        with result_folder(tmp_path / "out") as folder:
            (folder / "half.txt").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path, nothing):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"Invalid output folder .*\. Must be writable: ") as told:
        write_layers(tmp_path / "file" / "out", nothing)
    assert "\n" not in str(told.value)


def test_who_was_faster_keeps_the_place(tmp_path):
    def be_slow():
        with result_folder(tmp_path / "out") as folder:
            (folder / "a.txt").write_text("slow")
            (tmp_path / "out").mkdir()

    with pytest.raises(OutputError, match="Must not exist"):
        be_slow()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


# -- run.json --------------------------------------------------------------------------------------


def test_run_json_has_the_keys_of_the_contract(folder):
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert run["schema"] == "jamline/run/1"
    assert set(run) == {"schema", "jamline", "imagery", "settings", "detector", "roads", "title", "review"}
    (road,) = run["roads"]
    assert road["alignment_m"] == {"value": 2.1, "low": 1.4, "high": 2.8}
    assert road["coverage"]["seen_m"] == 1300.0
    assert [(gap["start_m"], gap["side"], gap["reason"]) for gap in road["coverage"]["unseen"]] == [
        (500.0, "left", "tree cover"),
        (1300.0, "all", "outside imagery"),
    ]
    (queue,) = road["queues"]
    assert {"side", "start_m", "end_m", "length_km", "occupied_km", "vehicles", "lanes",
            "density_per_km_lane", "packing", "sensitivity_km"} <= set(queue)  # fmt: skip
    assert set(queue["length_km"]) == {"value", "low", "high", "level", "open"}
    assert set(queue["sensitivity_km"]) == {"20", "50", "100"}
    assert road["findings"][0]["claim"] == "at least 0.5 km"
    assert road["findings"][0]["likelihood"] == "almost certain"


def test_run_json_names_inputs_and_settings(queues):
    asked = {"bands": np.array([3, 2, 1])}
    run = run_record(queues, imagery=[Photo()], settings=asked, detector_sha256="cd" * 32)
    told = run.to_json()
    assert told["imagery"] == [
        {"path": "lars.tif", "sha256": "ab" * 32, "gsd_m": 0.5, "acquired": "2022-09-25T08:03:00Z"}
    ]
    assert told["settings"]["bands"] == [3, 2, 1]
    assert told["settings"]["gap_m"] == 20.0
    assert told["detector"] == {"name": "example", "sha256": "cd" * 32}


def test_run_json_is_read_back_as_it_was(folder, queues, finding):
    assert read_run(folder) == read_run(folder / "run.json") == run_record(queues, finding)


def test_a_finding_stands_with_the_road_of_the_longest_queue(nothing, queues, finding):
    roads = run_record([nothing, queues], [finding]).roads
    assert [len(road.findings) for road in roads] == [0, 1]


@pytest.mark.parametrize(
    "text", ["{}", "nonsense", '{"schema": "jamline/run/2"}', '{"schema": "jamline/run/1", "roads": [{}]}']
)
def test_a_run_record_of_another_kind_is_refused(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(OutputError, match="Must fit the schema jamline/run/1") as error:
        read_run(tmp_path)
    assert "\n" not in str(error.value)


def test_a_missing_run_record_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"Invalid run record '.*nowhere'"):
        read_run(tmp_path / "nowhere")


def test_a_run_without_roads_or_with_odd_settings_is_refused(queues):
    with pytest.raises(OutputError, match="at least one road"):
        run_record([])
    with pytest.raises(OutputError, match="no place in JSON"):
        run_record(queues, settings={"x": object()})


def test_evidence_of_another_road_is_refused(tmp_path, queues, nothing):
    with pytest.raises(OutputError, match="Must be for 'A-161'"):
        write_layers(tmp_path / "out", queues, nothing.evidence)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.text(max_size=8), st.integers(-9, 9) | st.text(max_size=8) | st.booleans()))
def test_settings_survive_the_way_through_json(asked):
    road = example.bent_road(200.0)
    queues = measure_queues(example.evidence(road, tables.empty(tables.VEHICLES)))
    run = run_record(queues, settings=asked)
    again = RunRecord.model_validate_json(json.dumps(run.to_json()))
    assert again == run
    assert asked.items() <= again.settings.items()
