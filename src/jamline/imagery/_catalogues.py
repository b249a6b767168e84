"""Static catalogues: files that link to one another, with nobody there to answer a search."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from jamline.errors import ImageryError
from jamline.imagery._documents import read_json, resolved
from jamline.imagery._items import Item, items_of
from jamline.imagery._sources import is_address, shown

_THREADS = 16
"""Files asked for at the same time; each has a few kB."""

_MOST = 1000
"""Items taken without a question where nothing narrows them down."""


def read_items(path: str) -> list[Item]:
    """Read the items of a file or address.

    Parameters
    ----------
    path : str
        A STAC item, a collection of items (GeoJSON), or a static catalogue or collection, all of whose items are
        taken. With ``#`` and an id, the one of that id.

    Returns
    -------
    list of Item
        At least one.

    Raises
    ------
    ImageryError
        If it cannot be read, is nothing of that kind, has none of that id, or more than a thousand.
    """
    name, _, wanted = path.partition("#")
    items = []
    # Of the items of one file each may be asked for by itself, a thousand times over.
    content = _parsed(name, _stamp(name)) if wanted else read_json(name)
    for item in items_under(content, name, only=wanted):
        items.append(item)
        if len(items) > _MOST:
            raise ImageryError(
                f"Invalid catalogue '{shown(name)}'. Must hold at most {_MOST} items; jamline fetch finds those over "
                "a road."
            )
    if not items:
        rule = f"hold an item '{wanted}'" if wanted else "hold at least one item"
        raise ImageryError(f"Invalid item '{shown(path)}'. Must {rule}.")
    return items


def items_under(content: Any, name: str, *, only: str = "") -> Iterator[Item]:
    """Yield the items of what was read from a place: itself, its pages, or what it links to; or only those of an id."""
    kind = content.get("type") if isinstance(content, dict) else None
    if kind in ("Catalog", "Collection"):
        yield from (item for item in walk(content, name) if only in ("", item.id))
        return
    known = {name}
    while True:
        yield from items_of(content, name, only=only)
        following = [href for href in links_of(content, name, "next") if href not in known]
        if kind != "FeatureCollection" or not following:
            return
        name = following[0]
        known.add(name)
        content = read_json(name)


@lru_cache(maxsize=4)
def _parsed(name: str, stamp: tuple[float, ...]) -> Any:
    """Read a file or address once, as long as it stays the same."""
    return read_json(name)


def _stamp(name: str) -> tuple[float, ...]:
    """Return what changes when a file does; an address is believed for a minute."""
    if is_address(name):
        return (time.monotonic() // 60,)
    try:
        stat = os.stat(name)
    except OSError:
        return ()
    return (stat.st_mtime_ns, stat.st_size)


def walk(
    root: Mapping[str, Any],
    address: str,
    *,
    reaches: Callable[[Mapping[str, Any]], bool] = lambda _: True,
    meant: Callable[[Mapping[str, Any]], bool] = lambda _: True,
) -> Iterator[Item]:
    """Follow the links of a static catalogue to its items.

    Parameters
    ----------
    root : mapping
        The catalogue or collection.
    address : str
        Where it was read.
    reaches : callable
        Tells whether a branch is worth following.
    meant : callable
        Tells whether the items of a branch, and of all below it, are wanted.

    Yields
    ------
    Item
        Level by level, in the order of the links.

    Raises
    ------
    ImageryError
        If a part of the catalogue cannot be read.
    """
    level = [(root, address, False)]
    known = {address}
    with ThreadPoolExecutor(_THREADS) as threads:
        while level:
            inside = [(part, home, of or meant(part)) for part, home, of in level if reaches(part)]
            for items in threads.map(_read, [href for p, home, of in inside if of for href in _new(p, home, "item")]):
                yield from items
            below: dict[str, bool] = {}
            for part, home, of in inside:
                for href in _new(part, home, "child"):
                    if href not in known:
                        below[href] = of
            known.update(below)
            read = threads.map(lambda href: read_json(href, thing="catalogue"), below)
            level = [(_branch(part, href), href, of) for part, (href, of) in zip(read, below.items(), strict=True)]


def links_of(part: Mapping[str, Any], home: str, kind: str) -> list[str]:
    """Return where the links of a kind lead that can be followed by asking for an address."""
    links = part.get("links")
    every = [each for each in links if isinstance(each, dict)] if isinstance(links, list) else []
    return [
        resolved(str(each["href"]), home)
        for each in every
        if each.get("rel") == kind and each.get("href") and str(each.get("method", "GET")).upper() == "GET"
    ]


def _new(part: Mapping[str, Any], home: str, kind: str) -> list[str]:
    return list(dict.fromkeys(links_of(part, home, kind)))


def _read(address: str) -> list[Item]:
    return items_of(read_json(address), address)


def _branch(part: Any, address: str) -> Mapping[str, Any]:
    if not (isinstance(part, dict) and part.get("type", "Catalog") in ("Catalog", "Collection")):
        raise ImageryError(f"Invalid catalogue '{shown(address)}'. Must be a STAC catalogue or collection.")
    return part
