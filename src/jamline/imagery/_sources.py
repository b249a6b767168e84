"""From what a person typed to a list of files and addresses."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from jamline.errors import ImageryError

RASTER_SUFFIXES = (".tif", ".tiff", ".gtiff", ".vrt", ".jp2", ".j2k", ".img", ".ntf", ".nitf", ".ecw")
"""What counts as imagery in a folder. Quicklooks (png, jpg) lie beside the real files and are left out."""

_COMPANION_SUFFIXES = (
    ".xml",
    ".json",
    ".ovr",
    ".msk",
    ".tfw",
    ".prj",
    ".rpb",
    ".imd",
    ".txt",
    ".md5",
    ".gpkg",
    ".geojson",
)
"""What a generous pattern such as ``scene*`` catches beside the pictures."""

_USABLE_DATA_MASK = re.compile(r"(_udm2?(_clip)?|(^|[_-])scl([_-]20m)?)\.\w+$", re.IGNORECASE)
"""PlanetScope's usable data masks and Sentinel-2's scene classification are rasters too, but no pictures."""

_DRIVER_PREFIX = re.compile(r"[A-Z][A-Z0-9_]+:")
"""GDAL's names of parts of a file: ``GTIFF_DIR:2:scene.tif``. A drive letter is one letter only."""


def find(source: str | Path | Sequence[str | Path]) -> list[str]:
    """Turn a file, folder, pattern, address, or several of them into paths.

    Parameters
    ----------
    source : str, Path or a sequence of those
        As in `open_scene`.

    Returns
    -------
    list of str
        At least one; in natural order within each source, each path once.

    Raises
    ------
    ImageryError
        If something is missing, empty or matches nothing.
    """
    sources = [source] if isinstance(source, str | Path) else list(source)
    if not sources:
        raise ImageryError("Invalid imagery ''. Must name at least one image.")
    return list(dict.fromkeys(path for one in sources for path in _expanded(str(one))))


def is_address(path: str) -> bool:
    """Tell whether GDAL, and not the file system, has to look for the path."""
    return "://" in path or path.startswith("/vsi") or bool(_DRIVER_PREFIX.match(path))


def shown(path: str) -> str:
    """Return the path for messages: an address without its query, which may hold a signature or key."""
    return path.split("?", 1)[0] if "://" in path else path


def _expanded(source: str) -> list[str]:
    if not source.strip():
        raise ImageryError("Invalid imagery ''. Must name at least one image.")
    if is_address(source):
        return [source]
    path = Path(source).expanduser()
    if path.is_dir():
        files = [str(file) for file in path.iterdir() if _is_picture(file)]
        if not files:
            raise ImageryError(f"Invalid imagery '{source}'. Must hold at least one raster (.tif, .vrt, .jp2...).")
        return _in_natural_order(files)
    # A file whose name has brackets is a file first and a pattern second.
    if path.exists():
        return [str(path)]
    # One item of a collection: its id may hold anything.
    file, mark, _ = source.partition("#")
    if mark and Path(file).expanduser().is_file():
        return [str(Path(file).expanduser()) + source[len(file) :]]
    if not glob.has_magic(source):
        raise ImageryError(f"Invalid image '{source}'. Must be a file that exists.")
    matches = [Path(match) for match in glob.glob(str(path), recursive=True)]
    files = [
        str(match)
        for match in matches
        if match.is_file()
        and (match.suffix.lower() not in _COMPANION_SUFFIXES or match.suffix == path.suffix)
        and not _USABLE_DATA_MASK.search(match.name)
    ]
    if not files:
        raise ImageryError(f"Invalid image pattern '{source}'. Must match at least one raster.")
    return _in_natural_order(files)


def _is_picture(file: Path) -> bool:
    return (
        file.is_file()
        and file.suffix.lower() in RASTER_SUFFIXES
        and not file.name.startswith(".")
        and not _USABLE_DATA_MASK.search(file.name)
    )


def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """Return a sort key by which ``tile_9`` comes before ``tile_10``.

    Examples
    --------
    >>> sorted(["t10.tif", "t9.tif"], key=natural_key)
    ['t9.tif', 't10.tif']
    """
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text))


def _in_natural_order(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=natural_key)


def unreadable(path: str, reason: str) -> ImageryError:
    """Say in one line that GDAL cannot read a path; only for an address does its reason tell more."""
    name = shown(path)
    if not is_address(path):
        return ImageryError(f"Invalid image '{name}'. Must be a raster that GDAL can read, whole and undamaged.")
    reason = " ".join(reason.replace(path, name).split()).rstrip(".")
    return ImageryError(f"Invalid image '{name}'. Must be an address at which GDAL can read a raster ({reason}).")
