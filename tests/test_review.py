"""A result that a person has edited: what is taken over, measured anew, kept, and refused."""

import json
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import jam_example as example
import jamline as jl
from jamline import tables
from jamline.claims import check_claims, read_claim
from jamline.cli import main
from jamline.outputs import read_run, write_layers
from jamline.queues import measure_queues
from jamline.review import remeasure
from jamline.review._estimate import chances, difference_estimate, floored
from jamline.review._estimate import draw as draw_from

PITCH_M = 8.0


def written(place, evidence, *claims):
    queues = measure_queues(evidence)
    return write_layers(place, queues, findings=check_claims(claims, queues))


def edit(folder, statement, *values, layer="jam.gpkg"):
    """Change a GeoPackage as a GIS does: the spatial index has triggers that want its functions."""
    with closing(sqlite3.connect(folder / layer)) as file, file:
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            file.create_function(name, 1, lambda _: 0)
        return file.execute(statement, values).rowcount


def draw(folder, shapes, **columns):
    """Add polygons to the layer of vehicles; what is not given stays NULL."""
    frame = gpd.GeoDataFrame(columns, index=range(len(shapes)), geometry=list(shapes), crs="EPSG:4326")
    pyogrio.write_dataframe(frame, folder / "jam.gpkg", layer="vehicles", append=True)


def vehicles(folder):
    return pyogrio.read_dataframe(folder / "jam.gpkg", layer="vehicles", fid_as_index=True)


def box(road, station_m, offset_m, *, length_m=4.5, width_m=1.8):
    return road.box(station_m - length_m / 2, station_m + length_m / 2, offset_m - width_m / 2, offset_m + width_m / 2)


def content(folder):
    """All that a result says, byte for byte where bytes can be compared."""
    texts = {
        path.name: path.read_bytes() if path.suffix == ".qgz" else path.read_text(encoding="utf-8")
        for path in folder.iterdir()
        if path.suffix != ".gpkg" and path.is_file()
    }
    layers = {
        name: pyogrio.read_dataframe(folder / "jam.gpkg", layer=name, fid_as_index=True)
        for name in ("queues", "vehicles", "coverage", "road")
    }
    return texts, layers


def assert_same(one, other, *, but=()):
    assert {k: v for k, v in one[0].items() if k not in but} == {k: v for k, v in other[0].items() if k not in but}
    for name, frame in one[1].items():
        pd.testing.assert_frame_equal(
            pd.DataFrame(frame.drop(columns="geometry")), pd.DataFrame(other[1][name].drop(columns="geometry"))
        )
        np.testing.assert_array_equal(shapely.to_wkb(frame.geometry), shapely.to_wkb(other[1][name].geometry))


@pytest.fixture(scope="module")
def road():
    return example.bent_road()


@pytest.fixture(scope="module")
def original(road, tmp_path_factory):
    """A queue from 300 to 900 m on the right."""
    return written(tmp_path_factory.mktemp("review") / "out", example.jam(road), "at least 0.5 km", "at least 1 km")


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "out")


def test_without_an_edit_everything_stays_to_the_last_digit(folder):
    before = content(folder)
    review = remeasure(folder)
    assert (review.accepted, review.rejected, review.added) == (0, 0, 0)
    after = content(folder)
    run = json.loads(after[0]["run.json"])
    assert run | {"review": None} == json.loads(before[0]["run.json"])
    after[0].pop("report.html")
    assert_same(before, after, but=("run.json",))


def test_rejected_vehicles_shorten_the_queue_and_the_claim_falls(folder):
    edit(folder, "UPDATE vehicles SET review = 'rejected' WHERE side = 'right' AND station_m > 600")
    review = remeasure(folder)
    (queue,) = review.queues[0]
    # From the near end of a lorry at 300 m to the far end of a car at 596 m.
    assert queue.length_km.low <= 0.30195 <= queue.length_km.high
    assert queue.length_km.value == pytest.approx(0.30195, abs=0.002)
    first, second = read_run(folder).roads[0].findings
    assert (first.claim, first.verdict) == ("at least 0.5 km", "refuted")
    assert second.verdict == "refuted"
    assert read_run(folder / "unedited").roads[0].findings[0].verdict == "supported"
    # Rejected ones stay in the GeoPackage, to be taken back, and are no part of the result.
    assert (vehicles(folder)["review"] == "rejected").sum() == review.rejected == 38
    assert len(pyogrio.read_dataframe(folder / "vehicles.geojson")) == len(vehicles(folder)) - 38


