"""Lengths that were computed from counts, and so confirm nothing.

Some authorities count vehicles and turn the count into a length: at one crossing every reported length is exactly 25 m
times the reported count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jamline.claims.claim import Claim

KNOWN_M = 25.0
"""Metres a vehicle that are known to be used, whatever the digits."""

_LEAST_M, _MOST_M = 5.0, 30.0
"""What a vehicle in line takes is between a small car and a long lorry with its gap; other ratios mean nothing."""

_EXACT = 1e-6
"""Share by which a multiple may be off: what arithmetic on printed digits leaves."""

_BY_CHANCE = 0.05
"""A whole multiple that a length with so few digits would hit more often than this by chance tells nothing."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A length and a count that belong together, by their places among the claims."""

    length: int
    count: int
    each_m: float


def computed(claims: Sequence[Claim]) -> list[tuple[str, tuple[int, ...]]]:
    """Return a sentence for each length that is a multiple of a count, and which claims it is about.

    Parameters
    ----------
    claims : sequence of Claim
        Those of one jam. A length and a count belong together where day, source and side are the same.

    Examples
    --------
    >>> from jamline.claims.reading import read_claim
    >>> sentence, places = computed([read_claim("16 km"), read_claim("640 trucks")])[0]
    >>> sentence, places
    ('The length of 16 km is exactly 25 m for each of the 640 vehicles: computed from the count, so the one does not
    confirm the other.', (0, 1))
    """
    pairs = list(_pairs(claims))
    found, done = [], set()
    for pair in pairs:
        alike = [
            other for other in pairs if abs(other.each_m - pair.each_m) <= _EXACT * pair.each_m and other not in done
        ]
        if pair in done or not _telling(alike, claims):
            continue
        done.update(alike)
        places = sorted({place for each in alike for place in (each.length, each.count)})
        found.append((_sentence(alike, claims), tuple(places)))
    return found


def _pairs(claims: Sequence[Claim]) -> Iterator[_Pair]:
    """Yield the lengths and counts that belong together and have a ratio that a vehicle could take."""
    groups: dict[tuple[str | None, ...], list[int]] = defaultdict(list)
    for place, claim in enumerate(claims):
        if claim.quantity in ("length", "count") and claim.value > 0:
            groups[claim.date, claim.published, claim.author or claim.source, claim.side].append(place)
    for places in groups.values():
        lengths = [place for place in places if claims[place].quantity == "length"]
        counts = [place for place in places if claims[place].quantity == "count"]
        for i in lengths:
            for j in counts:
                each_m = 1000 * claims[i].value / claims[j].value
                if _LEAST_M <= each_m <= _MOST_M:
                    yield _Pair(i, j, each_m)


def _telling(alike: Sequence[_Pair], claims: Sequence[Claim]) -> bool:
    """Tell whether pairs of one ratio are more than chance."""
    if len({claims[pair.count].value for pair in alike}) > 1:
        return True
    for pair in alike:
        if abs(pair.each_m - KNOWN_M) <= _EXACT * KNOWN_M:
            return True
        whole = abs(pair.each_m - round(pair.each_m)) <= _EXACT * pair.each_m
        if whole and _last_digit_m(claims[pair.length].value) / claims[pair.count].value < _BY_CHANCE:
            return True
    return False


def _last_digit_m(length_km: float) -> float:
    """Return the step in metres of the last digit of a length that is not zero."""
    metres = round(1000 * length_km)
    step = 1.0
    while metres and metres % 10 == 0:
        metres //= 10
        step *= 10
    return step


def _sentence(alike: Sequence[_Pair], claims: Sequence[Claim]) -> str:
    first = alike[0]
    if len({pair.length for pair in alike}) == 1:
        return (
            f"The length of {claims[first.length].value:g} km is exactly {first.each_m:g} m for each of the "
            f"{claims[first.count].value:,.0f} vehicles: computed from the count, so the one does not confirm the "
            f"other."
        )
    told = ", ".join(f"{claims[pair.length].value:g} km for {claims[pair.count].value:,.0f} vehicles" for pair in alike)
    return (
        f"Each of these lengths is exactly {first.each_m:g} m times the count: {told}. They were computed from the "
        f"counts, so they do not confirm them."
    )
