"""Claims: what is read from a sentence, what the queues say to it, and what claims say to each other."""

from __future__ import annotations

import html
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jamline import tables
from jamline.claims import (
    Claim,
    check_claim,
    check_claims,
    claims_from_tables,
    likelihood,
    read_claim,
    read_claims_file,
)
from jamline.claims.computed import computed
from jamline.claims.finding import weigh
from jamline.claims.together import bearing
from jamline.claims.verdict import probabilities
from jamline.claims.waiting import waiting_time
from jamline.errors import ClaimError, InputError, JobError
from jamline.evidence import Evidence
from jamline.outputs import run_record
from jamline.queues import Bridge, Queue, Queues
from jamline.report import write_report
from jamline.road import road_through
from jamline.spans import Estimate

LARS = Path(__file__).parents[1] / "seeds" / "claims" / "lars-2022-by-day.toml"


# --- reading ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("16km", 14.4, 17.6),
        ("16 km", 14.4, 17.6),
        ("16\u00a0km", 14.4, 17.6),
        ("20 km", 15, 25),
        ("16.0 km", 14.4, 17.6),
        ("100 km", 50, 150),
        ("9,5 km", 8.55, 10.45),
        ("0,500 km", 0.45, 0.55),
        ("9,500 m", 8.55, 10.45),
        ("16 000 m", 14.4, 17.6),
        ("10 miles", 5 * 1.609344, 15 * 1.609344),
        ("a 12-mile tailback", 10.8 * 1.609344, 13.2 * 1.609344),
        ("12 miles (19 km)", 10.8 * 1.609344, 13.2 * 1.609344),
        ("800 feet", 720 * 0.0003048, 880 * 0.0003048),
        ("sixteen kilometres", 14.4, 17.6),
        ("twenty-five kilometers", 22.5, 27.5),
        ("half a kilometre", 0.45, 0.55),
        ("two and a half kilometres", 2.25, 2.75),
        ("three quarters of a mile", 0.75 * 0.9 * 1.609344, 0.75 * 1.1 * 1.609344),
        ("nearly 16 km", 14.4, 17.6),
        ("around 16 km", 14.4, 17.6),
        ("~16 km", 14.4, 17.6),
        ("some 16 km or so", 14.4, 17.6),
        ("a traffic jam stretching 16 km from the border with Georgia", 14.4, 17.6),
        ("On 25 September, the A-161 had a 16 km jam", 14.4, 17.6),
        ("20–30 km", 20, 30),
        ("between 20 and 30 km", 20, 30),
        ("20 to 30 km", 20, 30),
        ("at least 16 km", 16, math.inf),
        ("16 km or more", 16, math.inf),
        ("16+ km", 16, math.inf),
        ("no less than 16 km", 16, math.inf),
        ("≥16 km", 16, math.inf),
        ("more than 20 kilometres", 20, math.inf),
        ("over 10km", 10, math.inf),
        ("exceeding 10 km", 10, math.inf),
        ("up to 16 km", 0, 16),
        ("not more than 16 km", 0, 16),
        ("16 km at most", 0, 16),
        ("no queue longer than 5 km", 0, 5),
        ("isn't more than 16 km", 0, 16),
        ("less than 16 km", 0, 16),
        ("no traffic jam", 0, 0.1),
        ("there is no queue at all", 0, 0.1),
        ("0 km", 0, 0.1),
        ("in less than an hour, a 16 km queue", 14.4, 17.6),
    ],
)
def test_read_length_passes(text, low, high):
    claim = read_claim(text)
    assert claim.quantity == "length"
    assert claim.bounds == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("text", "low", "high", "kind"),
    [
        ("5,000 cars", 4500, 5500, "vehicle"),
        ("at least 5,000 cars lining up", 5000, math.inf, "vehicle"),
        ("at least some 5,000 waiting cars", 5000, math.inf, "vehicle"),
        ("5,000 or more cars", 5000, math.inf, "vehicle"),
        ("5k vehicles", 4500, 5500, "vehicle"),
        ("2.5 thousand cars", 2250, 2750, "vehicle"),
        ("two thousand five hundred cars", 2250, 2750, "vehicle"),
        ("5 to 6 thousand cars", 5000, 6000, "vehicle"),
        ("16 000 cars", 14400, 17600, "vehicle"),
        ("as many as 1'300 trucks", 0, 1300, "truck"),
        ("3,500 heavy goods vehicles", 3150, 3850, "truck"),
        ("no cars waiting", 0, 13, "vehicle"),
    ],
)
def test_read_count_passes(text, low, high, kind):
    claim = read_claim(text)
    assert (claim.quantity, claim.kind) == ("count", kind)
    assert claim.bounds == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("text", "per_day"),
    [
        ("some 37,000 cars a week", 37000 / 7),
        ("37,000 vehicles crossed last week", 37000 / 7),
        ("37 thousand cars per week", 37000 / 7),
        ("5,000 vehicles daily", 5000),
        ("200 cars an hour", 4800),
    ],
)
def test_read_throughput_passes(text, per_day):
    claim = read_claim(text)
    assert claim.quantity == "throughput"
    assert claim.value == pytest.approx(per_day)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "16",
        "a long jam",
        "thousands of cars",
        "-5 km",
        "16 km/h",
        "16 km per hour",
        "16 km² of parking",
        "16 nautical miles",
        "five sixteen km",
        "2m cars",
        "1.234,5 km",
        "the queue is not 16 km long",
        "2,500 cars in 16 km",
        "16 km on one side, 3 km on the other",
        "115,000 cars crossed",
        "30 to 20 km",
        "115,000 people",
    ],
)
def test_read_claim_fails(text):
    with pytest.raises(ClaimError, match=r"^Invalid claim '.*'\. Must [^\n]+\.$") as caught:
        read_claim(text)
    assert text in str(caught.value)


