"""Roads from files: anything OGR reads, parts chained, tags and origins understood."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyogrio
import shapely
from pyproj import Geod

from jamline.errors import RoadError
from jamline.road._curve import Road, road_through
from jamline.tables import WGS84

Array = npt.NDArray[np.float64]

_GEOD = Geod(ellps="WGS84")

_CHAIN_M = 20.0
"""Widest gap between the parts of one road that is closed: drawn parts seldom meet to the centimetre."""

_AT_ROAD_M = 500.0
"""A named point this near is a place at the road; positions of places are published to some hundred metres."""

_ONEWAY = {"yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1}
"""OSM's values of `oneway`; -1 runs against the line, which makes no difference to what is measured."""


def read_roads(path: str | Path, *, origin: str | None = None) -> list[Road]:
    """Read every line of a file as a road.

    Parameters
    ----------
    path : str or Path
        Anything OGR reads. Parts that bear one name, and the parts of a multi-line, are chained end to end.
    origin : str, optional
        Name of a point feature in the file, or ``"lon,lat"``; without it, each road's first vertex.

    Returns
    -------
    list of Road
        At least one.

    Raises
    ------
    RoadError
        If the file is missing or unreadable, holds no line, a line has no length, or the origin is unknown.
    """
    source = str(path)
    frame = _features(source)
    shapes = frame.geometry
    lines = frame[shapes.geom_type.isin(["LineString", "MultiLineString"]) & ~shapes.is_empty]
    if lines.empty:
        kinds = ", ".join(sorted(set(shapes.geom_type.dropna()))) or "nothing"
        raise RoadError(f"Invalid road '{source}'. Must hold a line; it holds {kinds}.")
    roads: list[Road] = []
    for name, parts in _named_groups(lines):
        tags = parts.iloc[0]
        for chain in _chained(parts.geometry):
            label = name or f"road {len(roads) + 1}"
            roads.append(
                road_through(
                    chain,
                    name=label,
                    oneway=_ONEWAY.get(str(_tag(tags, "oneway")).lower(), 0) != 0,
                    lanes=_lanes(_tag(tags, "lanes")),
                    width_m=_metres(_tag(tags, "width")),
                    source=source,
                )
            )
    roads = [road.told(places=_places(road, frame)) for road in _distinct_names(roads)]
    return roads if origin is None else _with_origin(roads, origin, frame, source)


def read_road(path: str | Path, *, name: str | None = None, origin: str | None = None) -> Road:
    """Read one road: the only one in the file, or the one called ``name``.

    Parameters
    ----------
    path : str or Path
        Anything OGR reads.
    name : str, optional
        Which road to take where the file has several.
    origin : str, optional
        As in `read_roads`.

    Returns
    -------
    Road
        A smooth curve with a point each metre; stations are geodesic metres on WGS 84.

    Raises
    ------
    RoadError
        As `read_roads`, and if the file has several roads and none, or an unknown one, is named.
    """
    roads = read_roads(path, origin=origin)
    if name is None and len(roads) == 1:
        return roads[0]
    for road in roads:
        if road.name == name:
            return road
    names = ", ".join(f"'{road.name}'" for road in roads)
    raise RoadError(f"Invalid road name '{name}' in '{path}'. Must be one of {names}.")


def _features(source: str) -> Any:
    """Read all features of a file in WGS 84."""
    if "://" not in source and not source.startswith("/vsi") and not Path(source).exists():
        raise RoadError(f"Invalid road '{source}'. Must be a file that exists.")
    try:
        frame = pyogrio.read_dataframe(source, datetime_as_string=True)
    except Exception as error:
        raise RoadError(f"Invalid road '{source}'. Must be a vector file that GDAL/OGR can read.") from error
    if "geometry" not in frame.columns:
        raise RoadError(f"Invalid road '{source}'. Must hold geometries.")
    if frame.crs is None:
        raise RoadError(f"Invalid road '{source}'. Must have a coordinate reference system.")
    return frame.to_crs(WGS84)


def _named_groups(lines: Any) -> Iterable[tuple[str, Any]]:
    """Yield name and features of each road; a line without a name is a road of its own."""
    names = [str(_tag(row, "name") or _tag(row, "ref") or "") for _, row in lines.iterrows()]
    done = set()
    for index, name in enumerate(names):
        if name and name in done:
            continue
        done.add(name)
        rows = [i for i, other in enumerate(names) if other == name] if name else [index]
        yield name, lines.iloc[rows]


