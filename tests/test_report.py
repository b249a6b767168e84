"""The report: plain words first, nothing from outside, everything escaped, pictures in their place."""

import base64
import hashlib
import html
import re
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.io import MemoryFile

import jam_example as example
from jamline import tables
from jamline.claims import Claim, Finding, check_claim, check_claims
from jamline.errors import OutputError
from jamline.outputs import run_record
from jamline.queues import Motion, Queue, Queues, measure_queues
from jamline.report import StripImage, words, write_report
from jamline.report.command import command_of
from jamline.report.crops import gaps_of, places_of
from jamline.report.overview import overview_of
from jamline.report.page import render
from jamline.report.profile import densities
from jamline.report.rows import frames_of, row_of
from jamline.report.strips import Frame, pictures_of
from jamline.spans import Estimate

NASTY = "</title><script>alert('x')</script> & \"q\""
VOID = {"meta", "input", "br", "hr", "img", "link"}


class Page(HTMLParser):
    """Checks that tags close in order, and keeps what a reader would see and what a browser would load."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.tags, self.attributes, self.ids, self.text, self.paths = [], [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]
        if tag == "path":
            self.paths.append(dict(attrs))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if self.stack[-1:] not in (["style"], ["script"]):
            self.text.append(data)

    @property
    def said(self):
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def queues():
    road = replace(example.bent_road(2600.0), origin="checkpoint", origin_station_m=250.0)
    return measure_queues(example.jam(road, start_m=300.0, end_m=1290.0))


def a_finding(verdict="undecided", text="16 km from the border"):
    claim = Claim(text=text, quantity="length", value=16, unit="km", tolerance=1.6, source=f"press {text}")
    return Finding(claim, verdict, 0.74, "likely", f"Because {text}.", (f"Note {text}.",))


def strip(road, *, pixel_m=1.0, half_m=12.0, value=90):
    shape = (round(2 * half_m / pixel_m), round(road.length_m / pixel_m))
    return StripImage(road.name, 0.0, road.length_m, pixel_m, half_m, np.full(shape, value, np.uint8))


def page_of(tmp_path, queues, findings=(), strips=(), **kwargs):
    run = kwargs.pop("run", None) or run_record(queues, findings)
    write_report(tmp_path / "report.html", queues=queues, findings=findings, strips=strips, run=run, **kwargs)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_answer_comes_first_and_in_plain_words(tmp_path, queues):
    page = Page(page_of(tmp_path, queues, [a_finding()], [strip(queues.evidence.road)]))
    said = page.said
    places = [said.index(text) for text in ("Undecided", "The queue on the right side of A-161 is", "laid flat")]
    assert places == sorted(places)
    assert "It is likely that the claim holds (probability 0.74)." in said
    assert "One picture is one instant." in said
    assert "Unseen is not empty." in said
    assert "counted from the origin “checkpoint”" in said


def test_nothing_is_loaded_from_anywhere(tmp_path, queues):
    text = page_of(tmp_path, queues, [a_finding()], [strip(queues.evidence.road)])
    page = Page(text)
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text.replace("url(#hatch)", "").replace("url(#hatch-close)", "")
    assert "@import" not in text
    assert not {"link", "iframe", "img", "base", "object", "form"} & set(page.tags)
    # One script, our own, and by its digest a browser runs no other.
    script = re.search(r"<script>(.*)</script>", text, re.DOTALL)[1]
    assert page.tags.count("script") == 1
    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in text
    for name, value in page.attributes:
        if name in ("href", "src", "xlink:href"):
            assert value.startswith(("data:image/jpeg;base64,", "#"))
        assert not name.startswith("on")
    assert "default-src 'none'" in dict(page.attributes)["content"] or "default-src 'none'" in text


def test_names_with_html_in_them_stay_text(tmp_path):
    road = example.bent_road(600.0, name=NASTY)
    road = replace(road, origin=NASTY)
    unseen = [(side, 400.0, road.length_m, NASTY) for side in road.sides]
    jam = example.jam(road, start_m=60.0, end_m=300.0, unseen=unseen)
    queues = measure_queues(replace(jam, detector=NASTY))

    class Photo:
        path, sha256, gsd_m, acquired = NASTY, NASTY, 0.5, None

    findings = [a_finding(text=NASTY)]
    run = run_record(queues, findings, imagery=[Photo()], settings={NASTY: NASTY})
    text = page_of(tmp_path, queues, findings, run=run, title=NASTY)
    page = Page(text)
    assert page.tags.count("script") == text.count("<script") == 1
    assert page.said.count("<script>alert('x')</script>") >= 10


def test_the_page_is_accessible(tmp_path, queues):
    text = page_of(tmp_path, queues, [a_finding()], [strip(queues.evidence.road)])
    page = Page(text)
    assert '<html lang="en">' in text
    assert page.tags.count("h1") == 1
    assert len(page.ids) == len(set(page.ids))
    for tag in re.findall(r"<svg[^>]*>", text):
        assert 'aria-hidden="true"' in tag or ('role="img"' in tag and re.search(r'aria-label="[^"]+"', tag))
    for reference in re.findall(r'aria-labelledby="([^"]+)"|href="#([^"]+)"', text):
        assert (reference[0] or reference[1]) in page.ids


def test_every_vehicle_is_drawn_in_its_place(tmp_path, queues):
    """Boxes of the whole page against the table: metres from the row's corner, left of the road on top."""
    text = page_of(tmp_path, queues)
    drawn = {"queued": 0, "flowing": 0, "parked": 0}
    # The close-ups draw some of them again.
    rows = Page(re.sub(r'<section aria-labelledby="evidence">.*?</section>', "", text, flags=re.DOTALL))
    for path in rows.paths:
        if "v " in path.get("class", ""):
            _, state, _ = path["class"].split()
            drawn[state] += path["d"].count("M")
    counts = queues.vehicles["state"].value_counts()
    # On the edges between rows a vehicle is drawn twice.
    for state, number in drawn.items():
        assert counts[state] <= number <= counts[state] + 3
    parked = next(path["d"] for path in rows.paths if "v parked" in path.get("class", ""))
    # Station 150 is 900 m into the row from -750 to 250; offset -7 is 12 + 7 m from the top.
    x, y, length = map(float, re.match(r"M([\d.]+) ([\d.]+)h([\d.]+)", parked).groups())
    assert x + length / 2 == pytest.approx(900.0, abs=0.3)
    assert y + 1.8 / 2 == pytest.approx(19.0, abs=0.2)