def test_deleting_is_rejecting(folder, tmp_path):
    other = shutil.copytree(folder, tmp_path / "other")
    edit(folder, "UPDATE vehicles SET review = 'rejected' WHERE side = 'right' AND station_m > 600")
    edit(other, "DELETE FROM vehicles WHERE side = 'right' AND station_m > 600")
    one, two = remeasure(folder), remeasure(other)
    assert one.rejected == two.rejected == 38
    assert one.queues[0][0].to_json() == two.queues[0][0].to_json()
    assert one.looked == two.looked


def test_an_added_polygon_needs_nothing_but_its_shape(folder, road):
    stations = np.arange(908.0, 1100.0, PITCH_M)
    draw(folder, [box(road, s, -1.8) for s in stations[:-1]], review="added")
    draw(folder, [box(road, stations[-1], -1.8, length_m=16.0, width_m=2.5)])
    review = remeasure(folder)
    (queue,) = review.queues[0]
    assert review.added == len(stations)
    truth = (stations[-1] + 8.0 - 296.3) / 1000
    assert queue.length_km.low <= truth <= queue.length_km.high
    assert queue.length_km.value == pytest.approx(truth, abs=0.002)
    frame = vehicles(folder)
    new = frame[frame["review"] == "added"]
    np.testing.assert_allclose(new["station_m"], stations, atol=0.05)
    np.testing.assert_allclose(new["offset_m"], -1.8, atol=0.05)
    np.testing.assert_allclose(new["length_m"], [4.5] * (len(stations) - 1) + [16.0], atol=0.1)
    np.testing.assert_allclose(new["width_m"], [1.8] * (len(stations) - 1) + [2.5], atol=0.1)
    assert set(new["side"]) == {"right"}
    assert set(new["state"]) == {"queued"}
    assert new["kind"].tolist() == ["car"] * (len(stations) - 1) + ["truck"]
    turned = (new["heading_deg"] - road.heading_at(stations) + 90.0) % 180.0 - 90.0
    assert np.abs(turned).max() < 1.0


def test_a_moved_vehicle_is_measured_where_it_stands_now(folder, road):
    frame = vehicles(folder)
    fid = int(frame.index[(frame["side"] == "left")][0])
    shape = box(road, 1000.0, 1.5, length_m=9.0)
    moved = pd.concat([frame.drop(fid), frame.loc[[fid]].set_geometry([shape], crs=frame.crs)]).sort_index()
    rewrite(folder, moved)
    remeasure(folder)
    row = vehicles(folder).loc[fid]
    assert (row["side"], row["kind"], row["review"]) == ("left", "truck", "accepted")
    assert (row["station_m"], row["offset_m"]) == pytest.approx((1000.0, 1.5), abs=0.05)


def rewrite(folder, frame, layer="vehicles"):
    """Replace a layer and keep the numbers of its features."""
    frame = frame.rename_axis("fid").reset_index()
    pyogrio.write_dataframe(
        frame, folder / "jam.gpkg", layer=layer, layer_options={"FID": "fid", "GEOMETRY_NAME": "geom"}
    )


def test_a_state_given_by_a_person_stays(folder):
    edit(folder, "UPDATE vehicles SET state = 'parked' WHERE side = 'right' AND station_m > 600")
    edit(folder, "UPDATE vehicles SET state = 'flowing' WHERE side = 'right' AND station_m < 350 AND offset_m > -3")
    for _ in range(2):
        review = remeasure(folder)
        (queue,) = review.queues[0]
        assert queue.start_m == pytest.approx(350.0, abs=15.0)
        assert queue.end_m == pytest.approx(600.0, abs=15.0)
        frame = vehicles(folder)
        assert set(frame[(frame["side"] == "right") & (frame["station_m"] > 600)]["state"]) == {"parked"}
        near = frame[(frame["side"] == "right") & (frame["station_m"].between(290, 350))]
        assert set(near["state"]) == {"flowing"}
        assert set(near["review"]) == {"accepted"}
    # Taken back, the state is the model's to tell again.
    edit(folder, "UPDATE vehicles SET state = NULL WHERE side = 'right' AND station_m > 600")
    assert remeasure(folder).queues[0][0].end_m == pytest.approx(900.0, abs=15.0)


