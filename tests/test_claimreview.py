"""ClaimReview: what is told of a claim and of its finding, and nothing that nobody said."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import jam_example as example
from jamline.claims import Finding, check_claims, claims_from_tables, read_claim
from jamline.outputs import write_layers
from jamline.outputs.claimreview import claim_reviews
from jamline.queues import measure_queues

TOLD = {
    "text": "a queue of at least 300 m",
    "author": "Border Guard",
    "source": "evening news",
    "url": "https://example.org/queue",
    "date": "2022-09-25",
    "published": "2022-09-27",
}

# Properties of schema.org's ClaimReview, Claim and Rating, with those they inherit, that a reader of it looks for.
KNOWN = {
    "ClaimReview": {"claimReviewed", "itemReviewed", "reviewRating", "reviewBody"},
    "Claim": {"text", "author", "creditText", "datePublished", "temporalCoverage", "appearance"},
    "Rating": {"alternateName", "ratingExplanation", "ratingValue", "worstRating", "bestRating"},
}


def a_finding(verdict, probability, **given):
    return Finding(replace(read_claim("16 km"), **given), verdict, probability, "likely", "Because.", ("A note.",))


def only(finding):
    (review,) = claim_reviews([finding])["@graph"]
    return review


def test_what_the_claims_file_says_is_told():
    claim = claims_from_tables([TOLD], source="claims.toml")[0]
    review = only(Finding(claim, "supported", 0.97, "almost certain", "The queue is 0.60 km long."))
    assert review["claimReviewed"] == TOLD["text"]
    assert review["itemReviewed"] == {
        "@type": "Claim",
        "text": TOLD["text"],
        "author": {"name": "Border Guard"},
        "creditText": "evening news",
        "datePublished": "2022-09-27",
        "temporalCoverage": "2022-09-25",
        "appearance": {"@type": "CreativeWork", "url": "https://example.org/queue"},
    }


def test_nothing_is_invented():
    review = only(a_finding("supported", 0.97))
    assert review["itemReviewed"] == {"@type": "Claim", "text": "16 km"}
    assert not {"author", "datePublished", "url"} & set(review)


@pytest.mark.parametrize(("verdict", "probability"), [("supported", 0.97), ("refuted", 0.02)])
def test_a_decided_claim_is_rated_by_its_probability(verdict, probability):
    rating = only(a_finding(verdict, probability))["reviewRating"]
    assert (rating["worstRating"], rating["ratingValue"], rating["bestRating"]) == (0, probability, 1)
    assert rating["alternateName"] == f"{verdict.capitalize()}: likely"
    assert rating["ratingExplanation"] == "Because."


def test_an_undecided_claim_has_no_number():
    assert set(only(a_finding("undecided", 0.5))["reviewRating"]) == {"@type", "alternateName", "ratingExplanation"}


def test_only_properties_that_schema_org_knows():
    review = only(a_finding("refuted", 0.02, author="A", url="https://example.org", date="2022-09-25"))
    for node in (review, review["itemReviewed"], review["reviewRating"]):
        assert set(node) - {"@type"} <= KNOWN[node["@type"]]


def test_it_is_written_where_there_are_claims(tmp_path):
    queues = measure_queues(example.jam())
    findings = check_claims(["at least 300 m", "100 cars"], queues)
    write_layers(tmp_path / "with", queues, findings=findings)
    text = (tmp_path / "with" / "claimreview.json").read_text(encoding="utf-8")
    written = json.loads(text)
    assert written["@context"] == "https://schema.org"
    assert [review["claimReviewed"] for review in written["@graph"]] == ["at least 300 m", "100 cars"]
    assert findings[0].together[0] in written["@graph"][0]["reviewBody"]
    # In its own file and nowhere else.
    assert "ClaimReview" not in (tmp_path / "with" / "run.json").read_text(encoding="utf-8")
    write_layers(tmp_path / "without", queues)
    assert not (tmp_path / "without" / "claimreview.json").exists()