def test_ticks_count_from_the_origin(tmp_path, queues):
    said = Page(page_of(tmp_path, queues)).said
    assert "km −1 to 0" in said
    assert "km 2 to 3" in said
    assert "km 3 to 4" not in said


def test_what_was_not_seen_is_hatched_with_its_reason(tmp_path, queues):
    text = page_of(tmp_path, queues)
    box = r'<rect class="unseen" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"'
    patches = re.findall(box, text)
    # Trees over the left half from 500 to 560: 250 m into the second row, 60 m long, 12 m high.
    assert ("250.0", "0.0", "60.0", "12.0") in patches
    assert "Not seen: tree cover" in text
    # Before the line's first vertex there is no road to look at.
    assert ("0.0", "0.0", "750.0", "24.0") in patches


def test_bins_hidden_for_one_reason_are_one_patch():
    road = example.bent_road()
    bins = [("left", 400.0 + 10 * k, 410.0 + 10 * k, "cloud") for k in range(5)]
    bins.append(("left", 450.0, 460.0, "tree cover"))
    queues = measure_queues(example.jam(road, unseen=bins))
    row = row_of(Frame(road.name, 0.0, 12.0, -12.0), queues, queues.evidence, "")
    patches = [(patch.x, patch.width, patch.reason) for patch in row.unseen]
    assert patches == [(400.0, 50.0, "cloud"), (450.0, 10.0, "tree cover")]


