"""Small files read whole, from a disk or a web server: JSON, and polygons of masks."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from jamline.errors import ImageryError
from jamline.imagery._sources import is_address, shown

_MAX_BYTES = 200_000_000
"""A collection of ten thousand items has about 100 MB; what is larger is no such thing."""

_TIMEOUT_S = 20.0
"""How long a server may say nothing, and with how many seconds more for each MB it may take for a whole answer."""
_S_PER_MB = 5.0

_TRIES = 3
_PAUSE_S = 1.0
"""Before the second try, and twice as long before the third."""

_CHUNK_BYTES = 1 << 16


def read_json(name: str, *, thing: str = "item") -> Any:
    """Read JSON from a file or an http address.

    Parameters
    ----------
    name : str
        File or address.
    thing : str
        What it is, for the message.

    Raises
    ------
    ImageryError
        If it cannot be read, or is no JSON.
    """
    try:
        content = content_of(name)
    except (OSError, ValueError) as error:
        rule = f"be an address that answers ({told(error)})" if is_address(name) else "be a file that can be read"
        raise ImageryError(f"Invalid {thing} '{shown(name)}'. Must {rule}.") from error
    try:
        return json.loads(content)
    except ValueError as error:
        raise ImageryError(f"Invalid {thing} '{shown(name)}'. Must be JSON.") from error


def content_of(name: str) -> bytes:
    """Read a small file or http address as a whole; what may be better a moment later is tried again.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, is at an address of another kind, or is larger than any catalogue.
    """
    if not is_address(name):
        with Path(name).open("rb") as file:
            return _whole(file.read(_MAX_BYTES + 1))
    if not name.startswith(("http://", "https://")):
        raise OSError("catalogues are read from files and http addresses")
    for number in range(_TRIES):
        try:
            return _answer(name)
        except urllib.error.HTTPError as error:
            if (error.code < 500 and error.code != 429) or number == _TRIES - 1:
                raise OSError(f"HTTP {error.code}") from error
        except (OSError, HTTPException) as error:
            if number == _TRIES - 1:
                raise OSError(told(error)) from error
        time.sleep(_PAUSE_S * 2**number)
    raise OSError("no answer")  # pragma: no cover (the last try returns or raises)


def told(error: BaseException) -> str:
    """Return on one line what an error says."""
    text = " ".join(str(getattr(error, "reason", None) or error).split()).rstrip(".") or type(error).__name__
    return text if len(text) <= 160 else f"{text[:160]}..."


def resolved(href: str, base: str) -> str:
    """Return where an address leads that is written in a file.

    Parameters
    ----------
    href : str
        What is written, relative to the file or not.
    base : str
        The file that it is written in, or its address.

    Examples
    --------
    >>> resolved("./B04.tif", "https://example.org/S2/item.json")
    'https://example.org/S2/B04.tif'
    >>> resolved("B04.tif", "s3://bucket/S2/item.json")
    's3://bucket/S2/B04.tif'
    >>> resolved("../B04.tif", "scenes/S2/item.json")
    'scenes/B04.tif'
    """
    if href.startswith("file://"):
        return urllib.request.url2pathname(href.removeprefix("file://").removeprefix("localhost"))
    if is_address(href):
        return href
    if base.startswith(("http://", "https://")):
        return urljoin(base, href)
    if "://" in base:
        scheme, _, rest = base.partition("://")
        return f"{scheme}://" + urljoin(f"http://{rest}", href).removeprefix("http://")
    return os.path.normpath(os.path.join(os.path.dirname(base), href))


def _answer(address: str) -> bytes:
    """Ask once."""
    request = urllib.request.Request(address, headers={"Accept": "application/geo+json, application/json, */*"})  # noqa: S310
    started = time.monotonic()
    parts, size = [], 0
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 (http alone gets here)
        # A server that trickles keeps every single wait short.
        while chunk := answer.read1(_CHUNK_BYTES):
            parts.append(chunk)
            size += len(chunk)
            if size > _MAX_BYTES:
                break
            if time.monotonic() - started > _TIMEOUT_S + _S_PER_MB * size / 1e6:
                raise TimeoutError("the server is too slow")
        wanted = answer.headers.get("Content-Length")
    if wanted and wanted.isdecimal() and size < min(int(wanted), _MAX_BYTES):
        raise OSError(f"of {wanted} bytes, {size} came")
    return _whole(b"".join(parts))


def _whole(content: bytes) -> bytes:
    if len(content) > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES // 1_000_000} MB")
    return content
