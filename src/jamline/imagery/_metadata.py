"""What an image says of itself: when it was taken, how fine it is, and whether it is a picture at all.

A STAC item beside the image (``scene.json`` for ``scene.tif``, ``scene.tif.json``, or, as in
Vantor's deliveries, ``<id>.json`` for ``<id>-visual.tif``; Planet's ``<id>_metadata.json`` in the same way)
is believed before the tags inside it. Nothing is fetched from the network to find one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from jamline.imagery._sources import is_address

_MAX_ITEM_BYTES = 5_000_000
"""A STAC item has a few kB; what is much larger is something else."""

_GSD_TAGS = (
    "jamline_gsd_m",
    "gsd_m",
    "gsd",
    "ground_sample_distance",
    "image_1.meanproductgsd",
    "image_1.meancollectedgsd",
)
"""Tags in metres, in order of trust; the last two are from Vantor's `.IMD` files, which GDAL reads along."""

_TIME_TAGS = (
    "acquisitiondatetime",  # GDAL's IMAGERY domain, filled from vendors' metadata files
    "image_1.firstlinetime",  # Vantor .IMD
    "acquired",
    "acquisition_datetime",
    "acquisition_date",
    "datetime",
    "datatake_1_datatake_sensing_start",  # Sentinel-2 SAFE
    "nitf_idatim",
    "exif_datetimeoriginal",
    "tiff_datetime",
    # Often the time of processing, and so the last to be asked.
    "tifftag_datetime",
)

_TIME = re.compile(
    r"\s*(\d{4})[-:/]?(\d\d)[-:/]?(\d\d)(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?)?"
    r"\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?\s*",
    re.IGNORECASE,
)

_FIRST_YEAR = 1900
"""Photographs from above are not older; cameras with an unset clock write year 0."""

_RADAR_LABEL = re.compile(r"(?:^|[^a-z])(?:vv|vh|hh|hv)(?:[^a-z]|$)|sigma0|gamma0|backscatter", re.IGNORECASE)
_RADAR_NAME = re.compile(
    r"umbra-\d|capella_c\d|iceye_|(?:^|_)s1[abcd]_(?:iw|ew|sm|s\d)|(?:^|_)t[sd]x1_sar|cosmo-?skymed|radarsat",
    re.IGNORECASE,
)
_SENTINEL2_S = {"blue": 0.0, "red": 1.01}
"""Seconds after its band 2 at which Sentinel-2 takes its band 4 of one place (Fisser and others, 2022); to some 2 %, by
detector and height (Binet and others, 2022). No other sensor's bands are known here."""

_LENGTH_UNITS = {"m", "metre", "metres", "meter", "meters", "ft", "foot", "feet"}


_CLOUD_KEYS = ("eo:cloud_cover", "tile:clouds_percent", "cloud_percent")
"""Cloud cover in percent: STAC's own, Vantor's, Planet's."""

_OF_ALL_BANDS = ("raster:scale", "raster:offset", "nodata", "eo:common_name")
"""What may be said once for all bands of an asset (STAC 1.1)."""


