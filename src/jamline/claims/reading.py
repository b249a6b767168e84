"""Reading a claim: from a sentence to a quantity, a value and a qualifier.

Numbers are read as English newspapers print them: a comma, an apostrophe or a space before exactly three
digits parts thousands ("5,000", "16 000"); any other comma is a decimal one ("9,5 km"); a point always is.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from jamline.claims import numerals
from jamline.claims.claim import QUALIFIERS, Claim
from jamline.errors import ClaimError

NO_JAM_KM = 0.1
"""A queue this short is no traffic jam: it is what the widest gap within a queue measures."""

NO_JAM_VEHICLES = 13.0
"""Vehicles in that length at 7.5 m each."""

_KM = {"k": 1.0, "m": 0.001, "mi": 1.609344, "f": 0.0003048, "y": 0.0009144}
"""International mile, foot and yard (1959)."""

_PER_DAY = {"hour": 24.0, "day": 1.0, "week": 1 / 7, "month": 12 / 365.25}

_TRUCKS = r"(?:heavy[\s-]+goods[\s-]+vehicles?|hgvs?|trucks?|lorr(?:y|ies)|trailers?)"
_NOUN = rf"(?P<noun>{_TRUCKS}|cars?|vehicles?|automobiles?|autos?|vans?|buses|bus)\b"
_LENGTH = (
    r"(?P<length>kilomet(?:er|re)s?|kms?|miles?|mi|met(?:er|re)s?|m(?!\s+(?:cars|vehicles|trucks))|feet|foot|ft"
    r"|yards?|yds?)\b(?!\s*(?:/|per\b|an\b|a\b)\s*h)(?!\s*[²³^/])"
)
# Words that may stand between a number and what it counts: "5,000 waiting cars", not "16 in a row of cars".
_BETWEEN = (
    r"(?:(?!(?:in|of|on|at|to|from|per|an?|the|and|or|people|hours?|days?|weeks?|january|february|march|april|may"
    r"|june|july|august|september|october|november|december)\b)[a-z]{2,}[\s-]+){0,3}?"
)
_OR = r"(?:\s+or\s+(?P<or>more|fewer|less))?"
_STATED = re.compile(
    rf"{numerals.pattern('low')}(?:\s*(?:-|to|and)\s*{numerals.pattern('high')})?(?P<plus>\+)?{_OR}"
    rf"[\s-]*(?:{_LENGTH}|{_BETWEEN}{_NOUN})"
)

# The longer phrase stands before the shorter one that it holds: "no more than" before "more than".
_BEFORE = re.compile(
    r"(?P<most>\b(?:(?:no|not) (?:more|longer|greater) than|not exceeding|at (?:the )?most|up to"
    r"|(?:a )?maximum(?: of)?|as (?:many|much|long|far) as)\b|≤|<=)"
    r"|(?P<least>\b(?:(?:no|not) (?:less|fewer|shorter) than|at (?:the )?(?:very )?least"
    r"|(?:a )?minimum(?: of)?)\b|≥|>=)"
    r"|(?P<more>\b(?:(?:more|greater|longer) than|over|above|exceed(?:s|ed|ing)?|in excess of|upwards of"
    r"|beyond)\b|>)"
    r"|(?P<less>\b(?:(?:less|fewer|shorter) than|under|below)\b|<)"
    r"|(?P<about>\b(?:about|around|approximately|approx|roughly|some|circa|ca|nearly|almost|close to"
    r"|estimated)\b|~|≈)"
)
_AFTER = re.compile(
    r"\s*(?:-?long\s+)?(?:"
    r"(?P<least>(?:or|and) (?:more|longer|over|counting|growing)\b|plus\b|at (?:the )?(?:very )?least\b"
    r"|minimum\b)"
    r"|(?P<most>or (?:less|fewer|shorter)\b|at (?:the )?most\b|maximum\b)"
    r"|(?P<about>or so\b|approximately\b))"
)
_NAMES = {
    "most": "at most",
    "least": "at least",
    "more": "more than",
    "less": "less than",
    "about": "about",
}

_NO_JAM = re.compile(
    r"\b(?:no|not any|not an?|without(?: an?| any)?)\s+(?:[a-z]+\s+){0,2}?"
    r"(?:(?P<jam>jams?|queues?|congestion|tailbacks?)|(?P<noun>cars|vehicles|trucks|lorries))\b"
)
_DENIED = re.compile(r"(?:\bnot|\bnever|n't)(?:\s+[a-z]+){0,2}\s*$")

_RATE = re.compile(r"\b(?:an?|per|each|every|in an?|in one)\s+(hour|day|week|month)\b|/\s*(hour|day|week|month)\b")
_ADVERB = re.compile(r"\b(hourly|daily|weekly|monthly)\b")
_PASSED = re.compile(
    r"\b(?:cross(?:ed|es|ing)?|enter(?:ed|s|ing)?|pass(?:ed|es|ing)?|left|leav(?:e|es|ing)|arriv(?:e|ed|es|ing)"
    r"|process(?:ed|es|ing)?|went through|go(?:ing)? through)\b"
)
_PERIOD = re.compile(r"\b(?:last|this|past|previous|within an?|that)\s+(hour|day|week|month)\b")
_ADVERB_PERIOD = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month"}

_ORIGIN = re.compile(
    r"\bfrom\s+(?:the\s+)?(?!(?:space|orbit|above|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b)"
    r"(?P<name>[^\W\d_][^\d,.;:()]*?)"
    r"(?=\s+(?:with|to|on|at|in|and|of|by|into|for|after|before|between|is|was|towards?|as)\b|\s*(?:[,.;:()\d]|$))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Stated:
    """One number with its unit, as found in a text."""

    quantity: str
    value: float
    high: float | None
    step: float
    unit: str
    kind: str
    start: int
    end: int
    open_ended: str


def as_claim(claim: str | Claim) -> Claim:
    """Return a claim as it is, or read from its text with `read_claim`."""
    return read_claim(claim) if isinstance(claim, str) else claim


def read_claim(text: str, *, source: str | None = None, qualifier: str | None = None) -> Claim:
    """Read a claim in plain English.

    Parameters
    ----------
    text : str
        One statement with one number and its unit: a length (km, m, miles, feet, yards), vehicles standing,
        or vehicles passing per hour, day, week or month; or the statement that there is no jam.
    source : str, optional
        Who said it, or where it can be read.
    qualifier : str, optional
        ``"at least"``, ``"more than"``, ``"at most"``, ``"less than"`` or ``"about"``, where it is known from
        elsewhere; it wins over the text.

    Returns
    -------
    Claim
        A number without a qualifier means *about*: half of its last digit's step or 10 %, whichever is
        larger.

    Raises
    ------
    ClaimError
        If it states no number with a unit, more than one, or denies one.

    Examples
    --------
    >>> print(read_claim("a traffic jam stretching 16 km from the border"))
    about 16 km (14.4 to 17.6)
    >>> print(read_claim("at least 5,000 cars"))
    at least 5,000 vehicles
    >>> print(read_claim("a 10-mile queue"))
    about 16.09 km (8.05 to 24.14)
    """
    plain = numerals.in_digits(_plain(text))
    stated = _stated(text, plain)
    if stated is None:
        return _no_jam(text, plain, source)
    before, after = _around(plain, stated)
    found = stated.open_ended or _qualifier(before, after)
    found = _denied(text, plain[: stated.start], before, found)
    if stated.high is not None:
        found = "between"
    if qualifier is not None:
        if qualifier not in QUALIFIERS or (qualifier == "between") != (stated.high is not None):
            raise ClaimError(f"Invalid qualifier '{qualifier}'. Must be one of {', '.join(QUALIFIERS[:-1])}.")
        found = qualifier
    tolerance = max(stated.step / 2, 0.1 * stated.value) if found == "about" else 0.0
    if stated.value == 0:
        tolerance = NO_JAM_KM if stated.quantity == "length" else NO_JAM_VEHICLES
    factor, unit = 1.0, stated.unit
    quantity = stated.quantity
    if quantity == "count" and (period := _period(text, plain, stated)):
        quantity, factor, unit = "throughput", _PER_DAY[period], f"{unit} per {period}"
    origin = _ORIGIN.search(text) if quantity == "length" else None
    return Claim(
        text=text,
        quantity=quantity,
        value=stated.value * factor,
        unit=unit,
        qualifier=found,
        tolerance=tolerance * factor,
        high=None if stated.high is None else stated.high * factor,
        kind=stated.kind,
        source=source,
        origin=origin["name"].strip() if origin else None,
    )


def _plain(text: str) -> str:
    """Return the text in lower case, with one kind of space, hyphen and apostrophe."""
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", text.lower())
    plain = plain.replace("\u2019", "'")
    # Not only runs of spaces: a no-break or thin space parts "16" and "km" too.
    return re.sub(r"\s+", " ", plain).strip()


def _stated(text: str, plain: str) -> _Stated | None:
    """Return the one number with its unit, or ``None`` if there is none."""
    found = [_measure(match) for match in _STATED.finditer(plain)]
    if not found:
        return None
    first = found[0]
    if re.search(r"(?:^|[\s(])-$", plain[: first.start]):
        raise ClaimError(f"Invalid claim '{text}'. Must hold a number that is not negative.")
    for other in found[1:]:
        same = first.quantity == other.quantity == "length" and first.high is None and other.high is None
        # "10 miles (16 km)" says one thing twice.
        if not same or not math.isclose(first.value, other.value, rel_tol=0.1):
            raise ClaimError(f"Invalid claim '{text}'. Must state one number with its unit; split it into several.")
    return first


def _measure(match: re.Match[str]) -> _Stated:
    """Turn a match into a number in km or vehicles."""
    low, step = numerals.value(match, "low")
    high = numerals.value(match, "high")[0] if match["high"] else None
    if high is not None and match["low_scale"] is None and match["high_scale"]:
        # "5 to 6 thousand": the word belongs to both.
        factor = numerals.SCALES[match["high_scale"]]
        low, step = low * factor, step * factor
    unit = match["length"] or match["noun"]
    factor = _km_per(unit) if match["length"] else 1.0
    kind = "truck" if match["noun"] and re.fullmatch(_TRUCKS, match["noun"]) else "vehicle"
    ending = "at least" if match["plus"] or match["or"] == "more" else "at most" if match["or"] else ""
    return _Stated(
        quantity="length" if match["length"] else "count",
        value=low * factor,
        high=None if high is None else high * factor,
        step=step * factor,
        unit=unit,
        kind=kind,
        start=match.start(),
        end=match.end(),
        open_ended=ending,
    )


def _km_per(unit: str) -> float:
    """Return the km in one unit of length."""
    if unit.startswith("mi"):
        return _KM["mi"]
    return _KM[unit[0]]


def _around(plain: str, stated: _Stated) -> tuple[str, str]:
    """Return what stands before and after a number within its clause."""
    before = re.split(r"[;:()]|,(?!\d)|\.(?:\s|$)", plain[: stated.start])
    return before[-1], plain[stated.end :]


def _qualifier(before: str, after: str) -> str:
    """Return the qualifier nearest to the number; without one, it is about so much."""
    behind = _AFTER.match(after)
    if behind and behind.lastgroup:
        return _NAMES[behind.lastgroup]
    # Six words back is as far as "at least an estimated total of 5,000 cars" needs; further back it belongs
    # to something else.
    near = " ".join(before.split()[-6:])
    ahead = [match.lastgroup for match in _BEFORE.finditer(near) if match.lastgroup]
    # "at least some 5,000": the one that is a bound says more than the one that is not.
    bounds = [name for name in ahead if name != "about"]
    return _NAMES[(bounds or ahead or ["about"])[-1]]


def _denied(text: str, ahead: str, before: str, qualifier: str) -> str:
    """Turn "no queue longer than 5 km" round; refuse a denial that leaves open what is claimed instead."""
    if _NO_JAM.search(ahead):
        turned = {"more than": "at most", "at least": "less than"}
        if qualifier in turned:
            return turned[qualifier]
    elif not _DENIED.search(_BEFORE.sub(" ", before)):
        return qualifier
    elif qualifier != "about":
        return {
            "more than": "at most",
            "at least": "less than",
            "at most": "more than",
            "less than": "at least",
        }[qualifier]
    raise ClaimError(f"Invalid claim '{text}'. Must say how long the queue is, not how long it is not.")


def _no_jam(text: str, plain: str, source: str | None) -> Claim:
    """Read the statement that there is no jam, the only one without a number."""
    match = _NO_JAM.search(plain)
    if match is None or re.search(r"\d", plain):
        raise ClaimError(
            f"Invalid claim '{text}'. Must state a number with its unit: km, m, miles, feet, yards, or "
            f"vehicles, cars, trucks."
        )
    length = match["noun"] is None
    truck = not length and match["noun"] in ("trucks", "lorries")
    return Claim(
        text=text,
        quantity="length" if length else "count",
        value=0.0,
        unit="km" if length else match["noun"],
        qualifier="at most",
        tolerance=NO_JAM_KM if length else NO_JAM_VEHICLES,
        kind="truck" if truck else "vehicle",
        source=source,
    )


def _period(text: str, plain: str, stated: _Stated) -> str:
    """Return the period that a count of passing vehicles is for, empty for vehicles that stand."""
    rest = plain[: stated.start] + " # " + plain[stated.end :]
    if rate := _RATE.search(rest):
        return rate[1] or rate[2]
    if adverb := _ADVERB.search(rest):
        return _ADVERB_PERIOD[adverb[1]]
    if not _PASSED.search(rest):
        return ""
    if period := _PERIOD.search(rest):
        return period[1]
    raise ClaimError(f"Invalid claim '{text}'. Must say whether they passed in an hour, day, week or month.")