def test_twice_is_once_and_nothing_edited_is_lost(folder, road):
    edit(folder, "UPDATE vehicles SET review = 'rejected' WHERE fid % 7 = 0")
    edit(folder, "UPDATE vehicles SET review = 'accepted' WHERE fid % 7 = 1")
    edit(folder, "DELETE FROM vehicles WHERE fid % 11 = 3")
    edit(folder, "UPDATE vehicles SET state = 'parked' WHERE fid % 13 = 5")
    edit(folder, "ALTER TABLE vehicles ADD COLUMN note TEXT")
    edit(folder, "UPDATE vehicles SET note = 'blue' WHERE fid = 1")
    draw(folder, [box(road, s, -1.8) for s in (912.0, 921.3, 930.1)], review="added")
    edited = vehicles(folder)
    remeasure(folder)
    once = content(folder)
    remeasure(folder)
    assert_same(once, content(folder))
    after = vehicles(folder)
    assert after.index.tolist() == edited.index.tolist()
    assert after.loc[1, "note"] == "blue"
    np.testing.assert_array_equal(shapely.to_wkb(after.geometry), shapely.to_wkb(edited.geometry))
    given = edited["review"] != ""
    assert after["review"][given].tolist() == edited["review"][given].tolist()
    parked = (edited.index % 13 == 5) & (edited["review"] != "rejected")
    assert set(after["state"][parked]) == {"parked"}


def test_the_unedited_run_is_a_whole_result_beside_it(folder, original):
    before = content(original)
    edit(folder, "UPDATE vehicles SET review = 'rejected' WHERE fid < 40")
    remeasure(folder)
    edit(folder, "UPDATE vehicles SET review = 'accepted' WHERE fid < 30")
    remeasure(folder)
    kept = content(folder / "unedited")
    assert kept[0] == before[0]
    for name in ("vehicles", "coverage", "road"):
        pd.testing.assert_frame_equal(pd.DataFrame(kept[1][name]), pd.DataFrame(before[1][name]))
    columns = [name for name in before[1]["queues"].columns if name != "geometry"]
    pd.testing.assert_frame_equal(kept[1]["queues"][columns], before[1]["queues"][columns])
    again = remeasure(folder / "unedited")
    assert [queue.to_json() for queue in again.queues[0]] == json.loads(before[0]["run.json"])["roads"][0]["queues"]


def test_precision_and_recall_are_counted_where_every_vehicle_bears_a_mark(folder, road):
    # From 400 to 500 m on the right stand 12 found ones; 3 are wrong, 4 were missed.
    accepted = "UPDATE vehicles SET review = 'accepted' WHERE side = 'right' AND station_m >= 400 AND station_m < 500"
    assert edit(folder, accepted) == 12
    edit(folder, "UPDATE vehicles SET review = 'rejected' WHERE side = 'right' AND station_m IN (404, 444, 492)")
    draw(folder, [box(road, s, -5.0) for s in (410.0, 420.0, 460.0, 470.0)], review="added")
    # One mark among others says nothing of the rest.
    edit(folder, "UPDATE vehicles SET review = 'rejected' WHERE side = 'right' AND station_m = 604")
    looked = remeasure(folder).looked
    (span,) = looked.spans["A-161", "right"]
    assert (span.start_m, span.end_m) == (400.0, 500.0)
    assert (looked.found, looked.right, looked.missed) == (12, 9, 4)
    assert looked.precision.value == pytest.approx(9 / 12)
    assert looked.recall.value == pytest.approx(9 / 13)
    told = read_run(folder).review
    assert told["stretches"] == [{"road": "A-161", "side": "right", "start_m": 400.0, "end_m": 500.0}]
    assert told["precision"]["low"] < 0.75 < told["precision"]["high"]


