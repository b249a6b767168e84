"""Roads and images joined: which images show which road, and on which day."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import Geod

from jamline.batch._work import Failure, Planned
from jamline.errors import JamlineError, NothingToMeasureError
from jamline.fetch import Wanted, footprint_of, is_catalogue, items_in
from jamline.imagery import as_utc, image_paths, is_address, open_scene, picture_of
from jamline.jobs import job_from
from jamline.road import Road, read_roads

_GEOD = Geod(ellps="WGS84")

_LEAST_M = 100.0
"""Road in the images of a day, from which they are worth a job: a queue ends where none follows within 100 m."""

_REACH_M = 500.0
"""Roads so near may have vehicles in one another's corridors, which reach at most 200 m to each side."""

_DEGREE_M = 110_574.0
"""The shortest degree of latitude on WGS 84, at the equator."""

_THREADS = 16

_MOST_ITEMS = 100_000
"""Items of a catalogue that are joined; each is held in memory with some 10 kB."""

UNDATED = "undated"


@dataclass(frozen=True)
class Shown:
    """What is known of an image before it is read.

    Parameters
    ----------
    path : str
        File or address.
    day : str
        When it was taken, ``"undated"`` where it does not tell.
    footprint : shapely.Polygon
        In longitude and latitude.
    """

    path: str
    day: str
    footprint: shapely.Polygon


@dataclass(frozen=True)
class Join:
    """Roads and images joined.

    Parameters
    ----------
    jobs : tuple of Planned or Failure
        One job for each road and day; a failure for each image that cannot be used.
    roads : int
        Roads in the file.
    unseen : tuple of str
        Names of those that no image shows.
    """

    jobs: tuple[Planned | Failure, ...]
    roads: int
    unseen: tuple[str, ...]


def join_jobs(
    roads: str | Path,
    images: str | Path | Sequence[str | Path],
    *,
    origin: str | None = None,
    gsd_m: float | None = None,
    dates: str | None = None,
    max_cloud: float | None = None,
    collections: Sequence[str] = (),
    **options: Any,
) -> Join:
    """Make a job for each road and each day on which images show it.

    Parameters
    ----------
    roads : str or Path
        Anything OGR reads, each line a road.
    images : str, Path or a sequence of those
        As `survey` takes them, or a STAC API, of which the items over the roads are taken. Those of one day are seen
        as one; so are those that tell no day.
    origin, gsd_m, **options
        As in a job file, for every job.
    dates : str, optional
        A day, or two of them as ``A/B``, both included, UTC: when images must have been taken.
    max_cloud : float, optional
        Most cloud cover of an image in percent, where it is told.
    collections : sequence of str
        Collections of the catalogues to look in; by default all.

    Returns
    -------
    Join

    Raises
    ------
    RoadError, ImageryError, JobError, UsageError
        If the roads or a catalogue cannot be read, no image is named, or an option makes no sense.
    NothingToMeasureError
        If no image shows a road.
    """
    every = read_roads(roads, origin=origin)
    wanted = Wanted.of(dates=dates, max_cloud=max_cloud, collections=collections)
    paths = [path if is_address(path) else os.path.abspath(path) for path in image_paths(images)]
    catalogues = [path for path in paths if is_catalogue(path)]
    with ThreadPoolExecutor(_THREADS) as threads:
        files = [path for path in paths if path not in set(catalogues)]
        opened = list(threads.map(lambda path: _shown(path, gsd_m, wanted), files))
    opened += [each for path in catalogues for each in _listed(path, every, wanted)]
    failures = [each for each in opened if isinstance(each, Failure)]
    looks = _looks(every, [each for each in opened if isinstance(each, Shown)])
    if not looks and not failures:
        raise NothingToMeasureError(
            f"Invalid roads in '{roads}'. Must run through the imagery; none of {len(every)} does."
        )
    near = _neighbours(every)
    common = {"road": os.path.abspath(roads), "origin": origin, "gsd_m": gsd_m, **options}
    jobs = []
    for (number, day), seen in sorted(looks.items()):
        road = every[number]
        content = {key: value for key, value in common.items() if value is not None}
        content |= {"road_name": road.name, "imagery": [image.path for image in seen]}
        job = job_from(content, folder=Path.cwd(), source=f"{roads}: {road.name}")
        jobs.append(Planned(f"{road.name} {day}", job, (road, *(every[other] for other in near[number]))))
    shown = {number for number, _ in looks}
    unseen = tuple(road.name for number, road in enumerate(every) if number not in shown)
    return Join((*failures, *jobs), len(every), unseen)


