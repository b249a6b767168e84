"""A result that a person has edited: what is taken over, measured anew, kept, and refused."""

import json
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

import jam_example as example
from jamline.claims import check_claims, read_claim
from jamline.cli import main
from jamline.outputs import read_run, write_layers
from jamline.queues import measure_queues
from jamline.review import remeasure

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
        path.name: path.read_text(encoding="utf-8")
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
    assert result.exit_code == 2, result.output
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
