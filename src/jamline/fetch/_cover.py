"""Roads held against footprints: how much of them lies within, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod

from jamline.errors import ImageryError
from jamline.imagery import Item, shown
from jamline.road import Road

_GEOD = Geod(ellps="WGS84")

_STEP_M = 20.0
"""Spacing of the points by which a road is held against footprints; it strays from its curve by millimetres."""

_TURNS = (-360.0, 0.0, 360.0)
"""A road and a footprint may count the same meridian with a turn between them."""


@dataclass(frozen=True)
class Stretch:
    """Part of a road.

    Parameters
    ----------
    road : str
        Its name.
    start_m, end_m : float
        Stations.
    """

    road: str
    start_m: float
    end_m: float

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"road": self.road, "start_m": round(self.start_m, 1), "end_m": round(self.end_m, 1)}


@dataclass(frozen=True, eq=False)
class Lines:
    """Roads as lines in degrees.

    Parameters
    ----------
    names : tuple of str
        Of the roads.
    stations : tuple of array
        Of each road's points.
    lines : tuple of shapely.LineString
        Through those points.
    """

    names: tuple[str, ...]
    stations: tuple[npt.NDArray[np.float64], ...] = field(repr=False)
    lines: tuple[shapely.LineString, ...] = field(repr=False)

    @classmethod
    def of(cls, roads: Sequence[Road]) -> Lines:
        """Draw roads."""
        counts = [max(2, round(road.length_m / _STEP_M) + 1) for road in roads]
        stations = tuple(np.linspace(0.0, road.length_m, n) for road, n in zip(roads, counts, strict=True))
        return cls(
            names=tuple(road.name for road in roads),
            stations=stations,
            lines=tuple(
                shapely.LineString(np.column_stack(road.to_map(at, np.zeros_like(at))))
                for road, at in zip(roads, stations, strict=True)
            ),
        )

    @cached_property
    def whole(self) -> shapely.MultiLineString:
        """All roads."""
        return shapely.MultiLineString(list(self.lines))

    def length_within_m(self, area: shapely.Geometry) -> float:
        """Return the geodesic length of road within an area."""
        inside = [shapely.intersection(self.whole, each) for each in _turned(area)]
        return float(sum(_GEOD.geometry_length(each) for each in inside if not each.is_empty))

    def stretches_within(self, area: shapely.Geometry) -> tuple[Stretch, ...]:
        """Return the stretches of road within an area, from point to point."""
        areas = _turned(area)
        found = []
        for name, stations, line in zip(self.names, self.stations, self.lines, strict=True):
            lon, lat = shapely.get_coordinates(line).T
            inside = np.logical_or.reduce([shapely.contains_xy(each, lon, lat) for each in areas])
            change = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
            found += [
                Stretch(name, float(stations[first]), float(stations[stop - 1]))
                for first, stop in change.reshape(-1, 2)
                if stop - first > 1
            ]
        return tuple(found)


def footprint_of(item: Item) -> shapely.Geometry:
    """Return where an item says that it lies; nowhere if it does not say.

    Raises
    ------
    ImageryError
        If what it says is no geometry.
    """
    geometry: Mapping[str, Any] | None = item.content.get("geometry")
    box: Sequence[float] | None = item.content.get("bbox")
    try:
        if geometry:
            return shapely.make_valid(shapely.geometry.shape(geometry))
        if box:
            return shapely.box(*(box if len(box) == 4 else (*box[:2], *box[3:5])))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError) as error:
        raise ImageryError(f"Invalid item '{shown(item.path)}'. Must have a geometry as GeoJSON has it.") from error
    return shapely.Polygon()


def _turned(area: shapely.Geometry) -> list[shapely.Geometry]:
    return [shapely.transform(area, lambda xy, by=turn: xy + np.array([by, 0.0])) for turn in _TURNS]