def test_strict_qualifiers_leave_their_number_out():
    assert read_claim("more than 16 km").bounds[0] > 16
    assert read_claim("less than 16 km").bounds[1] < 16


def test_origin_and_qualifier_are_told():
    claim = read_claim("a jam stretching 16 km from the border with Georgia", source="press", qualifier="at least")
    assert (claim.origin, claim.qualifier, claim.source, claim.tolerance) == (
        "border",
        "at least",
        "press",
        0.0,
    )
    assert read_claim("16 km, seen from space").origin is None
    with pytest.raises(ClaimError, match="qualifier 'roughly'"):
        read_claim("16 km", qualifier="roughly")


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": "weight"},
        {"qualifier": "exactly"},
        {"value": -1.0},
        {"value": math.nan},
        {"tolerance": -1.0},
        {"high": 20.0},
        {"qualifier": "between"},
        {"qualifier": "between", "high": 3.0},
        {"side": "north"},
        {"kind": "ship"},
        {"date": "25 September"},
        {"date": "2022-09-31"},
        {"published": "20220925"},
    ],
)
def test_claim_fails(wrong):
    good = {"text": "16 km", "quantity": "length", "value": 16.0, "unit": "km"}
    assert Claim(**good).value == 16.0
    with pytest.raises(ClaimError, match=r"Invalid claim '16 km'\. Must"):
        Claim(**{**good, **wrong})


@given(st.floats(0.2, 9000).map(lambda x: round(x, 1)), st.sampled_from(["at least", "at most", "more than", ""]))
def test_what_is_printed_is_read_back(value, words):
    claim = read_claim(f"{words} {value:,.1f} km".strip())
    assert claim.value == pytest.approx(value)
    assert claim.qualifier == (words or "about")


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_any_text_is_read_or_refused(text):
    try:
        claim = read_claim(text)
    except ClaimError:
        return
    assert claim.bounds[0] <= claim.bounds[1]


# --- files -----------------------------------------------------------------------------------------------


def test_the_claims_of_2022_are_read():
    claims = read_claims_file(LARS)
    length, count, rate = claims[:3]
    assert (length.bounds, length.origin) == ((16, math.inf), "border")
    assert count.bounds == (5000, math.inf)
    assert rate.value == pytest.approx(37000 / 7)
    assert (length.author, length.date, length.published) == ("Maxar", "2022-09-25", "2022-09-27")
    assert all(claim.author or claim.source for claim in claims)
    by_day = [(claim.date[-2:], claim.quantity) for claim in claims[3:]]
    assert by_day == sorted(by_day, key=lambda day: day[0])
    assert len(claims) == 11


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[[claim]]\ntext = '16 km'\ncolour = 'red'\n", "Invalid key 'colour' in '{}'"),
        ("[claims]\ntext = '16 km'\n", "Invalid key 'claims' in '{}'"),
        ("[[claim]]\nsource = 'x'\n", "Invalid claim 1 in '{}'. Must have a text"),
        ("[[claim]]\ntext = 16\n", "Invalid text '16' in '{}'"),
        ("[[claim]]\ntext = '16 km'\nsource = 2022-09-25\n", "Invalid source '2022-09-25' in '{}'"),
        ("[[claim]]\ntext = '16 km'\ndate = 2022-09-25T08:00:00\n", "Invalid date '2022-09-25 08:00:00' in '{}'"),
        ("", "Must hold [[claim]] tables"),
        ("[[claim", "Must be TOML"),
    ],
)
def test_read_claims_file_fails(tmp_path, content, message):
    path = tmp_path / "claims.toml"
    path.write_text(content)
    with pytest.raises(JobError) as caught:
        read_claims_file(path)
    assert message.format(path) in str(caught.value)


