"""Sections through a detector, joined to the evidence of a whole road."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from jamline import tables
from jamline.corridor import Corridor
from jamline.detect._lanes import Lanes, lanes_of
from jamline.detect._protocol import Boxes, Detector, Shipped
from jamline.detect._sight import Sight, sight_table
from jamline.detect.contrast import Contrast
from jamline.detect.network import Network
from jamline.errors import UsageError
from jamline.evidence import Evidence
from jamline.memory import give_back
from jamline.road import Road

Array = npt.NDArray[np.float64]

DETECTORS: Mapping[str, Callable[[], Shipped]] = {"network": Network.shipped, "contrast": Contrast}
"""Detectors by the name that `--detector` takes; the first is used unless another is named."""

_AT_ONCE = 1024
"""Boxes that are put on the map at once, on a part of the road that is at hand."""

_EDGE_SIGMA_M = 0.8
"""How well a width that is tagged, or found with the road, tells where the lanes end."""


def detector_named(name: str) -> Shipped:
    """Return a detector by its name.

    Raises
    ------
    UsageError
        If there is none of this name.
    """
    if name not in DETECTORS:
        raise UsageError(f"Invalid detector '{name}'. Must be one of {', '.join(sorted(DETECTORS))}.")
    return DETECTORS[name]()


def as_detector(detector: str | Detector) -> Detector:
    """Return a detector as it is, or the one of a name with `detector_named`."""
    return detector_named(detector) if isinstance(detector, str) else detector


def find_vehicles(corridor: Corridor, *, detector: str | Detector = "network") -> Evidence:
    """Find the vehicles along a road.

    Parameters
    ----------
    corridor : Corridor
        The road laid flat.
    detector : str or Detector
        Which detector to use.

    Returns
    -------
    Evidence

    Raises
    ------
    UsageError
        If no detector has this name.
    """
    chosen = as_detector(detector)
    return evidence_of(corridor, [find_along(corridor, detector=chosen)], detector=chosen.name)


@dataclass(frozen=True, eq=False)
class Stretch:
    """What was found on one stretch of a road.

    Parameters
    ----------
    boxes : tuple of Boxes
        Of each section.
    sight : tuple of Sight
        Of each section.
    """

    boxes: tuple[Boxes, ...]
    sight: tuple[Sight, ...]


def find_along(corridor: Corridor, *, detector: Detector, numbers: range | None = None) -> Stretch:
    """Find the vehicles of some of a road's sections, by default of all.

    Parameters
    ----------
    corridor : Corridor
        The whole road laid flat.
    detector : Detector
        Which detector to use.
    numbers : range, optional
        Numbers of the sections.
    """
    road = corridor.road
    found_boxes: list[Boxes] = []
    sight: list[Sight] = []
    for section in corridor.sections(numbers=numbers):
        found = detector.find(section, carriageway_m=corridor.carriageway_m)
        boxes = found.boxes
        own = (boxes.station_m >= section.core.start_m) & (boxes.station_m < section.core.end_m)
        inside = (boxes.station_m <= road.length_m) & (np.abs(boxes.offset_m) <= corridor.half_width_m)
        found_boxes.append(boxes.take(own & inside))
        sight.append(Sight.of(section, found, road, corridor.carriageway_m))
    return Stretch(tuple(found_boxes), tuple(sight))


def evidence_of(corridor: Corridor, stretches: Sequence[Stretch], *, detector: str) -> Evidence:
    """Put what was found on all stretches of a road together, in their order.

    Parameters
    ----------
    corridor : Corridor
        The whole road laid flat; its pixels are not read.
    stretches : sequence of Stretch
        One after the other.
    detector : str
        Name of the detector.
    """
    road = corridor.road
    give_back(road.length_m)
    every = [boxes for stretch in stretches for boxes in stretch.boxes]
    boxes = Boxes(*(np.concatenate([getattr(each, part.name) for each in every]) for part in fields(Boxes)))
    boxes = boxes.take(np.argsort(boxes.station_m, kind="stable"))
    lanes = lanes_of(
        boxes,
        oneway=len(road.sides) == 1,
        carriageway_m=corridor.carriageway_m,
        edge_sigma_m=_edge_sigma_m(corridor),
        edges=corridor.edges,
    )
    give_back(road.length_m)
    return Evidence(
        road=road,
        vehicles=_vehicles(boxes, road, lanes),
        sight=sight_table([each for stretch in stretches for each in stretch.sight], road.sides),
        alignment_m=corridor.alignment_m,
        half_width_m=corridor.half_width_m,
        gsd_m=corridor.scene.gsd_m,
        detector=detector,
    )


def _edge_sigma_m(corridor: Corridor) -> float:
    """Return how well the edges of the lanes are known before the picture is asked: the width and the shift."""
    shift = corridor.alignment_m
    wide_m = 0.0 if shift.low is None or shift.high is None else (shift.high - shift.low) / 2 / 1.645
    return float(np.hypot(_EDGE_SIGMA_M, wide_m))


def _vehicles(boxes: Boxes, road: Road, lanes: Lanes) -> pd.DataFrame:
    """Put boxes on the map."""
    heading = road.heading_at(boxes.station_m) if len(boxes) else np.zeros(0)
    # Some lie across the road, in lots and side streets: their length is the longer side all the same.
    across = boxes.width_m > boxes.length_m
    length_m = np.maximum(boxes.length_m, boxes.width_m)
    return tables.table(
        tables.VEHICLES,
        {
            "road": road.name,
            "side": road.side_of(lanes.left_m).astype(object),
            "station_m": boxes.station_m,
            "offset_m": boxes.offset_m,
            "length_m": length_m,
            "width_m": np.minimum(boxes.length_m, boxes.width_m),
            "heading_deg": (heading + 90.0 * across) % 180.0,
            "kind": np.where(length_m > tables.TRUCK_M, "truck", "car").astype(object),
            "state": np.where(lanes.parked, "parked", "flowing").astype(object),
            "score": boxes.score,
        },
        geometry=list(footprints(boxes, road)),
    )


def footprints(boxes: Boxes, road: Road) -> npt.NDArray[np.object_]:
    """Return the boxes as polygons in WGS 84, rings counter-clockwise, shape (n,)."""
    if not len(boxes):
        return np.zeros(0, dtype=object)
    # Counter-clockwise as seen from above: forward right, forward left, back left, back right.
    signs = ((1, -1), (1, 1), (-1, 1), (-1, -1))
    rings: npt.NDArray[np.object_] = np.empty(len(boxes), dtype=object)
    for first in range(0, len(boxes), _AT_ONCE):
        part = boxes.take(np.arange(first, min(first + _AT_ONCE, len(boxes))))
        corners = np.empty((len(part), 5, 2))
        for number, (along, across) in enumerate(signs):
            lon, lat = road.to_map(
                part.station_m + along * part.length_m / 2, part.offset_m + across * part.width_m / 2
            )
            corners[:, number, 0], corners[:, number, 1] = lon, lat
        corners[:, 4] = corners[:, 0]
        rings[first : first + len(part)] = shapely.polygons(corners)
    return rings
