"""QGIS opens a result styled, without being asked to: checked in QGIS itself."""

import re
import sqlite3
from contextlib import closing

import cv2
import pytest

import in_qgis
import jam_example as example
from jamline import tables
from jamline.outputs import write_layers
from jamline.queues import measure_queues

LAYERS = ("queues", "vehicles", "coverage", "road")

pytestmark = in_qgis.needs_qgis()


def render(folder, out):
    out.mkdir()
    return in_qgis.run_script("qgis_render.py", out, folder, out)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Folder of the pictures that were drawn."""
    return tmp_path_factory.mktemp("qgis") / "seen"


@pytest.fixture(scope="module")
def told(seen):
    return render(write_layers(seen.parent / "out", measure_queues(example.jam())), seen)


def close_to(colour, red, green, blue, *, within=30):
    parts = [int(part, 16) for part in re.findall("..", colour[1:])]
    return all(abs(a - b) <= within for a, b in zip(parts, (red, green, blue), strict=True))


def pixels(colours, *rgb, within=30):
    return sum(count for colour, count in colours.items() if close_to(colour, *rgb, within=within))


@pytest.mark.parametrize("source", ["gpkg", "geojson"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_open_with_their_own_style(told, source, name):
    layer = told[source][name]
    assert layer["valid"]
    assert layer["features"] > 0
    assert set(tables.SCHEMAS[name].names) <= set(layer["fields"])
    legends = {
        "queues": ["packed (standing)", "dense (creeping, or standing with gaps)", "other"],
        "vehicles": ["queued", "flowing", "parked", "rejected in review", "not told"],
        "coverage": ["seen", "not seen: may hold vehicles"],
    }
    if name in legends:
        assert layer["renderer"] == "categorizedSymbol"
        assert layer["legend"] == legends[name]
    assert layer["labels"] is (name == "queues")


@pytest.mark.parametrize("source", ["gpkg", "geojson"])
def test_vehicles_have_the_colour_of_their_state_where_they_stand(told, source):
    layer = told[source]["vehicles"]
    wanted = {"queued": (213, 94, 0), "flowing": (0, 114, 178), "parked": (170, 170, 170)}
    seen = [(state, colour) for state, colour in layer["at"] if colour is not None]
    assert {state for state, _ in seen} >= {"queued", "flowing"}
    assert len(seen) >= 9
    for state, colour in seen:
        assert close_to(colour, *wanted[state]), (state, colour)
    # Trucks have a black outline, and most of the picture is bare.
    assert pixels(layer["near"], 0, 0, 0) > 50
    assert pixels(layer["near"], 255, 255, 255) > 700_000


@pytest.mark.parametrize("source", ["gpkg", "geojson"])
def test_queues_are_a_thick_line_with_its_length_written_beside(told, source):
    colours = told[source]["queues"]["colours"]
    assert pixels(colours, 213, 94, 0, within=45) > 2000
    assert pixels(colours, 30, 30, 30) > 80
    assert pixels(colours, 230, 159, 0, within=20) == 0


@pytest.mark.parametrize("source", ["gpkg", "geojson"])
def test_unseen_stretches_are_hatched_and_seen_ones_barely_tinted(told, source):
    stripes = told[source]["coverage"]["stripes"]
    hidden = {"left tree cover", "left outside imagery", "right outside imagery"}
    assert set(stripes) == {"left ", "right "} | hidden
    for name, colours in stripes.items():
        dark = sum(count for colour, count in colours.items() if int(colour[1:3], 16) < 140)
        total = sum(colours.values())
        if name.endswith(" "):
            assert dark == 0
        else:
            assert 0.03 < dark / total < 0.5


@pytest.mark.parametrize("picture", ["all", "gpkg_vehicles_near"])
def test_pictures_are_those_that_were_looked_at(told, seen, repository, picture):
    """Within a tenth of all that is drawn, at a third of its size.

    So fonts may differ from one machine to the next; a layer that is missing is a fifth and more, but for the vehicles,
    which have a picture of their own.
    """
    drawn, kept = (
        cv2.imread(str(path)).astype(float)
        for path in (seen / f"{picture}.png", repository / "tests" / "pictures" / f"{picture}.png")
    )
    small = cv2.resize(drawn, kept.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert small.shape == kept.shape
    assert abs(small - kept).sum() < 0.1 * (255 - kept).sum()


def test_the_road_is_drawn(told):
    assert pixels(told["gpkg"]["road"]["colours"], 40, 40, 40) > 800


@pytest.mark.parametrize("source", ["gpkg", "geojson"])
def test_kilometre_posts_stand_where_the_road_says(told, source):
    posts = told[source]["road"]["posts"]
    road = example.bent_road()
    stations, offsets = road.to_road(*zip(*posts, strict=True))
    assert stations.tolist() == pytest.approx([0.0, 1000.0], abs=1.0)
    assert abs(offsets).max() < 0.5


def test_vehicles_are_left_out_from_afar_and_nothing_else_is(told):
    beyond = {name: told["gpkg"][name]["hidden_beyond"] for name in LAYERS}
    assert beyond == {"queues": None, "vehicles": 50_000.0, "coverage": None, "road": None}


def test_an_arrow_leaves_each_open_end_and_no_other(tmp_path):
    unseen = [(side, 890.0, 1500.0, "outside imagery") for side in ("left", "right")]
    drawn = {}
    for ends in ("end", "", "start,end"):
        folder = write_layers(tmp_path / f"out{ends}", measure_queues(example.jam(unseen=unseen)))
        with closing(sqlite3.connect(folder / "jam.gpkg")) as file, file:
            assert file.execute("SELECT open FROM queues").fetchall() == [("end",)]
            for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
                file.create_function(name, 1, lambda _: None)
            file.execute("UPDATE queues SET open = ?", (ends,))
        queues = render(folder, tmp_path / f"seen{ends}")["gpkg"]["queues"]
        drawn[ends] = pixels(queues["colours"], 213, 94, 0, within=45)
    arrow = drawn["end"] - drawn[""]
    assert arrow > 20
    assert drawn["start,end"] - drawn[""] == pytest.approx(2 * arrow, rel=0.5)


def test_nothing_found_opens_styled_too(tmp_path):
    road = example.bent_road(400.0)
    queues = measure_queues(example.evidence(road, tables.empty(tables.VEHICLES)))
    told = render(write_layers(tmp_path / "out", queues), tmp_path / "seen")
    for name in ("queues", "vehicles"):
        assert told["gpkg"][name]["features"] == told["geojson"][name]["features"] == 0
        assert told["gpkg"][name]["renderer"] == "categorizedSymbol"
        # GeoJSON without features has no geometry type that one could draw; it opens all the same.
        assert told["geojson"][name]["valid"]