def test_read_claims_file_names_the_file(tmp_path):
    with pytest.raises(JobError, match=r"none\.toml"):
        read_claims_file(tmp_path / "none.toml")
    path = tmp_path / "claims.toml"
    path.write_text("[[claim]]\ntext = 'a long jam'\n")
    with pytest.raises(ClaimError, match=r"claims\.toml"):
        read_claims_file(path)


def test_plain_texts_are_claims():
    claims = claims_from_tables(["16 km", {"text": "3 km", "side": "left"}], source="job.toml")
    assert [(claim.value, claim.side) for claim in claims] == [(16, None), (3, "left")]
    with pytest.raises(InputError):
        claims_from_tables([3], source="job.toml")


# --- words and the rule ----------------------------------------------------------------------------------


def test_words_of_the_scale():
    words = [likelihood(p) for p in (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)]
    assert words == [
        "almost no chance",
        "very unlikely",
        "unlikely",
        "roughly even chance",
        "likely",
        "very likely",
        "almost certain",
    ]
    assert likelihood(0.80) == "very likely"
    assert likelihood(0.20) == "very unlikely"
    assert likelihood(0.45) == likelihood(0.55) == "roughly even chance"


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_verdict_and_probability_agree(a, b, c):
    worst, neutral, best = sorted([a, b, c])
    verdict, probability = weigh(worst=worst, best=best, neutral=neutral)
    assert 0.01 <= probability <= 0.99
    assert (verdict == "supported") == (probability >= 0.80)
    assert (verdict == "refuted") == (probability <= 0.20)


def test_open_end_halves_with_doubled_length():
    seen = np.full(3, 8.0)
    endless = np.full(3, np.inf)
    for factor in (1.0, 2.0, 4.0):
        worst, best, neutral = probabilities((8 * factor, np.inf), seen=seen, most=endless)
        assert (worst, best) == (float(factor == 1.0), 1.0)
        assert neutral == pytest.approx(1 / factor)
    # Cut off at 12 km: P(T >= 10 | T < 12) = (8/10 - 8/12) / (1 - 8/12).
    neutral = probabilities((10, np.inf), seen=seen, most=np.full(3, 12.0))[2]
    assert neutral == pytest.approx((0.8 - 2 / 3) / (1 / 3))


@given(
    st.lists(st.floats(0, 30), min_size=1, max_size=20),
    st.floats(0, 30),
    st.one_of(st.floats(0, 30), st.just(math.inf)),
    st.floats(0, 30),
    st.floats(0, 30),
)
def test_neutral_lies_between_worst_and_best(seen, further, width, low, elsewhere):
    seen = np.array(seen)
    worst, best, neutral = probabilities((low, low + width), seen=seen, most=seen + further, elsewhere=elsewhere)
    assert 0 <= worst <= neutral <= best <= 1


# --- checking --------------------------------------------------------------------------------------------


def line(length_km, **kwargs):
    """A straight road to the north."""
    north = 42.75 + np.array([0.0, length_km / 111.08])
    return road_through(np.column_stack([[44.63, 44.63], north]), name="A-161", **kwargs)


def queue(start_m, end_m, *, side="right", open_=(), count=None, sigma_km=0.01, lanes=1.2, trucks=0.1):
    length = (end_m - start_m) / 1000
    rng = np.random.default_rng(7)
    lengths = rng.normal(length, sigma_km, 400)
    count = length * 133 if count is None else count
    counts = rng.normal(count, 0.02 * count, 400).round()
    high = None if open_ else float(np.quantile(lengths, 0.95))
    return Queue(
        road="A-161",
        side=side,
        start_m=start_m,
        end_m=end_m,
        length_km=Estimate(length, float(np.quantile(lengths, 0.05)), high, unit="km", open=tuple(open_)),
        occupied_km=Estimate(length, length, length, unit="km"),
        vehicles=Estimate(count, 0.96 * count, 1.04 * count, unit="vehicles"),
        trucks=trucks,
        lanes=lanes,
        density_per_km_lane=110.0,
        packing="packed",
        sensitivity_km={"20": length, "50": length, "100": length},
        length_samples_km=lengths,
        count_samples=counts,
    )


