"""The road laid flat in rows of 1 km, and what is drawn over any picture of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from jamline.report.strips import ROW_M, Frame
from jamline.report.words import interval, km, length
from jamline.spans import Span, intersect, merge, subtract

if TYPE_CHECKING:
    from jamline.evidence import Evidence
    from jamline.queues import Queues

ZOOM_M = 250.0

_MAX_ROWS = 60
"""Rows pictured over the whole report: a picture takes about 40 kB, and a page of 3 MB still travels."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark under a row: where, in percent of its width, and what it says."""

    percent: float
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The extent of a queue within a row, in percent of its width."""

    left: float
    width: float
    packing: str
    text: str
    goes_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Patch:
    """A stretch not seen, in metres from the frame's upper left corner."""

    x: float
    y: float
    width: float
    height: float
    reason: str


@dataclass(frozen=True, slots=True)
class Zoom:
    """A quarter of a row, drawn large."""

    x: float
    label: str
    ticks: list[Tick]


@dataclass(frozen=True)
class Row:
    """All that the page needs to draw one row."""

    frame: Frame
    title: str
    summary: str
    seen: bool
    marks: Mapping[str, str]
    bars_left: list[Bar]
    bars_right: list[Bar]
    unseen: list[Patch]
    ticks: list[Tick]
    zooms: list[Zoom]
    picture: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RowsOfRoad:
    """The rows of one road, which stretches were left out for length, and which because nobody saw them."""

    frames: list[Frame]
    left_out: list[str]
    unseen: list[str]


def frames_of(queues: Queues, evidence: Evidence, *, room: int) -> RowsOfRoad:
    """Choose the rows to picture: all, or where the page has no room for them, those with a queue.

    Parameters
    ----------
    queues, evidence
        Of one road.
    room : int
        How many rows the page still takes.
    """
    road = evidence.road
    first = math.floor(-road.origin_station_m / ROW_M)
    last = math.ceil((road.length_m - road.origin_station_m) / ROW_M - 1e-9)
    starts = [road.origin_station_m + k * ROW_M for k in range(first, max(last, first + 1))]
    busy = merge(Span(queue.start_m, queue.end_m) for queue in queues)
    sights = evidence.seen_by_any()
    holds = set(np.floor((queues.vehicles["station_m"].to_numpy(float) - starts[0]) / ROW_M).astype(int).tolist())
    # An empty row for each km that nobody saw would hide the others.
    shown = [
        start for k, start in enumerate(starts) if k in holds or intersect(sights, Span(start, start + ROW_M))
    ] or starts
    chosen = shown
    if len(shown) > room:
        chosen = [start for start in shown if intersect(busy, Span(start, start + ROW_M))][:room]
    half_m = evidence.half_width_m
    return RowsOfRoad(
        [Frame(road.name, start, half_m, -half_m) for start in chosen],
        _told(set(shown) - set(chosen), road.origin_station_m),
        _told(set(starts) - set(shown), road.origin_station_m),
    )


def _told(starts: Iterable[float], origin_m: float) -> list[str]:
    """Name the stretches that rows make up, such as ``km 17 to 28``."""
    spans = merge(Span(start, start + ROW_M) for start in starts)
    return ["km " + " to ".join(km(m, origin_m, digits=0) for m in (span.start_m, span.end_m)) for span in spans]


def rows_left(used: int) -> int:
    """Return how many rows the page still takes."""
    return max(0, _MAX_ROWS - used)


def row_of(frame: Frame, queues: Queues, evidence: Evidence, picture: str) -> Row:
    """Put one row together."""
    origin_m = evidence.road.origin_station_m
    end_m = frame.end_m
    vehicles = queues.vehicles
    inside = vehicles[(vehicles["station_m"] >= frame.start_m) & (vehicles["station_m"] < end_m)]
    states = inside["state"].value_counts()
    told = [f"{states[state]} {state}" for state in ("queued", "flowing", "parked") if state in states.index]
    whole = Span(frame.start_m, end_m)
    seen = bool(intersect(evidence.seen_by_any(), whole))
    start, end = km(frame.start_m, origin_m, digits=0), km(end_m, origin_m, digits=0)
    bars = _bars(frame, queues)
    return Row(
        frame=frame,
        title=f"km {start} to {end}",
        summary=", ".join(told) if told else "no vehicle found" if seen else "not seen",
        seen=seen,
        marks=marks_on(frame, vehicles),
        bars_left=bars["left"] + bars["all"],
        bars_right=bars["right"],
        unseen=patches_on(frame, evidence),
        ticks=_ticks(frame.start_m, ROW_M, 100.0, origin_m, digits=1),
        zooms=[
            Zoom(x, f"km {km(frame.start_m + x, origin_m)} to {km(frame.start_m + x + ZOOM_M, origin_m)}",
                 _ticks(frame.start_m + x, ZOOM_M, 50.0, origin_m, digits=2))
            for x in np.arange(0.0, ROW_M, ZOOM_M).tolist()
        ],
        picture=picture,
    )  # fmt: skip


