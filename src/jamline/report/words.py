"""What was measured and found, in sentences for people who never saw a satellite image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jamline.spans import Estimate, total_m

if TYPE_CHECKING:
    from jamline.claims import Finding
    from jamline.evidence import Evidence
    from jamline.queues import Queue, Queues

_CHANCES = {
    "almost no chance": "There is almost no chance",
    "roughly even chance": "There is a roughly even chance",
}


def headline(queues: Queues) -> str:
    """Return the one sentence that answers how long the jam on a road is."""
    road = queues.evidence.road
    if not len(queues):
        seen_km = total_m(queues.evidence.seen_by_any()) / 1000
        return f"No queue was found on {road.name} in the {seen_km:.1f} km that could be seen."
    queue = queues[0]
    which = "longest queue" if len(queues) > 1 else "queue"
    return f"The {which} on {where(queue.side)}{road.name} is {length(queue.length_km)} long."


def details(queues: Queues) -> list[str]:
    """Return the sentences that follow the headline."""
    if not len(queues):
        return []
    queue, road = queues[0], queues.evidence.road
    origin = "where the line starts" if road.origin == "start" else f"the origin “{road.origin}”"
    start, end = km(queue.start_m, road.origin_station_m), km(queue.end_m, road.origin_station_m)
    told = [f"It reaches from km {start} to km {end}, counted from {origin}."]
    if queue.length_km.open:
        ends = " and ".join(f"its {end}" for end in queue.length_km.open)
        told.append(
            f"At {ends} it reaches what was not seen or where the road line stops, so it may be longer: "
            "the figure is a lower bound."
        )
    else:
        low, high = queue.length_km.low, queue.length_km.high
        told.append(f"The {100 * queue.length_km.level:.0f} % interval is {low:.2f} to {high:.2f} km.")
    if queue.bridged:
        told.append(bridged(queue))
    doing = "stand closely packed" if queue.packing == "packed" else "creep, or stand with gaps"
    told.append(
        f"{count(queue.vehicles)} vehicles {doing}, {queue.density_per_km_lane:.0f} per km and row "
        f"in {queue.lanes:.1f} rows on average; {100 * queue.trucks:.0f} % of them are trucks."
    )
    told += [moving(queue)] if queue.motion.lag_s else []
    if len(queues) > 1:
        more = len(queues) - 1
        told.append(f"{more} more {'queue is' if more == 1 else 'queues are'} in the table below.")
    return told


def bridged(queue: Queue) -> str:
    """Return over how much unseen road a queue is taken to run on, and how likely it does."""
    unseen_m = sum(bridge.end_m - bridge.start_m for bridge in queue.bridged)
    parts = len(queue.bridged)
    through = f"{unseen_m:.0f} m within it that could not be seen"
    if parts > 1:
        longest_m = max(bridge.end_m - bridge.start_m for bridge in queue.bridged)
        through += f", in {parts} stretches of up to {longest_m:.0f} m"
    return f"It is taken to run on through {through}; the probability that it does is {_likely(queue)}."


def bridged_short(queue: Queue) -> str:
    """Return the same for a table."""
    unseen_m = sum(bridge.end_m - bridge.start_m for bridge in queue.bridged)
    return f"{unseen_m:.0f} m of it bridged ({_likely(queue)})"


def _likely(queue: Queue) -> str:
    """Return how likely a queue runs on through all that was not seen of it; never that it is certain."""
    return "over 0.99" if queue.unbroken > 0.99 else f"{queue.unbroken:.2f}"


def moving(queue: Queue) -> str:
    """Return whether a queue stands, where bands taken at different instants tell."""
    motion = queue.motion
    apart = f"Between two bands, taken {motion.lag_s:.2g} s apart,"
    if motion.state == "unknown":
        return f"{apart} it cannot be told whether it stands: {motion.reason}."
    if motion.speed_kmh is None:
        return f"{apart} it moves: {motion.reason}."
    high = motion.speed_kmh.high or motion.speed_kmh.value
    if motion.state == "standing":
        return f"{apart} its vehicles do not move along the road: it stands, or creeps at no more than {high:.0f} km/h."
    speed = f"{motion.speed_kmh.value:.0f} km/h ({interval(motion.speed_kmh, digits=0)})"
    return f"{apart} its vehicles move, at about {speed}."


def instant(roads: Sequence[Queues]) -> str:
    """Return what one picture does not show, which is less where its bands are some time apart."""
    if all(queue.motion.state != "unknown" for queues in roads for queue in queues) and any(map(len, roads)):
        return (
            "It shows how densely vehicles stand and how fast they drive just then, not how long they have been there."
        )
    return "It shows how densely vehicles stand, not whether they creep, nor how long they have been there."


def unseen_sentence(evidence: Sequence[Evidence]) -> str:
    """Return how much of the roads was not seen on any side."""
    whole_km = sum(each.road.length_m for each in evidence) / 1000
    seen_km = sum(total_m(each.seen_by_any()) for each in evidence) / 1000
    if whole_km - seen_km < 0.005:
        return f"All {whole_km:.1f} km of road could be seen on at least one side."
    return (
        f"{whole_km - seen_km:.1f} of {whole_km:.1f} km of road could not be seen. "
        "Nothing is known about traffic there; it is not counted as empty."
    )


def reviewed(review: Mapping[str, Any] | None) -> list[str]:
    """Return what a person made of the vehicles, as sentences; none where nobody marked or looked at any.

    Parameters
    ----------
    review : mapping or None
        What `run.json` holds under that key; ``None`` before a review.
    """
    if review is None or not any(review.get(key) for key in ("accepted", "rejected", "added", "reviewed_m")):
        return []
    told = [
        f"A person reviewed the vehicles: {review['accepted']:,} accepted, {review['rejected']:,} rejected, "
        f"{review['added']:,} added; {review['reviewed_m'] / 1000:.2f} km of road looked at whole. "
        "Lengths, counts and verdicts on this page are measured anew from that."
    ]
    shares = [(name, review.get(name)) for name in ("precision", "recall")]
    known = [
        f"{name} {share['value']:.2f} ({100 * share['level']:.0f} %: {share['low']:.2f} to {share['high']:.2f})"
        for name, share in shares
        if share
    ]
    if known:
        told.append(f"Where every vehicle was looked at, the detector had reached {' and '.join(known)}.")
    check = review.get("spotcheck")
    if check:
        about = check["vehicles"]
        bounds = f" ({about['low']:,.0f} to {about['high']:,.0f})" if about["high"] is not None else ""
        told.append(
            f"A spot check of {check['reviewed']} stretches drawn at random tells {about['value']:,.0f} "
            f"vehicles{bounds} on the road where it was seen."
        )
    return told


def chance(finding: Finding) -> str:
    """Return how likely a claim is in one sentence; never in the same one as an interval's level."""
    words = _CHANCES.get(finding.likelihood, f"It is {finding.likelihood}")
    return f"{words} that the claim holds (probability {finding.probability:.2f})."


