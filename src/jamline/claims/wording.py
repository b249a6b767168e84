"""The sentences of a finding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jamline.claims.origins import near_end_m, same_place
from jamline.claims.unseen import beyond_m, open_ends, unseen
from jamline.spans import total_m

if TYPE_CHECKING:
    from jamline.claims.claim import Claim
    from jamline.queues import Queue, Queues

Array = npt.NDArray[np.float64]

_INTERVAL = (0.05, 0.95)

_LEAST_BRIDGED_KM = 0.03
"""Less unseen road within a queue is no more than a tree over it, and is not worth a word."""


def length_reason(
    claim: Claim,
    verdict: str,
    queues: Queues,
    members: Sequence[Queue],
    *,
    several: bool,
    hidden: float,
    hides: bool,
) -> str:
    """Return the sentence on a length.

    Parameters
    ----------
    claim : Claim
        The claim.
    verdict : str
        What became of it.
    queues : Queues
        Of the road that is spoken of.
    members : sequence of Queue
        The longest queue, or none.
    several : bool
        Whether there are others.
    hidden : float
        The longest queue in km that could be elsewhere and not seen.
    hides : bool
        Whether that bears on the claim.
    """
    if members:
        queue = members[0]
        subject = f"The {'longest ' if several else ''}queue on {_place(queues, queue.side)}"
        if queue.length_km.open:
            text = (
                f"{subject} is seen over {queue.length_km.value:.2f} km and is open "
                f"{open_ends(queue, queues.evidence)}, so it is at least {queue.length_km.low or 0.0:.2f} km long"
            )
        else:
            low, high = queue.length_km.low or 0.0, queue.length_km.high or math.inf
            text = f"{subject} is {queue.length_km.value:.2f} km long ({low:.2f} to {high:.2f})"
        text += _bridged(queue)
        is_open = bool(queue.length_km.open)
    else:
        text, is_open = _none_seen(queues), False
    if claim.value == 0:
        return _about_none(text, verdict)
    if verdict == "undecided":
        if not members:
            return f"{text}; but one of up to {hidden:.2f} km could stand where it was not seen."
        if hides and math.isfinite(hidden):
            return f"{text}; but elsewhere up to {hidden:.2f} km of queue may not have been seen."
        if hides:
            return f"{text}; but another one leaves what was seen and may be longer."
        if is_open:
            return f"{text}; whether it is {claim.meaning} lies beyond what was seen."
        if beyond_m(members[0], queues) > 0:
            return f"{text}; but it ends so near to road that was not seen that it may go on there."
        return f"{text}, which does not tell whether it is {claim.meaning}."
    return f"{text}{_consequence(claim, verdict)}."


def count_reason(
    claim: Claim,
    verdict: str,
    queues: Queues,
    side: str,
    members: Sequence[Queue],
    seen: Array,
    *,
    hides: bool,
) -> str:
    """Return the sentence on a count; parameters as in `length_reason`."""
    noun = "trucks" if claim.kind == "truck" else "vehicles"
    is_open = [queue for queue in members if queue.length_km.open]
    if members:
        low, high = np.quantile(seen, _INTERVAL)
        many = (
            f"queues on {_place(queues, side)} hold" if len(members) > 1 else f"queue on {_place(queues, side)} holds"
        )
        text = f"The {many} {np.median(seen):,.0f} {noun}"
        text += " where it is seen" if is_open and len(members) == 1 else " where they are seen" if is_open else ""
        single = members[0].vehicles if len(members) == 1 and claim.kind == "vehicle" else None
        if single and single.high is None:
            text += f" (at least {single.low or 0.0:,.0f})"
        else:
            text += f" ({low:,.0f} to {high:,.0f})"
        through = _bridged(members[0]) if len(members) == 1 else ""
        text += through
        if is_open:
            text += f"{',' if through else ''} and {'is' if len(members) == 1 else 'are'} open "
            text += open_ends(is_open[0], queues.evidence)
    else:
        text = _none_seen(queues)
    if claim.value == 0:
        return _about_none(text, verdict)
    if verdict == "undecided":
        if is_open:
            return f"{text}; how many stand beyond it was not seen, so {claim.meaning} is left open."
        if hides:
            hidden_km = total_m(unseen(queues, side)) / 1000
            return f"{text}; but {hidden_km:.2f} km of that side were not seen, so {claim.meaning} is left open."
        return f"{text}, which does not tell whether it is {claim.meaning}."
    return f"{text}{_consequence(claim, verdict)}."


def notes(claim: Claim, queues: Queues, members: Sequence[Queue], days: Sequence[str]) -> tuple[str, ...]:
    """Return how the claim was read where its text does not say, where it counts from, and of what day it is."""
    found = []
    # The text says it itself where the qualifier stands in it and no length had to be converted.
    plain = claim.qualifier in claim.text.lower() and (claim.quantity == "count" or claim.unit.startswith("k"))
    if not plain or claim.value == 0:
        found.append(f"Read as: {claim.meaning}.")
    if claim.quantity == "length" and claim.qualifier in ("at least", "more than"):
        found.append(f"{claim.value:.4g} km is a lower bound: the claim leaves open how much longer the queue was.")
    road = queues.evidence.road
    if members and (claim.origin or road.origin != "start"):
        near_km = abs(near_end_m(members[0], road) - road.origin_station_m) / 1000
        found.append(f"Its near end lies {near_km:.2f} km from '{road.origin}', the origin of the road.")
    if claim.origin and not same_place(claim.origin, road.origin):
        found.append(f"The claim counts from '{claim.origin}', the road from '{road.origin}': is that one place?")
    if claim.published and not claim.date and days and claim.published not in days:
        found.append(f"It was published on {claim.published}, the images were taken on {' and '.join(days)}.")
    if claim.note:
        found.append(claim.note)
    return tuple(found)


def asides(claim: Claim) -> tuple[str, ...]:
    """Return what goes with a claim whatever was seen."""
    return (claim.note,) if claim.note else ()


def other_day(claim: Claim, days: Sequence[str]) -> str:
    """Return why a claim about one day is left open by images of others."""
    return f"The claim is about {claim.date}, the images were taken on {' and '.join(days)}: they do not show that day."


def _place(queues: Queues, side: str) -> str:
    """Name the road and its side."""
    name = queues.evidence.road.name
    return name if side == "all" else f"{name}, {side} side,"


def _bridged(queue: Queue) -> str:
    """Say on what unseen road within it the queue hangs, and how likely it runs on there."""
    bridged_km = sum(bridge.end_m - bridge.start_m for bridge in queue.bridged) / 1000
    if bridged_km < _LEAST_BRIDGED_KM:
        return ""
    through = f"{bridged_km:.2f} km within it that {'was' if len(queue.bridged) == 1 else 'were'} not seen"
    return f", if it runs on through {through} (probability {min(queue.unbroken, 0.99):.2f})"


def _none_seen(queues: Queues) -> str:
    """Say that there is no queue, and of how much road."""
    road = queues.evidence.road
    seen_km = total_m(queues.evidence.seen_by_any()) / 1000
    return f"No queue is seen on {road.name}, of which {seen_km:.2f} of {road.length_m / 1000:.2f} km were seen"


def _about_none(text: str, verdict: str) -> str:
    """Close the sentence of the claim that there is no queue."""
    if verdict == "refuted":
        return f"{text}, so there is one."
    return f"{text}." if verdict == "supported" else f"{text}; what was not seen may hold one."


def _consequence(claim: Claim, verdict: str) -> str:
    """Close the sentence of a claim that was decided."""
    return f": as claimed, {claim.meaning}" if verdict == "supported" else f": not {claim.meaning}"
