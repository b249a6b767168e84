"""A long road measured in stretches, each of them anywhere, with the result of measuring it as a whole.

Two things are done stretch by stretch, because they read pixels: looking along the road at 1 m, and finding vehicles.
Each reads a little beyond its ends, and so gives what the whole would give there. What must know the whole road comes
between them and after them, and reads none: finding where the road runs and how bright the picture is, and measuring
queues, which may go on from one stretch into the next.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jamline.claims import as_claim
from jamline.corridor import PIECE_M, Corridor, Look, lay_flat, look_along, pieces_of
from jamline.detect import Stretch, as_detector, evidence_of, find_along
from jamline.imagery import Scene, open_scene
from jamline.pipeline._onlooker import Onlooker
from jamline.pipeline._survey import Survey, concluded, named
from jamline.report import StripImage
from jamline.road import Road, read_roads


@dataclass(frozen=True, eq=False)
class Sighted:
    """What was found on one stretch, and its pictures for the report."""

    found: Stretch
    strips: tuple[StripImage, ...] = field(repr=False)


@dataclass(frozen=True, eq=False)
class InStretches:
    """A survey of one long road, done in four kinds of steps.

    Look along each of `count` stretches; lay the road flat with all looks; find the vehicles of each stretch; put all
    of that together.

    Parameters
    ----------
    images : str, Path or a sequence of those
        As `survey` takes them.
    road : Road
        The one that is measured.
    neighbours : tuple of Road
        The others of its file.
    pieces : int
        Kilometres in a stretch.
    options : mapping
        Further arguments of `survey`.
    """

    images: str | Path | Sequence[str | Path]
    road: Road
    neighbours: tuple[Road, ...]
    pieces: int
    options: Mapping[str, Any]

    @property
    def count(self) -> int:
        """Number of stretches."""
        return math.ceil(pieces_of(self.road) / self.pieces)

    def look(self, number: int) -> Look:
        """Look along one stretch, counted from 0."""
        with self._scene() as scene:
            return look_along(scene, self.road, self._pieces(number), neighbours=self.neighbours)

    def lay_flat(self, looks: Sequence[Look]) -> Corridor:
        """Lay the road flat with the looks along all stretches, in their order."""
        with self._scene() as scene:
            return lay_flat(
                scene,
                self.road,
                half_width_m=self.options.get("half_width_m"),
                neighbours=self.neighbours,
                looks=looks,
            )

    def find(self, corridor: Corridor, number: int) -> Sighted:
        """Find the vehicles of one stretch."""
        onlooker = self._onlooker(corridor)
        with corridor.scene:
            found = find_along(corridor, detector=onlooker, numbers=self._pieces(number))
        return Sighted(found, tuple(onlooker.strips))

    def survey(self, corridor: Corridor, sighted: Sequence[Sighted]) -> Survey:
        """Put together what was found on all stretches, in their order."""
        onlooker = self._onlooker(corridor)
        onlooker.strips.extend(strip for each in sighted for strip in each.strips)
        evidence = evidence_of(corridor, [each.found for each in sighted], detector=onlooker.name)
        with corridor.scene as scene:
            return concluded(
                scene,
                [corridor],
                [evidence],
                onlooker.strips,
                detector_sha256=onlooker.sha256,
                claims=[as_claim(claim) for claim in self.options.get("claims", ())],
                band_times=self.options.get("band_times"),
                settings={name: self.options.get(name) for name in ("origin", "road_name", "gsd_m", "bands")},
            )

    def _pieces(self, number: int) -> range:
        """Return the kilometres of a stretch. The last has all that is left: the road as aligned may be longer."""
        first = number * self.pieces
        return range(first, first + (2 * self.pieces if number == self.count - 1 else self.pieces))

    def _scene(self) -> Scene:
        """Open the imagery."""
        return open_scene(self.images, bands=self.options.get("bands"), gsd_m=self.options.get("gsd_m"))

    def _onlooker(self, corridor: Corridor) -> Onlooker:
        """Return the detector, which keeps pictures."""
        chosen = as_detector(self.options.get("detector", "network"))
        return Onlooker.of(chosen, [corridor], None).of_road(corridor.road.name)


def in_stretches(
    images: str | Path | Sequence[str | Path],
    roads: str | Path | Sequence[Road],
    *,
    stretch_m: float,
    **options: Any,
) -> InStretches | None:
    """Cut the survey of a long road into stretches.

    Parameters
    ----------
    images, roads, **options
        As in `survey`.
    stretch_m : float
        About how long each is to be; it is rounded to kilometres.

    Returns
    -------
    InStretches or None
        ``None`` where several roads are measured, or the one is shorter than two stretches.

    Raises
    ------
    InputError
        If the roads cannot be read.
    """
    every = read_roads(roads, origin=options.get("origin")) if isinstance(roads, str | Path) else list(roads)
    measured = named(every, options.get("road_name"), source=roads)
    pieces = max(1, round(stretch_m / PIECE_M))
    if len(measured) != 1 or measured[0].length_m < 2 * pieces * PIECE_M:
        return None
    (road,) = measured
    # Of equal length, so that none of them is left with a few metres.
    whole = pieces_of(road)
    pieces = math.ceil(whole / (whole // pieces))
    return InStretches(images, road, tuple(each for each in every if each is not road), pieces, options)