def measured(road, items=(), *, seen_m=None, reason="outside imagery", recall=0.9):
    """Queues on a road of which the stretches ``seen_m`` are seen on every side."""
    seen_m = [(0.0, road.length_m)] if seen_m is None else seen_m
    rows, at = [], 0.0
    for start, end in [*seen_m, (road.length_m, road.length_m)]:
        if start > at:
            rows.append((at, start, False, reason))
        if end > start:
            rows.append((start, end, True, ""))
        at = end
    columns = {
        "side": [side for side in road.sides for _ in rows],
        "start_m": [row[0] for row in rows] * len(road.sides),
        "end_m": [row[1] for row in rows] * len(road.sides),
        "seen": [row[2] for row in rows] * len(road.sides),
        "reason": [row[3] for row in rows] * len(road.sides),
        "recall": [recall * row[2] for row in rows] * len(road.sides),
        "false_per_km": 1.0,
    }
    evidence = Evidence(
        road=road,
        vehicles=tables.empty(tables.VEHICLES),
        sight=tables.table(tables.SIGHT, columns),
        alignment_m=Estimate(0.0, -0.5, 0.5, unit="m"),
        half_width_m=15.0,
        gsd_m=0.5,
        detector="contrast",
    )
    ordered = tuple(sorted(items, key=lambda q: -q.length_km.value))
    settings = {"gap_m": 20.0, "break_m": 100.0, "level": 0.9, "seed": 0}
    return Queues(evidence, ordered, evidence.vehicles, settings)


def ending(end_m, **kwargs):
    """A queue from 0.2 km to where the imagery of a 24 km road ends."""
    return measured(line(24), [queue(200, end_m, open_=("end",), **kwargs)], seen_m=[(0, end_m)])


def closed(start_m, end_m, **kwargs):
    """A queue on a road of 24 km that is seen whole."""
    return measured(line(24), [queue(start_m, end_m, **kwargs)])