def test_a_review_that_finds_all_right_narrows_the_count(tmp_path, road):
    jam = example.jam(road)
    sight = jam.sight.assign(recall=np.where(jam.sight["seen"], 0.8, 0.0))
    folder = written(tmp_path / "out", type(jam)(road, jam.vehicles, sight, jam.alignment_m, 12.0, 0.5, "example"))
    before = read_run(folder).roads[0].queues[0].vehicles
    edit(folder, "UPDATE vehicles SET review = 'accepted'")
    after = remeasure(folder).queues[0][0].vehicles
    assert after.low <= 75 <= after.high
    assert after.high - after.low < 0.6 * (before.high - before.low)


@pytest.mark.parametrize(
    ("layer", "statement", "message"),
    [
        ("jam.gpkg", "ALTER TABLE vehicles DROP COLUMN review", "Must still have review."),
        ("jam.gpkg", "ALTER TABLE vehicles DROP COLUMN station_m", "Must still have station_m."),
        ("jam.gpkg", "UPDATE vehicles SET review = 'perhaps' WHERE fid = 3", "Must be accepted, rejected, added"),
        ("jam.gpkg", "UPDATE vehicles SET state = 'gone' WHERE fid = 3", "Must be queued, flowing, parked"),
        ("jam.gpkg", "UPDATE vehicles SET geom = NULL WHERE fid = 3", "Must be one polygon"),
    ],
)
def test_a_broken_edit_is_refused_in_one_line_and_leaves_everything(folder, layer, statement, message):
    edit(folder, statement, layer=layer)
    refused(folder, message)


def refused(folder, message):
    """Run the command, and hold what it says and leaves."""
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    result = CliRunner().invoke(main, ["remeasure", str(folder)])
    assert result.exit_code == 3, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: Invalid ")
    assert str(folder / "jam.gpkg") in line
    assert message in line
    assert {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_points_where_polygons_must_be_are_refused(folder):
    frame = vehicles(folder)
    points = frame.set_geometry(shapely.centroid(frame.geometry.to_numpy()), crs=frame.crs)
    rewrite(folder, points)
    refused(folder, "Must be Polygon.")


def test_a_layer_that_is_gone_is_refused(folder):
    edit(folder, "DELETE FROM gpkg_geometry_columns WHERE table_name = 'road'")
    edit(folder, "DELETE FROM gpkg_contents WHERE table_name = 'road'")
    edit(folder, "DROP TABLE road")
    refused(folder, "Must hold the layer 'road'.")


def test_a_file_that_is_gone_or_no_geopackage_is_refused(folder):
    (folder / "jam.gpkg").write_text("not a database")
    refused(folder, "Must be a GeoPackage that can be read.")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (lambda road: box(road, 700.0, -200.0), "Must lie within 17 m of a road."),
        (lambda road: box(road, 700.0, -2.0, length_m=90.0), "Must be 1 to 40 m long; it is 9"),
        (lambda road: box(road, 2500.0, -2.0), "Must lie within 17 m of a road."),
    ],
)
def test_a_polygon_that_is_no_vehicle_of_this_road_is_refused(folder, road, shape, message):
    draw(folder, [shape(road)], review="added")
    refused(folder, message)


def test_a_folder_that_is_no_result_is_named(tmp_path):
    result = CliRunner().invoke(main, ["remeasure", str(tmp_path / "none")])
    assert result.exit_code == 3
    assert result.stderr.startswith(f"Error: Invalid run record '{tmp_path / 'none'}'")


def test_claims_keep_how_they_were_read(tmp_path, road):
    queues = measure_queues(example.jam(road))
    claim = replace(read_claim("at least 0.5 km"), side="left", author="police", date="2022-09-25")
    folder = write_layers(tmp_path / "out", queues, findings=check_claims([claim], queues))
    (finding,) = remeasure(folder).findings
    assert finding.claim == claim


