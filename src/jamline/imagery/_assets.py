"""Which assets of a STAC item make the best picture, and which of them mask it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jamline.errors import ImageryError, NothingToMeasureError
from jamline.imagery._bands import COLOUR, role_of
from jamline.imagery._items import Item
from jamline.imagery._metadata import band_labels
from jamline.imagery._sources import RASTER_SUFFIXES, shown

_AS_FINE = 1.1
"""Pictures whose pixels differ by less show as much, and the one that shows more colours is taken."""

_NO_PICTURE = {"thumbnail", "overview", "metadata", "index", "iso-19115"}
"""Roles of assets that nobody measures on (STAC best practices, list of asset roles)."""

_MASKING = re.compile(r"mask|cloud|shadow|snow|water|saturation|udm|(?:^|[^a-z])(?:scl|aot|wvp|qa)(?:[^a-z]|$)")
"""In the key of an asset: it says something of a picture and is none."""


@dataclass(frozen=True, eq=False)
class Asset:
    """One raster of an item.

    Parameters
    ----------
    key, href : str
        Its name in the item, and where it is.
    content : mapping
        What the item says of it.
    labels : tuple of str
        What its bands are called; empty where nothing tells.
    pixel_m : float
        Its resolution as far as the item tells, infinite where it does not. Only compared within an item.
    """

    key: str
    href: str
    content: Mapping[str, Any] = field(repr=False)
    labels: tuple[str, ...]
    pixel_m: float

    @classmethod
    def of(cls, key: str, content: Mapping[str, Any]) -> Asset:
        """Make one of an item's entry."""
        labels = tuple(band_labels(content))
        return cls(key, str(content["href"]), content, labels or _labels_of_key(key), _pixel_m(content))

    @property
    def roles(self) -> dict[str, int]:
        """1-based band by role, of the bands that have one."""
        found: dict[str, int] = {}
        for index, label in enumerate(self.labels, start=1):
            role = role_of(label)
            if role:
                found.setdefault(role, index)
        return found


def picture_of(item: Item) -> tuple[Asset, ...]:
    """Choose the assets that make the best picture.

    Parameters
    ----------
    item : Item

    Returns
    -------
    tuple of Asset
        One that holds the picture, or one for each of red, green, blue and perhaps near infrared, in that order.

    Raises
    ------
    NothingToMeasureError
        If the item is no optical image.
    ImageryError
        If no asset shows a picture.

    Notes
    -----
    The finest wins; among equally fine ones colour over grey, four bands over three, one file over several.
    Measurements go before pictures made for people for that reason: they have the near infrared too.
    """
    if any(key.startswith("sar:") for key in item.properties):
        raise NothingToMeasureError(
            f"Invalid item '{shown(item.path)}'. Must be an optical image; its STAC item describes radar."
        )
    rasters = [Asset.of(key, each) for key, each in item.assets.items() if _may_show(key, each)]
    choices = [*_whole(rasters), *_joined(rasters), *_grey(rasters)] or [(each,) for each in _unlabelled(rasters)]
    if not choices:
        raise ImageryError(
            f"Invalid item '{shown(item.path)}'. Must have an asset that shows red, green and blue, or a grey picture."
        )
    finest_m = min(_coarsest_m(choice) for choice in choices)
    alike = [choice for choice in choices if _coarsest_m(choice) <= _AS_FINE * finest_m]
    return min(alike, key=_poverty)


def _poverty(choice: Sequence[Asset]) -> tuple[int, int]:
    """Return what makes one choice worse than another that is as fine; the first of equals is taken."""
    roles = {role for asset in choice for role in asset.roles}
    return (-len(roles & {*COLOUR, "nir"}), len(choice))


def _coarsest_m(choice: Iterable[Asset]) -> float:
    return max(asset.pixel_m for asset in choice)


def _whole(rasters: Sequence[Asset]) -> list[tuple[Asset, ...]]:
    return [(each,) for each in rasters if set(COLOUR) <= set(each.roles)]


def _joined(rasters: Sequence[Asset]) -> list[tuple[Asset, ...]]:
    """Find a file for each colour, the finest of each, and the near infrared if it is as fine."""
    single: dict[str, Asset] = {}
    for asset in rasters:
        if len(asset.labels) != 1:
            continue
        for role in asset.roles:
            if role not in single or asset.pixel_m < single[role].pixel_m:
                single[role] = asset
    if not set(COLOUR) <= set(single):
        return []
    colours = [single[colour] for colour in COLOUR]
    nir = single.get("nir")
    if nir and nir.pixel_m <= _AS_FINE * _coarsest_m(colours):
        colours.append(nir)
    return [tuple(colours)]


def _grey(rasters: Sequence[Asset]) -> list[tuple[Asset, ...]]:
    return [(each,) for each in rasters if len(each.labels) == 1 and "pan" in each.roles]


def _unlabelled(rasters: Sequence[Asset]) -> list[Asset]:
    """Return assets of which the item does not say what their bands show: the files themselves may."""
    return [each for each in rasters if not each.labels]


def _may_show(key: str, content: Mapping[str, Any]) -> bool:
    """Tell whether an asset is a raster, and not one that masks another or is there to be glanced at."""
    roles = content.get("roles") if isinstance(content.get("roles"), list) else []
    if _NO_PICTURE & {str(role) for role in roles or []} or _MASKING.search(key.lower()):
        return False
    kind = str(content.get("type", "")).lower()
    suffix = "." + str(content["href"]).partition("?")[0].rsplit(".", 1)[-1].lower()
    return "tiff" in kind or "jp2" in kind or suffix in RASTER_SUFFIXES


def _labels_of_key(key: str) -> tuple[str, ...]:
    """Read an asset's name as that of its one band: ``B04``, ``red``."""
    return (key,) if role_of(key) in (*COLOUR, "nir", "pan") else ()


def _pixel_m(content: Mapping[str, Any]) -> float:
    """Return the resolution that an item gives an asset, from whichever of its fields has it."""
    claims: list[Any] = [content.get("gsd"), content.get("eo:gsd"), content.get("raster:spatial_resolution")]
    for name in ("raster:bands", "bands"):
        bands = content.get(name)
        for band in bands if isinstance(bands, list) else ():
            if isinstance(band, dict):
                claims += [band.get("spatial_resolution"), band.get("raster:spatial_resolution"), band.get("gsd")]
    transform = content.get("proj:transform")
    if isinstance(transform, list) and transform:
        claims.append(transform[0])
    numbers = [float(each) for each in claims if isinstance(each, int | float) and not isinstance(each, bool)]
    return next((number for number in numbers if 0 < number < math.inf), math.inf)