def together(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return what claims say to each other, each note once with the claims that it is about."""
    about: dict[str, list[str]] = {}
    for finding in findings:
        for note in finding.together:
            about.setdefault(note, []).append(f"“{finding.claim.text}”")
    return [{"note": note, "claims": claims} for note, claims in about.items()]


def where(side: str) -> str:
    """Return ``the right side of `` and so on, to stand before a road's name."""
    return "" if side == "all" else f"the {side} side of "


def length(estimate: Estimate) -> str:
    """Return a length, as lower bound where it is one."""
    if estimate.high is None:
        return f"at least {estimate.value if estimate.low is None else estimate.low:.2f} km"
    return f"{estimate.value:.2f} km"


def interval(estimate: Estimate, *, digits: int = 2) -> str:
    """Return the interval of an estimate, for a table."""
    low = "?" if estimate.low is None else f"{estimate.low:,.{digits}f}"
    return "no upper bound" if estimate.high is None else f"{low} to {estimate.high:,.{digits}f}"


def count(estimate: Estimate) -> str:
    """Return a count, as lower bound where it is one."""
    if estimate.high is None:
        return f"At least {estimate.value if estimate.low is None else estimate.low:,.0f}"
    return f"About {estimate.value:,.0f}"


def km(station_m: float, origin_station_m: float, *, digits: int = 2) -> str:
    """Return a station as people count it: km from the origin, with a true minus sign before it."""
    text = f"{(station_m - origin_station_m) / 1000:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")
