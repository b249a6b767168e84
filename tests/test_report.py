"""The report: plain words first, nothing from outside, everything escaped, pictures in their place."""

import base64
import re
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
from jamline.queues import Motion, measure_queues
from jamline.report import StripImage, words, write_report
from jamline.report.profile import densities
from jamline.report.rows import frames_of, row_of
from jamline.report.strips import RowFrame, row_pictures
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
        if self.stack[-1:] != ["style"]:
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
    assert "url(" not in text.replace("url(#hatch)", "")
    assert "@import" not in text
    assert not {"script", "link", "iframe", "img", "base", "object", "form"} & set(page.tags)
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
    assert "script" not in page.tags
    assert "<script" not in text
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
    page = Page(page_of(tmp_path, queues))
    drawn = {"queued": 0, "flowing": 0, "parked": 0}
    for path in page.paths:
        if "v " in path.get("class", ""):
            _, state, _ = path["class"].split()
            drawn[state] += path["d"].count("M")
    counts = queues.vehicles["state"].value_counts()
    # On the edges between rows a vehicle is drawn twice.
    for state, number in drawn.items():
        assert counts[state] <= number <= counts[state] + 3
    parked = next(path["d"] for path in page.paths if "v parked" in path.get("class", ""))
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
    row = row_of(RowFrame(road.name, 0.0, 12.0, -12.0), queues, queues.evidence, "")
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
    frame = RowFrame("r", 1000.0, 12.0, -12.0)
    pictures = row_pictures([StripImage("r", 400.0, 1900.0, pixel_m, 12.0, image.astype(np.uint8))], [frame])
    picture = decoded(pictures["r", 1000.0]).mean(axis=0)
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
    pictures = row_pictures(iter(strips), [RowFrame("r", 0.0, 5.0, -5.0), RowFrame("r", 1000.0, 5.0, -5.0)])
    assert list(pictures) == [("r", 0.0)]
    line = decoded(pictures["r", 0.0])[0, 5]
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
