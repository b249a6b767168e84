"""From queues at several times to how fast their ends move."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jamline import tables
from jamline.queues import Queue, Queues
from jamline.spans import Estimate


def _names(stem: str, ending: str) -> tuple[str, str, str]:
    """Return the names of the columns of a number and of its interval."""
    return f"{stem}{ending}", f"{stem}_low{ending}", f"{stem}_high{ending}"


def _measured(stem: str, ending: str, unit: str, meaning: str) -> tuple[tables.Column, ...]:
    """Return the columns of a number with its interval; an end is missing where nothing bounds it."""
    parts = zip(_names(stem, ending), ("", "low end of the interval: ", "high end of the interval: "), strict=True)
    return tuple(tables.Column(name, "float64", unit, f"{part}{meaning}") for name, part in parts)


SERIES = tables.Schema(
    "series",
    "LineString",
    (
        tables.Column("road", "str", "", "name of the road"),
        tables.Column("side", "str", "", "left, right or all"),
        tables.Column("time", "str", "", "when it was seen, ISO 8601"),
        *_measured("head", "_km", "km", "distance of the queue's head from the road's origin, along the road"),
        *_measured("tail", "_km", "km", "distance of its tail from there"),
        *_measured("length", "_km", "km", "length"),
        *_measured("vehicles", "", "", "vehicles in it"),
        tables.Column("open", "str", "", "ends that leave what was seen: empty, head, tail or head,tail"),
        tables.Column("packing", "str", "", "packed, dense, or empty where no queue was seen"),
        tables.Column("hours", "float64", "h", "hours since the look before, missing where that shows no queue"),
        *_measured("head", "_m_per_h", "m/h", "speed at which the head moves away from the origin since then"),
        *_measured("tail", "_m_per_h", "m/h", "speed at which the tail moves away from the origin since then"),
    ),
)
"""One row for each look, road and side on which a queue was ever seen; where there is none a row has no line."""


@dataclass(frozen=True, eq=False)
class Look:
    """The queues of one road at one time.

    Parameters
    ----------
    time : str
        A day or a time, ISO 8601; without a zone it is UTC, without a clock midnight.
    queues : Queues
        Of the road.
    """

    time: str
    queues: Queues

    @property
    def moment(self) -> datetime:
        """When it was."""
        return moment(self.time)


@dataclass(frozen=True, eq=False)
class _Ends:
    """The queue of one side at one time, its ends told from the origin."""

    look: Look
    queue: Queue
    head_km: Estimate
    tail_km: Estimate
    opens: tuple[str, ...]


def moment(time: str) -> datetime:
    """Return a day or time as a moment.

    Raises
    ------
    ValueError
        If it is no ISO 8601 day or time.
    """
    when = datetime.fromisoformat(time)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def growth(looks: Sequence[Look]) -> list[dict[str, Any]]:
    """Return where the longest queue of each side had its ends, and how fast they moved.

    Parameters
    ----------
    looks : sequence of Look
        In any order; those of one road are followed together.

    Returns
    -------
    list of dict
        Rows with the columns of `SERIES` and ``geometry``, by road, side and time; ``None`` is unknown.

    Notes
    -----
    The head is the end nearer to the road's origin, the same end at all times. An open end may lie further out than
    it was seen, so a speed that rests on one is bounded on one side only, and one that rests on two not at all. The
    errors of two looks are taken to be independent.
    """
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys(look.queues.evidence.road.name for look in looks):
        of_road = sorted((look for look in looks if look.queues.evidence.road.name == name), key=lambda k: k.moment)
        for side in of_road[0].queues.evidence.road.sides:
            rows += _followed(of_road, side)
    return rows


def speed_sentence(row: Mapping[str, Any]) -> str:
    """Return how fast the ends moved up to one look, for people; empty where none is to be told.

    Parameters
    ----------
    row : mapping
        Of `growth`.
    """
    if row["hours"] is None:
        return ""
    side = "" if row["side"] == "all" else f", {row['side']} side"
    told = " and ".join(f"its {end} {_moved(row, end)}" for end in ("head", "tail"))
    return f"{row['road']}{side}, in the {row['hours']:.4g} hours up to {row['time']}: {told}."


def _moved(row: Mapping[str, Any], end: str) -> str:
    """Say how fast an end moved, and within what."""
    speed, low, high = (row[name] for name in _names(end, "_m_per_h"))
    if low is None and high is None:
        return "lay where nobody saw it, both times"
    if low is not None and high is not None:
        told = f"{speed:.0f} m an hour ({low:.0f} to {high:.0f})".replace("-", "−")
        return f"moved outward by {told}"
    # Bounded on one side: outward by at least 3 is inward by at most -3.
    bound, most = (low, False) if high is None else (high, True)
    way = "outward" if bound >= 0 else "inward"
    return f"moved {way} by at {'most' if most == (bound >= 0) else 'least'} {abs(bound):.0f} m an hour"


def _followed(looks: Sequence[Look], side: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one side; none where no look shows a queue."""
    longest = [
        max((queue for queue in look.queues if queue.side == side), key=lambda q: q.length_km.value, default=None)
        for look in looks
    ]
    if not any(longest):
        return
    head = _head(looks, longest)
    before: _Ends | None = None
    for look, queue in zip(looks, longest, strict=True):
        row: dict[str, Any] = {"road": look.queues.evidence.road.name, "side": side, "time": look.time}
        if queue is None:
            yield {**dict.fromkeys(SERIES.names), **row, "open": "", "packing": "", "geometry": None}
            # Whether it is the same queue that comes back, nobody saw.
            before = None
            continue
        ends = _ends(look, queue, head)
        row |= {"open": ",".join(ends.opens), "packing": queue.packing, "geometry": _line(look, queue)}
        for stem, estimate in (("head", ends.head_km), ("tail", ends.tail_km), ("length", queue.length_km)):
            row |= _told(stem, "_km", estimate)
        row |= _told("vehicles", "", queue.vehicles)
        yield {**dict.fromkeys(SERIES.names), **row, **(_speeds(before, ends) if before else {})}
        before = ends


