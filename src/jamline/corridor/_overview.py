"""The road and its surroundings at 1 m, read once before any vehicle is looked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from jamline.corridor._ahead import one_ahead
from jamline.corridor._alignment import REACHED, Alignment, align, unmoved
from jamline.corridor._centreline import CELL_M, PIXEL_M, REACH_M, Centreline, planes
from jamline.corridor._edges import Edges, Sides, edges_of
from jamline.corridor._grid import RoadGrid
from jamline.corridor._hidden import Surface, surface_of
from jamline.corridor._section import Hidden
from jamline.corridor._stretch import Samples, Stretch
from jamline.corridor._strip import Later, read_strip
from jamline.imagery import Scene
from jamline.memory import LONG_M, Shelf, give_back
from jamline.road import Road

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Halves = npt.NDArray[np.float16]

NEAR_M = 15.0
"""Reach of the strip that vehicles are looked for in: two lanes each way, verges and a bay."""

_CHUNK_M = 20.0
"""Length over which the road's profile is taken. Longer than a lorry, shorter than a bend."""

_SAMPLES = 400_000
"""Pixels that tell the stretch: its ends are percentiles at 0.5 %, which a few thousand do not settle."""

_PIECE = 1000
"""Columns read at once, a whole number of chunks and of cells."""

_LAP = 160
"""Columns that the network sees beyond a piece, as many as it looks around."""

_CELL = round(CELL_M / PIXEL_M)
_CHUNK = round(_CHUNK_M / PIXEL_M)


PIECE_M = _PIECE * PIXEL_M
"""Road that is looked along at once, and that each section of the strip is long."""


