"""A scene along a road: aligned once, then yielded section by section."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely

from jamline.cards import card
from jamline.corridor._ahead import one_ahead
from jamline.corridor._alignment import FURTHEST_M, outward_m
from jamline.corridor._edges import Edges
from jamline.corridor._grid import RoadGrid
from jamline.corridor._hidden import Surface, look_through
from jamline.corridor._overview import NEAR_M, PIECE_M, Look, Overview
from jamline.corridor._section import Hidden, Section
from jamline.corridor._stretch import Stretch
from jamline.corridor._strip import Later, read_strip
from jamline.errors import NothingToMeasureError, UsageError
from jamline.imagery import Scene
from jamline.memory import LONG_M, give_back
from jamline.road import Road
from jamline.spans import Estimate, Span

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]

_BESIDE_M = 4.0
"""A bay with parked vehicles beside the lanes."""

_LANE_M = 3.5
_SHOULDER_M = 1.2
"""A queue between towns stands that far over the edge line, and its shadows make it seem so where it does not."""

_EDGE_M = 0.5
"""Paved strip outside the edge line of a road between towns; a carriageway of its own mostly ends at a kerb."""

_FINEST_M = 0.25
"""Vehicles gain nothing from smaller pixels."""

_PIXEL_STEP_M = 0.05
"""The same picture in another projection has pixels a percent larger; its strip should not."""

_SECTION_M = PIECE_M
"""Stretches of a road end where pieces and sections both do."""

_OVERLAP_M = 40.0
"""Longer than any vehicle with its surroundings."""


@dataclass(frozen=True, eq=False)
class Corridor:
    """A road with the imagery along it. Pixels are read only as sections are asked for.

    Parameters
    ----------
    scene : Scene
        Where pixels come from.
    road : Road
        The road as aligned; stations and offsets refer to it.
    drawn : Road
        The road as it came in.
    half_width_m : float
        Reach to each side.
    pixel_m : float
        Size of the strip's pixels.
    carriageway_m : float
        Width of the running lanes, tagged or found.
    alignment_m : Estimate
        Mean shift from the drawn line to the road, left positive.
    edges : Edges
        Where the picture shows the lanes to end.
    surface : Surface
        What the carriageway looks like on the whole.
    stretches : tuple of Stretch
        What turns the values of each image into brightness.
    neighbours : tuple of Road
        Roads measured in the same run, which take the pixels nearer to them.
    """

    scene: Scene
    road: Road
    drawn: Road
    half_width_m: float
    pixel_m: float
    carriageway_m: float
    alignment_m: Estimate
    edges: Edges = field(repr=False)
    surface: Surface = field(repr=False)
    stretches: tuple[Stretch, ...] = field(repr=False)
    neighbours: tuple[Road, ...] = ()

    def __repr__(self) -> str:
        return (
            f"<Corridor of '{self.road.name}': {self.road.length_m / 1000:.2f} km by "
            f"{2 * self.half_width_m:g} m at {self.pixel_m:g} m>"
        )

    def _repr_html_(self) -> str:
        rows = [
            ("size", f"{self.road.length_m / 1000:.2f} km by {2 * self.half_width_m:g} m"),
            ("pixels", f"{self.pixel_m:g} m"),
            ("carriageway", f"{self.carriageway_m:.1f} m"),
            ("alignment", self.alignment_m),
        ]
        return card(f"Corridor of {self.road.name}", rows)

    @property
    def grid(self) -> RoadGrid:
        """The whole strip's geometry."""
        return RoadGrid.over(self.road, half_width_m=self.half_width_m, pixel_m=self.pixel_m)

    def sections(
        self, *, length_m: float = _SECTION_M, overlap_m: float = _OVERLAP_M, numbers: range | None = None
    ) -> Iterator[Section]:
        """Return the strip from its start to its end, section by section.

        Parameters
        ----------
        length_m : float
            Road that is each section's own.
        overlap_m : float
            Road that is seen beyond on both sides.
        numbers : range, optional
            Numbers of the sections to yield, from 0; by default all. What lies beyond the last is left out.

        Returns
        -------
        iterator of Section
            Equal, where they overlap, to the strip as a whole. The next one is read while this one is used.
        """
        whole = self.grid
        step = max(1, round(length_m / self.pixel_m))
        lap = round(overlap_m / self.pixel_m)
        # The last column may reach beyond the road; it makes no section of its own.
        firsts = range(0, max(1, whole.columns - 1), step)

        def sections() -> Iterator[Section]:
            for first in firsts if numbers is None else firsts[numbers.start : numbers.stop]:
                grid = whole.cut(first - lap, first + step + lap)
                stop = whole.columns if first == firsts[-1] else first + step
                core = Span(first * self.pixel_m, stop * self.pixel_m)
                if core.end_m // LONG_M > core.start_m // LONG_M:
                    give_back()
                yield self.read(grid, core)

        return one_ahead(sections())

    def read(self, grid: RoadGrid, core: Span | None = None) -> Section:
        """Read any cut of the strip as a section.

        Parameters
        ----------
        grid : RoadGrid
            The cut, as `RoadGrid.cut` of the corridor's grid gives it.
        core : Span, optional
            The stations that are the section's own; by default all of them.

        Returns
        -------
        Section
            Its pixels have shape (bands, rows, columns), brightness from about 0 to 1.
        """
        values, hidden, source = read_strip(self.scene, grid)
        pixels = np.zeros_like(values)
        for number, stretch in enumerate(self.stretches):
            here = source == number
            if here.all():
                pixels = stretch(values)
                break
            if here.any():
                pixels[:, here] = stretch(values[:, here])
        hidden[~grid.own(self.neighbours)] = Hidden.ELSEWHERE
        hidden = look_through(pixels, hidden, grid, self.surface, self.carriageway_m)
        core = core or Span(grid.start_m, grid.end_m)
        return Section(grid, core, pixels, hidden, self.scene.roles, self.scene.gsd_m)


