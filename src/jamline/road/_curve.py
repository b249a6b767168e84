"""A road laid out in stations: from the line someone drew to a curve one can measure along.

Positions stay in longitude and latitude. Metres are taken from the ellipsoid at the place itself, so a road
of any length, in any UTM zone, needs no projection of its own: over the 100 m around a point the ellipsoid's
tangent plane is exact to a millimetre.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod

from jamline.cards import card
from jamline.errors import RoadError
from jamline.road._ellipsoid import metres_per_degree
from jamline.road._nearest import nearest
from jamline.road._normals import Normals
from jamline.road._points import STEP_M, between, blocks, columns_at, resampled, smoothed, stations

Array = npt.NDArray[np.float64]

_GEOD = Geod(ellps="WGS84")

_BOX_POINTS = 512
"""Points that are looked for together: finding those near a place costs little on a road of any length."""


@dataclass(frozen=True, eq=False)
class Road:
    """One road as a smooth curve with geodesic stations.

    Parameters
    ----------
    name : str
        What the file calls it, or ``road 1``, ``road 2``...
    lonlat : array, shape (n, 2)
        Points of the curve about 1 m apart, degrees, WGS 84.
    oneway : bool
        True for a single carriageway, measured as one side ``all``.
    lanes : int or None
        Running lanes of the line as tagged, both directions together on a two-way road.
    width_m : float or None
        Width of the carriageway as tagged.
    origin : str
        Name or position that claims count from.
    origin_station_m : float
        Its station.
    source : str
        File that the line came from.
    places : mapping of str to (lon, lat)
        Named points of that file that lie at the road.
    """

    name: str
    lonlat: Array
    oneway: bool = False
    lanes: int | None = None
    width_m: float | None = None
    origin: str = "start"
    origin_station_m: float = 0.0
    source: str = ""
    places: Mapping[str, tuple[float, float]] = field(default_factory=dict, repr=False)
    station_m: Array = field(init=False, repr=False)
    _normals: Normals = field(init=False, repr=False)

    def __post_init__(self) -> None:
        station_m = stations(self.lonlat)
        object.__setattr__(self, "station_m", station_m)
        object.__setattr__(self, "_normals", Normals(self.lonlat, station_m))

    def __repr__(self) -> str:
        kind = "one carriageway" if self.oneway else "two-way"
        return f"<Road '{self.name}', {self.length_m / 1000:.2f} km, {kind}, origin '{self.origin}'>"

    def _repr_html_(self) -> str:
        rows = [
            ("length", f"{self.length_m / 1000:.2f} km"),
            ("sides", ", ".join(self.sides)),
            ("lanes", self.lanes or "not tagged"),
            ("origin", f"{self.origin}, station {self.origin_station_m:.0f} m"),
            ("source", self.source or "made by a script"),
        ]
        return card(f"Road {self.name}", rows)

    @property
    def length_m(self) -> float:
        """Geodesic length in metres."""
        return float(self.station_m[-1])

    @property
    def sides(self) -> tuple[str, ...]:
        """Sides that are measured, each on its own."""
        return ("all",) if self.oneway else ("left", "right")

    def side_of(self, offset_m: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """Return the side on which each offset lies, shape of ``offset_m``.

        Parameters
        ----------
        offset_m : array
            Metres to the left of the road.
        """
        offset_m = np.asarray(offset_m)
        if self.oneway:
            return np.full(offset_m.shape, "all")
        return np.where(offset_m >= 0, "left", "right")

    def frame_at(self, station_m: npt.ArrayLike) -> tuple[Array, Array]:
        """Return where the road is and which way its left lies.

        Parameters
        ----------
        station_m : array, shape (n,)
            Stations in metres; beyond the ends the curve goes on straight.

        Returns
        -------
        lonlat : array, shape (n, 2)
            Degrees.
        left : array, shape (n, 2)
            Degrees east and north for one metre to the left.
        """
        s = np.atleast_1d(np.asarray(station_m, dtype=float))
        inside = np.clip(s, 0.0, self.length_m)
        near = between(inside, self.station_m)
        station_m = self.station_m[near]
        lonlat = columns_at(inside, station_m, self.lonlat[near])
        normal = columns_at(inside, station_m, self._normals.of(near))
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        metric = metres_per_degree(lonlat[:, 1])
        beyond = (s - inside)[:, None]
        if np.any(beyond):
            lonlat = lonlat + beyond * np.column_stack([normal[:, 1], -normal[:, 0]]) / metric
        return lonlat, normal / metric

    def heading_at(self, station_m: npt.ArrayLike) -> Array:
        """Return the bearing of the road, degrees clockwise from north, shape (n,).

        Parameters
        ----------
        station_m : array, shape (n,)
            Stations in metres.
        """
        s = np.clip(np.atleast_1d(np.asarray(station_m, dtype=float)), 0.0, self.length_m)
        near = between(s, self.station_m)
        normal = columns_at(s, self.station_m[near], self._normals.of(near))
        bearing: Array = np.degrees(np.arctan2(normal[:, 1], -normal[:, 0])) % 360.0
        return bearing

    def to_map(self, station_m: npt.ArrayLike, offset_m: npt.ArrayLike) -> tuple[Array, Array]:
        """Turn road space into longitude and latitude.

        Parameters
        ----------
        station_m, offset_m : array, shape (n,)
            Metres along the road and metres left of it.

        Returns
        -------
        lon, lat : array, shape (n,)
            Degrees, WGS 84.
        """
        at, left = self.frame_at(station_m)
        place = at + np.atleast_1d(np.asarray(offset_m, dtype=float))[:, None] * left
        return place[:, 0], place[:, 1]

    def to_road(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Array, Array]:
        """Turn longitude and latitude into road space: the inverse of `to_map`.

        Parameters
        ----------
        lon, lat : array, shape (n,)
            Degrees, WGS 84.

        Returns
        -------
        station_m, offset_m : array, shape (n,)
            Of the nearest place on the road. Beyond the road's ends the curve goes on straight.

        Notes
        -----
        Starts at the nearest point of the curve and slides along it until the rest stands square to it.
        """
        place = np.column_stack([np.atleast_1d(lon), np.atleast_1d(lat)]).astype(float)
        # The road counts on beyond 180 degrees; a place may be written either way.
        place[:, 0] += 360.0 * np.round((self.lonlat[:, 0].mean() - place[:, 0]) / 360.0)
        station = self.station_m[nearest(self.lonlat, place, within=self.within)]
        ahead = behind = np.zeros(len(place))
        with self._normals.held():
            for _ in range(100):
                at, left = self.frame_at(station)
                metric = metres_per_degree(at[:, 1])
                normal = left * metric
                rest = (place - at) * metric
                ahead = rest[:, 0] * normal[:, 1] - rest[:, 1] * normal[:, 0]
                behind = rest[:, 0] * normal[:, 0] + rest[:, 1] * normal[:, 1]
                if np.all(np.abs(ahead) < 1e-6):
                    break
                # On the inside of a bend one metre of curve is less than one metre out there: damped steps.
                station += np.clip(ahead, -10 * STEP_M, 10 * STEP_M) * 0.7
        return station, behind

    def shifted(self, station_m: Array, offset_m: Array) -> Road:
        """Return the road moved sideways, by an amount that changes along it.

        Parameters
        ----------
        station_m, offset_m : array, shape (k,)
            Metres to the left at some stations of this road; between them linear.
        """
        # What is rounded is the move and not the moved curve, which would be drawn into its bends.
        offset = smoothed(np.interp(self.station_m, station_m, offset_m)[:, None])
        moved = np.empty_like(self.lonlat)
        for here in blocks(len(moved)):
            at, left = self.frame_at(self.station_m[here])
            moved[here] = at + offset[here] * left
        road = replace(self, lonlat=resampled(moved))
        origin_lon, origin_lat = self.to_map([self.origin_station_m], [0.0])
        return road.told(origin_station_m=float(road.to_road(origin_lon, origin_lat)[0][0]))

    def told(self, **changes: Any) -> Road:
        """Return the same curve, of which something else is told.

        Parameters
        ----------
        **changes
            Fields but for the curve itself, which is not gone through again.
        """
        road = copy(self)
        for name, value in changes.items():
            object.__setattr__(road, name, value)
        return road

    def within(self, west: float, south: float, east: float, north: float) -> npt.NDArray[np.intp]:
        """Return the numbers of the curve's points within a box, in their order, shape (n,).

        Parameters
        ----------
        west, south, east, north : float
            The box, degrees; its edges are part of it.
        """
        low, high = self._boxes
        near = np.flatnonzero((low <= (east, north)).all(axis=1) & (high >= (west, south)).all(axis=1))
        numbers = (near[:, None] * _BOX_POINTS + np.arange(_BOX_POINTS)).ravel()
        numbers = numbers[numbers < len(self.lonlat)]
        lonlat = self.lonlat[numbers]
        found: npt.NDArray[np.intp] = numbers[((lonlat >= (west, south)) & (lonlat <= (east, north))).all(axis=1)]
        return found

    def tangent_of(self, numbers: npt.NDArray[np.intp]) -> Array:
        """Return which way the curve runs at some of its points, east and north, unit length, shape (n, 2).

        Parameters
        ----------
        numbers : array of int, shape (n,)
            Of the points, as `within` gives them.
        """
        if not len(numbers):
            return np.zeros((0, 2))
        first = int(numbers.min())
        normal = self._normals.of(slice(first, int(numbers.max()) + 1))[numbers - first]
        return np.column_stack([normal[:, 1], -normal[:, 0]])

    @cached_property
    def _boxes(self) -> tuple[Array, Array]:
        """Lower and upper corners of the boxes around so many points each, shape (boxes, 2)."""
        first = np.arange(0, len(self.lonlat), _BOX_POINTS)
        return np.minimum.reduceat(self.lonlat, first), np.maximum.reduceat(self.lonlat, first)

    def line(self, start_m: float, end_m: float, *, offset_m: float = 0.0) -> shapely.LineString:
        """Return a stretch of the road as a line in WGS 84, with a point every 5 m or so.

        Parameters
        ----------
        start_m, end_m : float
            Stations of its ends, in metres.
        offset_m : float
            Metres to the left of the road.
        """
        count = max(2, math.ceil((end_m - start_m) / 5.0) + 1)
        lon, lat = self.to_map(np.linspace(start_m, end_m, count), np.full(count, offset_m))
        return shapely.LineString(np.column_stack([lon, lat]))

    def box(self, start_m: float, end_m: float, right_m: float, left_m: float) -> shapely.Polygon:
        """Return a stretch between two offsets as a polygon in WGS 84, its ring counter-clockwise.

        Parameters
        ----------
        start_m, end_m : float
            Stations of its ends, in metres.
        right_m, left_m : float
            Offsets of its edges, metres to the left of the road.
        """
        count = max(2, math.ceil((end_m - start_m) / 10.0) + 1)
        station = np.linspace(start_m, end_m, count)
        lon, lat = self.to_map(
            np.concatenate([station, station[::-1]]),
            np.concatenate([np.full(count, right_m), np.full(count, left_m)]),
        )
        return shapely.orient_polygons(shapely.Polygon(np.column_stack([lon, lat])))


def road_through(
    points: npt.ArrayLike,
    *,
    name: str = "road 1",
    oneway: bool = False,
    lanes: int | None = None,
    width_m: float | None = None,
    source: str = "",
) -> Road:
    """Make a road from the vertices of a line.

    Parameters
    ----------
    points : array, shape (n, 2)
        Longitude and latitude, degrees, WGS 84.
    name, oneway, lanes, width_m, source
        As in `Road`.

    Raises
    ------
    RoadError
        If the line has no length.
    """
    vertices = np.asarray(points, dtype=float)[:, :2]
    if not np.isfinite(vertices).all() or np.abs(vertices[:, 1]).max(initial=0) > 90:
        raise RoadError(f"Invalid road '{name}'{_in(source)}. Must have finite coordinates on the globe.")
    vertices[:, 0] = np.unwrap(vertices[:, 0], period=360.0)
    keep = np.concatenate([[True], np.any(np.diff(vertices, axis=0) != 0, axis=1)])
    vertices = vertices[keep]
    if len(vertices) < 2 or _GEOD.line_length(vertices[:, 0], vertices[:, 1]) < 2 * STEP_M:
        raise RoadError(f"Invalid road '{name}'{_in(source)}. Must be longer than {2 * STEP_M:g} m.")
    return Road(
        name=name,
        lonlat=smoothed(resampled(vertices)),
        oneway=oneway,
        lanes=lanes,
        width_m=width_m,
        source=source,
    )


def _in(source: str) -> str:
    return f" in '{source}'" if source else ""
