"""One picture as it was delivered: the files that it is in, and what lies with them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jamline.imagery import _metadata
from jamline.imagery._assets import Asset, picture_of
from jamline.imagery._catalogues import read_items
from jamline.imagery._documents import resolved
from jamline.imagery._handles import Handles
from jamline.imagery._items import Item, is_item
from jamline.imagery._joined import joined
from jamline.imagery._masks import MaskFile, masks_beside, masks_of_item
from jamline.imagery._sources import shown


@dataclass(frozen=True, eq=False, kw_only=True)
class Delivery:
    """One picture as it was delivered.

    Parameters
    ----------
    path : str
        What names it: a file or address, or a STAC item.
    opened : str
        What GDAL opens: the path itself, an asset, or several joined.
    files : tuple of str
        The files that hold its pixels.
    item : mapping
        Its STAC item, or what else a vendor's metadata file says; empty where there is none.
    assets : tuple of mapping
        What the item says of each file.
    masks : tuple of MaskFile
        What hides parts of it.
    coarser : float
        How many times as large as the picture's pixels those of its coarsest file are.
    """

    path: str
    opened: str
    files: tuple[str, ...]
    item: Mapping[str, Any] = field(default_factory=dict, repr=False)
    assets: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    masks: tuple[MaskFile, ...] = ()
    coarser: float = 1.0

    @classmethod
    def of_file(cls, path: str) -> Delivery:
        """Look at a file, and at the metadata and masks beside it."""
        item = _metadata.read_item(path)
        asset = _metadata.asset_of(item, path)
        masks = masks_beside(path)
        if asset:
            # A folder is often copied in part: what its item lists and is not there masks nothing.
            known = {mask.path for mask in masks}
            masks += [each for each in _listed(item, path) if each.path not in known and os.path.isfile(each.path)]
        return cls(
            path=path,
            opened=path,
            files=(path,),
            item=item,
            assets=(asset,) if asset else (),
            masks=tuple(masks),
        )

    @classmethod
    def of_item(cls, item: Item, handles: Handles) -> Delivery:
        """Choose what of an item to look at."""
        chosen = picture_of(item)
        one = joined(_parts(chosen), shown(item.path), handles) if len(chosen) > 1 else None
        return cls(
            path=item.path,
            opened=one.vrt if one else chosen[0].href,
            coarser=one.coarser if one else 1.0,
            files=tuple(asset.href for asset in chosen),
            item=item.content,
            assets=tuple(asset.content for asset in chosen),
            masks=tuple(masks_of_item(item)),
        )

    @property
    def labels(self) -> list[str]:
        """What the item calls the bands, in their order; empty where it does not say."""
        return [label for asset in self.assets for label in _metadata.band_labels(asset)]

    def linear(self, *, offset_applied: bool) -> dict[int, tuple[float, float]]:
        """Return scale and offset by 1-based band, of the bands of which the item gives them.

        Parameters
        ----------
        offset_applied : bool
            True if the numbers in the files have been shifted already, and only the scale is left.
        """
        pairs = enumerate(self._bands(), start=1)
        known = {index: _metadata.scale_and_offset(band) for index, band in pairs}
        return {
            index: (pair[0], 0.0 if offset_applied else pair[1]) for index, pair in known.items() if pair is not None
        }

    def nodata(self) -> dict[int, float]:
        """Return the nodata value by 1-based band, of the bands of which the item gives one."""
        known = {index: _metadata.nodata(band) for index, band in enumerate(self._bands(), start=1)}
        return {index: value for index, value in known.items() if value is not None}

    def _bands(self) -> list[Mapping[str, Any]]:
        return [band for asset in self.assets for band in _metadata.bands_of(asset)]


def deliveries(path: str, handles: Handles) -> list[Delivery]:
    """Return the pictures that a path names: one for a file, one for each item of a collection."""
    if not is_item(path):
        return [Delivery.of_file(path)]
    return deliveries_of(read_items(path), handles)


def deliveries_of(items: Iterable[Item], handles: Handles) -> list[Delivery]:
    """Return the pictures of items that were read already."""
    return [Delivery.of_item(item, handles) for item in items]


def files_of(item: Item) -> list[str]:
    """Return the files of an item that are read: its picture, and what masks it.

    Raises
    ------
    ImageryError, NothingToMeasureError
        If it holds no picture.
    """
    return [*(asset.href for asset in picture_of(item)), *(mask.path for mask in masks_of_item(item))]


def _listed(item: Mapping[str, Any], path: str) -> list[MaskFile]:
    """Return the masks that the item beside a file lists, where they lie beside it too."""
    return [MaskFile(each.key, resolved(each.path, path), each.kind) for each in masks_of_item(item)]


def _parts(chosen: Sequence[Asset]) -> list[tuple[str, str, float | None]]:
    """Return the files to join, each with the role and the nodata value of its one band."""
    return [
        (next(iter(asset.roles)), asset.href, next(map(_metadata.nodata, _metadata.bands_of(asset.content)), None))
        for asset in chosen
    ]
