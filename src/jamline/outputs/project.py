"""`jam.qgz`: a result as a QGIS project, with its imagery, its styled layers and a sheet to print.

It is written without QGIS. Beside what QGIS needs to know, the project holds the styles of the layers as they are and
three variables with the texts of the sheet, so that a review may change what is said and leave alone what a person
made of the project. Paths are relative to the project, so that a folder that holds both may be moved.
"""

from __future__ import annotations

import base64
import os
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup
from pyproj import CRS

from jamline.imagery import gdal_name, is_address
from jamline.outputs.sheet import longest_of, speakable, texts
from jamline.outputs.style import read_style
from jamline.road import utm_of
from jamline.spans import round_m

if TYPE_CHECKING:
    from jamline.outputs.record import RunRecord

PROJECT = "jam.qgz"

_LAYERS = {"vehicles": "Vehicles", "queues": "Queues", "road": "Road, with km posts", "coverage": "What was seen"}
"""From the top down, with what the sheet's legend calls them: near to, vehicles would be hidden by their queue."""

_KINDS = {"vehicles": "Polygon", "queues": "Line", "road": "Line", "coverage": "Polygon"}

_MOST_IMAGES = 200
"""QGIS opens each file of a project when it starts: some milliseconds for one at hand, a second for a remote one."""

_MAP_MM = (205.0, 155.0)
_MARGIN = 1.3
_LEAST_M = 400.0
"""The sheet's map shows this much more than the queue, and at least so many metres."""