def lay_flat(
    scene: Scene,
    road: Road,
    *,
    half_width_m: float | None = None,
    align_road: bool = True,
    neighbours: Sequence[Road] = (),
    looks: Sequence[Look] | None = None,
) -> Corridor:
    """Lay a road flat.

    Parameters
    ----------
    scene : Scene
        Imagery.
    road : Road
        The line as drawn.
    half_width_m : float, optional
        Reach to each side; if not given, 15 m, or more where the road is wider.
    align_road : bool
        Shift the strip to where the road really runs.
    neighbours : sequence of Road
        Roads measured in the same run.
    looks : sequence of Look, optional
        What `look_along` gave for each stretch of the road, where that was done elsewhere.

    Returns
    -------
    Corridor
        Its columns are stations and its rows offsets, both in metres.

    Raises
    ------
    NothingToMeasureError
        If road and imagery do not overlap, or no pixel there is valid.
    UsageError
        If the half width is out of range.
    """
    if half_width_m is not None and not 2.0 <= half_width_m <= 200.0:
        raise UsageError(f"Invalid half width '{half_width_m}'. Must lie between 2 and 200 m.")
    if not _overlaps(scene, road):
        raise NothingToMeasureError(
            f"Invalid road '{road.name}' in '{road.source}'. Must run through the imagery ({scene})."
        )
    pixel_m = _pixel_m(scene)
    width_m = road.width_m or _width_of(road)
    looks = looks or [Look.along(scene, road, neighbours, width_m=width_m, later=_later(pixel_m, half_width_m))]
    give_back(road.length_m)
    overview = Overview.of(looks, road)
    if not overview.seen_m:
        raise NothingToMeasureError(
            f"Invalid imagery for road '{road.name}'. Must have at least one valid pixel along it ({scene})."
        )
    alignment = overview.align(width_m, trusted=not align_road)
    surface = overview.surface(alignment)
    aligned = road
    if align_road:
        at_m = alignment.station_m
        aligned = road.shifted(at_m, alignment.shift_m + outward_m(road, at_m))
    give_back(road.length_m)
    edges = overview.edges(alignment, road, aligned)
    stretches = overview.stretches
    del overview, looks
    give_back(road.length_m)
    if half_width_m is None:
        half_width_m = max(NEAR_M, alignment.width_m / 2 + _BESIDE_M)
    return Corridor(
        scene=scene,
        road=aligned,
        drawn=road,
        half_width_m=half_width_m,
        pixel_m=pixel_m,
        carriageway_m=alignment.width_m
        + (2 * _SHOULDER_M if road.lanes and not (road.oneway or road.width_m) else 0.0),
        alignment_m=alignment.mean_m,
        neighbours=tuple(neighbours),
        stretches=stretches,
        surface=surface,
        edges=edges,
    )


def pieces_of(road: Road) -> int:
    """Return how many pieces of 1 km, the last shorter, `look_along` parts a road into."""
    return max(1, math.ceil(road.length_m / PIECE_M))


def look_along(scene: Scene, road: Road, pieces: range, *, neighbours: Sequence[Road] = ()) -> Look:
    """Look at one stretch of a road as `lay_flat` looks at all of it.

    Parameters
    ----------
    scene, road, neighbours
        As in `lay_flat`.
    pieces : range
        Which of `pieces_of` the road.
    """
    width_m = road.width_m or _width_of(road)
    return Look.along(scene, road, neighbours, width_m=width_m, later=_later(_pixel_m(scene)), pieces=pieces)


def _pixel_m(scene: Scene) -> float:
    """Return the size of the strip's pixels."""
    return max(_FINEST_M, round(scene.pixel_m / _PIXEL_STEP_M) * _PIXEL_STEP_M)


def _later(pixel_m: float, half_width_m: float | None = None) -> Later:
    """Return what is read after the overview, as far to the sides as its line may be moved.

    The strip of a road that turns out to be wider decodes its edges again.
    """
    return Later(pixel_m, (half_width_m or NEAR_M) + FURTHEST_M)


def _width_of(road: Road) -> float | None:
    """Return the width that a road of so many lanes has, ``None`` where they are not tagged."""
    if road.lanes is None:
        return None
    return road.lanes * _LANE_M + (0.0 if road.oneway else 2 * _EDGE_M)


def _overlaps(scene: Scene, road: Road) -> bool:
    """Tell whether any image shows a place within reach of the line."""
    line = shapely.LineString(road.lonlat)
    reach_deg = 2 * NEAR_M / 111_000
    return any(shapely.dwithin(image.footprint, line, reach_deg) for image in scene.images)