def test_how_a_claim_was_read_is_said_once(tmp_path, queues):
    findings = [check_claim("16 km", queues), check_claim("a queue of at least 300 m", queues)]
    text = page_of(tmp_path, queues, findings)
    assert text.count("Read as: ") == 2
    assert text.count(f"Read as: {findings[0].claim.meaning}.") == 1


def test_what_claims_say_to_each_other_is_said_once(tmp_path, queues):
    findings = check_claims([f"16 km {NASTY}", "5,000 cars", "37,000 cars a week"], queues)
    said = Page(page_of(tmp_path, queues, findings)).said
    assert said.count("5,000 vehicles do not fit into 16 km of one lane") == 1
    assert said.count("5,000 vehicles as claimed") == 1
    assert f"“16 km {NASTY}”; “5,000 cars”." in said
    assert "held against each other" not in Page(page_of(tmp_path, queues, findings[:0])).said


def test_no_queue_is_an_answer_too(tmp_path):
    road = example.bent_road(500.0)
    queues = measure_queues(example.evidence(road, tables.empty(tables.VEHICLES)))
    said = Page(page_of(tmp_path, queues)).said
    assert "No queue was found on A-161 in the 0.5 km that could be seen." in said
    assert "All 0.5 km of road could be seen" in said


def test_several_roads_come_one_after_another(tmp_path, queues):
    road = example.bent_road(500.0, name="B")
    other = measure_queues(example.evidence(road, tables.empty(tables.VEHICLES)))
    said = Page(page_of(tmp_path, [queues, other])).said
    assert "Traffic jam on A-161, B" in said
    assert "No queue was found on B" in said


def test_long_roads_are_pictured_where_the_queues_are():
    road = example.bent_road(89_500.0)
    queues = measure_queues(example.jam(road, start_m=40_100.0, end_m=41_900.0, unseen=[]))
    layout = frames_of(queues, queues.evidence, room=60)
    assert [frame.start_m for frame in layout.frames] == [40_000.0, 41_000.0]
    assert layout.left_out == ["km 0 to 40", "km 42 to 90"]


def test_density_counts_only_what_stands_on_road_that_was_seen():
    road = example.bent_road()
    station = 204.0 + 8.0 * np.arange(74)
    unseen = [("right", 430.0, 470.0, "deep shadow")]
    queues = measure_queues(example.evidence(road, example.vehicles(road, station, -1.8), unseen))
    _, density = densities(queues, queues.evidence, "right")
    assert density[3:7] == pytest.approx(125.0, abs=20.0)


def test_rows_that_nobody_saw_are_told_and_not_pictured(tmp_path):
    road = example.bent_road(9_500.0)
    unseen = [(side, 3000.0, road.length_m, "outside imagery") for side in road.sides]
    queues = measure_queues(example.evidence(road, example.vehicles(road, 300.0 + 8.0 * np.arange(60), -1.8), unseen))
    layout = frames_of(queues, queues.evidence, room=60)
    assert [frame.start_m for frame in layout.frames] == [0.0, 1000.0, 2000.0]
    assert (layout.left_out, layout.unseen) == ([], ["km 3 to 10"])
    assert "Not pictured, for nothing of it was seen: km 3 to 10." in Page(page_of(tmp_path, queues)).said
    clouds = [(side, 0.0, road.length_m, "cloud") for side in road.sides]
    nothing = measure_queues(example.evidence(road, tables.empty(tables.VEHICLES), clouds))
    assert len(frames_of(nothing, nothing.evidence, room=60).frames) == 10


