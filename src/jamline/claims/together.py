"""Claims that bear on one another, checked together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from jamline.claims.claim import Claim
from jamline.claims.computed import computed
from jamline.claims.finding import Finding
from jamline.claims.verdict import JAM_PER_KM_LANE, as_list, check_claim
from jamline.claims.waiting import claimed, waiting_sentence

if TYPE_CHECKING:
    from jamline.queues import Queues

_CAR_SPACING_M = 7.5
"""Car at standstill, front to front."""


def check_claims(
    claims: Iterable[str | Claim], queues: Queues | Sequence[Queues], *, days: Sequence[str] = ()
) -> list[Finding]:
    """Check claims one by one, and note what they say about each other.

    Parameters
    ----------
    claims : iterable of str or Claim
        The claims.
    queues : Queues or sequence of Queues
        Of one road, or of several.
    days : sequence of str
        On which the images were taken; a claim about another day is left undecided.

    Returns
    -------
    list of Finding
        In the order of the claims. What claims say to each other stands with all of them, as ``together``; it does
        not change the verdicts, which rest on the imagery alone.

    Raises
    ------
    ClaimError
        As `check_claim`.
    """
    findings = [check_claim(claim, queues, days=days) for claim in claims]
    rows = _rows(as_list(queues)) if findings else 1.0
    notes: list[list[str]] = [[] for _ in findings]
    for i, one in enumerate(findings):
        for j, other in enumerate(findings[i + 1 :], start=i + 1):
            if not _of_one_time(one.claim, other.claim, days):
                continue
            for note in bearing(one.claim, other.claim, rows=rows):
                notes[i].append(note)
                notes[j].append(note)
    for note, places in computed([found.claim for found in findings]):
        for place in places:
            notes[place].append(note)
    return [replace(found, together=tuple(more)) for found, more in zip(findings, notes, strict=True)]


def _of_one_time(one: Claim, other: Claim, days: Sequence[str]) -> bool:
    """Tell whether two claims may be about one day; one that names none is about the day of the images."""
    named = {claim.date for claim in (one, other) if claim.date}
    if one.date and other.date:
        return len(named) == 1
    return not days or named <= set(days)


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
        return [waiting_sentence(claimed(count), rate, seen=False)]
    if length and count and length.value > 0 and count.value > 0:
        return _packed(length, count, rows)
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
    """Note whether a count fits into one lane of a length, and if not, how many rows it needs."""
    if count.kind == "truck" or count.qualifier in ("at most", "less than"):
        return []
    per_km = count.value / length.value
    needed = per_km * _CAR_SPACING_M / 1000
    crowd = f"{count.value:,.0f} vehicles"
    lane = f"{length.value:.4g} km of one lane"
    held = f"and one lane holds at most {JAM_PER_KM_LANE:.0f}"
    if per_km <= JAM_PER_KM_LANE:
        return [f"{crowd} fit into {lane}: that is {per_km:.0f} per km, {held}."]
    text = (
        f"{crowd} do not fit into {lane}: that is {per_km:.0f} per km, {held}. It takes {needed:.1f} rows of cars at "
        f"{_CAR_SPACING_M:g} m each"
    )
    room = JAM_PER_KM_LANE * rows
    if per_km <= room:
        return [f"{text}; in the {rows:.1f} rows there are, they fit."]
    text = f"{text}; with the {rows:.1f} rows there are"
    shortest_km = count.bounds[0] / room
    if shortest_km > length.bounds[1]:
        return [f"{text}, the two claims cannot both hold."]
    return [f"{text}, both hold only if the queue is over {shortest_km:.1f} km long."]


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
