"""The images as a map shows them: those that show the roads, as bright as the detector saw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import shapely
from shapely.affinity import translate

from jamline.corridor import Corridor
from jamline.imagery import Image, Scene
from jamline.outputs import Picture

_DEGREE_M = 111_000.0
"""About a degree of latitude. East to west it is longer than a degree is there: a margin is all that it makes."""

_SHOWN_AS_THEY_ARE = "uint8"


def pictures_of(scene: Scene, corridors: Sequence[Corridor]) -> tuple[Picture, ...]:
    """Return the images of a scene that show something of the roads, best first.

    Parameters
    ----------
    scene : Scene
        The imagery.
    corridors : sequence of Corridor
        The roads that it shows.
    """
    pictures = []
    around = [_around(corridor) for corridor in corridors]
    for number, image in enumerate(scene.images):
        near = [each for each, zone in zip(corridors, around, strict=True) if zone.intersects(image.footprint)]
        if near:
            pictures.append(_picture(image, near[0], number))
    return tuple(pictures)


def _around(corridor: Corridor) -> Any:
    """Return what a road's corridor covers, prepared for many questions; whole turns apart it is the same place."""
    road = corridor.road
    margin = corridor.half_width_m / _DEGREE_M
    zone = road.line(0.0, road.length_m).simplify(margin).buffer(2 * margin)
    zone = shapely.union_all([translate(zone, turn) for turn in (-360.0, 0.0, 360.0)])
    shapely.prepare(zone)
    return zone


def _picture(image: Image, corridor: Corridor, number: int) -> Picture:
    """Return one image; a single band that shows all colours has a palette, which QGIS reads itself."""
    colours = ("red", "green", "blue") if image.has_colour else ("pan",)
    picture = Picture(name=image.path, path=image.opened, crs=image.crs)
    bands = {role: image.bands[role] for role in (*colours, "alpha") if role in image.bands}
    if len({bands[role] for role in colours}) < len(colours):
        return picture
    if image.masked:
        # QGIS shows a file's mask as one more band.
        bands["alpha"] = len(image.dtypes) + 1
    if all(image.dtypes[bands[role] - 1] == _SHOWN_AS_THEY_ARE for role in colours):
        return replace(picture, bands=bands)
    stretch = corridor.stretches[number]
    low = float(stretch.low.min())
    ends = (low, low + float(stretch.high))
    limits = {role: tuple(image.elsewhere_read(role, end) for end in ends) for role in colours}
    return replace(picture, bands=bands, limits=limits)
