"""The true road of a scene on a flat local map, and the line that someone drew of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer
from scipy import ndimage, spatial

from jamline.errors import RoadError
from jamline.road import Road, read_roads, road_through, utm_of
from jamline.synth.config import SceneSpec
from jamline.synth.noise import Window
from jamline.tables import WGS84

Array = npt.NDArray[np.float64]
Field = npt.NDArray[np.float32]

_BEYOND_M = 150.0
"""How far the roadway goes on straight beyond the ends of the road."""

_CLEAR_M = 38.0
"""A made-up road comes no nearer to itself than this, but for the neighbourhood along it."""

_TRIES = 200

_COARSE = 8
"""Cells between places at which the nearest point of the road is looked up; windows start on multiples."""


@dataclass(frozen=True, eq=False)
class World:
    """A scene's geometry.

    Parameters
    ----------
    spec : SceneSpec
        What was asked for.
    road : Road
        The true road.
    vertices, drawn : array, shape (n, 2)
        Longitude and latitude of the true line and of the drawn one.
    origins : mapping of str to (lon, lat)
        Named places.
    """

    spec: SceneSpec
    road: Road
    vertices: Array
    drawn: Array
    origins: dict[str, tuple[float, float]]
    crs: CRS = field(init=False, repr=False)
    _forward: Any = field(init=False, repr=False)
    _xy: Array = field(init=False, repr=False)
    _station: Array = field(init=False, repr=False)
    _left: Array = field(init=False, repr=False)
    _tree: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        crs = CRS.from_epsg(utm_of(*self.road.lonlat[len(self.road.lonlat) // 2]))
        forward = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
        object.__setattr__(self, "crs", crs)
        object.__setattr__(self, "_forward", forward)
        station = np.arange(-_BEYOND_M, self.road.length_m + _BEYOND_M, 1.0)
        lon, lat = self.road.to_map(station, np.zeros(len(station)))
        xy = np.column_stack(forward.transform(lon, lat))
        tangent = np.gradient(xy, axis=0)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        object.__setattr__(self, "_xy", xy)
        object.__setattr__(self, "_station", station)
        object.__setattr__(self, "_left", np.column_stack([-tangent[:, 1], tangent[:, 0]]))
        object.__setattr__(self, "_tree", spatial.cKDTree(xy))

    @property
    def seen_m(self) -> tuple[float, float]:
        """Stations between which the imagery shows the road."""
        low = max(0.0, self.spec.imagery.start_m)
        return low, min(self.road.length_m, self.spec.imagery.end_m)

    @property
    def curve(self) -> tuple[Array, Array]:
        """Stations and map positions of the road's centre, 1 m apart, the straight ends included."""
        return self._station, self._xy

    def place(self, station_m: npt.ArrayLike, offset_m: npt.ArrayLike) -> Array:
        """Turn road space into the local map, shape (n, 2)."""
        lon, lat = self.road.to_map(station_m, offset_m)
        return np.column_stack(self._forward.transform(lon, lat))

    def distance_m(self, xy: Array) -> Array:
        """Return how far points of the local map are from the road, shape (n,)."""
        return np.asarray(self._tree.query(xy)[0], dtype=float)

    def locate(self, xy: Array) -> tuple[Array, Array]:
        """Return station and offset of points of the local map; off by centimetres in sharp bends."""
        nearest = self._tree.query(xy)[1]
        rest = xy - self._xy[nearest]
        left = self._left[nearest]
        ahead = rest[:, 0] * left[:, 1] - rest[:, 1] * left[:, 0]
        offset = rest[:, 0] * left[:, 0] + rest[:, 1] * left[:, 1]
        return self._station[nearest] + np.clip(ahead, -0.5, 0.5), offset

    def fields(self, window: Window) -> tuple[Field, Field]:
        """Return station and offset of every cell of a window, float32, shape (height, width)."""
        step = _COARSE
        cols, rows = window.width // step + 3, window.height // step + 3
        # The middles of the coarse cells fall where `cv2.resize` expects them.
        x = window.west_m + (np.arange(cols) - 0.5) * step * window.px_m
        y = window.north_m - (np.arange(rows) - 0.5) * step * window.px_m
        gx, gy = np.meshgrid(x, y)
        points = np.column_stack([gx.ravel(), gy.ravel()])
        station, offset = self.locate(points)
        size = (cols * step, rows * step)
        out = []
        for values in (station, offset):
            coarse = values.reshape(rows, cols).astype(np.float32)
            fine = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
            cut = fine[step : step + window.height, step : step + window.width]
            out.append(np.ascontiguousarray(cut, dtype=np.float32))
        return out[0], out[1]


