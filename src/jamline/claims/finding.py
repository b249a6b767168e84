"""What the queues say to a claim: the verdict, and the words for its probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jamline.cards import card
from jamline.claims.claim import Claim

VERDICTS = ("supported", "refuted", "undecided")

SUPPORTED_FROM = 0.80
REFUTED_FROM = 0.20

# Words and edges: Office of the Director of National Intelligence, Intelligence Community Directive 203,
# "Analytic Standards", 2015, first row of its table. A shared edge belongs to the word further from even, so
# that a supported claim is never less than "very likely".
_WORDS = (
    (0.05, "almost no chance"),
    (0.20, "very unlikely"),
    (0.45, "unlikely"),
    (0.55, "roughly even chance"),
    (0.80, "likely"),
    (0.95, "very likely"),
    (1.01, "almost certain"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the queues say to a claim.

    Parameters
    ----------
    claim : Claim
        The claim.
    verdict : str
        ``"supported"``, ``"refuted"`` or ``"undecided"``.
    probability : float
        That the claim holds, 0.01 to 0.99: one never is certain. From 0.80 up exactly where the claim is
        supported, from 0.20 down exactly where it is refuted.
    likelihood : str
        The word for it on the ICD 203 scale.
    reason : str
        One plain sentence with the numbers.
    notes : tuple of str
        Sentences on how the claim was read, the origin and the day.
    road : str or None
        Name of the road that the reason speaks of.
    other_day : bool
        Whether it is left open because the images are of another day than the claim.
    together : tuple of str
        Sentences on what it and other claims say about each other; each stands with all of them.
    """

    claim: Claim
    verdict: str
    probability: float
    likelihood: str
    reason: str
    notes: tuple[str, ...] = ()
    road: str | None = None
    other_day: bool = False
    together: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object that `run.json` holds."""
        return {
            "claim": self.claim.text,
            "verdict": self.verdict,
            "probability": self.probability,
            "likelihood": self.likelihood,
            "reason": self.reason,
            "notes": [*self.notes, *self.together],
        }

    def __repr__(self) -> str:
        return f"<Finding on '{self.claim.text}': {self.verdict}, {self.likelihood} ({self.probability:.2f})>"

    def _repr_html_(self) -> str:
        rows = [
            ("verdict", self.verdict),
            ("likelihood", f"{self.likelihood} ({self.probability:.2f})"),
            ("reason", self.reason),
            *(("note", note) for note in (*self.notes, *self.together)),
        ]
        return card(f"Finding on: {self.claim.text}", rows)

    def __str__(self) -> str:
        return f"'{self.claim.text}': {self.verdict}, {self.likelihood} ({self.probability:.2f}). {self.reason}"


def likelihood(probability: float) -> str:
    """Return the word for a probability on the ICD 203 scale.

    Parameters
    ----------
    probability : float
        0 to 1.

    Examples
    --------
    >>> likelihood(0.74), likelihood(0.8), likelihood(0.2)
    ('likely', 'very likely', 'very unlikely')
    """
    for edge, word in _WORDS:
        # Below even the upper edge belongs to the word, above even to the next one.
        if probability < edge or ((edge <= 0.20 or edge == 0.55) and probability == edge):
            return word
    return _WORDS[-1][1]


def weigh(*, worst: float, best: float, neutral: float) -> tuple[str, float]:
    """Apply the verdict rule.

    Parameters
    ----------
    worst, best : float
        Probability that the claim holds if all that was not seen speaks against it, and for it.
    neutral : float
        Between them: the probability under a neutral guess at what was not seen.

    Returns
    -------
    verdict : str
    probability : float
        The neutral one, kept on the verdict's side of the rule's edges, with two decimals.

    Notes
    -----
    Supported only if the worst case is, refuted only if the best case is: imagery that ends settles nothing.
    A guess at what was not seen is no evidence, so it makes an undecided claim no more than "likely", no less
    than "unlikely".

    Examples
    --------
    >>> weigh(worst=0.9, best=1.0, neutral=0.97)
    ('supported', 0.97)
    >>> weigh(worst=0.0, best=1.0, neutral=0.97)
    ('undecided', 0.79)
    """
    if worst >= SUPPORTED_FROM:
        verdict, lowest, highest = "supported", SUPPORTED_FROM, 0.99
    elif best <= REFUTED_FROM:
        verdict, lowest, highest = "refuted", 0.01, REFUTED_FROM
    else:
        verdict, lowest, highest = "undecided", REFUTED_FROM + 0.01, SUPPORTED_FROM - 0.01
    return verdict, round(min(max(neutral, lowest), highest), 2)
