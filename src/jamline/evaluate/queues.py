"""Found queues beside true ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import optimize

from jamline.errors import InputError
from jamline.evaluate.files import read_json
from jamline.evaluate.scores import QueueScore
from jamline.evaluate.sight import roads_in
from jamline.road import Road
from jamline.spans import Span, intersect, total_m

_OTHER_SIDE = {"left": "right", "right": "left", "all": "all"}


def match_queues(
    out: Path, truth: Path, run: Mapping[str, Any], seen: Any, vehicles: Sequence[Mapping[str, Any]]
) -> tuple[tuple[QueueScore, ...], int, int]:
    """Pair found queues with the true ones on the same side that they share most metres with.

    Parameters
    ----------
    out, truth : Path
        Folders of the result and the truth.
    run : mapping
        Content of `run.json`.
    seen : shapely geometry
        Where the result saw the road; a true queue all out of sight counts neither way.
    vehicles : sequence of mapping
        The found vehicles' `road`, `side`, `station_m` and `state`.

    Returns
    -------
    pairs : tuple of QueueScore
    missed, false : int
        True queues without a partner, and found ones.
    """
    if not (truth / "queues.json").exists():
        return (), 0, 0
    true_road = _first_road(truth / "road.geojson")
    true = [
        queue
        for queue in _true_queues(truth / "queues.json")
        if true_road is None or true_road.line(queue["start_m"], queue["end_m"]).intersects(seen)
    ]
    found = [(road["name"], queue) for road in run["roads"] for queue in road["queues"]]
    if not true or not found:
        return (), len(true), len(found)
    placed = _placed(found, out / "road.geojson", true_road)
    overlap = np.array([[_overlap_m(one, other) for other in true] for one in placed])
    a, b = optimize.linear_sum_assignment(-overlap)
    pairs = [(i, j) for i, j in zip(a, b, strict=True) if overlap[i, j] > 0]
    scores = tuple(_queue_score(placed[i], true[j], _counted(found[i][0], found[i][1], vehicles)) for i, j in pairs)
    return scores, len(true) - len(pairs), len(found) - len(pairs)


def _true_queues(path: Path) -> list[dict[str, Any]]:
    """Read the true queues: a list, or the list that an object holds as `queues`."""
    content = read_json(path)
    queues = content.get("queues") if isinstance(content, dict) else content
    needed = {"side", "start_m", "end_m", "length_km"}
    if not isinstance(queues, list) or any(not isinstance(q, dict) or needed - set(q) for q in queues):
        raise InputError(f"Invalid file '{path}'. Must hold queues with {', '.join(sorted(needed))}.")
    return queues


def _overlap_m(found: Mapping[str, Any], true: Mapping[str, Any]) -> float:
    """Return the metres that two queues share, 0 on different sides."""
    if found["side"] != true["side"]:
        return 0.0
    return total_m(intersect([Span(found["start_m"], found["end_m"])], Span(true["start_m"], true["end_m"])))


def _placed(found: Sequence[tuple[str, Any]], drawn: Path, true_road: Road | None) -> list[dict[str, Any]]:
    """Give found queues their stations and sides on the true road, which may be drawn the other way."""
    queues = [dict(queue) for _, queue in found]
    if true_road is None or not drawn.exists():
        return queues
    roads = {road.name: road for road in roads_in(drawn)}
    for (name, _), queue in zip(found, queues, strict=True):
        if name in roads:
            lon, lat = roads[name].to_map([queue["start_m"], queue["end_m"]], [0.0, 0.0])
            station = true_road.to_road(lon, lat)[0]
            if station[1] < station[0]:
                queue["side"] = _OTHER_SIDE[queue["side"]]
            queue["start_m"], queue["end_m"] = float(station.min()), float(station.max())
    return queues


def _first_road(path: Path) -> Road | None:
    return roads_in(path)[0] if path.exists() else None


def _counted(road: str, queue: Mapping[str, Any], vehicles: Sequence[Mapping[str, Any]]) -> int:
    """Count the queued vehicles between a found queue's ends, stations as the result has them."""
    # Tables are rounded to centimetres, and a queue may end at a vehicle's very middle.
    low_m, high_m = queue["start_m"] - 0.01, queue["end_m"] + 0.01
    return sum(
        v.get("road") == road
        and v.get("side") == queue["side"]
        and v.get("state") == "queued"
        and low_m <= _number(v.get("station_m")) <= high_m
        for v in vehicles
    )


def _queue_score(found: Mapping[str, Any], true: Mapping[str, Any], counted: int) -> QueueScore:
    """Put one found and one true queue side by side."""
    length, count = found["length_km"], found["vehicles"]
    return QueueScore(
        side=found["side"],
        truth_km=float(true.get("seen_length_km", true["length_km"])),
        found_km=_number(length["value"]),
        low_km=_number(length["low"], 0.0),
        high_km=_number(length["high"], math.inf),
        whole_km=float(true["length_km"]),
        truth_vehicles=_number(true.get("seen_vehicles", true.get("vehicles"))),
        found_vehicles=_number(count["value"]),
        vehicles_low=_number(count["low"], 0.0),
        vehicles_high=_number(count["high"], math.inf),
        counted_vehicles=counted,
    )


def _number(value: Any, missing: float = math.nan) -> float:
    return missing if value is None else float(value)