def test_what_a_queue_hangs_on_and_whether_it_stands_is_told(tmp_path):
    unseen = [("right", 500.0, 640.0, "cloud")]
    road = example.bent_road()
    station = np.concatenate([np.arange(204.0, 498.0, 8.0), np.arange(644.0, 900.0, 8.0)])
    queues = measure_queues(example.evidence(road, example.vehicles(road, station, -1.8), unseen))
    said = Page(page_of(tmp_path, queues)).said
    assert "It is taken to run on through 140 m within it that could not be seen; the probability" in said
    assert "140 m of it bridged (" in said
    assert "not whether they creep" in said
    speed = Estimate(7.2, 6.1, 8.3, unit="km/h")
    moving = replace(queues, items=(replace(queues[0], motion=Motion("moving", speed, 1.01, "")),))
    said = Page(page_of(tmp_path, moving)).said
    assert "Between two bands, taken 1 s apart, its vehicles move, at about 7 km/h (6 to 8)." in said
    assert "how fast they drive just then" in said
    still = replace(queues[0], motion=Motion("standing", Estimate(0.1, 0.0, 1.4, unit="km/h"), 1.01, ""))
    assert (
        "it stands, or creeps at no more than 1 km/h" in Page(page_of(tmp_path, replace(queues, items=(still,)))).said
    )


def test_sixteen_km_stay_under_three_megabytes(tmp_path):
    road = example.bent_road(16_000.0)
    queues = measure_queues(example.jam(road, start_m=100.0, end_m=15_900.0))
    noise = np.random.default_rng(0)
    strips = (
        StripImage("A-161", a, a + 2000.0, 1.0, 15.0, noise.integers(0, 255, (30, 2000, 3), dtype=np.uint8))
        for a in np.arange(0.0, 16_000.0, 2000.0)
    )
    assert len(page_of(tmp_path, queues, strips=strips)) < 3_000_000


def test_five_hundred_km_stay_a_page():
    """A queue of 120 km in 20 parts, a cloud each km: the page and its time stay bounded."""
    road = example.bent_road(500_000.0)
    station = np.concatenate([np.arange(200_000.0, 320_000.0, 120.0), np.arange(100.0, 499_000.0, 2000.0)])
    clouds = [(side, s, s + 60.0, "cloud") for side in road.sides for s in np.arange(500.0, 499_000.0, 1000.0)]
    evidence = example.evidence(road, example.vehicles(road, station, -1.8), clouds)
    length = Estimate(6.0, 5.9, 6.1, unit="km")
    queues = Queues(
        evidence,
        tuple(
            Queue(
                road.name, "right", s, s + 6000.0, length, length, Estimate(150, 140, 160), 0.0, 1.0, 25.0, "dense",
                {"20": 0.0, "50": 6.0, "100": 6.0}, np.full(10, 6.0), np.full(10, 150.0),
            )
            for s in np.arange(200_000.0, 320_000.0, 6000.0)
        ),
        evidence.vehicles,
        {"gap_m": 20.0, "break_m": 100.0, "level": 0.9, "seed": 0},
    )  # fmt: skip
    noise = np.random.default_rng(0)
    strips = (
        StripImage("A-161", a, a + 2000.0, 1.0, 12.0, noise.integers(60, 120, (24, 2000, 3), dtype=np.uint8))
        for a in np.arange(190_000.0, 330_000.0, 2000.0)
    )
    began = time.process_time()
    page = render(queues=queues, findings=None, strips=strips, run=run_record(queues), evidence=None, title=None)
    assert time.process_time() - began < 20
    assert len(page) < 6_000_000
    assert page.count('<figure class="row') == 60
    assert 3 * 2 <= page.count('<figure class="crop') <= 3 * 14
    assert "stretches; <code>run.json</code> holds all" in page


def test_a_report_that_cannot_be_written_is_named(tmp_path, queues):
    with pytest.raises(OutputError, match="Invalid report"):
        write_report(tmp_path / "no" / "report.html", queues=queues, strips=(), run=run_record(queues))


# -- pictures --------------------------------------------------------------------------------------


