"""Blocks of files, read and decoded once: what was wanted of them is kept for a second look.

A survey looks at a road twice, first for where it runs, then for its vehicles, and on a long road the two looks are far
apart. What lies beside a road is a small part of the blocks that it runs through. So whole blocks are held for a short
while, and the tiles of them that were wanted are put on disk in an unnamed file when they go; memory stays the same
however long the road is.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, Any

import numpy as np
import numpy.typing as npt

Raw = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
Place = tuple[int, int]
Lend = Callable[[], AbstractContextManager[Any]]

TILE_PX = 64
"""Side of a tile: at 0.5 m as wide as the corridor, which keeps a third of the blocks that a slanting road runs
through. Blocks whose sides are no multiple of it are not read one by one."""

_BLOCK_PX = 1024
"""Larger blocks, and rows as wide as the file, are left to GDAL's own cache."""
_WITHOUT_BLOCKS_PX = 256

_HELD_BYTES = 32 << 20
"""Decoded blocks held: at 512 px and 8 bit some 40, more than 10 km of road run through at a time."""

_KEPT_BYTES = 4 << 30
"""Most that is put on disk: some 2,500 km of road at 0.5 m. What does not fit is decoded again."""

_RUN = 8
"""Most blocks side by side that one request asks for."""


@dataclass(frozen=True)
class Level:
    """One file at one of its resolutions.

    Parameters
    ----------
    path : str
        File or address.
    bands : tuple of int
        1-based bands that are read.
    masked : bool
        Whether the file's mask is read too.
    factor : int
        1, or that of an overview.
    full_px : tuple of int
        Rows and columns of the file.
    block_px : tuple of int
        Rows and columns of a block, as the file has them.
    dtype : str
        What the bands are read as.
    """

    path: str
    bands: tuple[int, ...]
    masked: bool
    factor: int
    full_px: tuple[int, int]
    block_px: tuple[int, int]
    dtype: str

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns at this resolution."""
        return -(-self.full_px[0] // self.factor), -(-self.full_px[1] // self.factor)

    @property
    def unit_px(self) -> tuple[int, int]:
        """Rows and columns of what is read at once."""
        if all(size % TILE_PX == 0 and size <= _BLOCK_PX for size in self.block_px):
            return self.block_px
        return _WITHOUT_BLOCKS_PX, _WITHOUT_BLOCKS_PX


@dataclass(eq=False)
class _Block:
    """Part of a level: its pixels, and which of its tiles were wanted."""

    raw: Raw
    mask: npt.NDArray[np.uint8] | None
    wanted: Bools

    @property
    def size_bytes(self) -> int:
        return int(self.raw.nbytes) + (0 if self.mask is None else int(self.mask.nbytes))


class Blocks:
    """Decoded blocks of one scene, shared by threads. Pickles and forked children carry none."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.RLock()
        self._held: OrderedDict[tuple[Level, Place], _Block] = OrderedDict()
        self._held_bytes = 0
        self._kept: dict[Level, dict[Place, int]] = {}
        self._file: IO[bytes] | None = None
        self._end = 0
        self._pid = os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._reset()

    def clear(self) -> None:
        """Forget everything; a later read decodes again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._reset()

    def window(
        self, level: Level, lend: Lend, rows: tuple[int, int], cols: tuple[int, int], wanted: Bools | None = None
    ) -> tuple[Raw, Bools | None, Bools | None]:
        """Return a window that lies within the level.

        Parameters
        ----------
        level : Level
        lend : callable
            Lends an open dataset of the file.
        rows, cols : tuple of int
            First, and the one after the last.
        wanted : array of bool, optional
            Which tiles, of those that the window touches, are wanted; all where not given.

        Returns
        -------
        raw : array, shape (bands, rows, columns)
            0 in tiles that were not wanted, unless they came along.
        mask : array of bool, shape (rows, columns), or None
            The file's own mask, where it was asked for.
        known : array of bool, shape (rows, columns), or None
            Where pixels were read; ``None`` for everywhere.
        """
        if self._pid != os.getpid():
            # A forked child has its parent's file, and would write over what that one keeps.
            self._reset()
        shape = rows[1] - rows[0], cols[1] - cols[0]
        raw = np.zeros((len(level.bands), *shape), level.dtype)
        mask = np.zeros(shape, np.uint8) if level.masked else None
        known = None if wanted is None or wanted.all() else np.zeros(shape, np.bool_)

        def put(top: int, left: int, part: Raw, part_mask: npt.NDArray[np.uint8] | None) -> None:
            high, wide = part.shape[1:]
            a, b = max(top, rows[0]), min(top + high, rows[1])
            c, d = max(left, cols[0]), min(left + wide, cols[1])
            to = slice(a - rows[0], b - rows[0]), slice(c - cols[0], d - cols[0])
            source = slice(a - top, b - top), slice(c - left, d - left)
            raw[:, *to] = part[:, *source]
            if mask is not None and part_mask is not None:
                mask[to] = part_mask[source]
            if known is not None:
                known[to] = True

        unit = level.unit_px
        missing = []
        for place, tiles in _by_unit(level, rows, cols, wanted).items():
            with self._lock:
                block = self._look(level, place, tiles)
                at = None if block is not None else self._places_on_disk(level, tiles)
            if block is not None:
                put(place[0] * unit[0], place[1] * unit[1], block.raw, block.mask)
            elif at is None:
                missing.append((place, tiles))
            else:
                for tile, offset in zip(tiles, at, strict=True):
                    put(tile[0] * TILE_PX, tile[1] * TILE_PX, *self._from_disk(level, tile, offset))
        for run in _runs(missing):
            for (place, tiles), block in zip(run, _decoded(level, lend, [place for place, _ in run]), strict=True):
                put(place[0] * unit[0], place[1] * unit[1], block.raw, block.mask)
                with self._lock:
                    self._hold(level, place, block, tiles)
        return raw, None if mask is None else mask > 0, known

    def _look(self, level: Level, place: Place, tiles: list[Place]) -> _Block | None:
        """Return a block if it is held, and note what is wanted of it."""
        block = self._held.get((level, place))
        if block is not None:
            self._held.move_to_end((level, place))
            _want(block, level, place, tiles)
        return block

    def _hold(self, level: Level, place: Place, block: _Block, tiles: list[Place]) -> None:
        """Take a block in, and put on disk what was wanted of those that go for it."""
        _want(block, level, place, tiles)
        old = self._held.pop((level, place), None)
        self._held_bytes += block.size_bytes - (old.size_bytes if old is not None else 0)
        self._held[level, place] = block
        while self._held_bytes > _HELD_BYTES and len(self._held) > 1:
            (of, at), gone = self._held.popitem(last=False)
            self._held_bytes -= gone.size_bytes
            self._keep(of, at, gone)

    def _keep(self, level: Level, place: Place, block: _Block) -> None:
        """Put the tiles that were wanted on disk; a disk that is full only means to decode them again."""
        kept = self._kept.setdefault(level, {})
        per = level.unit_px[0] // TILE_PX, level.unit_px[1] // TILE_PX
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="jamline-")  # noqa: SIM115 (lives as long as the scene)
            for down, across in np.argwhere(block.wanted):
                tile = (int(place[0] * per[0] + down), int(place[1] * per[1] + across))
                if tile in kept:
                    continue
                here = slice(down * TILE_PX, (down + 1) * TILE_PX), slice(across * TILE_PX, (across + 1) * TILE_PX)
                content = block.raw[:, *here].tobytes()
                if block.mask is not None:
                    content += block.mask[here].tobytes()
                if self._end + len(content) > _KEPT_BYTES:
                    return
                os.pwrite(self._file.fileno(), content, self._end)
                kept[tile] = self._end
                self._end += len(content)
        except OSError:
            self._end = _KEPT_BYTES

    def _places_on_disk(self, level: Level, tiles: list[Place]) -> list[int] | None:
        """Return where tiles lie on disk, ``None`` if any does not."""
        kept = self._kept.get(level, {})
        at = [kept[tile] for tile in tiles if tile in kept]
        return at if len(at) == len(tiles) else None

    def _from_disk(self, level: Level, tile: Place, offset: int) -> tuple[Raw, npt.NDArray[np.uint8] | None]:
        """Read one tile back."""
        high, wide = (min(TILE_PX, size - at * TILE_PX) for size, at in zip(level.shape, tile, strict=True))
        pixels = high * wide
        size = len(level.bands) * pixels * np.dtype(level.dtype).itemsize
        content = os.pread(self._file.fileno(), size + pixels * level.masked, offset)  # type: ignore[union-attr]
        raw = np.frombuffer(content[:size], level.dtype).reshape(len(level.bands), high, wide)
        return raw, np.frombuffer(content[size:], np.uint8).reshape(high, wide) if level.masked else None


def tiles_near(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    *,
    margin_px: float,
    rows: tuple[int, int],
    cols: tuple[int, int],
) -> Bools:
    """Tell which tiles of a window lie near some places.

    Parameters
    ----------
    x, y : array, shape (n,)
        Columns and rows of the places, centre of the first pixel (0, 0).
    margin_px : float
        How near; at most half a tile.
    rows, cols : tuple of int
        The window: first, and the one after the last.

    Returns
    -------
    array of bool, shape (tile rows, tile columns)
        Of the tiles that the window touches.
    """
    top, left = rows[0] // TILE_PX, cols[0] // TILE_PX
    near = np.zeros((-(-rows[1] // TILE_PX) - top, -(-cols[1] // TILE_PX) - left), np.bool_)
    for down in (-margin_px, margin_px):
        for across in (-margin_px, margin_px):
            row = ((y + down) // TILE_PX).astype(np.intp) - top
            col = ((x + across) // TILE_PX).astype(np.intp) - left
            inside = (row >= 0) & (row < near.shape[0]) & (col >= 0) & (col < near.shape[1])
            near[row[inside], col[inside]] = True
    return near


def _by_unit(
    level: Level, rows: tuple[int, int], cols: tuple[int, int], wanted: Bools | None
) -> dict[Place, list[Place]]:
    """Return the tiles that a window wants, by the block that they lie in, blocks in the file's order."""
    top, left = rows[0] // TILE_PX, cols[0] // TILE_PX
    if wanted is None:
        wanted = np.ones((-(-rows[1] // TILE_PX) - top, -(-cols[1] // TILE_PX) - left), np.bool_)
    per = level.unit_px[0] // TILE_PX, level.unit_px[1] // TILE_PX
    found: dict[Place, list[Place]] = {}
    for row, col in np.argwhere(wanted).tolist():
        tile = top + row, left + col
        found.setdefault((tile[0] // per[0], tile[1] // per[1]), []).append(tile)
    return dict(sorted(found.items()))


def _want(block: _Block, level: Level, place: Place, tiles: list[Place]) -> None:
    per = level.unit_px[0] // TILE_PX, level.unit_px[1] // TILE_PX
    for row, col in tiles:
        block.wanted[row - place[0] * per[0], col - place[1] * per[1]] = True


def _runs(missing: list[tuple[Place, list[Place]]]) -> Iterator[list[tuple[Place, list[Place]]]]:
    """Part blocks into runs side by side, which lie side by side in the file too and take one request."""
    first = 0
    for at, (one, other) in enumerate(pairwise([place for place, _ in missing]), start=1):
        if other != (one[0], one[1] + 1) or at - first == _RUN:
            yield missing[first:at]
            first = at
    if missing:
        yield missing[first:]


def _decoded(level: Level, lend: Lend, places: list[Place]) -> list[_Block]:
    """Read a run of blocks from the file."""
    high, wide = level.unit_px
    rows = places[0][0] * high, min((places[0][0] + 1) * high, level.shape[0])
    cols = places[0][1] * wide, min((places[-1][1] + 1) * wide, level.shape[1])
    shape = rows[1] - rows[0], cols[1] - cols[0]
    window = tuple(
        (first * level.factor, min(stop * level.factor, size))
        for (first, stop), size in zip((rows, cols), level.full_px, strict=True)
    )
    with lend() as dataset:
        raw = dataset.read(
            list(level.bands), window=window, out_shape=(len(level.bands), *shape), out_dtype=level.dtype
        )
        mask = dataset.read_masks(level.bands[0], window=window, out_shape=shape) if level.masked else None
    blocks = []
    for number in range(len(places)):
        part = slice(number * wide, (number + 1) * wide)
        # Copies, or one block that is held would hold its whole run.
        one = raw if len(places) == 1 else raw[:, :, part].copy()
        of = None if mask is None else mask if len(places) == 1 else mask[:, part].copy()
        tiles = -(-one.shape[1] // TILE_PX), -(-one.shape[2] // TILE_PX)
        blocks.append(_Block(one, of, np.zeros(tiles, np.bool_)))
    return blocks
