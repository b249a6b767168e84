"""The evidence close up: both ends of the longest queues and the gaps within them, in true proportions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jamline.report.rows import Patch, marks_on, patches_on
from jamline.report.strips import Frame
from jamline.report.words import km
from jamline.spans import Span, merge, subtract

if TYPE_CHECKING:
    from jamline.evidence import Evidence
    from jamline.queues import Queue, Queues

_CROP_M = 80.0
"""Some ten cars in a row: enough to see whether a queue ends, small enough to see each of them."""

_LONGEST_CROP_M = 400.0
_BESIDE_GAP_M = 20.0
_MAX_QUEUES = 3
_MAX_GAPS = 12
"""Pictured of one queue; a crop takes about 5 kB, and a reader looks at a dozen."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place worth a look.

    Parameters
    ----------
    kind : str
        ``head``, ``tail`` or ``gap``.
    title, text : str
        What it is, and what is to be seen there.
    frame : Frame
        Where it lies.
    """

    kind: str
    title: str
    text: str
    frame: Frame


@dataclass(frozen=True, slots=True)
class Crop:
    """A place with all that is drawn of it."""

    place: Place
    marks: Mapping[str, str]
    unseen: list[Patch]
    picture: str


@dataclass(frozen=True, slots=True)
class Places:
    """The places of one queue, and how many of its gaps are not among them."""

    queue: Queue
    places: list[Place]
    gaps_left_out: int


def places_of(queues: Queues, evidence: Evidence, *, number: int = _MAX_QUEUES) -> list[Places]:
    """Choose what to show close up of a road's longest queues.

    Parameters
    ----------
    queues, evidence
        Of one road.
    number : int
        How many queues.

    Returns
    -------
    list of Places
        For each queue its head (the end nearer to the origin), its tail, and its gaps, the longest of them where there
        are many, in order of station.
    """
    told = []
    for queue in sorted(queues, key=lambda queue: -queue.length_km.value)[:number]:
        gaps = gaps_of(queue, queues)
        longest = sorted(gaps, key=lambda span: -span.length_m)[:_MAX_GAPS]
        chosen = [*_ends(queue, evidence), *(_gap(span, queue, evidence) for span in sorted(longest))]
        told.append(Places(queue, chosen, len(gaps) - len(longest)))
    return told


def gaps_of(queue: Queue, queues: Queues) -> list[Span]:
    """Return the stretches of a queue without a queued vehicle that are longer than its rule's gap.

    Parameters
    ----------
    queue : Queue
        One of ``queues``.
    queues : Queues
        Of its road, with the vehicles.
    """
    rows = queues.vehicles
    rows = rows[(rows["side"] == queue.side) & (rows["state"] == "queued")]
    half_m = rows["length_m"] / 2
    occupied = merge(map(Span, rows["station_m"] - half_m, rows["station_m"] + half_m))
    gaps = subtract(Span(queue.start_m, queue.end_m), occupied)
    return [gap for gap in gaps if gap.length_m > queues.settings["gap_m"]]


def crops_of(places: Sequence[Place], queues: Queues, evidence: Evidence, pictures: Mapping[Frame, str]) -> list[Crop]:
    """Put together what is drawn of each place.

    Parameters
    ----------
    places : sequence of Place
        Of one queue.
    queues, evidence
        Of its road.
    pictures : mapping of Frame to str
        Data URIs.
    """
    return [
        Crop(
            place,
            marks_on(place.frame, queues.vehicles),
            patches_on(place.frame, evidence),
            pictures.get(place.frame, ""),
        )
        for place in places
    ]


def _ends(queue: Queue, evidence: Evidence) -> Iterator[Place]:
    """Yield head and tail: the head is the end nearer to the origin, as it is over time."""
    origin_m = evidence.road.origin_station_m
    for kind, (end, station_m) in zip(("head", "tail"), queue.head_and_tail(origin_m), strict=True):
        known = queue.start if end == "start" else queue.end
        text = f"at km {km(station_m, origin_m)}"
        if end in queue.length_km.open:
            text += "; open: beyond it the road was not seen, or the line stops"
        elif known.low is not None and known.high is not None:
            low, high = sorted((known.low, known.high), key=lambda m: abs(m - origin_m))
            text += f" ({100 * known.level:.0f} %: {km(low, origin_m)} to {km(high, origin_m)})"
        yield Place(kind, kind.capitalize(), text, _frame(station_m, _CROP_M, evidence))


def _gap(span: Span, queue: Queue, evidence: Evidence) -> Place:
    """Return the place of a gap; one that nobody saw is no gap of the queue but of the sight."""
    origin_m = evidence.road.origin_station_m
    middle_m = (span.start_m + span.end_m) / 2
    unseen = any(bridge.start_m < span.end_m and bridge.end_m > span.start_m for bridge in queue.bridged)
    text = f"km {km(span.start_m, origin_m)} to {km(span.end_m, origin_m)}"
    if unseen:
        text += "; part of it was not seen, and the queue is taken to run on through it"
    frame = _frame(middle_m, min(_LONGEST_CROP_M, max(_CROP_M, span.length_m + 2 * _BESIDE_GAP_M)), evidence)
    if span.length_m > frame.length_m:
        text += f"; the middle {frame.length_m:.0f} m of it"
    return Place("gap", f"Gap of {span.length_m:.0f} m", text, frame)


def _frame(middle_m: float, length_m: float, evidence: Evidence) -> Frame:
    half_m = evidence.half_width_m
    return Frame(evidence.road.name, middle_m - length_m / 2, half_m, -half_m, length_m)