def _shown(path: str, gsd_m: float | None, wanted: Wanted) -> Shown | Failure | None:
    """Look where an image lies and when it was taken; ``None`` where it is not wanted."""
    try:
        with open_scene(path, gsd_m=gsd_m) as scene:
            image = scene.images[0]
            if not wanted.takes({"datetime": image.acquired, "eo:cloud_cover": image.cloud_percent}):
                return None
            return Shown(path, image.acquired[:10] if image.acquired else UNDATED, image.footprint)
    except JamlineError as error:
        return Failure.of(path, error)


def _listed(path: str, roads: Sequence[Road], wanted: Wanted) -> Iterator[Shown]:
    """Return what a catalogue has over roads, as its items tell; their files are opened by the jobs alone."""
    lines = shapely.MultiLineString([road.line(0.0, road.length_m) for road in roads])
    for item in items_in(path, lines, wanted, most=_MOST_ITEMS):
        try:
            picture_of(item)
        except JamlineError:
            continue  # elevations, radar, and whatever else catalogues hold
        day = as_utc(item.properties.get("datetime") or item.properties.get("start_datetime"))
        yield Shown(item.path, day[:10] if day else UNDATED, footprint_of(item))


def _looks(roads: Sequence[Road], images: Sequence[Shown]) -> Mapping[tuple[int, str], list[Shown]]:
    """Return the images that show each road, by the road's number and the day."""
    lines = [road.line(0.0, road.length_m) for road in roads]
    found: dict[tuple[int, str], dict[str, Shown]] = defaultdict(dict)
    covered: dict[tuple[int, str], list[Any]] = defaultdict(list)
    # Both go on past 180 degrees where they cross the antimeridian, and need not do so on the same side.
    for turn in (-360.0, 0.0, 360.0):
        outlines = [
            shapely.transform(image.footprint, lambda xy, by=turn: xy + np.array([by, 0.0])) for image in images
        ]
        pairs = shapely.STRtree(outlines).query(lines, predicate="intersects")
        for number, at in pairs.T:
            key = (int(number), images[at].day)
            found[key][images[at].path] = images[at]
            covered[key].append(outlines[at])
    enough = {}
    for key, outlines in covered.items():
        line, road = lines[key[0]], roads[key[0]]
        seen_m = _GEOD.geometry_length(shapely.intersection(line, shapely.union_all(outlines)))
        if seen_m >= min(_LEAST_M, road.length_m / 2):
            enough[key] = sorted(found[key].values(), key=lambda image: image.path)
    return enough


def _neighbours(roads: Sequence[Road]) -> list[list[int]]:
    """Return, for each road, the numbers of those whose vehicles may be in its corridor."""
    lines = [road.line(0.0, road.length_m) for road in roads]
    bounds = shapely.bounds(lines)
    shrunk = np.cos(np.radians(np.abs(bounds[:, [1, 3]]).max(axis=1)))
    reach_deg = _REACH_M / _DEGREE_M / np.maximum(shrunk, 0.01)
    pairs = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=reach_deg)
    near: list[list[int]] = [[] for _ in roads]
    for number, other in sorted(pairs.T.tolist()):
        if number != other:
            near[number].append(other)
    return near
