"""Footprints of vehicles, found ones and true ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod

from jamline.evaluate.files import features
from jamline.road import metres_per_degree
from jamline.tables import TRUCK_M

Array = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]

_GEOD = Geod(ellps="WGS84")


@dataclass(frozen=True, eq=False)
class Footprints:
    """Vehicles with what is needed of them.

    Parameters
    ----------
    shapes : array of shapely.Polygon, shape (n,)
        In WGS 84.
    boxes : array, shape (n, 4, 2)
        Longitude and latitude of the corners of the narrowest box around each; corners 0 and 1 end a long side.
    length_m : array, shape (n,)
        As the file tells, else the box's long side.
    kind : array of str, shape (n,)
        ``"car"`` or ``"truck"``.
    score : array, shape (n,)
        Probability that it is a vehicle, NaN where the file has none.
    properties : sequence of mapping
        Whatever else the file tells.
    """

    shapes: npt.NDArray[np.object_]
    boxes: Array
    length_m: Array
    kind: Texts
    score: Array
    properties: Sequence[Mapping[str, Any]] = field(repr=False)

    def __len__(self) -> int:
        return len(self.shapes)

    @cached_property
    def lonlat(self) -> Array:
        """Centres, shape (n, 2)."""
        centre = shapely.centroid(self.shapes)
        return np.column_stack([shapely.get_x(centre), shapely.get_y(centre)]).astype(float)

    @property
    def xyz_m(self) -> Array:
        """Centres as geocentric coordinates, shape (n, 3): metres are metres wherever on the globe."""
        lon, lat = np.radians(self.lonlat.T)
        n = _GEOD.a / np.sqrt(1.0 - _GEOD.es * np.sin(lat) ** 2)
        return np.column_stack(
            [n * np.cos(lat) * np.cos(lon), n * np.cos(lat) * np.sin(lon), n * (1.0 - _GEOD.es) * np.sin(lat)]
        )

    def told(self, name: str) -> Texts:
        """Return a property as text, empty where the file has none, shape (n,)."""
        return np.array([str(p.get(name) or "") for p in self.properties], dtype=object)


def read_footprints(path: Path) -> Footprints:
    """Read footprints; length and kind come from the shape where the file does not tell.

    Parameters
    ----------
    path : Path
        A GeoJSON file.

    Raises
    ------
    InputError
        If it is missing or cannot be read.
    """
    shapes, properties = features(path)
    boxes = np.array([_narrowest_box(shape) for shape in shapes]).reshape(-1, 4, 2)
    side = boxes[:, 1] - boxes[:, 0]
    measured = np.linalg.norm(side * metres_per_degree(boxes[:, 0, 1]), axis=1) if len(boxes) else np.zeros(0)
    length = np.array([float(p.get("length_m") or m) for p, m in zip(properties, measured, strict=True)], dtype=float)
    truck = [p["kind"] == "truck" if p.get("kind") else n > TRUCK_M for p, n in zip(properties, length, strict=True)]
    kind = np.where(truck, "truck", "car").astype(object)
    score = np.array([np.nan if p.get("score") is None else float(p["score"]) for p in properties], dtype=float)
    return Footprints(shapes, boxes, length, kind, score, properties)


def _narrowest_box(shape: Any) -> Array:
    """Return the corners of the narrowest box around a footprint in degrees, a long side first, shape (4, 2)."""
    corners = shapely.get_coordinates(shape)
    metric = metres_per_degree(corners[:1, 1])[0]
    local = shapely.Polygon((corners - corners[0]) * metric)
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(local))[:4]
    first, second = np.linalg.norm(np.diff(box[:3], axis=0), axis=1)
    turned: Array = corners[0] + (box if first >= second else np.roll(box, -1, axis=0)) / metric
    return turned