def test_two_roads_keep_their_own(tmp_path):
    roads = [example.bent_road(name="one"), example.bent_road(700.0, name="two", oneway=True)]
    shifted = roads[1].lonlat + np.array([0.05, 0.0])
    roads[1] = type(roads[1])(name="two", lonlat=shifted, oneway=True)
    jams = [
        example.jam(roads[0]),
        example.evidence(roads[1], example.vehicles(roads[1], np.arange(100.0, 400.0, 8.0), 0.0)),
    ]
    folder = write_layers(tmp_path / "out", [measure_queues(jam) for jam in jams])
    draw(folder, [box(roads[1], s, 0.0) for s in np.arange(404.0, 500.0, 8.0)], review="added")
    edit(folder, "UPDATE vehicles SET review = 'rejected' WHERE road = 'one' AND station_m > 500 AND side = 'right'")
    review = remeasure(folder)
    assert review.queues[0][0].length_km.value == pytest.approx(0.2, abs=0.02)
    assert review.queues[1][0].length_km.value == pytest.approx(0.4, abs=0.02)
    frame = vehicles(folder)
    assert set(frame[frame["review"] == "added"]["road"]) == {"two"}


def test_all_rejected_is_a_road_without_vehicles(folder):
    edit(folder, "UPDATE vehicles SET review = 'rejected'")
    review = remeasure(folder)
    assert len(review.queues[0]) == 0
    assert read_run(folder).roads[0].queues == []
    assert json.loads((folder / "vehicles.geojson").read_text())["features"] == []
    assert pyogrio.read_info(folder / "jam.gpkg", layer="queues")["features"] == 0
    edit(folder, "UPDATE vehicles SET review = ''")
    assert remeasure(folder).queues[0][0].length_km.value == pytest.approx(0.6, abs=0.01)


def test_a_queue_where_nothing_was_found(tmp_path, road):
    folder = written(tmp_path / "out", example.evidence(road, tables.empty(tables.VEHICLES)))
    assert remeasure(folder).added == 0
    draw(folder, [box(road, s, 1.8) for s in np.arange(400.0, 800.0, PITCH_M)])
    (queue,) = remeasure(folder).queues[0]
    assert (queue.side, queue.length_km.value) == ("left", pytest.approx(0.3965, abs=0.01))
    assert set(vehicles(folder)["review"]) == {"added"}


def test_edits_that_qgis_has_saved_but_not_yet_moved_into_the_file_count(folder):
    with closing(sqlite3.connect(folder / "jam.gpkg")) as held:
        held.execute("PRAGMA journal_mode = WAL")
        held.execute("PRAGMA wal_autocheckpoint = 0")
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            held.create_function(name, 1, lambda _: 0)
        with held:
            held.execute("UPDATE vehicles SET review = 'rejected' WHERE side = 'right' AND station_m > 600")
        assert (folder / "jam.gpkg-wal").stat().st_size > 0
        assert remeasure(folder).rejected == 38
    assert (vehicles(folder)["review"] == "rejected").sum() == 38
    assert not [path.name for path in folder.iterdir() if path.suffix.startswith(".gpkg-")]


def test_the_result_is_still_whole_for_others(folder):
    edit(folder, "UPDATE vehicles SET review = 'accepted' WHERE fid < 20")
    jl.remeasure(folder)
    with closing(sqlite3.connect(folder / "jam.gpkg")) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        styles = dict(file.execute("SELECT f_table_name, styleQML FROM layer_styles").fetchall())
        counts = dict(file.execute("SELECT table_name, feature_count FROM gpkg_ogr_contents").fetchall())
        indexed = file.execute("SELECT count(*) FROM rtree_queues_geom").fetchone()[0]
    assert styles == {name: (folder / f"{name}.qml").read_text(encoding="utf-8") for name in styles}
    assert counts["queues"] == indexed == 1
    assert "<html" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_result_from_imagery_keeps_its_pictures(small_scene, tmp_path):
    claims = ["a jam of 300 m", "at least 16 km"]
    survey = jl.survey(small_scene, small_scene / "road.geojson", origin="border", claims=claims, detector="contrast")
    folder = survey.write(tmp_path / "out", title="A small jam")
    before, page = read_run(folder), (folder / "report.html").read_text(encoding="utf-8")
    remeasure(folder)
    assert read_run(folder).model_copy(update={"review": None}) == before
    anew = (folder / "report.html").read_text(encoding="utf-8")
    picture = re.compile('href="data:image/jpeg;base64,[^"]*"')
    assert len(picture.findall(page)) > 0
    # All is as it was but the pictures, which were packed twice.
    assert picture.sub("", anew) == picture.sub("", page)
    assert len("".join(picture.findall(anew))) > 0.8 * len("".join(picture.findall(page)))


