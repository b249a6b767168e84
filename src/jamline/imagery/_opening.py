"""Opening one raster: everything that can be wrong with it is found here."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from jamline.errors import ImageryError, NothingToMeasureError
from jamline.imagery import _bands, _geometry, _metadata
from jamline.imagery._blocks import Blocks
from jamline.imagery._delivery import Delivery
from jamline.imagery._handles import Handles
from jamline.imagery._image import Image
from jamline.imagery._pixels import Decoder, Pixels, fill_side_px
from jamline.imagery._remote import blamed, patiently, why
from jamline.imagery._source import Source
from jamline.imagery._sources import shown, unreadable
from jamline.imagery._veil import Veil, open_veil

_MIXING = ("jpeg", "webp")
"""Compressions that keep brightness finely and colour coarsely: what one band shows lies half where others have it."""


def open_image(
    delivery: Delivery, *, bands: Mapping[str, int] | None, gsd_m: float | None, handles: Handles, blocks: Blocks
) -> Image:
    """Open one raster and find out what it is.

    Parameters
    ----------
    delivery : Delivery
        Its files, and what lies with them.
    bands : mapping, optional
        1-based band by role, instead of what is found out.
    gsd_m : float, optional
        Resolution in metres, instead of what the metadata say.
    handles : Handles
        Where open datasets are kept.
    blocks : Blocks
        Where decoded pixels are kept.

    Raises
    ------
    ImageryError
        If it is missing, unreadable, has no place on Earth, or no band that can be looked at.
    NothingToMeasureError
        If it is a raster but no optical image.
    """

    def opened() -> Image:
        with handles.borrow(delivery.opened) as dataset:
            source = Source.of(delivery.opened, dataset, handles, blocks)
            return _described(dataset, delivery, bands, gsd_m, source, handles)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            return patiently(delivery.opened, opened)
    except (RasterioError, OSError) as error:
        raise unreadable(blamed(delivery.files, error), why(error)) from error


def _described(
    dataset: Any,
    delivery: Delivery,
    bands: Mapping[str, int] | None,
    gsd_m: float | None,
    source: Source,
    handles: Handles,
) -> Image:
    item, name = delivery.item, shown(delivery.path)
    if not dataset.count:
        raise ImageryError(f"Invalid image '{name}'. Must hold one raster; it holds several: name one of them.")
    tags = _all_tags(dataset)
    colours = [colour.name for colour in dataset.colorinterp]
    labels = list(dataset.descriptions)
    if not any(labels):
        named = delivery.labels
        labels = [*named, *[None] * (dataset.count - len(named))] if len(named) <= dataset.count else labels
    why = _metadata.why_not_optical(
        item=item,
        tags=tags,
        labels=labels,
        colours=colours,
        dtypes=dataset.dtypes,
        units=dataset.units,
        path=delivery.files[0],
    )
    if why:
        raise NothingToMeasureError(f"Invalid image '{name}'. Must be an optical image; {why}.")
    crs = _placed(dataset, name)
    pixel_m, longer_m = _geometry.ground_size_m(crs, dataset.transform, dataset.width, dataset.height)
    if not 0 < pixel_m < math.inf:
        raise ImageryError(f"Invalid image '{name}'. Must lie where its coordinate reference system is defined.")
    palette = None if bands else _palette(dataset)
    if bands:
        roles = _bands.check_given(bands, count=dataset.count, name=name)
        if "alpha" not in roles and "alpha" in colours and colours.index("alpha") + 1 not in roles.values():
            roles["alpha"] = colours.index("alpha") + 1
    elif palette is not None:
        roles = dict.fromkeys(_bands.COLOUR, 1)
    else:
        roles = _bands.assign(labels=labels, colours=colours, dtypes=dataset.dtypes, pixel_m=pixel_m, name=name)
    veil = open_veil(delivery.masks, crs, dataset.transform, handles, source.blocks)
    claimed_m = _metadata.gsd_m(item, tags, delivery.assets)
    return Image(
        path=delivery.path,
        files=delivery.files,
        crs=crs,
        transform=dataset.transform,
        width=dataset.width,
        height=dataset.height,
        bands=roles,
        pixel_m=pixel_m,
        # An item's resolution is that of its finest file: no other can be finer than its own pixels.
        gsd_m=gsd_m or max(claimed_m or 0.0, longer_m * delivery.coarser),
        acquired=_metadata.acquired(item, tags),
        cloud_percent=_metadata.cloud_percent(item),
        own_linear=tuple(zip(dataset.scales, dataset.offsets, strict=True)),
        footprint=_geometry.footprint(crs, dataset.transform, dataset.width, dataset.height),
        _decoder=_decoder(dataset, delivery, roles, palette, pixel_m, veil),
        _source=source,
        overviews=tuple(sorted(set.intersection(*(set(dataset.overviews(index)) for index in roles.values())))),
        mixed=getattr(dataset.compression, "name", "").lower() in _MIXING,
        band_times=_metadata.band_times(item, tags, {r: dataset.tags(i) for r, i in roles.items() if r != "alpha"}),
    )


def _placed(dataset: Any, name: str) -> CRS:
    """Check that the image has a place on Earth and return its CRS."""
    if dataset.transform.is_identity or not dataset.transform.determinant:
        points = " (it has only control points: warp it first)" if dataset.gcps[0] or dataset.rpcs else ""
        raise ImageryError(
            f"Invalid image '{name}'. Must be georeferenced{points}; "
            "a picture without a place on the map, such as one from the press, cannot be verified."
        )
    if dataset.crs is None:
        raise ImageryError(
            f"Invalid image '{name}'. Must have a coordinate reference system; without one its coordinates, "
            "such as a world file's, mean nothing and it cannot be verified."
        )
    try:
        crs = CRS.from_user_input(dataset.crs)
        lon, lat = _geometry.to_lonlat(crs, dataset.transform, [dataset.width / 2], [dataset.height / 2])
    except (CRSError, ProjError) as error:
        raise ImageryError(f"Invalid image '{name}'. Must have a coordinate reference system on Earth.") from error
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise ImageryError(f"Invalid image '{name}'. Must lie where its coordinate reference system is defined.")
    return crs


def _decoder(
    dataset: Any,
    delivery: Delivery,
    roles: Mapping[str, int],
    palette: Pixels | None,
    pixel_m: float,
    veil: Veil | None,
) -> Decoder:
    used = set(roles.values()) - {roles.get("alpha")}
    nodata = {index: dataset.nodatavals[index - 1] for index in used}
    told = delivery.nodata()
    nodata = {index: told.get(index) if value is None else value for index, value in nodata.items()}
    nodata = {index: value for index, value in nodata.items() if _metadata.fits(value, dataset.dtypes[index - 1])}
    flags = set().union(*(dataset.mask_flag_enums[index - 1] for index in used))
    masked = MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags
    linear = {index: (dataset.scales[index - 1], dataset.offsets[index - 1]) for index in used}
    # What the item says is of this item alone, as its offset is since Sentinel-2's baseline 04.00.
    given = delivery.linear(offset_applied=_metadata.offset_applied(delivery.item))
    linear |= {index: pair for index, pair in given.items() if index in used}
    transparent = palette is not None and bool((palette[:, 3] == 0).any())
    declared = bool(nodata) or masked or "alpha" in roles or transparent
    return Decoder(
        bands=roles,
        nodata=nodata,
        masked=masked,
        fill_px=0 if declared else fill_side_px(pixel_m),
        linear={
            index: pair for index, pair in linear.items() if pair != (1.0, 0.0) and pair[0] and np.isfinite(pair).all()
        },
        palette=palette,
        veil=veil,
    )


def _palette(dataset: Any) -> Pixels | None:
    """Return the colour table of a paletted image."""
    if dataset.count != 1 or dataset.colorinterp[0].name != "palette":
        return None
    table = dataset.colormap(1)
    palette = np.zeros((max(table) + 1, 4), np.float32)
    for number, colour in table.items():
        palette[number] = colour
    return palette


def _all_tags(dataset: Any) -> dict[str, str]:
    """Gather the tags that may tell time, resolution or kind, keys in lower case."""
    tags: dict[str, str] = {}
    for domain in ("IMD", "IMAGERY", None):
        tags |= {key.lower(): str(value) for key, value in dataset.tags(ns=domain).items()}
    return tags
