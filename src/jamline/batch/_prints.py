"""Fingerprints of inputs: what tells whether a file is still the one that a result was made from."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from jamline.errors import ImageryError, InputError, NothingToMeasureError
from jamline.imagery import files_of, is_address, is_item, read_items

_WHOLE_BYTES = 64 << 20
"""Up to this size a file is known by its content; to read larger ones again at each start would take longer than to
measure what they show, so they are known by size and time of change."""

_CHUNK_BYTES = 1 << 20

_THREADS = 16
"""Addresses asked, and files read, at the same time."""

_TIMEOUT_S = 20
_TRIES = 3

_OTHER_PICTURE = re.compile(r"^(?!.*(?:udm|mask|[_-]scl[._])).*\.(?:tiff?|jp2|vrt)$", re.IGNORECASE)
"""A picture of its own, under a name that goes on from another's; only masks belong to others."""

_PART_OF_NAME = re.compile(r"(-[a-z]+|_3B_.*)$")
"""What vendors put behind the name that an image shares with its metadata."""


def fingerprints(images: Iterable[str], others: Iterable[str] = ()) -> dict[str, str | InputError]:
    """Return what each path holds now, as a text that changes when that does.

    Parameters
    ----------
    images : iterable of str
        Files, addresses and STAC items. What lies beside a file under its name (masks, metadata) belongs to it, and to
        an item the files that it names.
    others : iterable of str
        Files, folders and addresses of another kind; likewise what lies beside a file (parts of a shapefile).

    Returns
    -------
    dict of str to str or InputError
        An error for an address that does not answer. A file that is not there has a fingerprint too: what reads it
        says best what is wrong.
    """
    images = list(dict.fromkeys(images))
    wanted = list(dict.fromkeys([*images, *others]))
    beside = _Beside()
    items = [path for path in images if is_item(path)]
    with ThreadPoolExecutor(_THREADS) as threads:
        told = dict(zip(items, threads.map(_items, items), strict=True))
        families = {
            path: told[path].files if path in told else [path] if is_address(path) else beside.family(path)
            for path in wanted
        }
        members = list(dict.fromkeys(member for family in families.values() for member in family))
        known = dict(zip(members, threads.map(_member, members), strict=True))
    return {
        path: _together([*([told[path].content] if path in told else []), *(known[member] for member in family)])
        for path, family in families.items()
    }


@dataclass(frozen=True)
class _Items:
    """What STAC items say, and the files that they name."""

    content: str | InputError
    files: list[str]


def _items(path: str) -> _Items:
    """Read the items that a path names; where that fails, the error is what is known of them."""
    try:
        items = read_items(path)
        files = [file for item in items for file in files_of(item)]
    except NothingToMeasureError as error:
        return _Items(str(error), [])
    except InputError as error:
        return _Items(error, [])
    told = [
        # Links and signatures of addresses change while the item does not.
        {"id": item.id, "properties": item.properties, "assets": {k: {**a, "href": ""} for k, a in item.assets.items()}}
        for item in items
    ]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return _Items(f"items {digest}", files)


def _together(parts: list[str | InputError]) -> str | InputError:
    """Join what a file and those beside it are known by."""
    for part in parts:
        if isinstance(part, InputError):
            return part
    return "\n".join(str(part) for part in parts)


def _member(path: str) -> str | InputError:
    """Return what one file, folder or address is known by, its own name included but not its folder's."""
    if is_address(path):
        return _remote(path)
    file = Path(path)
    try:
        if file.is_dir():
            stats = [(each.relative_to(file).as_posix(), each.stat()) for each in sorted(file.rglob("*"))]
            return f"{file.name}/ {[(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]}"
        stat = file.stat()
        if stat.st_size > _WHOLE_BYTES:
            return f"{file.name} {stat.st_size} bytes of {stat.st_mtime_ns}"
        digest = hashlib.sha256()
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError:
        return f"{file.name} cannot be read"
    return f"{file.name} {digest.hexdigest()}"


def _remote(address: str) -> str | InputError:
    """Return what an address is known by: entity tag, time of change and size where it is http, else itself alone."""
    plain = address.split("?", 1)[0]  # a signature in the query changes while the file does not
    url = address.removeprefix("/vsicurl/")
    if not url.startswith(("http://", "https://")):
        return plain
    # One byte is asked for rather than the head: an address that is signed for reading allows only that.
    request = urllib.request.Request(url, headers={"Range": "bytes=0-0"})  # noqa: S310 (http alone gets here)
    reason = ""
    for _ in range(_TRIES):
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                head = answer.headers
                size = head.get("Content-Range", "").rpartition("/")[2] or head.get("Content-Length", "")
                return f"{plain} {head.get('ETag') or head.get('Last-Modified', '')} {size}"
        except urllib.error.HTTPError as error:
            reason = f"HTTP {error.code}"
            if error.code < 500:
                break
        except (OSError, ValueError) as error:
            reason = " ".join(str(getattr(error, "reason", error)).split())
    return ImageryError(f"Invalid image '{plain}'. Must be an address that answers ({reason}).")


class _Beside:
    """What lies beside files, each folder listed once."""

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, list[str]]] = {}

    def family(self, path: str) -> list[str]:
        """Return a path and what lies beside it under its name, in order."""
        file = Path(path)
        stem = _PART_OF_NAME.sub("", file.stem)
        if file.parent not in self._names:
            self._names[file.parent] = self._listed(file.parent)
        near = self._names[file.parent].get(_first_word(stem), [])
        starts = re.compile(rf"{re.escape(stem)}(?:[._-]|$)")
        same = [name for name in near if starts.match(name) and not _OTHER_PICTURE.match(name)]
        return [path, *(str(file.parent / name) for name in same if name != file.name)]

    def _listed(self, folder: Path) -> dict[str, list[str]]:
        """Return the files of a folder by the first word of their names: a folder may hold very many."""
        by_word: dict[str, list[str]] = defaultdict(list)
        try:
            names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
        except OSError:
            names = []
        for name in names:
            by_word[_first_word(name)].append(name)
        return by_word


def _first_word(name: str) -> str:
    return re.split(r"[._-]", name, maxsplit=1)[0]