def decoded(uri):
    head, _, body = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    ungeoreferenced = pytest.warns(rasterio.errors.NotGeoreferencedWarning)
    with MemoryFile(base64.b64decode(body)) as memory, ungeoreferenced, memory.open() as file:
        return file.read().astype(int)


@pytest.mark.parametrize("pixel_m", [0.25, 0.5, 1.0])
def test_a_picture_shows_the_place_it_is_of(pixel_m):
    """Brightness 4 m wide stripes at known stations and offsets, found again in the row's own metres."""
    rows, columns = round(24 / pixel_m), round(1500 / pixel_m)
    station = 400 + (np.arange(columns) + 0.5) * pixel_m
    offset = 12 - (np.arange(rows) + 0.5) * pixel_m
    image = np.where((np.abs(station - 1200) < 20)[None] & (np.abs(offset - 6) < 4)[:, None], 250, 20)
    frame = Frame("r", 1000.0, 12.0, -12.0)
    pictures = pictures_of([StripImage("r", 400.0, 1900.0, pixel_m, 12.0, image.astype(np.uint8))], [frame])
    picture = decoded(pictures[frame]).mean(axis=0)
    bright = np.argwhere(picture > 130)
    metres = 1000.0 / picture.shape[1]
    assert picture.shape[1] <= 2000
    assert ((bright[:, 1] + 0.5) * metres).mean() == pytest.approx(200.0, abs=1.5)
    assert ((bright[:, 0] + 0.5) * 24 / picture.shape[0]).mean() == pytest.approx(6.0, abs=0.7)


def test_pictures_join_strips_and_leave_the_rest_grey():
    strips = [
        StripImage("r", 0.0, 300.0, 1.0, 5.0, np.full((10, 300, 3), 10, np.uint8)),
        StripImage("r", 300.0, 600.0, 1.0, 5.0, np.full((10, 300), 240, np.uint8)),
        StripImage("other", 0.0, 1000.0, 1.0, 5.0, np.full((10, 1000), 0, np.uint8)),
    ]
    shown = Frame("r", 0.0, 5.0, -5.0)
    pictures = pictures_of(iter(strips), [shown, Frame("r", 1000.0, 5.0, -5.0)])
    assert list(pictures) == [shown]
    line = decoded(pictures[shown])[0, 5]
    assert line[:290].max() < 30
    assert line[310:590].min() > 220
    assert abs(line[620:] - 128).max() < 12


# -- density and words -----------------------------------------------------------------------------


