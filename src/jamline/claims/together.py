"""Claims that bear on one another, checked together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from jamline.claims import wording
from jamline.claims.claim import Claim
from jamline.claims.finding import Finding
from jamline.claims.verdict import JAM_PER_KM_LANE, as_list, check_claim

if TYPE_CHECKING:
    from jamline.queues import Queues

_CAR_SPACING_M = 7.5
"""Car at standstill, front to front."""

_COMPUTED_M = 25.0
"""Metres a vehicle by which some authorities turn a count into a length."""


def check_claims(claims: Iterable[str | Claim], queues: Queues | Sequence[Queues]) -> list[Finding]:
    """Check claims one by one, and note what they say about each other.

    Parameters
    ----------
    claims : iterable of str or Claim
        The claims.
    queues : Queues or sequence of Queues
        Of one road, or of several.

    Returns
    -------
    list of Finding
        In the order of the claims. A contradiction between claims is a note on both; it does not change the
        verdicts, which rest on the imagery alone.

    Raises
    ------
    ClaimError
        As `check_claim`.
    """
    findings = [check_claim(claim, queues) for claim in claims]
    rows = _rows(as_list(queues))
    notes: list[list[str]] = [[] for _ in findings]
    for i, one in enumerate(findings):
        for j, other in enumerate(findings[i + 1 :], start=i + 1):
            for note in bearing(one.claim, other.claim, rows=rows):
                notes[i].append(note)
                notes[j].append(note)
    return [replace(found, notes=found.notes + tuple(more)) for found, more in zip(findings, notes, strict=True)]


def bearing(one: Claim, other: Claim, *, rows: float) -> list[str]:
    """Return what two claims say about each other.

    Parameters
    ----------
    one, other : Claim
        In any order.
    rows : float
        Rows of vehicles abreast, as measured or as the road has lanes on one side.
    """
    if one.side and other.side and one.side != other.side:
        return []
    pair = {claim.quantity: claim for claim in (one, other)}
    if len(pair) == 1:
        return _same_quantity(one, other)
    length, count, rate = pair.get("length"), pair.get("count"), pair.get("throughput")
    if rate and count and rate.value > 0:
        return [wording.waiting(count.value, rate, seen=False)]
    if length and count and length.value > 0 and count.value > 0:
        return [*_packed(length, count, rows), *_computed(length, count)]
    return []


def _same_quantity(one: Claim, other: Claim) -> list[str]:
    """Note that two claims exclude each other."""
    if one.kind != other.kind:
        return []
    low, high = max(one.bounds[0], other.bounds[0]), min(one.bounds[1], other.bounds[1])
    if low <= high:
        return []
    return [f"{_capital(one.meaning)} and {other.meaning} cannot both hold at one time."]


def _packed(length: Claim, count: Claim, rows: float) -> list[str]:
    """Note how many rows a count in a length needs."""
    if count.kind == "truck":
        return []
    per_km = count.value / length.value
    needed = per_km * _CAR_SPACING_M / 1000
    room = JAM_PER_KM_LANE * rows
    text = (
        f"{count.value:,.0f} vehicles in {length.value:g} km is {per_km:.0f} per km, {needed:.1f} rows of "
        f"cars at {_CAR_SPACING_M:g} m each; {rows:.1f} rows hold at most {room:.0f} per km"
    )
    if per_km <= room:
        return [f"{text}, so they fit."]
    shortest_km = count.bounds[0] / room
    if shortest_km > length.bounds[1]:
        return [f"{text}, so the two claims cannot both hold."]
    return [f"{text}, so both can hold only if the queue is over {shortest_km:.1f} km long."]


def _computed(length: Claim, count: Claim) -> list[str]:
    """Note that a length was computed from a count."""
    each_m = 1000 * length.value / count.value
    if abs(each_m - _COMPUTED_M) > 1e-3 * _COMPUTED_M:
        return []
    return [
        f"The length is exactly {_COMPUTED_M:g} m for each of the {count.value:,.0f} vehicles: computed from "
        f"the count, so the one does not confirm the other."
    ]


def _rows(roads: Sequence[Queues]) -> float:
    """Return the rows abreast of the longest queue, else the lanes of one side of the first road."""
    every = [queue for queues in roads for queue in queues]
    if every:
        return max(1.0, max(every, key=lambda queue: queue.length_km.value).lanes)
    road = roads[0].evidence.road
    lanes = road.lanes or len(road.sides)
    return lanes / len(road.sides)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