@pytest.fixture(scope="module")
def doubtful(tmp_path_factory):
    """Three km with a queue of 1 km of which the detector missed a fifth, and the truth."""
    road = example.bent_road(3000.0)
    rng = np.random.default_rng(1)
    stations = np.concatenate([np.arange(500.0, 1500.0, 8.0), np.arange(1700.0, 2900.0, 150.0)])
    truth = example.vehicles(road, stations, -1.8)
    found = truth[rng.random(len(truth)) < 0.8]
    false = example.vehicles(road, rng.uniform(0.0, 3000.0, 12), -1.8)
    frame = pd.concat([found.assign(score=0.9), false.assign(score=0.6)]).sort_values("station_m", ignore_index=True)
    jam = example.evidence(road, frame)
    jam = replace(jam, sight=example.sight(road, [], recall=0.8))
    return written(tmp_path_factory.mktemp("doubtful") / "out", jam, "at least 1 km"), truth


def test_a_spot_check_draws_where_doubt_is_and_adds_a_layer(doubtful, tmp_path):
    folder = shutil.copytree(doubtful[0], tmp_path / "out")
    before = content(folder)
    result = CliRunner().invoke(main, ["spotcheck", str(folder), "-n", "20", "--side", "right"])
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 21
    table = pyogrio.read_dataframe(folder / "jam.gpkg", layer="spotcheck")
    assert table["number"].tolist() == list(range(1, 21))
    assert len(set(table["start_m"])) == 20
    assert set(table["side"]) == {"right"}
    assert (table["of_stretches"] == 60).all()
    inside = table[table["start_m"].between(500, 1450)]
    outside = table[~table["start_m"].between(500, 1450)]
    assert inside["probability"].min() > 1.5 * outside["probability"].min()
    after = content(folder)
    after[0].pop("spotcheck.geojson")
    after[0].pop("spotcheck.qml")
    assert_same(before, after)
    assert CliRunner().invoke(main, ["spotcheck", str(folder)]).exit_code == 2
    assert CliRunner().invoke(main, ["spotcheck", str(folder), "--overwrite", "-n", "5"]).exit_code == 0
    assert len(pyogrio.read_dataframe(folder / "jam.gpkg", layer="spotcheck")) == 5


def look(folder, truth, numbers):
    """Play the person who looks at some stretches and puts right what is wrong there."""
    spots = pyogrio.read_dataframe(folder / "jam.gpkg", layer="spotcheck")
    frame = vehicles(folder)
    missed = []
    for spot in spots[spots["number"].isin(numbers)].itertuples():
        there = (truth["side"] == spot.side) & (truth["station_m"] >= spot.start_m) & (truth["station_m"] < spot.end_m)
        here = frame[(frame["side"] == spot.side) & frame["station_m"].between(spot.start_m, spot.end_m - 1e-6)]
        for fid, station_m in here["station_m"].items():
            right = np.abs(truth["station_m"][there] - station_m).min() < 0.02 if there.any() else False
            edit(folder, "UPDATE vehicles SET review = ? WHERE fid = ?", "accepted" if right else "rejected", fid)
        apart = np.abs(truth["station_m"][there].to_numpy()[:, None] - here["station_m"].to_numpy())
        missed += list(truth.geometry[there][apart.min(axis=1, initial=np.inf) > 0.02])
        edit(folder, "UPDATE spotcheck SET reviewed = 'yes' WHERE number = ?", spot.number)
    draw(folder, missed, review="added")
    return len(missed)


