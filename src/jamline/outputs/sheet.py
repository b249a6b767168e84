"""What a printed map says of a result: its title, the first finding, and what it rests on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jamline.spans import Estimate

if TYPE_CHECKING:
    from jamline.outputs.record import ImageRecord, QueueRecord, RoadRecord, RunRecord

NAMES = ("jamline_title", "jamline_subtitle", "jamline_provenance")
"""Variables of a QGIS project that hold the texts, in the order of `texts`."""

_NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, 2.2. A road's name may come from anywhere."""

_INSTANT = "One image is one instant: it shows how densely vehicles stand, not how long they have stood."


def texts(run: RunRecord) -> dict[str, str]:
    """Return the texts of a sheet by variable, each one line.

    Parameters
    ----------
    run : RunRecord
        What `run.json` says.
    """
    longest = longest_of(run)
    findings = [finding for road in run.roads for finding in road.findings]
    if longest is None:
        names = ", ".join(road.name for road in run.roads)
        title, subtitle = f"{names}: no queue was seen", _seen(run)
    else:
        road, queue = longest
        side = "" if queue.side == "all" else f", {queue.side} side"
        title, subtitle = f"{road.name}{side}: {_estimate(queue)}", _place(road, queue, run)
    if findings:
        first, more = findings[0], len(findings) - 1
        chance = "" if first.probability is None else f" ({first.probability:.2f})"
        subtitle = f"“{first.claim}”: {first.verdict}, {first.likelihood}{chance}. {first.reason}"
        subtitle += f" {more} more in report.html." if more else ""
    told = (title, subtitle, _provenance(run))
    return {name: " ".join(speakable(text).split()) for name, text in zip(NAMES, told, strict=True)}


def speakable(value: Any) -> Any:
    """Return a text with a mark for each character that no XML can hold; anything else as it is."""
    return _NOT_IN_XML.sub("\ufffd", value) if type(value) is str else value


def longest_of(run: RunRecord) -> tuple[RoadRecord, QueueRecord] | None:
    """Return the longest queue with its road, ``None`` where no queue was found.

    What an open queue is told to be is its least length, and so it is ranked by that.
    """
    every = [(road, queue) for road in run.roads for queue in road.queues]
    return max(every, key=lambda each: _told_km(each[1]), default=None)


def _told_km(queue: QueueRecord) -> float:
    """Return the length that is told of a queue."""
    told = queue.length_km
    length_km = told.low if told.high is None else told.value
    return length_km or 0.0


def _estimate(queue: QueueRecord) -> str:
    """Return a queue's length with its interval, as every other place tells it."""
    told = queue.length_km
    return str(Estimate(told.value or 0.0, told.low, told.high, told.level, "km", tuple(told.open)))


def _place(road: RoadRecord, queue: QueueRecord, run: RunRecord) -> str:
    """Return where a queue lies on its road, and whether there are others."""
    start, end = ((at - road.origin_station_m) / 1000 for at in (queue.start_m, queue.end_m))
    more = sum(len(each.queues) for each in run.roads) - 1
    others = f" The longest of {more + 1} queues." if more else ""
    return f"Km {start:.2f} to {end:.2f} from {road.origin}, {queue.packing}.{others} {_seen(run)}"


def _seen(run: RunRecord) -> str:
    """Return how much of the roads was seen."""
    seen_m, length_m = (sum(each) for each in zip(*((r.coverage.seen_m, r.length_m) for r in run.roads), strict=True))
    return f"{seen_m / 1000:.2f} of {length_m / 1000:.2f} km of road seen."


def _provenance(run: RunRecord) -> str:
    """Return what was looked at, when it was taken, and with what it was measured."""
    review = run.review or {}
    looked = any(review.get(kind) for kind in ("accepted", "rejected", "added", "reviewed_m"))
    reviewed = " Vehicles were reviewed by a person." if looked else ""
    measured = f"Measured with jamline {run.jamline}, detector {run.detector.name}.{reviewed}"
    return f"{_images(run.imagery)}{measured} {_INSTANT}"


def _images(images: list[ImageRecord]) -> str:
    if not images:
        return ""
    # An address may hold a signature or a key behind its question mark, which is not to be printed.
    place, _, item = images[0].path.partition("#")
    first = item or place.split("?", 1)[0].replace("\\", "/").rstrip("/").rpartition("/")[2]
    named = first if len(images) == 1 else f"{len(images)} images, {first} and others"
    days = sorted({image.acquired[:10] for image in images if image.acquired})
    taken = " to ".join(dict.fromkeys([days[0], days[-1]])) if days else "at a time that the files do not tell"
    return f"Imagery: {named}; taken {taken}, {min(image.gsd_m for image in images):.2g} m. "