def _head(looks: Sequence[Look], queues: Sequence[Queue | None]) -> str:
    """Return which end is nearer to the origin, over all looks."""
    start = end = 0.0
    for look, queue in zip(looks, queues, strict=True):
        if queue is not None:
            origin_m = look.queues.evidence.road.origin_station_m
            start, end = start + abs(queue.start_m - origin_m), end + abs(queue.end_m - origin_m)
    return "start" if start <= end else "end"


def _ends(look: Look, queue: Queue, head: str) -> _Ends:
    """Tell a queue's ends from the origin: the tail lies on the positive side of the head."""
    origin_m = look.queues.evidence.road.origin_station_m
    sign = 1.0 if head == "start" else -1.0
    near, far = (queue.start, queue.end) if head == "start" else (queue.end, queue.start)
    names = {"start": "head", "end": "tail"} if head == "start" else {"start": "tail", "end": "head"}
    opens = tuple(sorted(names[end] for end in queue.length_km.open))
    return _Ends(look, queue, _from_origin(near, origin_m, sign), _from_origin(far, origin_m, sign), opens)


def _from_origin(station: Estimate, origin_m: float, sign: float) -> Estimate:
    """Return a station as km from the origin."""
    value, *ends = (
        None if m is None else sign * (m - origin_m) / 1000 for m in (station.value, station.low, station.high)
    )
    low, high = ends if sign > 0 else reversed(ends)
    return Estimate(value or 0.0, low, high, station.level, "km")


def _speeds(before: _Ends, after: _Ends) -> dict[str, Any]:
    """Return the columns on how fast both ends moved."""
    hours = (after.look.moment - before.look.moment).total_seconds() / 3600
    columns: dict[str, Any] = {"hours": hours}
    for end in ("head", "tail"):
        was, now = getattr(before, f"{end}_km"), getattr(after, f"{end}_km")
        opens = (end in before.opens, end in after.opens)
        columns |= _told(end, "_m_per_h", _speed(was, now, hours, opens, outward=end == "tail"))
    return columns


def _speed(was: Estimate, now: Estimate, hours: float, opens: tuple[bool, bool], *, outward: bool) -> Estimate:
    """Return how fast an end moved.

    Parameters
    ----------
    was, now : Estimate
        Where it was seen, in km.
    hours : float
        Between the two.
    opens : tuple of bool
        Whether it was open then, and is now.
    outward : bool
        Whether an open end may lie further from the origin than it was seen, as a tail does; a head may lie nearer.
    """
    scale = 1000 / hours
    down = math.hypot(now.value - _or(now.low, now.value), _or(was.high, was.value) - was.value)
    up = math.hypot(_or(now.high, now.value) - now.value, was.value - _or(was.low, was.value))
    was_open, is_open = opens
    no_low, no_high = (was_open, is_open) if outward else (is_open, was_open)
    value = now.value - was.value
    return Estimate(
        scale * value,
        None if no_low else scale * (value - down),
        None if no_high else scale * (value + up),
        now.level,
        "m/h",
    )


def _or(number: float | None, other: float) -> float:
    return other if number is None else number


def _told(stem: str, ending: str, estimate: Estimate) -> dict[str, Any]:
    """Return the three columns of a number."""
    return dict(zip(_names(stem, ending), (estimate.value, estimate.low, estimate.high), strict=True))


def _line(look: Look, queue: Queue) -> Any:
    """Return the queue as a line on the map."""
    frame = look.queues.to_frame()
    return frame.geometry.iloc[list(look.queues).index(queue)]
