"""What it makes of a length where one starts to count: at the queue's own near end, or at a named place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from jamline.claims.claim import Claim

if TYPE_CHECKING:
    from jamline.queues import Queue, Queues
    from jamline.road import Road

_MEANT = 0.25
"""A place is one that a claim may count from if it lies within this share of the queue's length of its near end."""

_MOST_PLACES = 4


def places_meant(queue: Queue, road: Road, claim: Claim) -> dict[str, float]:
    """Return the places that a length may be counted from, with their stations in metres.

    Parameters
    ----------
    queue : Queue
        That the length is of.
    road : Road
        Its road; its origin and its named places are looked at.
    claim : Claim
        The place it names is taken wherever it lies.

    Returns
    -------
    dict of str to float
        The road's origin first, then the others by their distance from the queue's near end.
    """
    near_m = near_end_m(queue, road)
    reach_m = _MEANT * (queue.end_m - queue.start_m)
    found = {} if road.origin == "start" else {road.origin: road.origin_station_m}
    stations = {name: float(road.to_road([lon], [lat])[0][0]) for name, (lon, lat) in road.places.items()}
    for name, station_m in sorted(stations.items(), key=lambda item: abs(item[1] - near_m)):
        named = claim.origin is not None and same_place(claim.origin, name)
        if name not in found and (named or (abs(station_m - near_m) <= reach_m and len(found) < _MOST_PLACES)):
            found[name] = station_m
    return found


def origin_notes(
    claim: Claim, queue: Queue, queues: Queues, *, verdict: str, judged: Callable[[float], str]
) -> Iterator[str]:
    """Yield how long the queue is counted from each place, and where that would change the verdict.

    Parameters
    ----------
    claim : Claim
        A length.
    queue : Queue
        That it is held against.
    queues : Queues
        Of its road.
    verdict : str
        What became of the claim, by the queue's own length.
    judged : callable
        Returns the verdict if the queue were so many km longer.
    """
    road = queues.evidence.road
    near_m = near_end_m(queue, road)
    far_m = queue.end_m if near_m == queue.start_m else queue.start_m
    places = places_meant(queue, road, claim)
    if not places:
        return
    beyond = ("end" if far_m == queue.end_m else "start") in queue.length_km.open
    told = ", ".join(f"{abs(far_m - at_m) / 1000:.2f} km from '{name}'" for name, at_m in places.items())
    yield f"The far end of what is seen of it lies {told}." if beyond else f"Its far end lies {told}."
    if claim.value == 0:
        return
    own_m = queue.end_m - queue.start_m
    for name, at_m in places.items():
        other = judged((abs(far_m - at_m) - own_m) / 1000)
        if other != verdict:
            now = "left undecided" if verdict == "undecided" else verdict
            yield f"Counted from '{name}' and not from its near end, the claim would be {other}; here it is {now}."


def near_end_m(queue: Queue, road: Road) -> float:
    """Return the station of the queue's end that is nearer to the road's origin."""
    (_, station_m), _ = queue.head_and_tail(road.origin_station_m)
    return station_m


def same_place(one: str, other: str) -> bool:
    """Tell whether two names may mean one place: they share a word that is more than a preposition."""
    words = [{word for word in name.lower().replace("-", " ").split() if len(word) > 3} for name in (one, other)]
    return bool(words[0] & words[1]) or one.lower() == other.lower()