@pytest.mark.parametrize(
    ("text", "queues", "verdict"),
    [
        # Seen whole: the length decides, either way.
        ("16 km", closed(200, 16200), "supported"),
        ("16 km", closed(200, 14500), "refuted"),
        ("16 km", closed(200, 18000), "refuted"),
        ("16 km", closed(200, 14600), "undecided"),
        ("at least 16 km", closed(200, 16300), "supported"),
        ("at least 16 km", closed(200, 16100), "refuted"),
        ("at least 16 km", closed(200, 16200), "undecided"),
        ("at most 16 km", closed(200, 16100), "supported"),
        ("less than 16 km", closed(200, 16300), "refuted"),
        ("20 to 30 km", closed(200, 20500), "supported"),
        ("no traffic jam", closed(200, 16200), "refuted"),
        ("no traffic jam", closed(200, 260), "supported"),
        # Seen up to the imagery's end: more than that cannot be refuted.
        ("at least 16 km", ending(16400), "supported"),
        ("more than 16 km", ending(16400), "supported"),
        ("at least 16 km", ending(15930), "undecided"),
        ("at least 16 km", ending(3000), "undecided"),
        ("16 km", ending(16200), "undecided"),
        ("16 km", ending(18000), "refuted"),
        ("at most 16 km", ending(16400), "refuted"),
        ("at most 16 km", ending(10000), "undecided"),
        ("20 to 30 km", ending(10000), "undecided"),
        # No queue: what was not seen could hide one, if it is long enough.
        ("at least 16 km", measured(line(24)), "refuted"),
        ("no traffic jam", measured(line(24)), "supported"),
        ("at least 16 km", measured(line(24), seen_m=[(0, 10000)]), "refuted"),
        ("at least 12 km", measured(line(24), seen_m=[(0, 10000)]), "undecided"),
        ("no traffic jam", measured(line(24), seen_m=[(0, 23000)]), "undecided"),
        ("no traffic jam", measured(line(24), seen_m=[(0, 12000), (12050, 24000)]), "supported"),
        ("at least 16 km", measured(line(24), recall=0.1), "undecided"),
        # 50 m seen between two unseen stretches do not part a queue, 150 m do.
        ("at least 12 km", measured(line(24), seen_m=[(0, 10000), (17000, 17050)]), "undecided"),
        ("at least 12 km", measured(line(24), seen_m=[(0, 10000), (17000, 17150)]), "refuted"),
        # A short queue seen whole, and a long unseen stretch elsewhere.
        ("at least 12 km", measured(line(24), [queue(200, 2000)], seen_m=[(0, 10000)]), "undecided"),
        ("at least 1 km", measured(line(24), [queue(200, 2000)], seen_m=[(0, 10000)]), "supported"),
        ("at most 5 km", measured(line(24), [queue(200, 2000)], seen_m=[(0, 10000)]), "undecided"),
        ("1.8 km", measured(line(24), [queue(200, 2000)], seen_m=[(0, 10000)]), "supported"),
        ("1 km", measured(line(24), [queue(200, 2000)], seen_m=[(0, 10000)]), "refuted"),
        # Counts.
        ("at least 2,000 cars", closed(200, 16200), "supported"),
        ("at least 5,000 cars", closed(200, 16200), "refuted"),
        ("at least 5,000 cars", ending(16200), "undecided"),
        ("at least 2,000 cars", ending(16200), "supported"),
        ("no more than 1,000 cars", ending(16200), "refuted"),
        ("more than 150 trucks", closed(200, 16200, trucks=0.1), "supported"),
        ("more than 1,000 trucks", closed(200, 16200, trucks=0.1), "refuted"),
        ("5,000 cars", measured(line(24)), "refuted"),
        ("240 cars", measured(line(24), [queue(200, 2000)], seen_m=[(0, 10000)]), "supported"),
        ("500 cars", measured(line(24), [queue(200, 2000)], seen_m=[(0, 10000)]), "undecided"),
        ("100 cars", measured(line(24), seen_m=[(0, 23000)]), "undecided"),
        # 1 km that was not seen holds 465 vehicles in three rows.
        ("at least 400 cars", measured(line(24), seen_m=[(0, 23000)]), "undecided"),
        ("at least 500 cars", measured(line(24), seen_m=[(0, 23000)]), "refuted"),
        # One picture shows no rate.
        ("37,000 cars a week", closed(200, 16200), "undecided"),
        ("37,000 cars a week", measured(line(24)), "undecided"),
    ],
)
def test_verdicts(text, queues, verdict):
    finding = check_claim(text, queues)
    assert finding.verdict == verdict, str(finding)
    assert (finding.verdict == "supported") == (finding.probability >= 0.8)
    assert (finding.verdict == "refuted") == (finding.probability <= 0.2)
    assert finding.likelihood == likelihood(finding.probability)
    assert finding.reason.endswith(".")
    assert "\n" not in str(finding)
    json.dumps(finding.to_json(), allow_nan=False)


def test_open_end_is_named_by_compass():
    finding = check_claim("at least 16 km", ending(16400))
    assert "open at its northern end, where the imagery ends" in finding.reason
    assert "at least 16.18 km long" in finding.reason
    southward = road_through([[44.63, 42.9], [44.63, 42.75]], name="A-161")
    queues = measured(southward, [queue(3000, 9000, open_=("start",))], seen_m=[(3000, southward.length_m)])
    assert "northern end" in check_claim("5 km", queues).reason
    both = measured(line(24), [queue(3000, 9000, open_=("start", "end"))], seen_m=[(3000, 9000)], reason="cloud")
    assert "southern end, where the road is not seen (cloud) and its northern end" in check_claim("9 km", both).reason
    to_line_end = measured(line(24), [queue(3000, 23990, open_=("end",))])
    assert "where the road line ends" in check_claim("30 km", to_line_end).reason


def test_an_open_end_before_a_short_gap_goes_no_further_than_the_gap():
    road = line(24)
    queues = measured(road, [queue(200, 10000, open_=("end",))], seen_m=[(0, 10000), (11000, road.length_m)])
    assert check_claim("at least 10.5 km", queues).verdict == "undecided"
    assert check_claim("at least 11 km", queues).verdict == "refuted"
    assert check_claim("at most 11 km", queues).verdict == "supported"


@pytest.mark.parametrize(
    ("seen_behind_m", "claim", "verdict"),
    [
        # With its end seen for the 100 m after which none follows, it is as long as seen.
        (150, "at least 10 km", "refuted"),
        (150, "at most 9.9 km", "supported"),
        # With less, it may go on where nobody looked, whatever the imagery up to there shows.
        (60, "at least 10 km", "undecided"),
        (60, "at most 9.9 km", "undecided"),
        (60, "at least 9 km", "supported"),
        (60, "at most 9 km", "refuted"),
    ],
)
def test_a_queue_that_ends_just_before_the_imagery_does_is_not_refuted_by_its_end(seen_behind_m, claim, verdict):
    road = line(24)
    cut = measured(road, [queue(200, 10000)], seen_m=[(0, 10000 + seen_behind_m), (14000, road.length_m)])
    finding = check_claim(claim, cut)
    assert finding.verdict == verdict
    assert ("may go on there" in finding.reason) == (verdict == "undecided")