@dataclass(frozen=True, eq=False)
class Look:
    """What one stretch of a road shows at 1 m: the looks at all stretches, one after the other, are an `Overview`.

    Parameters
    ----------
    medians, spreads, seen : sequence of array
        Of each piece, float32, shape (bands, rows, chunks), (rows, chunks) and (rows, chunks), as in the files.
    shown, taken, middle, sides : sequence of array
        Of each piece; as in `Overview`.
    samples : Samples
        What tells the stretch.
    """

    medians: Shelf[np.float32]
    spreads: Shelf[np.float32]
    seen: Shelf[np.float32]
    shown: Sequence[Array]
    taken: Sequence[Bools]
    middle: Sequence[Halves]
    sides: Shelf[np.float16]
    samples: Samples

    @classmethod
    def along(
        cls,
        scene: Scene,
        road: Road,
        neighbours: Sequence[Road],
        *,
        width_m: float | None,
        later: Later,
        pieces: range | None = None,
    ) -> Look:
        """Read some successive pieces of a road, `PIECE_M` each, with its surroundings; all of them by default.

        What the network says of a piece rests on what lies before and after it, so a little of both is read too;
        and so is what a later look needs.
        """
        whole = RoadGrid.over(road, half_width_m=REACH_M, pixel_m=PIXEL_M)
        first, stop = (0, whole.columns) if pieces is None else (pieces.start * _PIECE, pieces.stop * _PIECE)
        stop = min(stop, whole.columns)
        offset = whole.offset_m()
        near = np.abs(offset) <= NEAR_M
        samples = Samples(len(scene.images), len(scene.roles), max(1, whole.columns * int(near.sum()) // _SAMPLES))
        medians, spreads, seens = Shelf[np.float32](), Shelf[np.float32](), Shelf[np.float32]()
        shown: list[Array] = []
        taken: list[Bools] = []

        def beyond(start: int, end: int) -> tuple[Pixels, Bools] | None:
            grid = whole.cut(start, end)
            if grid.columns < 1:
                return None
            values, hidden, _ = read_strip(scene, grid, later=later)
            return values, hidden == Hidden.SEEN

        def read() -> Iterator[tuple[RoadGrid, Pixels, npt.NDArray[np.uint8], npt.NDArray[np.int16]]]:
            for start in range(first, stop, _PIECE):
                grid = whole.cut(start, start + _PIECE)
                if grid.end_m // LONG_M > grid.start_m // LONG_M:
                    give_back()
                yield grid, *read_strip(scene, grid, later=later)

        def each() -> Iterator[tuple[Pixels, Bools]]:
            for grid, values, hidden, source in one_ahead(read()):
                start = grid.first
                samples.add(values[:, near], source[near], start)
                seen = hidden == Hidden.SEEN
                whole_chunks = grid.columns // _CHUNK * _CHUNK
                for part, good in zip(
                    (values[..., :whole_chunks], values[..., whole_chunks:]),
                    (seen[:, :whole_chunks], seen[:, whole_chunks:]),
                    strict=True,
                ):
                    # A rest shorter than half a chunk tells little, unless it is all there is.
                    if not part.shape[2] or (part.shape[2] < _CHUNK // 2 and start + whole_chunks > 0):
                        continue
                    chunks = max(1, part.shape[2] // _CHUNK)
                    masked = np.where(good, part, np.nan).reshape(*part.shape[:2], chunks, -1)
                    median = _nanmedian(masked)
                    medians.append(median[:3].copy())
                    spreads.append(_nanmedian(np.abs(masked - median[..., None])).mean(axis=0))
                    seens.append(good.reshape(len(good), chunks, -1).mean(axis=2).astype(np.float32))
                shown.append(_by_cell(seen[near].mean(axis=0)))
                taken.append(_taken(grid.own(neighbours)))
                yield values, seen

        around = beyond(first - _LAP, first), beyond(stop, stop + _LAP)
        middle: list[Halves] = []
        sides = Shelf[np.float16]()
        for answer in _answers(each(), around=around, near=near, road=road, width_m=width_m):
            middle.append(answer[0, REACHED])
            sides.append(answer[1:])
        return cls(medians, spreads, seens, shown, taken, middle, sides, samples)


@dataclass(frozen=True, eq=False)
class Overview:
    """What is known of a road before vehicles are looked for: small however long the road is.

    Parameters
    ----------
    station_m : array, shape (chunks,)
        Middle of each chunk.
    offset_m : array, shape (rows,)
        Offsets in falling order.
    brightness : array, float32, shape (chunks, rows)
        Median of each row in each chunk, stretched, mean over the colours.
    texture, seen : array, float32, shape (chunks, rows)
        Spread along the row, same unit; share of it that was seen.
    middle : array, float16, shape (places reached, cells)
        What the network says of the road's middle, at the places of `REACHED`.
    sides : Sides
        What it says of the left and the right edge.
    shown : array, shape (cells,)
        Share of the near strip that was seen.
    taken : array of bool, shape (places reached, cells)
        Places nearer to another road.
    stretches : tuple of Stretch
        One for each image of the scene.
    """

    station_m: Array
    offset_m: Array
    brightness: Pixels
    texture: Pixels
    seen: Pixels
    middle: Halves
    sides: Sides
    shown: Array
    taken: Bools
    stretches: tuple[Stretch, ...]

    @classmethod
    def of(cls, looks: Sequence[Look], road: Road) -> Overview:
        """Put the looks at all of a road together, in their order."""
        samples = Samples.joined([look.samples for look in looks])
        stretches = samples.stretches()
        # Chunks are stretched by the image that fills the road best; mixed ones are rare and only here.
        stretch = stretches[samples.most()]
        low, high = stretch.low[:3, None, None], np.float32(stretch.high)

        def every(name: str) -> Iterator[npt.NDArray[Any]]:
            return chain.from_iterable(getattr(look, name) for look in looks)

        seen = np.concatenate([part.T for part in every("seen")])
        return cls(
            station_m=(np.arange(len(seen), dtype=np.float64) + 0.5) * _CHUNK_M,
            offset_m=RoadGrid.over(road, half_width_m=REACH_M, pixel_m=PIXEL_M).offset_m(),
            brightness=np.concatenate([((np.nan_to_num(m) - low).mean(axis=0) / high).T for m in every("medians")]),
            texture=np.concatenate([(np.nan_to_num(part) / high).T for part in every("spreads")]),
            seen=seen,
            middle=np.concatenate(list(every("middle")), axis=1),
            sides=Sides([look.sides for look in looks]),
            shown=np.concatenate(list(every("shown"))),
            taken=np.concatenate(list(every("taken")), axis=1),
            stretches=stretches,
        )

    @property
    def seen_m(self) -> float:
        """Road of which at least a little of the width was seen."""
        near = np.abs(self.offset_m) <= NEAR_M
        return float((self.seen[:, near].mean(axis=1) > 0.02).sum() * _CHUNK_M)

    def align(self, width_m: float | None, *, trusted: bool) -> Alignment:
        """Find the road beside its line, or trust the line."""
        if trusted:
            return unmoved(self.sides, self.shown, width_m=width_m)
        return align(self.middle, self.sides, self.shown, self.taken, width_m=width_m)

    def edges(self, alignment: Alignment, drawn: Road, aligned: Road) -> Edges:
        """Tell where the lanes end beside the aligned road."""
        place = drawn.to_map(alignment.station_m, alignment.shift_m)
        station_m = np.asarray(aligned.to_road(*place)[0], np.float64)
        return edges_of(self.sides, station_m=station_m, middle_m=alignment.shift_m, seen=self.shown)

    def surface(self, alignment: Alignment) -> Surface:
        """Describe what the carriageway looks like on the whole."""
        shift = np.interp(self.station_m, alignment.station_m, alignment.shift_m)
        on_road = np.abs(self.offset_m[None, :] - shift[:, None]) < alignment.width_m / 2
        return surface_of(self.brightness, self.texture, on_road & (self.seen > 0.5))


def _answers(
    pieces: Iterable[tuple[Pixels, Bools]],
    *,
    around: tuple[tuple[Pixels, Bools] | None, tuple[Pixels, Bools] | None],
    near: Bools,
    road: Road,
    width_m: float | None,
) -> Iterator[Halves]:
    """Ask the network about successive pieces of a strip, each with what lies before and after it.

    Each is read once; the one before and the one after are kept for as long as they are looked at. ``around`` is what
    lies before the first and after the last.
    """
    network = Centreline.shipped()

    def asked(
        before: tuple[Pixels, Bools] | None, here: tuple[Pixels, Bools], after: tuple[Pixels, Bools] | None
    ) -> Halves:
        parts = [here]
        if before is not None:
            parts.insert(0, (before[0][..., -_LAP:], before[1][..., -_LAP:]))
        if after is not None:
            parts.append((after[0][..., :_LAP], after[1][..., :_LAP]))
        values, seen = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
        short = -values.shape[2] % _CELL
        values = np.pad(values, ((0, 0), (0, 0), (0, short)))
        seen = np.pad(seen, ((0, 0), (0, short)))
        answer = network.answer(planes(values, seen, near=near, oneway=road.oneway, width_m=width_m))
        first = 0 if before is None else parts[0][1].shape[1] // _CELL
        cells = -(-here[1].shape[1] // _CELL)
        return answer[..., first : first + cells].astype(np.float16)

    before, after = around
    here = None
    for piece in pieces:
        if here is not None:
            yield asked(before, here, piece)
            before = here
        here = piece
    if here is not None:
        yield asked(before, here, after)


def _taken(own: Bools) -> Bools:
    """Tell which places reached are nearer to another road, shape (places reached, cells)."""
    if own.all():
        return np.zeros((int(REACHED.sum()), -(-own.shape[1] // _CELL)), np.bool_)
    taken: Bools = (np.repeat(_by_cell(~own), 2, axis=0) > 0.5)[REACHED]
    return taken


def _by_cell(values: npt.NDArray[np.generic]) -> Array:
    """Average over the columns of each cell; the last may be short."""
    edges = np.arange(0, values.shape[-1], _CELL)
    total = np.add.reduceat(values.astype(np.float64), edges, axis=-1)
    mean: Array = total / np.diff(np.append(edges, values.shape[-1]))
    return mean


def _nanmedian(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the median over the last axis without NaN; NaN where nothing is left."""
    ordered = np.sort(values, axis=-1)  # NaN last
    # Where the last is a number, all are.
    if not np.isnan(ordered[..., -1]).any():
        return ordered[..., round(0.5 * (values.shape[-1] - 1))]
    last = np.maximum(np.isfinite(values).sum(axis=-1) - 1, 0)
    middle: npt.NDArray[np.float32] = np.take_along_axis(ordered, np.rint(0.5 * last).astype(int)[..., None], axis=-1)
    return middle[..., 0]
