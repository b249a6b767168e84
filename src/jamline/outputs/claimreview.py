"""`claimreview.json`: the findings as schema.org ClaimReview, in JSON-LD.

Only what the claim's author, source and dates are said to be is told of them; who reviews it, and where, is left to
whoever publishes it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jamline.claims import Claim, Finding

FILE = "claimreview.json"


def claim_reviews(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings as one JSON-LD document.

    Parameters
    ----------
    findings : sequence of Finding
        In the order in which they are told.
    """
    return {"@context": "https://schema.org", "@graph": [_review(finding) for finding in findings]}


def write_claim_reviews(path: str | Path, findings: Sequence[Finding]) -> None:
    """Write `claimreview.json`, the same bytes for the same findings."""
    text = json.dumps(claim_reviews(findings), indent=1, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def _review(finding: Finding) -> dict[str, Any]:
    return {
        "@type": "ClaimReview",
        "claimReviewed": finding.claim.text,
        "itemReviewed": _claim(finding.claim),
        "reviewRating": _rating(finding),
        "reviewBody": " ".join([finding.reason, *finding.notes, *finding.together]),
    }


def _claim(claim: Claim) -> dict[str, Any]:
    # The author may be a person or an organisation: which of them, nobody said.
    told = {
        "author": claim.author and {"name": claim.author},
        "creditText": claim.source,
        "datePublished": claim.published,
        "temporalCoverage": claim.date,
        "appearance": claim.url and {"@type": "CreativeWork", "url": claim.url},
    }
    return {"@type": "Claim", "text": claim.text, **{key: value for key, value in told.items() if value}}


def _rating(finding: Finding) -> dict[str, Any]:
    verdict = f"{finding.verdict.capitalize()}: {finding.likelihood}"
    rating: dict[str, Any] = {"@type": "Rating", "alternateName": verdict, "ratingExplanation": finding.reason}
    if finding.verdict != "undecided":
        # What was left open is no half truth, and so gets no number.
        rating |= {"ratingValue": finding.probability, "worstRating": 0, "bestRating": 1}
    return rating