def bridged(unbroken):
    """A queue of 16 km across 3 km that nobody saw; where it breaks there, 8.8 km are left of it."""
    road = line(24)
    whole = queue(200, 16200)
    broken = np.arange(400) >= 400 * unbroken
    one = replace(
        whole,
        bridged=(Bridge(9000.0, 12000.0, unbroken),),
        unbroken=unbroken,
        length_samples_km=np.where(broken, 8.8, whole.length_samples_km),
    )
    return measured(road, [one], seen_m=[(0, 9000), (12000, road.length_m)])


@pytest.mark.parametrize(("unbroken", "verdict"), [(0.6, "undecided"), (0.95, "supported")])
def test_a_queue_across_an_unseen_stretch_is_as_long_as_the_model_thinks_it_likely(unbroken, verdict):
    queues = bridged(unbroken)
    finding = check_claim("at least 15 km", queues)
    assert finding.verdict == verdict
    assert finding.probability == pytest.approx(unbroken, abs=0.01)
    assert f"if it runs on through 3.00 km within it that was not seen (probability {unbroken:.2f})" in finding.reason
    assert check_claim("at least 8 km", queues).verdict == "supported"
    assert check_claim("at least 17 km", queues).verdict == "refuted"
    assert f"(probability {unbroken:.2f})" in check_claim("2,000 cars", queues).reason


def test_a_claim_is_about_one_side():
    road = line(24)
    queues = measured(road, [queue(200, 10200), queue(200, 10000, side="left")])
    assert check_claim("at least 15 km", queues).verdict == "refuted"
    assert check_claim("at least 2,000 cars", queues).verdict == "refuted"
    assert check_claim(replace(read_claim("at most 9.9 km"), side="left"), queues).verdict == "supported"
    assert check_claim(replace(read_claim("at most 9.9 km"), side="right"), queues).verdict == "refuted"
    with pytest.raises(ClaimError, match=r"Invalid side 'all' of claim '1 km'\. Must be one of left, right\."):
        check_claim(replace(read_claim("1 km"), side="all"), queues)


def test_counts_add_up_along_a_side():
    queues = measured(line(24), [queue(200, 5200, count=650), queue(8000, 13000, count=650)])
    assert check_claim("at least 1,200 cars", queues).verdict == "supported"
    assert check_claim("at least 8 km", queues).verdict == "refuted"


def test_the_longest_queue_of_several_roads_counts():
    short, long = closed(200, 3000), closed(200, 16200)
    other = replace(long, evidence=replace(long.evidence, road=replace(long.evidence.road, name="E117")))
    finding = check_claim("at least 10 km", [short, other])
    assert (finding.verdict, finding.road) == ("supported", "E117")
    with pytest.raises(ClaimError):
        check_claim("10 km", [])


def test_origin_is_mentioned():
    road = replace(line(24), origin="border", origin_station_m=100.0)
    near = measured(road, [queue(400, 16200)])
    notes = " ".join(check_claim("16 km from the border", near).notes)
    assert "0.30 km from 'border'" in notes
    assert "one place" not in notes
    notes = " ".join(check_claim("16 km from the checkpoint", near).notes)
    assert "one place" in notes


def test_where_one_counts_from_is_told_and_what_it_changes():
    road = line(24)
    lon, lat = road.to_map([0.0, 2800.0, 20000.0], [0.0, 30.0, 0.0])
    names = ("border", "checkpoint", "village")
    places = {name: (float(x), float(y)) for name, x, y in zip(names, lon, lat, strict=True)}
    road = replace(road, origin="border", origin_station_m=0.0, places=places)
    queues = measured(road, [queue(200, 16200)])
    finding = check_claim("at least 15 km from the border", queues)
    notes = " ".join(finding.notes)
    assert finding.verdict == "supported"
    # The village is too far from the near end to be meant.
    assert "Its far end lies 16.20 km from 'border', 13.40 km from 'checkpoint'." in notes
    assert "Counted from 'checkpoint' and not from its near end, the claim would be refuted; here it is supp" in notes
    assert "Counted from 'border'" not in notes
    assert "3.80 km from 'village'" in " ".join(check_claim("16 km from the village", queues).notes)
    cut = measured(road, [queue(200, 16200, open_=("end",))], seen_m=[(0, 16200)])
    assert "The far end of what is seen of it lies 16.20 km from 'border'" in " ".join(check_claim("9 km", cut).notes)