def _chained(shapes: Iterable[Any]) -> list[Array]:
    """Join parts at their nearest ends; what lies too far from the rest is a road of its own."""
    left = [shapely.get_coordinates(part) for shape in shapes for part in shapely.get_parts(shape)]
    chains = []
    while left:
        chain = left.pop(0)
        while left:
            # Keep the first part's direction: the origin and the sides depend on it.
            joins = [
                (_gap_m(chain[-1], part[0]), i, False, False) for i, part in enumerate(left)
            ] + [
                (_gap_m(chain[-1], part[-1]), i, False, True) for i, part in enumerate(left)
            ] + [
                (_gap_m(chain[0], part[-1]), i, True, False) for i, part in enumerate(left)
            ] + [
                (_gap_m(chain[0], part[0]), i, True, True) for i, part in enumerate(left)
            ]  # fmt: skip
            gap_m, i, before, reverse = min(joins)
            if gap_m > _CHAIN_M:
                break
            part = left.pop(i)
            part = part[::-1] if reverse else part
            chain = np.vstack([part, chain] if before else [chain, part])
        chains.append(chain)
    return chains


def _gap_m(a: Array, b: Array) -> float:
    """Geodesic distance between two positions in metres."""
    return float(_GEOD.inv(a[0], a[1], b[0], b[1])[2])


def _distinct_names(roads: Sequence[Road]) -> list[Road]:
    """Give a number to roads that would otherwise share a name."""
    seen: dict[str, int] = {}
    distinct = []
    for road in roads:
        seen[road.name] = seen.get(road.name, 0) + 1
        number = seen[road.name]
        distinct.append(road if number == 1 else road.told(name=f"{road.name} ({number})"))
    return distinct


def _with_origin(roads: Sequence[Road], origin: str, frame: Any, source: str) -> list[Road]:
    """Set each road's origin to the place on it that is nearest to a named point or position."""
    position = re.fullmatch(r"\s*([-+]?[\d.]+)\s*,\s*([-+]?[\d.]+)\s*", origin)
    if position:
        lon, lat = float(position[1]), float(position[2])
    else:
        names = _named_points(frame)
        if origin not in names:
            known = ", ".join(f"'{name}'" for name in sorted(names)) or "none"
            raise RoadError(
                f"Invalid origin '{origin}'. Must be 'LON,LAT' or the name of a point in '{source}' (has {known})."
            )
        lon, lat = names[origin]
    found = []
    for road in roads:
        station = float(np.clip(road.to_road([lon], [lat])[0][0], 0.0, road.length_m))
        found.append(road.told(origin=origin, origin_station_m=station))
    return found


def _named_points(frame: Any) -> dict[str, tuple[float, float]]:
    """Return the points of a file that have a name, as longitude and latitude."""
    points = frame[frame.geometry.geom_type == "Point"]
    return {
        str(_tag(row, "name")): (row.geometry.x, row.geometry.y) for _, row in points.iterrows() if _tag(row, "name")
    }


def _places(road: Road, frame: Any) -> dict[str, tuple[float, float]]:
    """Return the named points that lie at a road."""
    points = _named_points(frame)
    if not points:
        return {}
    station_m, offset_m = road.to_road(*np.array(list(points.values())).T)
    at = (np.abs(offset_m) <= _AT_ROAD_M) & (station_m >= -_AT_ROAD_M) & (station_m <= road.length_m + _AT_ROAD_M)
    return {name: lonlat for (name, lonlat), there in zip(points.items(), at, strict=True) if there}


def _tag(row: Any, key: str) -> Any:
    """Return a tag of a feature, ``None`` where it has none; KML writes `Name`, old shapefiles `NAME`."""
    value = row.get(key)
    if value is None:
        value = next((row[other] for other in row.index if str(other).lower() == key), None)
    if value is None or (isinstance(value, float) and math.isnan(value)) or value == "":
        return None
    return value


def _lanes(value: Any) -> int | None:
    """Read OSM's `lanes`; what cannot be read is as good as no tag."""
    number = _metres(value)
    return round(number) if number is not None and number >= 1 else None


def _metres(value: Any) -> float | None:
    """Read OSM's `width`: metres unless the unit says feet."""
    match = re.match(r"\s*(\d+(?:\.\d+)?)\s*(ft|'|feet)?", str(value)) if value is not None else None
    if not match or float(match[1]) <= 0:
        return None
    return float(match[1]) * (0.3048 if match[2] else 1.0)