def build_world(spec: SceneSpec) -> World:
    """Lay out a scene's road.

    Parameters
    ----------
    spec : SceneSpec
        With a ``road.line`` the drawn line is given and the true road lies beside it, otherwise the road is
        made up and the drawn line lies beside that.

    Raises
    ------
    RoadError
        If the given line cannot be read or holds several roads.
    """
    rng = np.random.default_rng([spec.seed, 1])
    lanes = spec.road.lanes_right + (0 if spec.road.oneway else spec.road.lanes_left)
    if spec.road.line:
        roads = read_roads(spec.road.line)
        if len(roads) != 1:
            raise RoadError(f"Invalid road '{spec.road.line}'. Must hold one road to simulate; it has {len(roads)}.")
        given = roads[0]
        station = np.arange(0.0, given.length_m, 10.0)
        vertices = _beside(given, station, -_drift(spec, station, rng))
        road = road_through(vertices, name=spec.road.name, oneway=spec.road.oneway, lanes=lanes)
        drawn = shapely.get_coordinates(_features(spec.road.line, "LineString")[0][1])
    else:
        vertices = _made_up(spec, rng)
        road = road_through(vertices, name=spec.road.name, oneway=spec.road.oneway, lanes=lanes)
        count = max(2, round(road.length_m / spec.line.vertex_m))
        station = np.linspace(0.0, road.length_m, count + 1)
        station[1:-1] += rng.uniform(-0.4, 0.4, count - 1) * spec.line.vertex_m
        drawn = _beside(road, station, _drift(spec, station, rng) + rng.normal(0, spec.line.jitter_m, count + 1))
    points = _features(spec.road.line, "Point") if spec.road.line else []
    origins = {name: (point.x, point.y) for name, point in points if name}
    for origin in spec.road.origins:
        lon, lat = road.to_map([origin.station_m], [0.0])
        origins[origin.name] = (float(lon[0]), float(lat[0]))
    return World(spec, road, vertices, np.round(drawn, 7), origins)


def _features(path: str, kind: str) -> list[tuple[str, Any]]:
    """Return name and shape of a file's features of one geometry type, in WGS 84."""
    frame = gpd.read_file(path, engine="pyogrio").to_crs(WGS84)
    frame = frame[frame.geometry.geom_type == kind]
    return [(str(name or ""), shape) for name, shape in zip(frame["name"], frame.geometry, strict=True)]


def _drift(spec: SceneSpec, station: Array, rng: np.random.Generator) -> Array:
    """Return metres left of the road at some stations: a mean and a slow random change."""
    step = spec.line.drift_length_m / 8.0
    count = int(station[-1] / step) + 3
    walk = ndimage.gaussian_filter1d(rng.standard_normal(count + 64), 4.0)[32 : 32 + count]
    walk *= np.sqrt(2.0 * np.sqrt(np.pi) * 4.0)
    grid = np.arange(count) * step
    return np.asarray(spec.line.offset_m + spec.line.drift_m * np.interp(station, grid, walk), dtype=float)


def _beside(road: Road, station: Array, offset: Array) -> Array:
    lon, lat = road.to_map(station, offset)
    return np.column_stack([lon, lat])


def _made_up(spec: SceneSpec, rng: np.random.Generator) -> Array:
    """Draw a road that keeps clear of itself, longitude and latitude of its vertices."""
    for _ in range(_TRIES):
        xy = _wander(spec, spec.road.shape, rng)
        if _keeps_clear(xy):
            break
    else:
        # A long road that bends this much meets itself sooner or later.
        xy = _wander(spec, "straight", rng)
    crs = CRS.from_epsg(utm_of(spec.longitude_deg, spec.latitude_deg))
    forward = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    start = forward.transform(spec.longitude_deg, spec.latitude_deg)
    lon, lat = forward.transform(start[0] + xy[:, 0], start[1] + xy[:, 1], direction="INVERSE")
    return np.column_stack([lon, lat])


def _wander(spec: SceneSpec, shape: str, rng: np.random.Generator) -> Array:
    """Draw a line in metres whose bearing sways, in bends no sharper than the shape allows."""
    step = 2.0
    count = round(spec.road.length_m / step) + 1
    s = np.asarray(np.arange(count) * step, dtype=float)
    amplitude, wave, radius = {
        "straight": (0.01, 900.0, 1500.0),
        "gentle": (0.16, 450.0, 320.0),
        "winding": (0.7, 220.0, 70.0),
        "hairpins": (0.12, 160.0, 22.0),
    }[shape]
    sway = rng.standard_normal(count + 2000)
    smooth = ndimage.gaussian_filter1d(sway, wave / step / 4.0)[1000 : 1000 + count]
    turn = amplitude * smooth / max(float(smooth.std()), 1e-9)
    if shape == "hairpins":
        turn = turn + _hairpins(s, rng)
    curvature = np.clip(np.gradient(turn, step), -1.0 / radius, 1.0 / radius)
    bearing = np.radians(spec.road.heading_deg) + np.concatenate([[0.0], np.cumsum(curvature)[:-1] * step])
    dx, dy = np.sin(bearing) * step, np.cos(bearing) * step
    return np.column_stack([np.cumsum(dx) - dx, np.cumsum(dy) - dy])


def _keeps_clear(xy: Array) -> bool:
    """Return whether a line of points 2 m apart stays away from itself."""
    every = 4
    pairs = spatial.cKDTree(xy[::every]).query_pairs(_CLEAR_M, output_type="ndarray")
    apart = np.abs(pairs[:, 0] - pairs[:, 1]) * 2.0 * every
    return not np.any(apart > 2.5 * _CLEAR_M)


def _hairpins(s: Array, rng: np.random.Generator) -> Array:
    """Return turns by some 170 degrees, to and fro, as serpentines climb."""
    turn = np.zeros_like(s)
    at, sign = float(rng.uniform(120.0, 300.0)), float(rng.choice([-1.0, 1.0]))
    angle = 0.0
    while at < s[-1] - 80.0:
        change = np.radians(rng.uniform(150.0, 172.0)) * sign
        if angle == 0.0:
            change *= 0.5
        turn += change / (1.0 + np.exp(-(s - at) / 14.0))
        angle += change
        at += float(rng.uniform(190.0, 420.0))
        sign = -sign
    return turn
