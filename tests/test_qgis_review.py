"""A result reviewed in QGIS itself: 30 vehicles rejected, 20 added, and the length moves as the truth says."""

import json

import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

import in_qgis
import jam_example as example
from jamline.outputs import read_run, write_layers
from jamline.queues import measure_queues
from jamline.review import remeasure, spotcheck

pytestmark = in_qgis.needs_qgis()


def reviewed_in_qgis(folder, place, *, reject, add):
    place.mkdir()
    edits = place / "edits.json"
    edits.write_text(json.dumps({"reject": reject, "add": add}))
    return in_qgis.run_script("qgis_review.py", place, folder, edits)


def middles(frame):
    """Where to click on each vehicle."""
    return shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy())).tolist()


@pytest.fixture(scope="module")
def scene():
    """What is there, and what was found: a queue from 300 to 860 m, of which the last 160 m were not found.

    Instead 30 false ones were found behind a gap, from 1,050 m on, as a fence casts them.
    """
    road = example.bent_road(2000.0)
    stations = np.arange(300.0, 860.0, 8.0)
    truth = example.vehicles(road, stations, -1.8)
    false = example.vehicles(road, 1050.0 + 8.0 * np.arange(30), -1.8)
    found = pd.concat([truth[: len(truth) - 20], false], ignore_index=True)
    return road, truth, found, false


def test_thirty_rejected_and_twenty_added_in_qgis_move_the_length_to_the_truth(scene, tmp_path):
    road, truth, found, false = scene
    folder = write_layers(tmp_path / "out", measure_queues(example.evidence(road, found)))
    lengths = sorted(queue.length_km.value for queue in read_run(folder).roads[0].queues)
    assert lengths == pytest.approx([0.2365, 0.3965], abs=0.02)
    missed = truth[len(truth) - 20 :]
    told = reviewed_in_qgis(
        folder,
        tmp_path / "qgis",
        reject=middles(false),
        add=[shapely.get_coordinates(shape).tolist() for shape in missed.geometry],
    )
    assert told == {
        "review": ["ValueMap", ["", "accepted", "rejected", "added"]],
        "state": ["ValueMap", ["queued", "flowing", "parked"]],
        "rejected": 30,
        "added": ["added"] * 20,
    }
    edited = pyogrio.read_dataframe(folder / "jam.gpkg", layer="vehicles", fid_as_index=True)
    assert edited["station_m"].isna().sum() == 20
    review = remeasure(folder)
    assert (review.rejected, review.added) == (30, 20)
    (queue,) = review.queues[0]
    true_km = (truth["station_m"].iloc[-1] - truth["station_m"].iloc[0] + 4.5) / 1000
    assert queue.length_km.low <= true_km <= queue.length_km.high
    assert queue.length_km.value == pytest.approx(true_km, abs=0.002)
    assert queue.vehicles.low <= len(truth) <= queue.vehicles.high
    again = remeasure(folder)
    assert again.queues[0][0].to_json() == queue.to_json()
    after = pyogrio.read_dataframe(folder / "jam.gpkg", layer="vehicles", fid_as_index=True)
    assert after.index.tolist() == edited.index.tolist()
    assert after["review"].tolist() == edited["review"].tolist()
    np.testing.assert_array_equal(shapely.to_wkb(after.geometry), shapely.to_wkb(edited.geometry))


def test_a_result_is_still_edited_in_qgis_after_it_was_measured_anew(scene, tmp_path):
    road, _, found, false = scene
    folder = write_layers(tmp_path / "out", measure_queues(example.evidence(road, found)))
    spotcheck(folder, size=5)
    positions = middles(false)
    for number, part in enumerate((positions[:15], positions[15:])):
        told = reviewed_in_qgis(folder, tmp_path / f"qgis{number}", reject=part, add=[])
        assert told["rejected"] == 15
        assert remeasure(folder).rejected == 15 * (number + 1)
    (queue,) = read_run(folder).roads[0].queues
    assert queue.length_km.value == pytest.approx(0.3965, abs=0.003)
