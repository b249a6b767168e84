"""Where vehicles count: what the result saw, or all that the picture shows within a corridor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import shapely

from jamline.errors import InputError, RoadError
from jamline.evaluate.files import features
from jamline.evaluate.footprints import Array, Footprints
from jamline.imagery import Image, Scene
from jamline.road import Road, metres_per_degree, read_roads

Bools = npt.NDArray[np.bool_]

_CUT_SHARE = 0.01
"""Share of a footprint that may lie where nothing was seen, before the vehicle counts as cut."""

_PROBES = np.stack(np.meshgrid(np.linspace(0.02, 0.98, 9), np.linspace(0.02, 0.98, 5)), axis=-1).reshape(-1, 2)
"""Places in a footprint, as shares of its length and width, at which its picture is looked for."""


class Sight(Protocol):
    """Tells which vehicles count."""

    def shows(self, vehicles: Footprints) -> Bools:
        """Tell which vehicles were in sight, whole, shape (n,)."""
        ...


@dataclass(frozen=True, eq=False)
class Coverage:
    """What the result itself says it saw.

    Parameters
    ----------
    seen, unseen : shapely geometry
        In WGS 84.
    """

    seen: Any
    unseen: Any

    def shows(self, vehicles: Footprints) -> Bools:
        """Tell which vehicles were in sight, whole."""
        if not len(vehicles):
            return np.zeros(0, dtype=bool)
        inside = shapely.covers(self.seen, shapely.centroid(vehicles.shapes))
        cut = shapely.area(shapely.intersection(vehicles.shapes, self.unseen))
        shows: Bools = inside & (cut <= _CUT_SHARE * shapely.area(vehicles.shapes))
        return shows


@dataclass(frozen=True, eq=False)
class Picture:
    """All that the imagery shows within so far of a road's line, whether or not the result could see it.

    Parameters
    ----------
    roads : tuple of Road
        Lines as drawn or as true.
    half_width_m : float
        Reach to each side; at a line's ends the corridor is cut square.
    scene : Scene
        The imagery; a vehicle cut by its edge or its nodata counts neither way.
    """

    roads: tuple[Road, ...]
    half_width_m: float
    scene: Scene

    def shows(self, vehicles: Footprints) -> Bools:
        """Tell which vehicles lie in the corridor and in the picture, whole."""
        shows = np.zeros(len(vehicles), dtype=bool)
        if not len(vehicles):
            return shows
        for road in self.roads:
            zero = road.lonlat[0]
            metric = metres_per_degree([zero[1]])[0]
            area = shapely.buffer(
                shapely.LineString((road.lonlat - zero) * metric), self.half_width_m, cap_style="flat"
            )
            shapely.prepare(area)
            shows |= shapely.contains_xy(area, *((vehicles.lonlat - zero) * metric).T)
        near = np.flatnonzero(shows)
        shows[near] = [_shown_share(self.scene.images, vehicles.boxes[i]) >= 1.0 - _CUT_SHARE for i in near]
        return shows


def coverage_of(out: Path) -> Coverage:
    """Read where a result saw the road."""
    shapes, properties = features(out / "coverage.geojson")
    shown = np.array([bool(p.get("seen")) for p in properties], dtype=bool)
    # In a hairpin the inner edge of a stretch may cross itself.
    shapes = shapely.make_valid(shapes)
    area = [shapely.union_all(shapes[shown]), shapely.union_all(shapes[~shown])]
    shapely.prepare(area)
    return Coverage(*area)


def roads_in(path: Path) -> list[Road]:
    """Read the roads of a file of a result or a truth."""
    try:
        return read_roads(path)
    except RoadError as error:
        raise InputError(str(error)) from error


def _shown_share(images: tuple[Image, ...], box: Array) -> float:
    """Return the share of a footprint that any of the images shows."""
    along, across = box[1] - box[0], box[3] - box[0]
    places = box[0] + _PROBES[:, :1] * along + _PROBES[:, 1:] * across
    shown = np.zeros(len(places), dtype=bool)
    for image in images:
        if shown.all():
            break
        col, row = image.to_pixel(*places.T)
        inside = (col > -0.5) & (col < image.width - 0.5) & (row > -0.5) & (row < image.height - 0.5) & ~shown
        if not inside.any():
            continue
        x, y = np.rint(col[inside]).astype(int), np.rint(row[inside]).astype(int)
        _, valid = image.read(
            int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1, roles=_any_role(image)
        )
        shown[inside] = valid[y - y.min(), x - x.min()]
    return float(shown.mean())


def _any_role(image: Image) -> tuple[str, ...]:
    return (next(role for role in image.bands if role != "alpha"),)
