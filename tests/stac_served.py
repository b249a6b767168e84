"""STAC items as the web has them: found by a STAC API, their assets handed out by nginx."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import web_servers
from stac_layouts import write_json


@dataclass(frozen=True)
class Catalogue:
    """A STAC API of items whose assets nginx serves."""

    api: str
    road: Path
    files: web_servers.Nginx
    items: Path


@contextmanager
def served(items: list[Path], home: Path, road: Path, folder: Path) -> Iterator[Catalogue]:
    """Serve items that lie in a folder: each one's assets at an address of nginx, and all of them by a STAC API."""
    folder.mkdir()
    with web_servers.nginx(home, folder) as files:
        features = []
        for path in items:
            item = json.loads(path.read_text())
            for asset in item["assets"].values():
                asset["href"] = f"{files.url}/{(path.parent / asset['href']).relative_to(home)}"
            item.setdefault("collection", path.relative_to(home).parts[0])
            features.append(item)
        collection = write_json(folder / "items.json", {"type": "FeatureCollection", "features": features})
        with web_servers.stac_api(collection, folder) as api:
            yield Catalogue(api, road, files, collection)
