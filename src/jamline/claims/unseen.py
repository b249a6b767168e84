"""What a queue could be where nobody saw: how far it may go on, and what an unseen stretch may hide.

Whether it runs on through an unseen stretch *within* it is not asked here: its draws hold that already.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from jamline.road import metres_per_degree
from jamline.spans import Span, merge, subtract

if TYPE_CHECKING:
    from jamline.evidence import Evidence
    from jamline.queues import Queue, Queues

_BLIND_RECALL = 0.25
"""Where fewer of the vehicles are found, a queue looks like scattered traffic: as good as not seen."""

_COMPASS = ("northern", "north-eastern", "eastern", "south-eastern", "southern", "south-western", "western",
            "north-western")  # fmt: skip


def break_m(queues: Queues) -> float:
    """Return the widest gap in metres within one queue."""
    return float(queues.settings.get("break_m", 100.0))


def unseen(queues: Queues, side: str) -> list[Span]:
    """Return the stretches of one side in which a queue could go unnoticed.

    Parameters
    ----------
    queues : Queues
        Of one road.
    side : str
        The side.

    Returns
    -------
    list of Span
        Disjoint, in order. What was seen between two of them for no longer than the break of a queue cannot
        part a queue, and so does not part them.
    """
    evidence = queues.evidence
    sight = evidence.sight
    rows = sight[(sight["side"] == side) & sight["seen"] & (sight["recall"] >= _BLIND_RECALL)]
    gaps = subtract(Span(0.0, evidence.road.length_m), map(Span, rows["start_m"], rows["end_m"]))
    return merge(gaps, gap_m=break_m(queues))


def longest_unseen_m(queues: Queues, side: str) -> float:
    """Return the longest queue in metres that one unseen stretch of the road could hide."""
    return max((gap.length_m for gap in unseen(queues, side)), default=0.0)


def beyond_m(queue: Queue, queues: Queues) -> float:
    """Return by how much the queue may be longer than seen, in metres.

    Infinite where an open end lies at the end of the line or the road is unseen from it to there: the line
    ends where somebody stopped drawing. A queue ends where none follows within its break, so it may also go on where
    less than that was seen behind it, though nothing there says that it does.
    """
    reach = break_m(queues)
    length_m = queues.evidence.road.length_m
    gaps = unseen(queues, queue.side)
    total = 0.0
    for end in ("start", "end"):
        is_open = end in queue.length_km.open
        at_m = queue.start_m if end == "start" else queue.end_m
        near = [gap for gap in gaps if gap.start_m - reach <= at_m <= gap.end_m + reach]
        if not is_open:
            near = [gap for gap in near if (gap.start_m < at_m if end == "start" else gap.end_m > at_m)]
            if not near:
                continue
        if not near:
            return math.inf
        far_m = min(gap.start_m for gap in near) if end == "start" else max(gap.end_m for gap in near)
        if far_m <= 1.0 if end == "start" else far_m >= length_m - 1.0:
            return math.inf
        total += abs(far_m - at_m)
    return total


def open_ends(queue: Queue, evidence: Evidence) -> str:
    """Say where the queue leaves what was seen.

    Parameters
    ----------
    queue : Queue
        With at least one open end.
    evidence : Evidence
        Of its road.

    Returns
    -------
    str
        Such as ``"at its northern end, where the imagery ends"``.
    """
    forward = _bearing(queue, evidence)
    ends = [
        f"its {_COMPASS[round((forward + (180 if end == 'start' else 0)) / 45) % 8]} end, {_why(queue, end, evidence)}"
        for end in queue.length_km.open
    ]
    return "at " + " and ".join(ends)


def _bearing(queue: Queue, evidence: Evidence) -> float:
    """Return the bearing from the queue's start to its end, which bends at one end do not turn."""
    lon, lat = evidence.road.to_map([queue.start_m, queue.end_m], [0.0, 0.0])
    metric = metres_per_degree([lat.mean()])[0]
    east, north = (lon[1] - lon[0]) * metric[0], (lat[1] - lat[0]) * metric[1]
    return math.degrees(math.atan2(east, north)) % 360.0


def _why(queue: Queue, end: str, evidence: Evidence) -> str:
    """Say what is at an open end."""
    at_m = queue.start_m if end == "start" else queue.end_m
    sight = evidence.sight
    rows = sight[(sight["side"] == queue.side) & ~sight["seen"]]
    distance = [
        (max(start - at_m, at_m - stop, 0.0), str(reason))
        for start, stop, reason in zip(rows["start_m"], rows["end_m"], rows["reason"], strict=True)
    ]
    to_line_end = at_m if end == "start" else evidence.road.length_m - at_m
    gap_m, reason = min(distance, default=(math.inf, ""))
    if to_line_end < gap_m:
        return "where the road line ends"
    if reason == "outside imagery":
        return "where the imagery ends"
    return f"where the road is not seen ({reason})" if reason else "where the road is not seen"