_WHEN = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold; the clock would make the same input give another file each time."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image as the project shows it.

    Parameters
    ----------
    name : str
        File, address or item that it is known by.
    path : str
        File or address that GDAL opens, or a virtual raster written out.
    crs : pyproj.CRS
        Its coordinate reference system: QGIS takes a project's word for it.
    bands : mapping
        1-based band by role: ``red``, ``green``, ``blue``, or ``pan``, perhaps ``alpha``; empty to leave it to QGIS.
    limits : mapping
        By role the numbers, scaled as the file says, that are shown as black and as white; without them numbers are
        shown as they are, which suits 8 bits.
    """

    name: str
    path: str
    crs: CRS
    bands: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, Sequence[float]] = field(default_factory=dict)


def write_project(path: Path, run: RunRecord, frames: Mapping[str, Any], pictures: Sequence[Picture] = ()) -> None:
    """Write the project of a result, the same bytes for the same input.

    Parameters
    ----------
    path : Path
        The file. It will be opened there, or under another name in the same folder.
    run : RunRecord
        What `run.json` says.
    frames : mapping of str to GeoDataFrame
        The layers, in WGS 84.
    pictures : sequence of Picture, optional
        The images to show, the topmost first.
    """
    west, south, east, north = frames["road"].total_bounds
    # Metres on the map are metres there.
    epsg = utm_of((west + east) / 2, (south + north) / 2)
    extent = _extent(frames, run, epsg)
    text = _template().render(
        title=run.title or ", ".join(road.name for road in run.roads),
        epsg=epsg,
        extent=extent,
        segment_m=int(round_m((extent[2] - extent[0]) / 8, least_m=1.0)),
        layers=[(name, title, _KINDS[name], *_style(name)) for name, title in _LAYERS.items()],
        images=[
            (number, _name_of(each.name), source_of(each.path, path.parent), each)
            for number, each in enumerate(pictures[:_MOST_IMAGES], start=1)
        ],
        count=len(pictures),
        variables=texts(run),
        map_mm=_MAP_MM,
        arrow=base64.b64encode(_text("north.svg").encode()).decode(),
    )
    _pack(path, {f"{path.stem}.qgs": text.encode()})


def retell(path: Path, run: RunRecord) -> None:
    """Put what a run says now into the sheet of a project; all else that a person made of it stays.

    Parameters
    ----------
    path : Path
        A project of `write_project`, as it was or saved by QGIS.
    run : RunRecord
        What `run.json` says.
    """
    told = texts(run)

    def change(root: ET.Element) -> bool:
        names = root.findall("properties/Variables/variableNames/value")
        values = root.findall("properties/Variables/variableValues/value")
        stale = [
            (value, told[name.text])
            for name, value in zip(names, values, strict=False)
            if name.text in told and value.text != told[name.text]
        ]
        for value, text in stale:
            value.text = text
        return bool(stale)

    _change(path, change)


def settle_paths(path: Path, home: Path) -> None:
    """Make a project's relative paths to its imagery whole, so that it shows it from wherever it is put.

    Parameters
    ----------
    path : Path
        A copy of the project.
    home : Path
        The folder for which it was written.
    """

    def whole(source: str) -> str:
        return Path(os.path.normpath(home.resolve() / source)).as_posix()

    def change(root: ET.Element) -> bool:
        outside = [element for element in root.iter("datasource") if (element.text or "").startswith("../")]
        for element in outside:
            element.text = whole(element.text or "")
        for element in root.iter("layer-tree-layer"):
            if element.get("source", "").startswith("../"):
                element.set("source", whole(element.get("source", "")))
        return bool(outside)

    _change(path, change)


def source_of(path: str, folder: Path) -> str:
    """Return how a project in a folder names an image: by GDAL's address, or relative where they share a folder.

    Examples
    --------
    >>> source_of("https://host/scene.tif", Path("/data/out"))
    '/vsicurl/https://host/scene.tif'
    >>> source_of("s3://bucket/scene.tif", Path("/data/out"))
    '/vsis3/bucket/scene.tif'
    """
    if path.startswith("<") or is_address(path):
        return gdal_name(path)
    file, home = os.path.realpath(path), os.path.realpath(folder)
    try:
        shared = os.path.commonpath([file, home])
    except ValueError:  # another drive
        return Path(file).as_posix()
    # What shares nothing but the root is not moved together: QGIS itself writes the whole path then.
    if shared == os.path.dirname(shared):
        return Path(file).as_posix()
    return Path(os.path.relpath(file, home)).as_posix()


def _name_of(path: str) -> str:
    """Return what an image is called in the list of layers."""
    place, _, item = path.partition("#")
    last = place.split("?", 1)[0].replace("\\", "/").rstrip("/").rpartition("/")[2]
    return item or last.rpartition(".")[0] or last


def _style(name: str) -> tuple[str, str]:
    """Return a layer's style as attributes and elements of a project's layer."""
    root = re.search(r"<qgis\b([^>]*)>(.*)</qgis>", read_style(name), re.DOTALL)
    if root is None:
        raise ValueError(f"Invalid style '{name}'. Must be a QML document.")
    attributes = re.sub(r'\s(version|styleCategories)="[^"]*"', "", root[1])
    return Markup(attributes), Markup(root[2])  # noqa: S704 - our own files


def _extent(frames: Mapping[str, Any], run: RunRecord, epsg: int) -> tuple[float, float, float, float]:
    """Return what is to be seen first, in the shape of the sheet's map: the longest queue, else what was seen."""
    queues, coverage, longest = frames["queues"], frames["coverage"], longest_of(run)
    seen = coverage[coverage["seen"].astype(bool)]
    shown = seen if len(seen) else frames["road"]
    if longest is not None and len(queues):
        road, queue = longest
        apart = (queues["start_m"] - queue.start_m).abs() + (queues["end_m"] - queue.end_m).abs()
        # A run that was handed in may be about others.
        elsewhere = (queues["road"] != road.name) | (queues["side"] != queue.side)
        shown = queues.loc[[apart.where(~elsewhere, apart + 1e9).idxmin()]]
    west, south, east, north = (float(side) for side in shown.to_crs(epsg).total_bounds)
    metres = max(_MARGIN * (east - west) / _MAP_MM[0], _MARGIN * (north - south) / _MAP_MM[1], _LEAST_M / _MAP_MM[0])
    x, y = (west + east) / 2, (south + north) / 2
    half = [metres * side / 2 for side in _MAP_MM]
    return round(x - half[0], 2), round(y - half[1], 2), round(x + half[0], 2), round(y + half[1], 2)


def _pack(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a zip whose bytes follow from its contents alone."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, date_time=_WHEN)
            entry.external_attr, entry.compress_type, entry.create_system = 0o100644 << 16, zipfile.ZIP_DEFLATED, 3
            archive.writestr(entry, data)


def _change(path: Path, change: Callable[[ET.Element], bool]) -> None:
    """Change the document within a project, if there is anything to change, and keep what else QGIS packed with it."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name in [name for name in members if name.endswith(".qgs")]:
        root = ET.fromstring(members[name])  # noqa: S314 - expat since 2.4.1 stops entities that explode
        if not change(root):
            return
        members[name] = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    _pack(path, members)


def _template() -> jinja2.Template:
    """Return the project's template; names and claims may hold anything, so all is escaped."""
    environment = jinja2.Environment(
        autoescape=True, finalize=speakable, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_text("project.qgs.j2"))


def _text(name: str) -> str:
    return (files("jamline.outputs") / name).read_text(encoding="utf-8")
