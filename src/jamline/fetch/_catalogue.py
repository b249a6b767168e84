"""What catalogues hold that may be wanted, whichever kind they are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import shapely

from jamline.errors import ImageryError, UsageError
from jamline.fetch._api import items_of_api
from jamline.fetch._dates import Dates, times_of
from jamline.fetch._wanted import Wanted
from jamline.imagery import Item, is_item, items_under, read_json, shown, walk


def is_catalogue(path: str) -> bool:
    """Tell by its name whether a path may be that of items, a catalogue or an API, and not of an image.

    Examples
    --------
    >>> is_catalogue("https://example.org/stac/v1"), is_catalogue("https://example.org/scene.tif")
    (True, False)
    """
    if is_item(path):
        return True
    # The address of an API has no file at its end.
    last = urlsplit(path).path.rstrip("/").rsplit("/", 1)[-1]
    return path.startswith(("http://", "https://")) and ("." not in last or last[-1].isdigit())


def items_in(catalogue: str, line: shapely.Geometry, wanted: Wanted, *, most: int) -> Iterator[Item]:
    """Yield items of a catalogue that may lie over a line.

    Parameters
    ----------
    catalogue : str
        Address or file of a STAC API, a static catalogue, a collection, or items.
    line : shapely geometry
        In degrees. What is yielded need not lie over it: extents and outlines are coarse.
    wanted : Wanted
        Of which times, and so on.
    most : int
        Most items to take.

    Yields
    ------
    Item
        Each once.

    Raises
    ------
    UsageError
        If there are more, or pystac-client is missing for an API.
    ImageryError
        If the catalogue, or part of it, cannot be read.
    """
    known: set[tuple[Any, str]] = set()
    for number, item in enumerate(_all(catalogue, line, wanted, most)):
        if number == most:
            raise UsageError(f"Invalid search '{shown(catalogue)}'. Must find at most {most} items; narrow the dates.")
        name = item.content.get("collection"), item.id
        if name not in known and wanted.takes(item.properties) and (not wanted.items or item.id in wanted.items):
            known.add(name)
            yield item


def _all(catalogue: str, line: shapely.Geometry, wanted: Wanted, most: int) -> Iterator[Item]:
    """Ask whatever is at the address."""
    name, _, one = catalogue.partition("#")
    root = read_json(name, thing="catalogue")
    kind = root.get("type", "Catalog") if isinstance(root, dict) else None
    every: Iterator[Item]
    if kind in ("Feature", "FeatureCollection"):
        within = wanted.collections
        every = (
            each for each in items_under(root, name, only=one) if not within or each.content.get("collection") in within
        )
    elif kind in ("Catalog", "Collection") and isinstance(root.get("links"), list):
        if any(isinstance(link, dict) and link.get("rel") == "search" for link in root["links"]):
            every = items_of_api(root, name, line=line, wanted=wanted, most=most)
        else:
            every = walk(
                root,
                name,
                reaches=lambda part: _reaches(part, line, wanted.dates),
                meant=lambda part: not wanted.collections or part.get("id") in wanted.collections,
            )
    else:
        raise ImageryError(
            f"Invalid catalogue '{shown(catalogue)}'. Must be a STAC API, a catalogue, or a collection of items."
        )
    yield from every


def _reaches(part: Mapping[str, Any], line: shapely.Geometry, dates: Dates) -> bool:
    """Tell whether a collection's extent has anything in common with what is looked for; a catalogue has none."""
    extent = part.get("extent")
    if not isinstance(extent, dict):
        return True
    try:
        # The first box is around all others (STAC, collection specification); 3-D boxes have heights in between.
        box = extent["spatial"]["bbox"][0]
        west, south, east, north = box if len(box) == 4 else (*box[:2], *box[3:5])
        start, end = extent["temporal"]["interval"][0]
        first, last = times_of({"start_datetime": start, "end_datetime": end})
        near = shapely.box(west, south, east, north).intersects(line) if west <= east else True
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ImageryError(
            f"Invalid catalogue '{part.get('id', '')}'. Must tell its extent as STAC collections do."
        ) from error
    return near and dates.meet(first, last)