def read_item(path: str) -> dict[str, Any]:
    """Read the STAC item, or Planet's metadata, beside an image.

    Parameters
    ----------
    path : str
        Path of the image.

    Returns
    -------
    dict
        The item; empty where there is none.
    """
    if is_address(path):
        return {}
    file = Path(path)
    # Vantor: <id>-visual.tif; Planet: <id>_3B_Visual.tif and <id>_metadata.json.
    stems = [re.sub(r"-[a-z]+$", "", file.stem), re.sub(r"_3B_.*$", "_metadata", file.stem)]
    for name in (file.stem, file.name, *stems):
        candidate = file.with_name(f"{name}.json")
        try:
            if candidate.stat().st_size > _MAX_ITEM_BYTES:
                continue
            item = json.loads(candidate.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(item, dict) and isinstance(item.get("properties"), dict):
            return item
    return {}


def bands_of(asset: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what an item says of each band of an asset, whichever version of STAC it is written in.

    Up to STAC 1.0 ``eo:bands`` and ``raster:bands`` stand side by side; from 1.1 on ``bands`` holds both. What is
    the same for all bands may stand at the asset instead.

    Examples
    --------
    >>> bands_of({"eo:bands": [{"name": "red"}], "raster:bands": [{"scale": 0.0001}]})
    [{'name': 'red', 'scale': 0.0001}]
    >>> bands_of({"raster:scale": 0.0001, "bands": [{"name": "red"}, {"name": "nir"}]})
    [{'raster:scale': 0.0001, 'name': 'red'}, {'raster:scale': 0.0001, 'name': 'nir'}]
    """
    lists = [asset.get(key) for key in ("eo:bands", "raster:bands", "bands")]
    told = [each for each in lists if isinstance(each, list) and each]
    shared = {key: asset[key] for key in _OF_ALL_BANDS if key in asset}
    count = max((len(each) for each in told), default=1 if shared else 0)
    if any(len(each) != count for each in told):
        # Lists of different lengths are not of the same bands: the one that names them counts.
        told, count = told[:1], len(told[0])
    rows = zip(*told, strict=True) if told else [()] * count
    return [dict(shared) | {k: v for part in row if isinstance(part, dict) for k, v in part.items()} for row in rows]


def band_labels(asset: Mapping[str, Any]) -> list[str]:
    """Return the names that an item gives to the bands of an asset; empty where it names none."""
    keys = ("eo:common_name", "common_name", "name")
    labels = [next((str(band[key]) for key in keys if band.get(key)), "") for band in bands_of(asset)]
    return labels if any(labels) else []


def scale_and_offset(band: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return what turns a band's numbers into what they mean, ``None`` where the item gives neither."""
    scale = band.get("raster:scale", band.get("scale"))
    offset = band.get("raster:offset", band.get("offset"))
    if scale is None and offset is None:
        return None
    try:
        pair = float(1 if scale is None else scale), float(0 if offset is None else offset)
    except (TypeError, ValueError):
        return None
    return pair if pair[0] and all(map(math.isfinite, pair)) else None


def nodata(band: Mapping[str, Any]) -> float | None:
    """Return the number that stands for nothing in a band, ``None`` where the item gives none."""
    try:
        return float(band["nodata"])
    except (KeyError, TypeError, ValueError):
        return None


def fits(value: float | None, dtype: str) -> bool:
    """Tell whether a nodata value can occur at all: -9999 in 8-bit data declares nothing."""
    if value is None:
        return False
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return True
    limits = np.iinfo(kind)
    return math.isfinite(value) and float(value).is_integer() and limits.min <= value <= limits.max


def offset_applied(item: Mapping[str, Any]) -> bool:
    """Tell whether a distributor has shifted the numbers in the files already, whatever offset is given.

    Earth Search did so with Sentinel-2 of processing baseline 04.00 and later, and says so in the item.
    """
    return item.get("properties", {}).get("earthsearch:boa_offset_applied") is True


def gsd_m(item: Mapping[str, Any], tags: Mapping[str, str], assets: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the resolution in metres that the metadata claim, ``None`` where they are silent."""
    own = [_first_metres([each.get("gsd"), each.get("eo:gsd")]) for each in assets]
    # A picture of several files is as fine as the coarsest of them.
    told = [each for each in own if each is not None]
    claims: list[Any] = [max(told)] if told else []
    claims += [item.get("properties", {}).get(key) for key in ("gsd", "eo:gsd")]
    claims += [tags.get(tag) for tag in _GSD_TAGS]
    return _first_metres(claims)


def _first_metres(claims: Iterable[Any]) -> float | None:
    """Return the first claim that is a length."""
    for claim in claims:
        match = re.match(r"\s*(\d+(?:\.\d+)?(?:e-?\d+)?)\s*(?:m|meters?|metres?)?\s*$", str(claim), re.IGNORECASE)
        if match and 0 < float(match[1]) < math.inf:
            return float(match[1])
    return None


def cloud_percent(item: Mapping[str, Any]) -> float | None:
    """Return how much of the image clouds cover, in percent, ``None`` where the item does not say.

    Examples
    --------
    >>> cloud_percent({"properties": {"eo:cloud_cover": 12.5}})
    12.5
    """
    properties = item.get("properties", {})
    told = [properties.get(key) for key in _CLOUD_KEYS]
    return next((float(each) for each in told if isinstance(each, int | float) and not isinstance(each, bool)), None)


def acquired(item: Mapping[str, Any], tags: Mapping[str, str]) -> str | None:
    """Return when the image was taken, ISO 8601 in UTC, ``None`` where nothing tells."""
    properties = item.get("properties", {})
    claims = [properties.get(key) for key in ("datetime", "start_datetime", "acquired")]
    claims += [tags.get(tag) for tag in _TIME_TAGS]
    return next((time for time in map(as_utc, claims) if time), None)


def band_times(
    item: Mapping[str, Any], tags: Mapping[str, str], own: Mapping[str, Mapping[str, str]]
) -> dict[str, float]:
    """Return when each band was taken, in seconds after any one of them; empty where that is not known.

    Parameters
    ----------
    item, tags : mapping
        Of the image.
    own : mapping of str to mapping
        Tags of each band, by its role.

    Examples
    --------
    >>> band_times({}, {}, {"red": {"TIME_OFFSET_S": "1"}, "blue": {"TIME_OFFSET_S": "0"}})
    {'red': 1.0, 'blue': 0.0}
    >>> band_times({"properties": {"platform": "sentinel-2b"}}, {}, {"red": {}, "blue": {}})
    {'red': 1.01, 'blue': 0.0}
    """
    lower = {role: {key.lower(): value for key, value in each.items()} for role, each in own.items()}
    told = {role: _seconds(each) for role, each in lower.items()}
    known = {role: seconds for role, seconds in told.items() if seconds is not None}
    if known:
        first = min(known.values())
        return {role: round(seconds - first, 6) for role, seconds in known.items()} if len(known) > 1 else {}
    platform = str(item.get("properties", {}).get("platform") or tags.get("datatake_1_spacecraft_name") or "")
    if re.match(r"sentinel-?2", platform, re.IGNORECASE):
        return {role: _SENTINEL2_S[role] for role in own if role in _SENTINEL2_S}
    return {}


def _seconds(tags: Mapping[str, str]) -> float | None:
    """Return a band's time in seconds: since whatever its file counts from, or of its day."""
    try:
        if "time_offset_s" in tags:
            return float(tags["time_offset_s"])
        time = datetime.fromisoformat(tags["acquisitiondatetime"])
    except (KeyError, ValueError):
        return None
    return time.timestamp() if time.tzinfo else time.replace(tzinfo=UTC).timestamp()


def as_utc(text: Any) -> str | None:
    """Write a time the one way; what says no zone is taken as UTC, as satellites' metadata are.

    Examples
    --------
    >>> as_utc("2022:09:25 08:03:00")
    '2022-09-25T08:03:00Z'
    >>> as_utc("2022-09-25T11:03:00.25+03:00")
    '2022-09-25T08:03:00Z'
    >>> as_utc("2022-09-25")  # no time of day is made up
    '2022-09-25'
    """
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if not match or int(match[1]) < _FIRST_YEAR:
        return None
    numbers = [int(number or 0) for number in match.groups()[:6]]
    try:
        time = datetime(*numbers[:5], min(numbers[5], 59), tzinfo=_zone(match[7]))  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if match[4] else f"{time:%Y-%m-%d}"


def why_not_optical(
    *,
    item: Mapping[str, Any],
    tags: Mapping[str, str],
    labels: Sequence[str | None],
    colours: Iterable[str],
    dtypes: Iterable[str],
    units: Sequence[str | None],
    path: str,
) -> str | None:
    """Return what shows that a raster is no optical image, ``None`` where nothing does."""
    if any(dtype.startswith("complex") for dtype in dtypes):
        return "its pixels are complex numbers, as radar's are"
    if any(key.startswith("sar:") for key in item.get("properties", {})):
        return "its STAC item describes radar"
    if tags.get("nitf_icat", "").startswith("SAR") or any(colour.startswith("sar") for colour in colours):
        return "its metadata say radar"
    if any(label and _RADAR_LABEL.search(label) for label in labels):
        return "its bands are polarisations of radar"
    if _RADAR_NAME.search(re.split(r"[/\\]", path.split("?", 1)[0])[-1]):
        return "its name is that of a radar product"
    if len(units) == 1 and (units[0] or "").lower() in _LENGTH_UNITS:
        return "its pixels are heights"
    return None


def asset_of(item: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Return the asset of the item that is the file itself."""
    assets = item.get("assets")
    for asset in assets.values() if isinstance(assets, dict) else ():
        if isinstance(asset, dict) and str(asset.get("href", "")).rsplit("/", 1)[-1] == Path(path).name:
            return asset
    return {}


def _zone(text: str | None) -> timezone:
    if not text or text.upper() in ("Z", "UTC"):
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    return timezone((-1 if text[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