def marks_on(frame: Frame, vehicles: Any) -> dict[str, str]:
    """Return an SVG path of boxes for each class of vehicle, in metres from the frame's upper left corner."""
    paths: dict[str, str] = {}
    half_m = vehicles["length_m"] / 2
    # A vehicle on the edge between two frames is drawn in both, each showing its part.
    reaches = vehicles["station_m"] + half_m > frame.start_m
    vehicles = vehicles[reaches & (vehicles["station_m"] - half_m < frame.end_m)]
    truck = vehicles["kind"] == "truck"
    for state in ("queued", "flowing", "parked"):
        for kind, chosen in (("car", ~truck), ("truck", truck)):
            some = vehicles[(vehicles["state"] == state) & chosen]
            x = some["station_m"] - some["length_m"] / 2 - frame.start_m
            y = frame.top_offset_m - some["offset_m"] - some["width_m"] / 2
            boxes = zip(x, y, some["length_m"], some["width_m"], strict=True)
            path = "".join(f"M{a:.1f} {b:.1f}h{n:.1f}v{w:.1f}h{-n:.1f}z" for a, b, n, w in boxes)
            if path:
                paths[f"{state} {kind}"] = path
    return paths


def _bars(frame: Frame, queues: Queues) -> dict[str, list[Bar]]:
    """Return the queues' extents within a row, by side."""
    bars: dict[str, list[Bar]] = {"left": [], "right": [], "all": []}
    for queue in queues:
        for part in intersect([Span(queue.start_m, queue.end_m)], Span(frame.start_m, frame.end_m)):
            goes_on = []
            if part.start_m == queue.start_m and "start" in queue.length_km.open:
                goes_on.append("start")
            if part.end_m == queue.end_m and "end" in queue.length_km.open:
                goes_on.append("end")
            left, width = (part.start_m - frame.start_m) / ROW_M * 100, part.length_m / ROW_M * 100
            text = f"{queue.packing} queue, {length(queue.length_km)} ({interval(queue.length_km)})"
            bars[queue.side].append(Bar(left, width, queue.packing, text, tuple(goes_on)))
    return bars


def patches_on(frame: Frame, evidence: Evidence) -> list[Patch]:
    """Return what was not seen within a frame: beyond the line's ends too."""
    whole = Span(frame.start_m, frame.end_m)
    patches = [
        Patch(span.start_m - frame.start_m, 0.0, span.length_m, frame.height_m, "beyond the road line")
        for span in subtract(whole, [Span(0.0, evidence.road.length_m)])
    ]
    edges = {
        "left": (0.0, frame.top_offset_m),
        "right": (frame.top_offset_m, -frame.bottom_offset_m),
        "all": (0.0, frame.height_m),
    }
    sight = evidence.sight
    near = (sight["start_m"] < whole.end_m) & (sight["end_m"] > whole.start_m)
    # Sight comes in short bins; what is hidden for one reason is one patch.
    for (side, reason), bins in sight[~sight["seen"] & near].groupby(["side", "reason"], sort=False):
        y, height = edges[side]
        stretches = merge(map(Span, bins["start_m"], bins["end_m"]))
        patches += [
            Patch(span.start_m - frame.start_m, y, span.length_m, height, reason)
            for span in intersect(stretches, whole)
        ]
    return patches


def _ticks(start_m: float, length_m: float, step_m: float, origin_m: float, *, digits: int) -> list[Tick]:
    """Return marks at whole steps, counted from the origin."""
    stations: Sequence[float] = np.arange(0.0, length_m + 1e-6, step_m).tolist()
    return [Tick(s / length_m * 100, km(start_m + s, origin_m, digits=digits)) for s in stations]
