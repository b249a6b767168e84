"""A road at several times: how far the ends of its queue moved, and what is written of it."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pyogrio
import pytest
from click.testing import CliRunner

import jam_example as example
from jamline.cli import main
from jamline.errors import JobError
from jamline.evidence import Evidence
from jamline.jobs import read_job
from jamline.queues import Queues, measure_queues
from jamline.series import SERIES, Look, growth, survey_series
from jamline.series._files import write_series
from jamline.series._growth import speed_sentence
from jamline.series._plot import plot
from jamline.spans import Estimate

ROAD = example.bent_road(1500.0)


def look(time, start_m, end_m, *, opens=(), road=ROAD, doubt_m=3.0):
    """A queue on the right between two stations, each told to within some metres."""
    measured = measure_queues(example.jam(road, start_m=300.0, end_m=900.0, unseen=[]))
    (queue,) = (queue for queue in measured if queue.side == "right")
    near, far = (Estimate(m, m - doubt_m, m + doubt_m, unit="m") for m in (start_m, end_m))
    km = (end_m - start_m) / 1000
    length = Estimate(km, km - 0.005, None if opens else km + 0.005, unit="km", open=tuple(opens))
    queue = replace(queue, start_m=start_m, end_m=end_m, start=near, end=far, length_km=length)
    return Look(time, replace(measured, items=(queue,)))


def nothing(time, *, road=ROAD):
    evidence: Evidence = example.jam(road, unseen=[])
    return Look(time, Queues(evidence, (), evidence.vehicles, {}))


def test_both_ends_are_followed():
    rows = growth([look("2022-09-24", 300.0, 900.0), look("2022-09-25T06:00", 330.0, 1260.0)])
    assert [row["time"] for row in rows] == ["2022-09-24", "2022-09-25T06:00"]
    first, second = rows
    assert (first["hours"], first["tail_m_per_h"]) == (None, None)
    assert second["hours"] == 30.0
    assert second["head_m_per_h"] == pytest.approx(1.0)
    assert second["tail_m_per_h"] == pytest.approx(12.0)
    # Two ends known to 3 m each make a distance known to 3 m times the root of two.
    assert second["tail_high_m_per_h"] - 12.0 == pytest.approx(3 * 2**0.5 / 30)
    assert 12.0 - second["tail_low_m_per_h"] == pytest.approx(3 * 2**0.5 / 30)
    assert set(SERIES.names) | {"geometry"} == set(second)


def test_order_does_not_matter():
    looks = [look("2022-09-24", 300.0, 900.0), look("2022-09-25", 330.0, 1260.0), nothing("2022-09-26")]
    told = [{**row, "geometry": None} for row in growth(looks)]
    assert [{**row, "geometry": None} for row in growth(looks[::-1])] == told


def test_the_head_is_the_end_nearer_to_the_origin():
    far = replace(ROAD, origin="gate", origin_station_m=1450.0)
    rows = growth([look("2022-09-24", 700.0, 1400.0, road=far), look("2022-09-25", 460.0, 1400.0, road=far)])
    assert (rows[1]["head_km"], rows[1]["tail_km"]) == pytest.approx((0.05, 0.99))
    assert rows[1]["head_low_km"] < rows[1]["head_km"] < rows[1]["head_high_km"]
    assert (rows[1]["head_m_per_h"], rows[1]["tail_m_per_h"]) == pytest.approx((0.0, 10.0))


@pytest.mark.parametrize(
    ("was", "now", "bounded"),
    [
        ((), (), (True, True)),
        # Seen to go on beyond: it moved at least so far. It went on beyond before: at most.
        ((), ("end",), (True, False)),
        (("end",), (), (False, True)),
        (("end",), ("end",), (False, False)),
    ],
)
def test_an_open_tail_bounds_its_speed_on_one_side(was, now, bounded):
    row = growth([look("2022-09-24", 300.0, 900.0, opens=was), look("2022-09-25", 300.0, 1260.0, opens=now)])[1]
    assert (row["tail_low_m_per_h"] is not None, row["tail_high_m_per_h"] is not None) == bounded
    assert (row["head_low_m_per_h"] is not None, row["head_high_m_per_h"] is not None) == (True, True)
    assert row["open"] == ("tail" if now else "")


def test_an_open_head_bounds_the_other_side():
    row = growth([look("2022-09-24", 300.0, 900.0), look("2022-09-25", 250.0, 900.0, opens=("start",))])[1]
    # It may lie even nearer to the origin, so it moved outward by at most so much.
    assert row["head_low_m_per_h"] is None
    assert row["head_high_m_per_h"] == pytest.approx((-50 + 3 * 2**0.5) / 24)
    assert "its head moved inward by at least 2 m an hour" in speed_sentence(row)


def test_a_look_without_a_queue_is_a_row_and_parts_what_is_followed():
    looks = [look("2022-09-24", 300.0, 900.0), nothing("2022-09-25"), look("2022-09-26", 300.0, 1140.0)]
    rows = growth([*looks, look("2022-09-27", 300.0, 1380.0)])
    assert [row["packing"] for row in rows] == ["packed", "", "packed", "packed"]
    assert (rows[1]["length_km"], rows[1]["geometry"], speed_sentence(rows[1])) == (None, None, "")
    assert (rows[2]["hours"], rows[2]["tail_m_per_h"]) == (None, None)
    assert (rows[3]["hours"], rows[3]["tail_m_per_h"]) == (24.0, pytest.approx(10.0))
    bands = [node for node in ET.fromstring(plot(rows)).iter() if node.tag.endswith("polygon")]  # noqa: S314 - ours
    assert [len(band.get("points").split()) for band in bands] == [2, 4]
    assert growth([nothing("2022-09-24"), nothing("2022-09-25")]) == []


def test_table_layer_and_plot_say_the_same(tmp_path):
    looks = [look("2022-09-24", 300.0, 900.0), nothing("2022-09-25"), look("2022-09-26", 300.0, 1380.0, opens=("end",))]
    rows = growth(looks)
    write_series(tmp_path, rows, looks={"a": "2022-09-24"}, title="<b> & co")
    with (tmp_path / "series.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["tail_km"] for row in written] == ["0.9", "", "1.38"]
    assert written[2]["tail_high_m_per_h"] == ""
    layer = pyogrio.read_dataframe(tmp_path / "series.geojson")
    assert list(layer.columns) == [*SERIES.names, "geometry"]
    assert layer.geometry.notna().tolist() == [True, False, True]
    content = json.loads((tmp_path / "series.geojson").read_text())
    assert "crs" not in content
    assert [feature["properties"]["time"] for feature in content["features"]] == [row["time"] for row in rows]
    record = json.loads((tmp_path / "series.json").read_text())
    assert record["schema"] == "jamline/series/1"
    assert [row["length_km"] for row in record["rows"]] == [0.6, None, 1.08]
    drawing = ET.fromstring((tmp_path / "series.svg").read_text())  # noqa: S314 - our own file
    said = [text for node in drawing.iter() if (text := node.text)]
    assert "<b> & co" in said
    assert "2022-09-26: tail at 1.38 km, open" in said
    assert "2022-09-25: no queue seen" in said


def test_the_plot_puts_ends_where_they_are():
    rows = growth([look("2022-09-24", 0.0, 500.0), look("2022-09-25", 0.0, 1000.0)])
    drawing = ET.fromstring(plot(rows))  # noqa: S314 - our own text
    marks = {
        node[0].text: (float(node.get("cx")), float(node.get("cy")))
        for node in drawing.iter("{http://www.w3.org/2000/svg}circle")
    }
    places = (("2022-09-24", "head", "0.00"), ("2022-09-24", "tail", "0.50"), ("2022-09-25", "tail", "1.00"))
    head, half, whole = (marks[f"{day}: {end} at {km} km"] for day, end, km in places)
    assert head[1] - half[1] == pytest.approx(half[1] - whole[1], abs=0.2)
    assert head[0] == half[0] < whole[0]
    assert "http" not in plot(rows).replace("http://www.w3.org/2000/svg", "")


# --- jobs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("road = 'r'\n", "Invalid key 'imagery' in job '{}'. Must be given, here or in [[look]] tables."),
        (
            "road = 'r'\nimagery = 'a'\n[[look]]\nimagery = 'b'\n",
            "Must be left out where there are [[look]] tables.",
        ),
        ("road = 'r'\n[[look]]\ndate = 2022-09-25\n", "Invalid key 'look.0.imagery' in job '{}'. Must be given."),
        ("road = 'r'\n[[look]]\nimagery = 'a'\ndate = 'Sunday'\n", "Must be a date or time such as 2022-09-25"),
        ("road = 'r'\n[[look]]\nimagery = 'a'\nclouds = 1\n", "Invalid key 'look.0.clouds' in job '{}'. Must be one"),
        ("road = 'r'\nlook = 3\n", "Invalid key 'look'"),
        ("road = 'r'\nlooks = [{{imagery = 'a'}}]\n", "Must be [[look]] tables"),
    ],
)
def test_a_job_with_looks_fails(tmp_path, content, message):
    path = tmp_path / "job.toml"
    path.write_text(content.replace("{{", "{").replace("}}", "}"))
    with pytest.raises(JobError) as caught:
        read_job(path)
    assert message.format(path) in str(caught.value)


def test_a_job_with_looks_passes(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(
        "road = 'r.geojson'\n[[look]]\ndate = 2022-09-25\nimagery = 'a'\n"
        "[[look]]\ndate = 2022-09-26T08:00:00Z\nimagery = ['b', 'https://example.org/c.tif']\n"
        "[[look]]\nimagery = 'd/*.tif'\n"
    )
    job = read_job(path)
    assert [each.time for each in job.looks] == ["2022-09-25", "2022-09-26T08:00:00+00:00", None]
    assert job.looks[1].imagery == (str(tmp_path / "b"), "https://example.org/c.tif")
    assert job.looks[2].imagery == (str(tmp_path / "d" / "*.tif"),)


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """The small scene with a queue that grew by 150 m, at its tail only."""
    from jamline.synth import SceneSpec, simulate

    folders = []
    for end_m in (400.0, 550.0):
        spec = SceneSpec.model_validate(
            {
                "name": "small",
                "seed": 7,
                "road": {"length_m": 700.0, "name": "R1", "origins": [{"name": "border", "station_m": 100.0}]},
                "queues": [{"side": "right", "start_m": 150.0, "end_m": end_m}],
                "terrain": {"trees": 0.0},
                "imagery": {"half_width_m": 40.0},
            }
        )
        folders.append(simulate(spec, tmp_path_factory.mktemp("grown") / f"{end_m:.0f}"))
    return folders


def test_check_follows_a_queue_over_dated_looks(grown, tmp_path):
    job = tmp_path / "job.toml"
    looks = "".join(f"[[look]]\ndate = 2022-09-2{4 + i}\nimagery = '{grown[i]}'\n" for i in (1, 0))
    claims = "".join(
        f"[[claim]]\ntext = 'at least 320 m'\ndate = {day}\n" for day in ("2022-09-24", "2022-09-25", "2022-09-30")
    )
    job.write_text(f"title = 'R1'\nroad = '{grown[0]}/road.geojson'\norigin = 'border'\n{looks}{claims}")
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["check", str(job), "-o", str(out)])
    assert done.exit_code == 0, done.stderr
    assert {path.name for path in out.iterdir()} == {
        "2022-09-24", "2022-09-25", "series.csv", "series.geojson", "series.json", "series.svg",
    }  # fmt: skip
    verdicts = {}
    for day in ("2022-09-24", "2022-09-25"):
        run = json.loads((out / day / "run.json").read_text())
        assert (out / day / "report.html").exists()
        verdicts[day] = [finding["verdict"] for finding in run["roads"][0]["findings"]]
    # Each look answers the claim about its day, and says of the one about no look's day that it cannot.
    assert verdicts == {"2022-09-24": ["refuted", "undecided"], "2022-09-25": ["supported", "undecided"]}
    with (out / "series.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert 24 * float(rows[1]["tail_m_per_h"]) == pytest.approx(150.0, abs=15.0)
    assert 24 * float(rows[1]["head_m_per_h"]) == pytest.approx(0.0, abs=15.0)
    assert "its tail moved outward by" in done.stdout
    again = CliRunner().invoke(main, ["check", str(job), "-o", str(out), "--overwrite", "--json", "-q"])
    assert (again.exit_code, json.loads(again.stdout)["schema"]) == (0, "jamline/series/1")


def test_two_looks_at_one_time_fail(grown):
    road = grown[0] / "road.geojson"
    with pytest.raises(JobError, match=r"Invalid look 2\. Must be of another time"):
        survey_series([("2022-09-25", grown[0]), ("2022-09-25T00:00:00Z", grown[1])], road)
