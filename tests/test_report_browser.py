"""The report in a real browser: Chromium, without a window, on a desktop and on a phone, light and dark."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

import jam_example as example
from jamline.claims import check_claims
from jamline.outputs import run_record
from jamline.queues import measure_queues
from jamline.report import StripImage, write_report

DESKTOP, PHONE = (1280, 900), (390, 844)


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    # Chromium's sandbox does not start for root, which a container's user often is.
    options = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=options)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Two roads: one with a queue of two gaps and an open end, reviewed; one without any queue."""
    road = replace(example.bent_road(2600.0), origin="checkpoint", origin_station_m=250.0)
    station = np.concatenate([np.arange(300.0, 700.0, 8.0), np.arange(740.0, 1300.0, 8.0)])
    unseen = [(side, 1300.0, road.length_m, "outside imagery") for side in road.sides]
    unseen.append(("left", 500.0, 560.0, "tree cover"))
    jam = measure_queues(example.evidence(road, example.vehicles(road, station, -1.8), unseen))
    free = example.bent_road(600.0, name="<B & 9>")
    none = measure_queues(example.evidence(free, example.vehicles(free, [100.0], 1.8)))
    queues = [jam, none]
    findings = check_claims(["a queue of at least 800 m", "16 km", "5,000 cars a day"], queues)
    noise = np.random.default_rng(0)
    strips = [
        StripImage(each.evidence.road.name, 0.0, 2000.0, 0.5, 12.0, noise.integers(60, 160, (48, 4000, 3), np.uint8))
        for each in queues
    ]
    review = {
        "accepted": 3, "rejected": 2, "added": 1, "reviewed_m": 150.0, "stretches": [], "precision": None,
        "recall": None, "spotcheck": None,
    }  # fmt: skip
    run = run_record(queues, findings).model_copy(update={"review": review})
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, queues=queues, findings=findings, strips=strips, run=run)
    return path


@pytest.fixture
def opened(browser, report):
    """Open the report; what the page asks for and complains of is put down."""
    contexts = []

    def open_page(size=DESKTOP, **options):
        width, height = size
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(report.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_opens_without_complaint_request_or_overflow(opened, report, size, scheme):
    page = opened(size, color_scheme=scheme)
    told(page)
    for details in page.query_selector_all("summary"):
        details.click()
    assert page.complaints == []
    assert [url for url in page.asked if not url.startswith("data:")] == [report.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    assert dark == (scheme == "dark")


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")])
def test_axe_finds_nothing_serious(opened, size, scheme):
    # The page lets no script in but its own; the checker is one from outside.
    page = opened(size, color_scheme=scheme, bypass_csp=True)
    found = Axe().run(page).response
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]] == []
    assert len(found["passes"]) > 20


def told(page):
    """Wait until the strip says aloud where it is. A page that lets no script in cannot be asked by one."""
    expect(page.locator(".viewer output").first).to_have_text(re.compile(r"^Shown: km −?[0-9.]+ to −?[0-9.]+$"))


def shown(page):
    """Return what the first strip shows: its left edge and its width, in metres."""
    left, _, width, _ = map(float, page.get_attribute(".surface .strip", "viewBox").split())
    return left, width


def test_the_strip_moves_by_keyboard(opened):
    page = opened()
    page.focus(".surface")
    left, width = shown(page)
    # It opens at the head, at station 298, in a strip that begins 750 m before the line does.
    assert (left + width / 2, width) == pytest.approx((1047.75, 1000.0), abs=1.0)
    page.keyboard.press("+")
    assert shown(page)[1] == pytest.approx(500.0)
    before = shown(page)[0]
    page.keyboard.press("ArrowRight")
    assert shown(page)[0] - before == pytest.approx(500.0 / 8, abs=0.1)
    page.keyboard.press("Home")
    assert shown(page) == pytest.approx((0.0, 500.0))
    page.keyboard.press("0")
    assert shown(page)[1] == pytest.approx(float(page.get_attribute(".viewer", "data-length")))
    for _ in range(20):
        page.keyboard.press("+")
    assert shown(page)[1] == pytest.approx(60.0)
    page.keyboard.press("Control+ArrowRight")
    assert shown(page)[1] == pytest.approx(60.0)
    told(page)


def test_the_strip_moves_by_pointer(opened):
    page = opened()
    page.locator(".surface").first.scroll_into_view_if_needed()
    box = page.locator(".surface").first.bounding_box()
    left, width = shown(page)
    page.mouse.move(box["x"] + 600, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 50)
    page.mouse.up()
    assert shown(page)[0] - left == pytest.approx(300 / box["width"] * width, abs=1.0)
    page.click("button[data-action='closer']")
    assert shown(page)[1] == pytest.approx(width / 2)
    page.click("button[data-station] >> text=Tail")
    left, width = shown(page)
    assert (left + width / 2, width) == pytest.approx((750.0 + 1294.25, 200.0), abs=1.5)
    # The wheel alone scrolls the page; with Ctrl it enlarges, and what lies under the pointer stays there.
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 50)
    under = left + width / 4
    before = page.get_attribute(".surface .strip", "viewBox")
    page.mouse.wheel(0, 1)
    assert shown(page) == (left, width)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    expect(page.locator(".surface .strip").first).not_to_have_attribute("viewBox", before)
    left, width = shown(page)
    assert left + width / 4 == pytest.approx(under, abs=1.0)


def test_a_phone_shows_no_more_of_the_strip_than_can_be_told_apart(opened):
    page = opened(PHONE)
    told(page)
    assert shown(page)[1] == pytest.approx(page.locator(".surface").first.bounding_box()["width"], abs=1.0)


def test_boxes_can_be_hidden(opened):
    page = opened()
    box = page.locator(".crop .v").first
    assert box.evaluate("each => getComputedStyle(each).visibility") == "visible"
    page.locator("section[aria-labelledby=evidence] .boxes").uncheck()
    assert box.evaluate("each => getComputedStyle(each).visibility") == "hidden"


def test_without_scripts_everything_is_there_to_read(opened):
    page = opened(java_script_enabled=False)
    assert not page.locator(".viewer").first.is_visible()
    assert page.locator("figure.row").first.is_visible()
    assert page.locator("figure.crop").first.is_visible()


def test_it_prints_on_a4(opened):
    text = opened().pdf(prefer_css_page_size=True, print_background=True)
    sizes = {tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox \[([^\]]+)\]", text)}
    assert len(sizes) == 1
    assert sizes.pop() == pytest.approx((0, 0, 595.3, 841.9), abs=1.0)
    assert 3 <= len(re.findall(rb"/Type /Page\b", text)) <= 14
