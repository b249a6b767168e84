"""Imagery at addresses: few requests, patience with servers, and an end to it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from rasterio.errors import RasterioError

from jamline.imagery._sources import is_address

T = TypeVar("T")

_VSI = {"s3": "/vsis3/", "gs": "/vsigs/", "az": "/vsiaz/"}
"""GDAL's own prefixes of addresses in object storage (its user manual, "Virtual File Systems")."""

_SETTINGS: dict[str, Any] = {
    # Without it every opening lists the remote folder first.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    # A COG's header in one request: places and sizes of 2,000 blocks.
    "GDAL_INGESTED_BYTES_AT_OPEN": 32768,
    # Blocks side by side lie side by side in the file: one request for a run of them.
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    # Requests are rounded up to so much, at 16 kB half of a block of JPEG. GDAL asks for this once in a process.
    "CPL_VSIL_CURL_CHUNK_SIZE": 4096,
    # What failed must not be remembered as missing or cut short when it is tried again.
    "CPL_VSIL_CURL_NON_CACHED": "/vsicurl/:/vsis3/:/vsigs/:/vsiaz/",
    # Answers such as 429, 500 or 503 are asked for again after 1, 2 and 4 s.
    "GDAL_HTTP_MAX_RETRY": 3,
    "GDAL_HTTP_RETRY_DELAY": 1,
    # A server that does not answer, or trickles: under 1 kB/s for 15 s.
    "GDAL_HTTP_CONNECTTIMEOUT": 10,
    "GDAL_HTTP_LOW_SPEED_TIME": 15,
    "GDAL_HTTP_LOW_SPEED_LIMIT": 1000,
}

_TRIES = 3
_PAUSE_S = 1.0
"""Before the second try, and twice as long before the third."""

_FINAL = re.compile(r"not recognized as|does not exist|no such file|response code\D*[45]\d\d")
"""What trying again does not change: GDAL has asked again itself before it says so."""


def settings(path: str) -> dict[str, Any]:
    """Return GDAL's settings for an address; none for a file, and none that the environment sets otherwise."""
    if not elsewhere(path):
        return {}
    return {name: value for name, value in _SETTINGS.items() if name not in os.environ}


def elsewhere(path: str) -> bool:
    """Tell whether what GDAL opens is on a server: an address, or several files joined of which one is at one."""
    return '">/vsi' in path if path.startswith("<") else is_address(path)


def gdal_name(path: str) -> str:
    """Return what GDAL calls a path.

    Examples
    --------
    >>> gdal_name("s3://bucket/scene.tif")
    '/vsis3/bucket/scene.tif'
    >>> gdal_name("https://example.org/scene.tif")
    '/vsicurl/https://example.org/scene.tif'
    """
    # Given as s3://, rasterio would want boto3 for the keys, which GDAL finds in the same places by itself.
    scheme, mark, rest = path.partition("://")
    if not mark or path.startswith("<"):
        return path
    if scheme in ("http", "https"):
        return f"/vsicurl/{path}"
    return f"{_VSI[scheme]}{rest}" if scheme in _VSI else path


def blamed(files: Sequence[str], error: BaseException) -> str:
    """Return which of several files an error is about; the first where it does not tell."""
    told = []
    cause: BaseException | None = error
    while cause is not None:
        told.append(str(cause))
        cause = cause.__cause__
    # GDAL tells now the whole name, now its last part.
    names = [(file, name) for whole in (True, False) for file in files for name in [_name(file, whole=whole)]]
    return next((file for file, name in names if any(name in each for each in told)), files[0])


def _name(file: str, *, whole: bool) -> str:
    return gdal_name(file) if whole else re.split(r"[/\\]", file.split("?", 1)[0])[-1]


def patiently(path: str, work: Callable[[], T]) -> T:
    """Do something with a path; for an address try again where a transfer failed.

    Parameters
    ----------
    path : str
        File or address.
    work : callable
        Opens or reads it anew each time.

    Raises
    ------
    RasterioError, OSError
        That of the first try, which tells most: a server that is gone only fails to open.
    """
    first: Exception | None = None
    for number in range(_TRIES):
        try:
            return work()
        except (RasterioError, OSError) as error:
            first = first or error
            if not elsewhere(path) or number == _TRIES - 1 or _FINAL.search(why(error)):
                break
            time.sleep(_PAUSE_S * 2**number)
    raise cast(Exception, first)


def why(error: BaseException) -> str:
    """Return what an error comes from in the end: GDAL tells more the deeper one asks."""
    while error.__cause__ is not None:
        error = error.__cause__
    cut = re.search(r"got (\d+) bytes, expected (\d+)", str(error))
    return f"of a block's {cut[2]} bytes, {cut[1]} came" if cut else str(error)
