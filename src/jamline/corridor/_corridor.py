"""A scene along a road: aligned once, then yielded section by section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely

from jamline.corridor._alignment import CHUNK_M, REACH_M, Alignment, align
from jamline.corridor._grid import RoadGrid
from jamline.corridor._hidden import Surface, look_through, surface_of
from jamline.corridor._section import Hidden, Section
from jamline.corridor._strip import read_strip
from jamline.errors import NothingToMeasureError, UsageError
from jamline.imagery import Scene
from jamline.road import Road
from jamline.spans import Estimate, Span

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]

HALF_WIDTH_M = 15.0
"""Two lanes each way, verges and a bay."""

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

_SAMPLES = 400_000
"""Pixels that tell the stretch: its ends are percentiles at 0.5 %, which a few thousand do not settle."""

_ALIGN_PIXEL_M = 1.0
_SECTION_M = 1000.0
_OVERLAP_M = 40.0
"""Longer than any vehicle with its surroundings."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """What turns file values into brightness between 0 and 1: an offset for each band, one scale for all."""

    low: Pixels
    high: float

    def __call__(self, pixels: Pixels) -> Pixels:
        """Stretch pixels of shape (bands, ...) to about 0 to 1."""
        low = self.low.reshape(-1, *(1,) * (pixels.ndim - 1))
        stretched: Pixels = np.clip((pixels - low) / self.high, -0.2, 2.0).astype(np.float32)
        return stretched


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
    neighbours: tuple[Road, ...] = ()
    stretches: tuple[Stretch, ...] = field(default=(), repr=False)
    surface: Surface | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return (
            f"<Corridor of '{self.road.name}': {self.road.length_m / 1000:.2f} km by "
            f"{2 * self.half_width_m:g} m at {self.pixel_m:g} m>"
        )

    @property
    def grid(self) -> RoadGrid:
        """The whole strip's geometry."""
        return RoadGrid.over(self.road, half_width_m=self.half_width_m, pixel_m=self.pixel_m)

    def sections(self, *, length_m: float = _SECTION_M, overlap_m: float = _OVERLAP_M) -> Iterator[Section]:
        """Yield the strip from its start to its end.

        Parameters
        ----------
        length_m : float
            Road that is each section's own.
        overlap_m : float
            Road that is seen beyond on both sides.

        Yields
        ------
        Section
            Equal, where they overlap, to the strip as a whole.
        """
        whole = self.grid
        step = max(1, round(length_m / self.pixel_m))
        lap = round(overlap_m / self.pixel_m)
        for first in range(0, whole.columns, step):
            grid = whole.cut(first - lap, first + step + lap)
            core = Span(first * self.pixel_m, min(first + step, whole.columns) * self.pixel_m)
            yield self.read(grid, core)

    def read(self, grid: RoadGrid, core: Span | None = None) -> Section:
        """Read any cut of the strip as a section."""
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
        if self.surface is not None:
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
    pixel_m = max(_FINEST_M, round(scene.pixel_m / _PIXEL_STEP_M) * _PIXEL_STEP_M)
    width_m = road.width_m or _width_of(road)
    overview = _Overview.of(scene, road, neighbours)
    if not overview.seen_m:
        raise NothingToMeasureError(
            f"Invalid imagery for road '{road.name}'. Must have at least one valid pixel along it ({scene})."
        )
    alignment = overview.align(width_m, one_line=not road.oneway) if align_road else _unmoved(road, width_m)
    aligned = road.shifted(alignment.station_m, alignment.shift_m) if align_road else road
    if half_width_m is None:
        half_width_m = max(HALF_WIDTH_M, alignment.width_m / 2 + _BESIDE_M)
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
        stretches=overview.stretches,
        surface=overview.surface(alignment),
    )


def _width_of(road: Road) -> float | None:
    """Return the width that a road of so many lanes has, ``None`` where they are not tagged."""
    if road.lanes is None:
        return None
    return road.lanes * _LANE_M + (0.0 if road.oneway else 2 * _EDGE_M)


def _overlaps(scene: Scene, road: Road) -> bool:
    """Tell whether any image shows a place within reach of the line."""
    line = shapely.LineString(road.lonlat)
    reach_deg = 2 * HALF_WIDTH_M / 111_000
    return any(shapely.dwithin(image.footprint, line, reach_deg) for image in scene.images)


def _unmoved(road: Road, width_m: float | None) -> Alignment:
    """Trust the line."""
    zero = np.zeros(2)
    return Alignment(np.array([0.0, road.length_m]), zero, width_m or 2 * _LANE_M, Estimate(0.0, 0.0, 0.0, unit="m"))


