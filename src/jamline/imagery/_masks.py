"""Masks that lie with a picture: what they hide of it, and why.

Vendors say in files of their own where cloud, its shadow or no data at all is. Honoured here are Sentinel-2's scene
classification, Planet's usable data mask, and Vantor's (Maxar's) polygons.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from jamline.imagery._items import Item
from jamline.imagery._sources import is_address


class Why(IntEnum):
    """Why a mask hides a pixel; 0 where it does not."""

    SEEN = 0
    NODATA = 1
    CLOUD = 2
    SHADOW = 3


POLYGONS = {
    "terrain-shadow-mask": Why.SHADOW,
    "cloud-shadow-mask": Why.SHADOW,
    "cloud-mask": Why.CLOUD,
    "data-mask": Why.NODATA,
}
"""Vantor's polygons by key, or by what ends a file's name; the last is of what *is* there."""

_VECTOR_SUFFIXES = (".gpkg", ".geojson", ".json")


@dataclass(frozen=True)
class MaskFile:
    """A mask that lies with a picture: of polygons, or a raster.

    Parameters
    ----------
    key : str
        Its name among the assets of an item.
    path : str
        File or address.
    kind : str
        ``"scl"``, ``"udm2"``, or the key of Vantor's polygons.
    """

    key: str
    path: str
    kind: str

    @property
    def is_raster(self) -> bool:
        """True if it has pixels."""
        return self.kind in ("scl", "udm2")


def masks_of_item(item: Item | Mapping[str, Any]) -> list[MaskFile]:
    """Return the masks among an item's assets."""
    assets = item.assets if isinstance(item, Item) else item.get("assets", {})
    found = []
    for key, asset in assets.items() if isinstance(assets, Mapping) else ():
        href = str(asset.get("href", "")) if isinstance(asset, Mapping) else ""
        kind = _kind(key, href) if href else None
        if kind:
            found.append(MaskFile(key, href, kind))
    return found


def masks_beside(path: str) -> list[MaskFile]:
    """Return the masks that lie beside a file under its name, as Planet and Vantor deliver them."""
    if is_address(path):
        return []
    file = Path(path)
    found = []
    planet = re.match(r"(.+_3B)_(?:Analytic|Visual|ortho)", file.name, re.IGNORECASE)
    stem = re.sub(r"-(?:visual|ms|pan)$", "", file.stem)
    names = [f"{planet[1]}_udm2{end}{file.suffix}" for end in ("", "_clip")] if planet else []
    names += [f"{stem}-{kind}.gpkg" for kind in POLYGONS] if stem != file.stem else []
    for name in names:
        beside = file.with_name(name)
        if beside.is_file():
            found.append(MaskFile("udm2" if planet else name.removeprefix(f"{stem}-")[:-5], str(beside), ""))
    return [MaskFile(each.key, each.path, _kind(each.key, each.path) or "") for each in found]


def _kind(key: str, href: str) -> str | None:
    """Tell which mask an asset is, ``None`` if it is none that is known."""
    plain = href.partition("?")[0].lower()
    stem, _, suffix = plain.rpartition(".")
    name, words = stem.rsplit("/", 1)[-1], key.lower().replace("_", "-")
    if f".{suffix}" in _VECTOR_SUFFIXES:
        return next((kind for kind in POLYGONS if words == kind or name.endswith(f"-{kind}")), None)
    if suffix not in ("tif", "tiff", "jp2"):
        return None
    if re.search(r"(?:^|-)udm2(?:-|$)", words) or "_udm2" in name:
        return "udm2"
    return "scl" if re.match(r"scl(?:-20m)?$", words) else None
