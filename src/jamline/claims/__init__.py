"""What somebody claims about a jam, and what the queues that were measured say to it."""

from jamline.claims.claim import Claim
from jamline.claims.files import claims_from_tables, read_claims_file
from jamline.claims.finding import Finding, likelihood
from jamline.claims.reading import as_claim, read_claim
from jamline.claims.together import check_claims
from jamline.claims.verdict import check_claim

__all__ = [
    "Claim",
    "Finding",
    "as_claim",
    "check_claim",
    "check_claims",
    "claims_from_tables",
    "likelihood",
    "read_claim",
    "read_claims_file",
]
