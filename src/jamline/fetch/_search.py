"""What catalogues have over roads, and how much of them each image covers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely

from jamline.errors import JamlineError, NothingToMeasureError, RoadError
from jamline.fetch._catalogue import items_in
from jamline.fetch._cover import Lines, Stretch, footprint_of
from jamline.fetch._dates import times_of
from jamline.fetch._wanted import Wanted
from jamline.imagery import Item, cloud_percent, picture_of, shown
from jamline.road import Road, read_roads

_LEAST_M = 1.0
"""An image that only touches the road shows nothing of it."""


@dataclass(frozen=True, eq=False)
class Found:
    """An item over the roads.

    Parameters
    ----------
    item : Item
        As the catalogue has it.
    acquired : str or None
        When it was taken, ISO 8601 in UTC.
    gsd_m : float or None
        Resolution in metres that the item tells.
    cloud_percent : float or None
        Cloud cover of the image, not of the road, in percent.
    covered_m : float
        Geodesic length of road within its footprint.
    stretches : tuple of Stretch
        Where that is, to some 20 m.
    footprint : shapely geometry
        Outline in longitude and latitude.
    unfit : str or None
        Why it is no picture that can be measured on; ``None`` where it is one.
    """

    item: Item = field(repr=False)
    acquired: str | None
    gsd_m: float | None
    cloud_percent: float | None
    covered_m: float
    stretches: tuple[Stretch, ...] = field(repr=False)
    footprint: shapely.Geometry = field(repr=False)
    unfit: str | None = None

    @property
    def id(self) -> str:
        """The item's id."""
        return self.item.id

    @property
    def collection(self) -> str | None:
        """The id of its collection."""
        name = self.item.content.get("collection")
        return str(name) if name else None

    @property
    def day(self) -> str | None:
        """The day on which it was taken."""
        return self.acquired[:10] if self.acquired else None


@dataclass(frozen=True, eq=False)
class Search:
    """What was found over roads.

    Parameters
    ----------
    catalogue : str
        Where.
    road_path : str
        The road file.
    road_name : str or None
        The one road of the file that was looked for; ``None`` for all of them.
    roads : tuple of Road
        The roads looked for.
    found : tuple of Found
        By time, then by id. At least one.
    length_m, covered_m : float
        Length of the roads, and how much of it all items cover together.
    """

    catalogue: str
    road_path: str
    road_name: str | None
    roads: tuple[Road, ...] = field(repr=False)
    found: tuple[Found, ...]
    length_m: float
    covered_m: float

    def to_json(self) -> dict[str, Any]:
        """Return the table as JSON has it."""
        return {
            "schema": "jamline/search/1",
            "catalogue": shown(self.catalogue),
            "road": self.road_path,
            "length_m": round(self.length_m, 1),
            "covered_m": round(self.covered_m, 1),
            "items": [
                {
                    "id": each.id,
                    "collection": each.collection,
                    "acquired": each.acquired,
                    "gsd_m": each.gsd_m,
                    "cloud_percent": each.cloud_percent,
                    "covered_m": round(each.covered_m, 1),
                    "share": round(each.covered_m / self.length_m, 4),
                    "stretches": [stretch.to_json() for stretch in each.stretches],
                    "unfit": each.unfit,
                }
                for each in self.found
            ],
        }


def search(
    catalogue: str | Path,
    road: str | Path,
    *,
    collections: Iterable[str] = (),
    dates: str | None = None,
    max_cloud: float | None = None,
    road_name: str | None = None,
    items: Iterable[str] = (),
    max_items: int = 1000,
) -> Search:
    """Find imagery over roads.

    Parameters
    ----------
    catalogue : str or Path
        Address of a STAC API, or of a static catalogue, a collection, or items; these may be files too.
    road : str or Path
        Anything OGR reads.
    collections : iterable of str
        Where to look; by default everywhere.
    dates : str, optional
        A day, or two of them as ``A/B``, both included, UTC.
    max_cloud : float, optional
        Most cloud cover in percent. An item that does not tell its cloud cover is kept.
    road_name : str, optional
        The one road of the file to look for.
    items : iterable of str
        Ids of the only items to keep.
    max_items : int
        Most items to take from the catalogue.

    Returns
    -------
    Search

    Raises
    ------
    UsageError
        If dates or cloud cover make no sense, there are too many items, or pystac-client is missing.
    RoadError, ImageryError
        If the road or the catalogue cannot be read.
    NothingToMeasureError
        If nothing is found.
    """
    roads = [each for each in read_roads(road) if road_name in (None, each.name)]
    if not roads:
        raise RoadError(f"Invalid road name '{road_name}' in '{road}'. Must be that of a road in it.")
    lines = Lines.of(roads)
    rule = Wanted.of(dates=dates, max_cloud=max_cloud, collections=collections, items=items)
    every = [_found(item, lines) for item in items_in(str(catalogue), lines.whole, rule, most=max_items)]
    found = sorted(
        (each for each in every if each.covered_m >= _LEAST_M),
        key=lambda each: (each.acquired or "", each.collection or "", each.id),
    )
    if not found:
        raise NothingToMeasureError(
            f"Invalid search in '{shown(str(catalogue))}'. Must find imagery over '{road}'; it found none"
            f"{' of these dates' if dates else ''}{' with so little cloud' if max_cloud is not None else ''}."
        )
    together = lines.length_within_m(shapely.union_all([each.footprint for each in found]))
    length_m = sum(each.length_m for each in roads)
    return Search(str(catalogue), str(road), road_name, tuple(roads), tuple(found), length_m, min(together, length_m))


def _found(item: Item, lines: Lines) -> Found:
    start, _ = times_of(item.properties)
    gsd = [_number(item.properties.get("gsd")), *(_number(asset.get("gsd")) for asset in item.assets.values())]
    footprint = footprint_of(item)
    return Found(
        item=item,
        acquired=f"{start:%Y-%m-%dT%H:%M:%SZ}" if start else None,
        gsd_m=gsd[0] if gsd[0] is not None else min((each for each in gsd if each is not None), default=None),
        cloud_percent=cloud_percent(item.content),
        covered_m=lines.length_within_m(footprint),
        stretches=lines.stretches_within(footprint),
        footprint=footprint,
        unfit=_unfit(item),
    )


def _unfit(item: Item) -> str | None:
    """Return why an item is no picture; what its files say is not known yet."""
    try:
        picture_of(item)
    except NothingToMeasureError:
        return "not optical"
    except JamlineError:
        return "no picture"
    return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