def test_same_claim_same_finding():
    assert check_claim("16 km", ending(15000)) == check_claim("16 km", ending(15000))


def test_queue_open_elsewhere_keeps_a_longer_claim_alive():
    road = line(24)
    items = [queue(200, 9000), queue(18000, 20000, open_=("end",))]
    queues = measured(road, items, seen_m=[(0, 20000)])
    finding = check_claim("at least 12 km", queues)
    assert finding.verdict == "undecided"
    assert "another one leaves what was seen" in finding.reason


# --- together --------------------------------------------------------------------------------------------


def test_the_claims_of_2022_speak_to_each_other():
    findings = check_claims(read_claims_file(LARS), ending(16400, count=2150), days=["2022-09-25"])
    assert [finding.verdict for finding in findings] == ["supported", *["undecided"] * 10]
    packed = [note for note in findings[0].together if "312 per km" in note]
    assert packed[0] in findings[1].together
    assert "do not fit into 16 km of one lane" in packed[0]
    assert "2.3 rows" in packed[0]
    assert "over 26.9 km" in packed[0]  # 5,000 / (155 x 1.2)
    # At least 5,000 over at most 40,700 a week, and at least twice as long where half of them go the other way.
    claimed, of_police = (note for note in findings[2].together if "Little" in note)
    assert "5,000 vehicles as claimed" in claimed
    assert "2,500 vehicles as claimed" in of_police
    assert "wait at least 21 hours" in claimed
    assert "at least 41 hours" in claimed
    (seen,) = (note for note in findings[2].notes if "Little" in note)
    assert "vehicles seen in the queue" in seen
    assert "steady state" in seen
    assert "16 km is a lower bound" in " ".join(findings[0].notes)


def test_the_page_on_2022_says_it_in_plain_words(tmp_path):
    queues = ending(16400, count=2150)
    findings = check_claims(read_claims_file(LARS), queues, days=["2022-09-25"])
    write_report(tmp_path / "report.html", queues=queues, findings=findings, run=run_record(queues, findings))
    page = html.unescape((tmp_path / "report.html").read_text(encoding="utf-8"))
    for words in (
        "16 km is a lower bound",
        "5,000 vehicles do not fit into 16 km of one lane",
        "5,000 vehicles as claimed, of which 5,286 a day leave, wait at least 21 hours",
        "2,500 vehicles as claimed, of which 5,286 a day leave, wait 11 hours (9 to 14)",
    ):
        assert page.count(words) == 1, words
    assert page.count("true only in a steady state") == page.count("Little's law") == 3
    # Claims about other days than the image's are named, and not judged.
    assert page.count("they do not show that day") == 0
    assert page.count("because the images do not show that day") == 1
    assert "“5,500 cars” (2022-09-27" in page


@pytest.mark.parametrize(
    ("one", "other", "rows", "says"),
    [
        ("16 km", "5,000 cars", 1.2, "cannot both hold"),
        ("at least 16 km", "5,000 cars", 1.2, "only if the queue is over 24.2 km"),
        ("16 km", "2,500 cars", 1.2, "in the 1.2 rows there are, they fit"),
        ("16 km", "2,000 cars", 1.0, "fit into 16 km of one lane"),
        ("at least 20 km", "less than 10 km", 1.0, "cannot both hold at one time"),
    ],
)
def test_bearing_passes(one, other, rows, says):
    one, other = read_claim(one), read_claim(other)
    assert any(says in note for note in bearing(one, other, rows=rows))
    assert any(says in note for note in bearing(other, one, rows=rows))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("16 km", "641 trucks"),
        ("16 km", "at most 5,000 cars"),
        ("16 km", "at least 15 km"),
        ("1,300 trucks", "5,000 cars"),
    ],
)
def test_claims_that_do_not_bear_on_each_other(one, other):
    assert bearing(read_claim(one), read_claim(other), rows=1.0) == []


def by_day(*pairs):
    """A length in km and a count of each day, from one source."""
    return [
        replace(read_claim(text), date=f"2024-05-{day:02}", source="gate")
        for day, pair in enumerate(pairs, start=1)
        for text in (f"{pair[0]:g} km", f"{pair[1]} trucks")
    ]


