"""The rows joined again, for the script of the page that moves along them and enlarges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jamline.spans import Span, intersect

if TYPE_CHECKING:
    from jamline.evidence import Evidence
    from jamline.queues import Queues
    from jamline.report.strips import Frame


@dataclass(frozen=True, slots=True)
class Part:
    """Where a queue lies in the viewer, in metres from its left edge."""

    x: float
    width: float
    packing: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """A strip from the first row's left edge to the last one's right edge.

    Parameters
    ----------
    length_m, height_m : float
        Size.
    origin_m : float
        Metres from the left edge to the origin.
    at_m : float
        Where it opens: the head of the longest queue.
    rows : list of float
        Metres from the left edge to each row.
    above, below : list of Part
        Queues of the left side (or of all), and of the right one.
    goals : list of (str, float)
        Places to go to, each a word and its metres from the left edge.
    """

    length_m: float
    height_m: float
    origin_m: float
    at_m: float
    rows: list[float]
    above: list[Part]
    below: list[Part]
    goals: list[tuple[str, float]]


def viewer_of(frames: Sequence[Frame], queues: Queues, evidence: Evidence) -> Viewer | None:
    """Join rows.

    Parameters
    ----------
    frames : sequence of Frame
        Of the rows, in order of station.
    queues, evidence
        Of their road.

    Returns
    -------
    Viewer or None
        ``None`` where there are no rows.
    """
    if not frames:
        return None
    start_m, origin_m = frames[0].start_m, evidence.road.origin_station_m
    whole = Span(start_m, frames[-1].end_m)
    parts: dict[bool, list[Part]] = {False: [], True: []}
    for queue in queues:
        for span in intersect([Span(queue.start_m, queue.end_m)], whole):
            parts[queue.side == "right"].append(Part(span.start_m - start_m, span.length_m, queue.packing))
    goals: list[tuple[str, float]] = []
    if len(queues):
        longest = max(queues, key=lambda queue: queue.length_km.value)
        ends = zip(("Head", "Tail"), longest.head_and_tail(origin_m), strict=True)
        goals = [(word, station_m - start_m) for word, (_, station_m) in ends]
    return Viewer(
        length_m=whole.length_m,
        height_m=frames[0].height_m,
        origin_m=origin_m - start_m,
        at_m=goals[0][1] if goals else 0.0,
        rows=[frame.start_m - start_m for frame in frames],
        above=parts[False],
        below=parts[True],
        goals=goals,
    )
