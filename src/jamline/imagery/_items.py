"""STAC items, read from files and addresses. A plain JSON file needs no STAC library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jamline.errors import ImageryError
from jamline.imagery._documents import resolved
from jamline.imagery._sources import shown

_API_ITEMS = re.compile(r"/collections/[^/]+/items(?:/[^/]+)?/?$|/search/?$")
"""Where a STAC API has items, without any suffix (OGC API - Features; STAC API - Item Search)."""


@dataclass(frozen=True, eq=False)
class Item:
    """A STAC item, the addresses of its assets resolved.

    Parameters
    ----------
    path : str
        What names it: its own file or address, or that of a collection of items with ``#`` and its id.
    content : mapping
        The item, as STAC 1.0 and 1.1 have it.
    """

    path: str
    content: Mapping[str, Any] = field(repr=False)

    @property
    def id(self) -> str:
        """Its id, unique in its collection."""
        return str(self.content.get("id", ""))

    @property
    def properties(self) -> Mapping[str, Any]:
        """What is said of the item as a whole."""
        properties = self.content.get("properties")
        return properties if isinstance(properties, dict) else {}

    @property
    def assets(self) -> dict[str, Mapping[str, Any]]:
        """Its assets that are somewhere, by key."""
        assets = self.content.get("assets")
        every = assets.items() if isinstance(assets, dict) else ()
        return {key: each for key, each in every if isinstance(each, dict) and isinstance(each.get("href"), str)}


def is_item(path: str) -> bool:
    """Tell by its name whether a path may be a STAC item, a collection of items or a catalogue."""
    plain = path.partition("#")[0].partition("?")[0]
    if plain.lower().endswith((".json", ".geojson")):
        return True
    return path.startswith(("http://", "https://")) and bool(_API_ITEMS.search(plain))


def items_of(content: Any, name: str, *, only: str = "") -> list[Item]:
    """Make items of what was read from a place, their addresses resolved against it.

    Parameters
    ----------
    content
        What was read.
    name : str
        The file or address.
    only : str
        The id of the only items wanted; by default all are.

    Raises
    ------
    ImageryError
        If it is neither an item nor a collection of them.
    """
    kind = content.get("type") if isinstance(content, dict) else None
    if kind == "FeatureCollection" and isinstance(content.get("features"), list):
        wanted = [each for each in content["features"] if only in ("", _id(each))]
        return [_item(each, f"{name}#{_id(each)}", name) for each in wanted]
    if kind == "Feature":
        return [_item(content, name, name)] if only in ("", _id(content)) else []
    raise ImageryError(f"Invalid item '{shown(name)}'. Must be a STAC item, a collection of items or a catalogue.")


def _item(content: Any, path: str, base: str) -> Item:
    """Make an item, its addresses resolved; items of an API are at home where they say."""
    whole = isinstance(content, dict) and all(isinstance(content.get(key), dict) for key in ("properties", "assets"))
    if not whole or content.get("type") != "Feature":
        raise ImageryError(f"Invalid item '{shown(path)}'. Must be a STAC item, with properties and assets.")
    base = _home(content, base)
    assets = {
        key: {**each, "href": resolved(each["href"], base)}
        for key, each in content["assets"].items()
        if isinstance(each, dict) and isinstance(each.get("href"), str)
    }
    return Item(path, {**content, "assets": assets})


def _home(content: Mapping[str, Any], base: str) -> str:
    """Return what an item's addresses are relative to."""
    links = content.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") == "self":
            own = str(link.get("href", ""))
            return own if own.startswith("http") and base.startswith("http") else base
    return base


def _id(content: Any) -> str:
    return str(content.get("id", "")) if isinstance(content, dict) else ""