@dataclass(frozen=True, eq=False)
class _Overview:
    """The road and its surroundings at 1 m, as profiles of chunks: small however long the road is."""

    station_m: Array
    offset_m: Array
    profile: Array
    texture: Array
    seen: Array
    taken: npt.NDArray[np.bool_]
    stretches: tuple[Stretch, ...]

    @classmethod
    def of(cls, scene: Scene, road: Road, neighbours: Sequence[Road]) -> _Overview:
        pixel_m = max(_ALIGN_PIXEL_M, scene.pixel_m)
        reach_m = REACH_M + 15.0
        whole = RoadGrid.over(road, half_width_m=reach_m, pixel_m=pixel_m)
        chunk = max(4, round(CHUNK_M / pixel_m))
        step = chunk * 50
        quartiles: list[Pixels] = []
        spreads: list[Pixels] = []
        seens: list[Array] = []
        takens: list[npt.NDArray[np.bool_]] = []
        wide = round(2 * HALF_WIDTH_M / pixel_m)
        samples = _Samples(len(scene.images), len(scene.roles), max(1, whole.columns * wide // _SAMPLES))
        for first in range(0, whole.columns, step):
            grid = whole.cut(first, first + step)
            values, hidden, source = read_strip(scene, grid)
            near = np.abs(grid.offset_m()) <= HALF_WIDTH_M
            samples.add(values[:, near], source[near], first)
            seen = hidden == Hidden.SEEN
            elsewhere = ~grid.own(neighbours)
            for at in range(0, grid.columns, chunk):
                part, good = values[:, :, at : at + chunk], seen[:, at : at + chunk]
                if part.shape[2] < chunk // 2 and quartiles:
                    continue
                masked = np.where(good, part, np.nan)
                quartiles.append(_nanquantiles(masked, (0.5, 0.25, 0.75)))
                spreads.append(_nanquantiles(np.abs(masked - quartiles[-1][0][..., None]), (0.5,))[0].mean(axis=0))
                seens.append(good.mean(axis=1))
                takens.append(elsewhere[:, at : at + chunk].mean(axis=1) > 0.5)
        station: Array = (np.arange(len(quartiles), dtype=np.float64) + 0.5) * chunk * pixel_m
        stretches = samples.stretches()
        # Chunks are stretched by the image that fills the road best; mixed ones are rare and only here.
        profile = np.nan_to_num(np.stack(quartiles).transpose(1, 0, 3, 2))
        stretch = stretches[samples.most()]
        return cls(
            station_m=station,
            offset_m=whole.offset_m(),
            profile=((profile - stretch.low) / stretch.high).astype(np.float64),
            texture=(np.nan_to_num(np.stack(spreads)) / stretch.high).astype(np.float64),
            seen=np.stack(seens),
            taken=np.stack(takens),
            stretches=stretches,
        )

    @property
    def seen_m(self) -> float:
        """Road of which at least a tenth of the width was seen."""
        near = np.abs(self.offset_m) <= HALF_WIDTH_M
        return float((self.seen[:, near].mean(axis=1) > 0.02).sum() * CHUNK_M)

    def align(self, width_m: float | None, *, one_line: bool) -> Alignment:
        """Find the road beside its line."""
        return align(
            self.profile,
            self.texture,
            self.seen,
            self.taken,
            station_m=self.station_m,
            offset_m=self.offset_m,
            width_m=width_m,
            one_line=one_line,
        )

    def surface(self, alignment: Alignment) -> Surface:
        """Describe what the carriageway looks like on the whole."""
        shift = np.interp(self.station_m, alignment.station_m, alignment.shift_m)
        on_road = np.abs(self.offset_m[None, :] - shift[:, None]) < alignment.width_m / 2
        return surface_of(self.profile[0], self.texture, on_road & (self.seen > 0.5))


class _Samples:
    """Values of the corridor's seen pixels, gathered by image group, for the stretch."""

    def __init__(self, images: int, bands: int, thin: int) -> None:
        self._values: list[list[Pixels]] = [[] for _ in range(images)]
        self._bands = bands
        self._thin = thin

    def add(self, values: Pixels, source: npt.NDArray[np.int16], first: int) -> None:
        """Take a thinned sample of a strip that begins at column ``first``.

        Which pixels are taken depends on their place alone, so that tiles give the same stretch as one image.
        """
        rows, columns = np.ogrid[: source.shape[0], first : first + source.shape[1]]
        taken = (columns + 5 * rows) % self._thin == 0
        for number in np.unique(source[source >= 0]):
            self._values[number].append(values[:, taken & (source == number)])

    def most(self) -> int:
        """Return the image that shows most of the corridor."""
        return int(np.argmax([sum(v.shape[1] for v in part) for part in self._values]))

    def stretches(self) -> tuple[Stretch, ...]:
        """Return each image's stretch. All images together give one, so that seams of tiles do not show.

        Images of another depth (8 against 16 bit) are a world of their own: brightness differs by orders.
        """
        sums = [np.concatenate(part, axis=1) if part else None for part in self._values]
        level = [float(np.median(s)) if s is not None and s.size else 0.0 for s in sums]
        found: list[Stretch] = []
        for s, mine in zip(sums, level, strict=True):
            if s is None or not s.size:
                found.append(Stretch(np.zeros(self._bands, np.float32), 1.0))
                continue
            alike = [
                other
                for other, theirs in zip(sums, level, strict=True)
                if other is not None and other.size and 1 / 3 <= (theirs + 1e-9) / (mine + 1e-9) <= 3
            ]
            together = np.concatenate(alike, axis=1)
            # One offset for all bands keeps the colours as they were made.
            low = np.full(self._bands, np.percentile(together, 0.5, axis=1).min(), np.float32)
            high = float(np.max(np.percentile(together, 99.5, axis=1) - low))
            found.append(Stretch(low, max(high, 1e-6)))
        return tuple(found)


def _nanquantiles(values: npt.NDArray[np.float32], shares: Sequence[float]) -> npt.NDArray[np.float32]:
    """Return quantiles over the last axis without NaN, shares first; NaN where nothing is left."""
    ordered = np.sort(values, axis=-1)  # NaN last
    last = np.maximum(np.isfinite(values).sum(axis=-1) - 1, 0)
    return np.stack(
        [np.take_along_axis(ordered, np.rint(share * last).astype(int)[..., None], axis=-1)[..., 0] for share in shares]
    )