def test_density_is_counted_by_hand():
    """Cars every 10 m in two rows: 100 per km and lane where seen, whatever is hidden."""
    road = example.bent_road(1000.0)
    station = np.tile(np.arange(5.0, road.length_m, 10.0), 2)
    offset = np.repeat([-1.8, -5.2], len(station) // 2)
    hidden = (station > 240) & (station < 300)
    frame = example.vehicles(road, station[~hidden], offset[~hidden])
    unseen = [("right", 240.0, 300.0, "cloud"), ("right", 400.0, 490.0, "cloud")]
    queues = measure_queues(example.evidence(road, frame, unseen))
    edges, density = densities(queues, queues.evidence, "right")
    assert np.isnan(density[4])
    np.testing.assert_allclose(np.delete(density, [4])[:9], 100.0, rtol=0.01)
    assert edges[-1] == road.length_m
    assert densities(queues, queues.evidence, "left")[1].max() == 0


@settings(max_examples=60, deadline=None)
@given(st.floats(-500, 500), st.integers(0, 2))
def test_km_never_says_minus_zero(station_km, digits):
    text = words.km(station_km * 1000, 0.0, digits=digits)
    assert float(text.replace("−", "-")) == pytest.approx(station_km, abs=0.51 * 10**-digits)
    assert not re.fullmatch(r"[-−]0(\.0*)?", text)


def test_open_ends_are_lower_bounds_in_words():
    assert words.length(Estimate(15.73, 15.7, None, unit="km", open=("end",))) == "at least 15.70 km"
    assert words.length(Estimate(15.73, 15.7, 15.8, unit="km")) == "15.73 km"
    assert words.count(Estimate(2110, 2050, 2190)) == "About 2,110"


@pytest.mark.parametrize(
    ("likelihood", "said"),
    [
        ("almost no chance", "There is almost no chance that the claim holds (probability 0.74)."),
        ("roughly even chance", "There is a roughly even chance that the claim holds (probability 0.74)."),
        ("very likely", "It is very likely that the claim holds (probability 0.74)."),
    ],
)
def test_likelihood_makes_a_sentence(likelihood, said):
    assert words.chance(replace(a_finding(), likelihood=likelihood)) == said
    assert "%" not in said


# -- map, close-ups, viewer, command, review -------------------------------------------------------


def coordinates(path):
    return [np.array(re.findall(r"-?[\d.]+", part), float).reshape(-1, 2) for part in path.split("M") if part]


def test_the_map_is_to_scale_with_north_up(queues):
    """Lengths on paper against stations, and the scale bar against both; the road leaves to the north."""
    road = queues.evidence.road
    drawn = overview_of(queues, queues.evidence)
    step_m = road.length_m / sum(
        np.linalg.norm(np.diff(part, axis=0), axis=1).sum()
        for part in coordinates(drawn.seen) + coordinates(drawn.unseen)
    )
    bar_m = float(drawn.bar_text.removesuffix(" m"))
    assert drawn.bar_percent / 100 * 1000 * step_m == pytest.approx(bar_m, rel=0.01)
    first = coordinates(drawn.seen)[0]
    assert first[0, 1] > first[-1, 1]
    # Seen are the first 1.3 km of 2.6; nothing of a queue lies beyond.
    assert coordinates(drawn.unseen)[0][0] == pytest.approx(first[-1], abs=0.2)
    assert "1.3 km of it seen" in drawn.alt


def test_a_queue_is_drawn_on_its_own_side_of_the_road(queues):
    """The road leads north, so the right side lies to the east."""
    drawn = overview_of(queues, queues.evidence)
    road, queue = coordinates(drawn.seen)[0], coordinates(drawn.queues[0].path)[0]
    beside = [x - np.interp(-y, -road[:, 1], road[:, 0]) for x, y in queue[1:-1]]
    assert queues[0].side == "right"
    assert np.mean(beside) > 5


def test_labels_of_the_map_do_not_lie_over_each_other(queues):
    road = replace(queues.evidence.road, places={f"post {k}": (44.6, 42.8 + k / 1e4) for k in range(30)})
    drawn = overview_of(queues, replace(queues.evidence, road=road))
    told = [label for label in drawn.labels if label.text]
    assert [label.text for label in told][:2] == ["checkpoint", "head, km 0.05"]
    assert {label.kind for label in told} >= {"place", "end", "post"}
    for k, a in enumerate(told):
        for b in told[:k]:
            same = a.anchor == b.anchor and abs(a.x - b.x) < 5
            assert not (same and abs(a.y - b.y) / 100 * drawn.height < 30), (a, b)


def test_close_ups_show_both_ends_and_every_gap():
    road = example.bent_road(2000.0)
    hidden = (700.0, 760.0)
    station = np.concatenate([np.arange(300.0, 600.0, 8.0), np.arange(640.0, 1200.0, 8.0)])
    station = station[(station < hidden[0] - 3) | (station > hidden[1] + 3)]
    queues = measure_queues(
        example.evidence(road, example.vehicles(road, station, -1.8), [("right", *hidden, "cloud")])
    )
    assert len(queues) == 1
    gaps = gaps_of(queues[0], queues)
    occupied = np.sort(station)
    wide = np.flatnonzero(np.diff(occupied) - 4.5 > 20)
    expected = [(occupied[k] + 2.25, occupied[k + 1] - 2.25) for k in wide]
    np.testing.assert_allclose([(gap.start_m, gap.end_m) for gap in gaps], expected, atol=1e-6)
    (of,) = places_of(queues, queues.evidence)
    assert [place.kind for place in of.places] == ["head", "tail", "gap", "gap"]
    for place, station_m in zip(of.places, (queues[0].start_m, queues[0].end_m), strict=False):
        assert (place.frame.start_m + place.frame.end_m) / 2 == pytest.approx(station_m)
    for place, (start_m, end_m) in zip(of.places[2:], expected, strict=True):
        assert place.frame.start_m < start_m
        assert place.frame.end_m > end_m
    assert "not seen" not in of.places[2].text
    assert "part of it was not seen" in of.places[3].text


def test_the_head_is_the_end_nearer_to_the_origin(queues):
    (of,) = places_of(queues, queues.evidence)
    road = replace(queues.evidence.road, origin_station_m=2500.0)
    (turned,) = places_of(queues, replace(queues.evidence, road=road))
    assert [place.kind for place in of.places[:2]] == ["head", "tail"]
    assert of.places[0].frame == turned.places[1].frame
    assert of.places[1].frame == turned.places[0].frame


def test_whether_a_person_looked_is_said(tmp_path, queues):
    nothing = {"accepted": 0, "rejected": 0, "added": 0, "reviewed_m": 0.0, "stretches": [], "spotcheck": None}
    for review in (None, nothing):
        said = Page(page_of(tmp_path, queues, run=run_record(queues).model_copy(update={"review": review}))).said
        assert "Not reviewed by a person." in said
        assert "No person has reviewed the vehicles" in said
    told = {
        "accepted": 120, "rejected": 30, "added": 20, "reviewed_m": 1500.0, "stretches": [],
        "precision": {"value": 0.8, "low": 0.74, "high": 0.85, "level": 0.9, "open": []}, "recall": None,
        "spotcheck": {"vehicles": {"value": 1234, "low": 1200, "high": 1270, "level": 0.9, "open": []}, "reviewed": 20},
    }  # fmt: skip
    record = run_record(queues).model_copy(update={"review": told})
    said = Page(page_of(tmp_path, queues, run=record)).said
    assert "120 accepted, 30 rejected, 20 added; 1.50 km of road looked at whole." in said
    assert "the detector had reached precision 0.80 (90 %: 0.74 to 0.85)." in said
    assert "A spot check of 20 stretches drawn at random tells 1,234 vehicles (1,200 to 1,270)" in said
    assert "No person has reviewed" not in said


def test_the_command_on_the_page_measures_the_same_again(tmp_path, small_scene):
    """Typed into a shell as it stands there, it gives the same lengths."""
    from jamline.outputs import read_run
    from jamline.pipeline import survey

    first = survey(
        small_scene, small_scene / "road.geojson", origin="border", claims=["it's 300 m"], gsd_m=0.5, half_width_m=12.5,
        bands={"blue": 3, "red": 1, "green": 2}, detector="contrast",
    )  # fmt: skip
    first.write(tmp_path / "first")
    page = (tmp_path / "first" / "report.html").read_text(encoding="utf-8")
    command = html.unescape(re.search(r"<pre [^>]*><code>(.*?)</code></pre>", page, re.DOTALL)[1])
    assert command.startswith("jamline measure ")
    command = f"{shlex.quote(sys.executable)} -m {command.replace('OUTDIR', shlex.quote(str(tmp_path / 'again')))} -q"
    subprocess.run(["bash", "-c", command], check=True, capture_output=True)
    again = read_run(tmp_path / "again")
    assert again.roads == first.run.roads
    assert again.roads[0].queues


def test_a_road_that_a_script_made_has_no_command(queues):
    assert command_of(run_record(queues).to_json(), [queues.evidence]) == ""