def test_a_spot_check_that_is_looked_at_counts_what_was_missed(doubtful, tmp_path):
    folder, truth = shutil.copytree(doubtful[0], tmp_path / "out"), doubtful[1]
    unchecked = read_run(folder).roads[0].queues[0].vehicles
    assert CliRunner().invoke(main, ["spotcheck", str(folder), "--side", "right"]).exit_code == 0
    assert remeasure(folder).count is None
    missed = look(folder, truth, range(1, 15))
    review = remeasure(folder)
    assert review.count.reviewed == 14
    assert review.added == missed == review.looked.missed > 5
    first = review.count.vehicles
    assert first.low <= len(truth) <= first.high
    look(folder, truth, range(15, 21))
    review = remeasure(folder)
    last = review.count.vehicles
    assert last.low <= len(truth) <= last.high
    assert read_run(folder).review["spotcheck"]["vehicles"]["value"] == round(last.value)
    assert 0.7 < review.looked.recall.value < 0.9
    queue = review.queues[0][0].vehicles
    assert queue.low <= 125 <= queue.high
    assert queue.high - queue.low < unchecked.high - unchecked.low
    printed = CliRunner().invoke(main, ["remeasure", str(folder)]).stdout
    assert "spot check of 20 of 60 stretches" in printed


def test_a_spot_check_of_nothing_is_said(tmp_path, road):
    unseen = [(side, 0.0, road.length_m, "outside imagery") for side in road.sides]
    nothing = example.evidence(road, tables.empty(tables.VEHICLES), unseen)
    folder = written(tmp_path / "out", nothing)
    result = CliRunner().invoke(main, ["spotcheck", str(folder)])
    assert (result.exit_code, len(result.stderr.splitlines())) == (4, 1)
    assert CliRunner().invoke(main, ["spotcheck", str(folder), "--side", "all"]).exit_code == 2


def test_a_broken_spot_check_is_refused(doubtful, tmp_path):
    folder = shutil.copytree(doubtful[0], tmp_path / "out")
    assert CliRunner().invoke(main, ["spotcheck", str(folder)]).exit_code == 0
    edit(folder, "UPDATE spotcheck SET reviewed = 'perhaps' WHERE number = 2")
    refused(folder, "Must be yes or nothing.")
    edit(folder, "UPDATE spotcheck SET reviewed = '', probability = NULL")
    refused(folder, "Must be between 0 and 1")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.001, 50.0), min_size=1, max_size=40), st.integers(1, 40), st.integers(0, 1000))
def test_chances_sum_to_the_size_and_as_many_are_drawn(doubt, size, seed):
    size = min(size, len(doubt))
    chance = chances(np.array(doubt), size)
    assert chance.sum() == pytest.approx(size)
    assert (chance > 0).all()
    assert (chance <= 1).all()
    drawn = draw_from(chance, np.random.default_rng(seed))
    assert len(set(drawn.tolist())) == len(drawn) == size


def test_each_stretch_is_drawn_as_often_as_its_chance_says_and_the_count_has_no_bias():
    rng = np.random.default_rng(1)
    doubt = floored(rng.gamma(0.5, 2.0, 30))
    difference = rng.normal(0.0, 1.0 + doubt)
    chance = chances(doubt, 9)
    times, totals = np.zeros(30), []
    for _ in range(4000):
        drawn = draw_from(chance, rng)
        times[drawn] += 1
        estimate = difference_estimate(100.0, difference[drawn], doubt[drawn], chance[drawn], least=0.0)
        totals.append(estimate.value)
    assert np.abs(times / 4000 - chance).max() < 0.035
    error = np.mean(totals) - (100.0 + difference.sum())
    assert abs(error) < 3.5 * np.std(totals) / 4000**0.5


@pytest.mark.parametrize("off", [0.6, 1.0, 1.6])
def test_intervals_of_the_count_hold_also_where_the_detector_is_wrong_about_itself(off):
    """Vehicles missed in runs at a rate that is `off` times what the detector says."""
    rng = np.random.default_rng(5)
    hold, runs = 0, 600
    for _ in range(runs):
        doubt = np.where(rng.random(80) < 0.4, 1.2, 0.08)
        difference = 2.0 * rng.poisson(off * doubt / 2.0) - doubt
        chance = chances(doubt, 20)
        drawn = draw_from(chance, rng)
        estimate = difference_estimate(400.0, difference[drawn], doubt[drawn], chance[drawn], least=0.0)
        hold += estimate.low <= 400.0 + difference.sum() <= estimate.high
    assert 0.86 < hold / runs < 0.97
