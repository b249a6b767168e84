"""One claim about a jam, as numbers that can be compared."""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass

from jamline.cards import card
from jamline.errors import ClaimError

QUANTITIES = ("length", "count", "throughput")
QUALIFIERS = ("at least", "more than", "at most", "less than", "about", "between")
SIDES = ("left", "right", "all")
KINDS = ("vehicle", "truck")

_UNITS = {"length": "km", "count": "vehicles", "throughput": "vehicles a day"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim about a jam, as numbers that can be compared.

    Parameters
    ----------
    text : str
        The claim as it was made.
    quantity : str
        ``"length"``, ``"count"`` (vehicles standing) or ``"throughput"`` (vehicles passing).
    value : float
        In km, vehicles or vehicles a day; the low end where the qualifier is ``"between"``.
    unit : str
        As printed: ``"km"``, ``"miles"``, ``"cars"``, ``"cars a week"``.
    qualifier : str
        ``"at least"``, ``"more than"``, ``"at most"``, ``"less than"``, ``"about"`` or ``"between"``.
    tolerance : float
        How far from ``value`` the truth may lie, in the unit of ``value``; it widens every qualifier, and is
        zero for all but ``"about"`` and the claim that there is no jam.
    high : float or None
        The high end where the qualifier is ``"between"``, ``None`` elsewhere.
    kind : str
        ``"vehicle"`` (which "cars" means in such claims) or ``"truck"``.
    source : str or None
        Who said it, or where it can be read.
    side : str or None
        The side it is about; ``None`` for whichever side has the longest queue.
    origin : str or None
        The place it counts from, in the claim's words.
    note : str
        Anything a reader should know about it.
    author : str or None
        Name of the person or organisation that made it.
    url : str or None
        Where it was published.
    date : str or None
        The day that it speaks of, such as ``"2022-09-25"``.
    published : str or None
        The day on which it was published.

    Raises
    ------
    ClaimError
        If a value does not make sense.

    Examples
    --------
    >>> Claim(text="16 km", quantity="length", value=16, unit="km", tolerance=1.6).bounds
    (14.4, 17.6)
    """

    text: str
    quantity: str
    value: float
    unit: str
    qualifier: str = "about"
    tolerance: float = 0.0
    high: float | None = None
    kind: str = "vehicle"
    source: str | None = None
    side: str | None = None
    origin: str | None = None
    note: str = ""
    author: str | None = None
    url: str | None = None
    date: str | None = None
    published: str | None = None

    def __post_init__(self) -> None:
        self._must(self.quantity in QUANTITIES, f"be about one of {', '.join(QUANTITIES)}")
        self._must(self.qualifier in QUALIFIERS, f"be qualified by one of {', '.join(QUALIFIERS)}")
        self._must(self.kind in KINDS, f"count one of {', '.join(KINDS)}")
        self._must(self.side is None or self.side in SIDES, f"be about one of the sides {', '.join(SIDES)}")
        self._must(math.isfinite(self.value) and self.value >= 0, "hold a number that is not negative")
        self._must(math.isfinite(self.tolerance) and self.tolerance >= 0, "have a tolerance that is not negative")
        if self.qualifier == "between":
            self._must(
                self.high is not None and math.isfinite(self.high) and self.high > self.value,
                "have a high end over its low end",
            )
        else:
            self._must(self.high is None, "have a high end only with 'between'")
        for day in (self.date, self.published):
            self._must(day is None or _is_day(day), "have dates such as '2022-09-25'")

    def _must(self, holds: bool, rule: str) -> None:
        if not holds:
            raise ClaimError(f"Invalid claim '{self.text}'. Must {rule}.")

    @property
    def bounds(self) -> tuple[float, float]:
        """The values for which the claim is true, both ends included, in the unit of ``value``."""
        low, high = max(self.value - self.tolerance, 0.0), self.value + self.tolerance
        match self.qualifier:
            case "at least":
                return low, math.inf
            case "more than":
                return math.nextafter(low, math.inf), math.inf
            case "at most":
                return 0.0, high
            case "less than":
                return 0.0, math.nextafter(high, -math.inf)
            case "between":
                return low, (self.high or 0.0) + self.tolerance
        return low, high

    @property
    def meaning(self) -> str:
        """What the claim is read as, for people."""
        unit = "trucks" if self.kind == "truck" and self.quantity == "count" else _UNITS[self.quantity]
        if self.value == 0:
            return f"no queue over {_number(self.tolerance)} {unit}"
        if self.qualifier == "between":
            return f"between {_number(self.value)} and {_number(self.high or 0.0)} {unit}"
        phrase = f"{self.qualifier} {_number(self.value)} {unit}"
        if self.qualifier == "about":
            low, high = self.bounds
            phrase += f" ({_number(low)} to {_number(high)})"
        return phrase

    def __repr__(self) -> str:
        return f"<Claim '{self.text}': {self.quantity}, {self.meaning}>"

    def _repr_html_(self) -> str:
        known = ("author", "source", "url", "date", "published", "origin", "side", "note")
        told = [(name, getattr(self, name)) for name in known if getattr(self, name)]
        return card(f"Claim: {self.text}", [("read as", self.meaning), *told])

    def __str__(self) -> str:
        return self.meaning


def _is_day(text: str) -> bool:
    """Tell whether a text is a day as ISO 8601 writes it at length."""
    try:
        return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text)) and bool(datetime.date.fromisoformat(text))
    except ValueError:
        return False


def _number(value: float) -> str:
    """Write a claimed number without more digits than it needs."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".")
