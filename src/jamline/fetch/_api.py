"""STAC APIs: servers that search for one."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import shapely

from jamline.errors import ImageryError, UsageError
from jamline.fetch._wanted import Wanted
from jamline.imagery import Item, items_of, shown, told

_TIMEOUT_S = 20
_TRIES = 3
_PAUSE_S = 0.5

_PAGE = 100
"""Items asked for at a time; many servers give no more."""

_COARSE_DEG = 0.001
"""Some 100 m: what is sent to the server need only hold the road, and be short. What it finds is held against the road
itself."""


_MOST_CORNERS = 1000
"""Of the area that a server is asked about: some 40 kB."""

_CELL_DEG = 0.05
"""Side of the smallest squares that stand for a network of roads, some 5 km."""


def items_of_api(
    root: Mapping[str, Any],
    address: str,
    *,
    line: shapely.Geometry,
    wanted: Wanted,
    most: int,
) -> Iterator[Item]:
    """Search an API.

    Parameters
    ----------
    root : mapping
        Its landing page.
    address : str
        Where that is.
    line : shapely geometry
        What items must lie over, degrees.
    wanted : Wanted
        When they were taken, and where to look; clouds are not asked about, as few servers can tell.
    most : int
        One more than so many is the most that is asked for.

    Yields
    ------
    Item
        What the server answers.

    Raises
    ------
    ImageryError
        If it does not answer as a STAC API.
    UsageError
        If pystac-client is not installed.
    """
    try:
        from pystac_client import Client
        from pystac_client.exceptions import APIError
        from pystac_client.stac_api_io import StacApiIO
        from requests import RequestException
        from urllib3 import Retry
    except ImportError as error:
        raise UsageError(
            "Invalid search of a STAC API. Must have pystac-client: pip install 'jamline[stac]'."
        ) from error
    retry = Retry(_TRIES - 1, backoff_factor=_PAUSE_S, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None)
    # The length of what is sent matters, not its form: roads in detail are too long for an address.
    links = [link for link in root["links"] if isinstance(link, dict)]
    posts = any(link.get("rel") == "search" and link.get("method") == "POST" for link in links)
    asked = {
        "intersects": shapely.geometry.mapping(around(line)),
        "datetime": wanted.dates.interval,
        "collections": list(wanted.collections) or None,
    }
    connection = StacApiIO(max_retries=retry)
    try:
        with warnings.catch_warnings():
            # What a server leaves out of its list of abilities says nothing about its answer.
            warnings.simplefilter("ignore")
            # What is not given here again, `open` takes away.
            client = Client.open(address, stac_io=connection, timeout=_TIMEOUT_S)
            answer = client.search(method="POST" if posts else "GET", max_items=most + 1, limit=_PAGE, **asked)
            contents = list(answer.items_as_dicts())
    except (APIError, RequestException, NotImplementedError, KeyError, ValueError, TypeError) as error:
        raise ImageryError(
            f"Invalid catalogue '{shown(address)}'. Must be a STAC API that answers a search ({_reason(error)})."
        ) from error
    finally:
        connection.session.close()
    for content in contents:
        yield from items_of(content, _address_of(content, address))


def around(line: shapely.Geometry) -> shapely.Geometry:
    """Return an area with few corners that holds all of a line."""
    simple = shapely.simplify(line, _COARSE_DEG)
    if shapely.get_num_coordinates(simple) < _MOST_CORNERS / 4:
        return shapely.buffer(simple, _COARSE_DEG, quad_segs=2)
    area, side_deg = line, _CELL_DEG
    while shapely.get_num_coordinates(area) > _MOST_CORNERS:
        # A network of roads: the squares of a grid that it runs through, as coarse as need be.
        points = shapely.get_coordinates(shapely.segmentize(line, side_deg / 2))
        squares = np.unique(np.floor(points / side_deg), axis=0) * side_deg
        beyond = side_deg / 4
        low, high = squares - beyond, squares + side_deg + beyond
        area = shapely.union_all(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))
        side_deg *= 2
    return area


def _address_of(content: Mapping[str, Any], address: str) -> str:
    """Return where an item says that it is at home."""
    links = content.get("links")
    for each in links if isinstance(links, list) else ():
        if isinstance(each, dict) and each.get("rel") == "self" and each.get("href"):
            return str(each["href"])
    return f"{address.rstrip('/')}/collections/{content.get('collection')}/items/{content.get('id')}"


def _reason(error: Exception) -> str:
    """Say in a few words what went wrong; servers answer with whole pages."""
    text = str(error)
    refused = re.search(r"too many (\d+) error responses", text)
    code = getattr(error, "status_code", None) or (refused and refused[1])
    if code:
        return f"HTTP {code}"
    if "timed out" in text:
        return f"no answer within {_TIMEOUT_S:g} s"
    return told(error)