@pytest.mark.parametrize(
    ("claims", "places"),
    [
        # 25 m each is known to be used, whatever the digits.
        (by_day((16, 640)), [(0, 1)]),
        # Any other whole multiple must have digits enough: a length that ends on 10 m hits one of 257 in 26.
        (by_day((5.14, 257)), [(0, 1)]),
        # One multiple for two days, though neither alone would tell.
        (by_day((16, 2000), (20, 2500)), [(0, 1, 2, 3)]),
        (by_day((6.425, 257), (7.1, 284), (3, 120)), [(0, 1, 2, 3, 4, 5)]),
    ],
)
def test_a_length_that_is_a_multiple_of_a_count_is_computed(claims, places):
    assert [found[1] for found in computed(claims)] == places
    findings = check_claims(claims, closed(200, 16200))
    assert all(any("computed from" in note for note in found.together) for found in findings)


@pytest.mark.parametrize(
    "claims",
    [
        by_day((16, 641)),
        by_day((16, 2000)),
        by_day((5.15, 257)),
        by_day((16, 2000), (20, 2501)),
        # The count of another day.
        [replace(claim, date=day) for claim, day in zip(by_day((16, 640)), ("2024-05-01", "2024-05-02"), strict=True)],
        # A thing said twice is one thing.
        by_day((16, 2000)) * 2,
        # No vehicle takes 100 m, nor 2 m.
        by_day((6.4, 64), (12.8, 128)),
        by_day((16, 8000), (20, 10000)),
    ],
)
def test_a_length_that_is_no_multiple_of_a_count_is_not_computed(claims):
    assert computed(claims) == []


def test_claims_about_other_days_are_left_open():
    queues = closed(200, 16200)
    claim = replace(read_claim("at least 10 km"), date="2022-09-26")
    assert check_claim(claim, queues).verdict == "supported"
    assert check_claim(claim, queues, days=["2022-09-26"]).verdict == "supported"
    finding = check_claim(claim, queues, days=["2022-09-25"])
    assert (finding.verdict, finding.probability) == ("undecided", 0.5)
    assert "about 2022-09-26, the images were taken on 2022-09-25" in finding.reason
    printed = replace(read_claim("at least 10 km"), published="2022-09-27")
    finding = check_claim(printed, queues, days=["2022-09-25"])
    assert finding.verdict == "supported"
    assert any("published on 2022-09-27" in note for note in finding.notes)


def test_only_claims_of_one_day_bear_on_each_other():
    long, short = read_claim("at least 20 km"), read_claim("less than 10 km")
    dated = [replace(long, date="2022-09-26"), replace(short, date="2022-09-25")]
    queues, days = closed(200, 16200), ["2022-09-25"]
    assert not any(found.together for found in check_claims(dated, queues, days=days))
    # One that names no day is about the day of the images.
    assert not any(found.together for found in check_claims([dated[0], short], queues, days=days))
    assert all(found.together for found in check_claims([long, dated[1]], queues, days=days))


@pytest.mark.parametrize("share", [{}, {"both_ways": True}])
@given(count=st.floats(1, 1e5), spread=st.floats(0, 0.9), rate=st.floats(10, 1e6))
def test_a_wait_holds_every_count_and_rate_it_may_be(share, count, spread, rate):
    vehicles = Estimate(count, count * (1 - spread), count * (1 + spread), unit="vehicles")
    claim = read_claim(f"{rate:.0f} cars a day")
    wait = waiting_time(vehicles, claim, **share)
    for n in (vehicles.low, count, vehicles.high):
        for a_day in (claim.bounds[0], claim.value, claim.bounds[1]):
            hours = 24 * n / (a_day / 2 if share else a_day)
            assert wait.low <= hours * (1 + 1e-9)
            assert hours <= wait.high * (1 + 1e-9)


def test_a_wait_is_open_where_the_count_or_the_rate_is():
    rate = read_claim("37,000 cars a week")
    counted = Estimate(2500, 2400, 2600, unit="vehicles")
    opened = waiting_time(replace(counted, high=None, open=("end",)), rate)
    assert (opened.high, opened.low) == (None, pytest.approx(24 * 2400 / (40700 / 7)))
    assert waiting_time(counted, read_claim("at most 5,000 cars a day")).high is None
    assert waiting_time(counted, read_claim("at least 5,000 cars a day")).low == 0


def test_notes_do_not_change_verdicts():
    queues = ending(16400)
    texts = ["at least 16 km", "at least 5,000 cars", "37,000 cars a week"]
    assert [f.verdict for f in check_claims(texts, queues)] == [check_claim(t, queues).verdict for t in texts]
