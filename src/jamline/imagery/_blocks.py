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
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from jamline.imagery._remote import patiently
from jamline.imagery._tiles import TILE_PX, Bools, Level, Place, by_block, runs_of

Raw = npt.NDArray[Any]
Lend = Callable[[], AbstractContextManager[Any]]

_HELD_BYTES = 24 << 20
"""Decoded blocks held: at 512 px and 8 bit some 30, as many as 6 km of road run through."""

_KEPT_BYTES = 4 << 30
"""Most that is put on disk: some 2,500 km of road at 0.5 m. What does not fit is decoded again."""


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
        for place, tiles in by_block(level, rows, cols, wanted).items():
            block, at = self._find(level, place, tiles)
            if block is not None:
                put(place[0] * unit[0], place[1] * unit[1], block.raw, block.mask)
            elif at is None:
                missing.append((place, tiles))
            else:
                for tile, offset in zip(tiles, at, strict=True):
                    put(tile[0] * TILE_PX, tile[1] * TILE_PX, *self._from_disk(level, tile, offset))
        for place, block in self._decode(level, lend, missing):
            put(place[0] * unit[0], place[1] * unit[1], block.raw, block.mask)
        return raw, None if mask is None else mask > 0, known

    def fetch(self, level: Level, lend: Lend, rows: tuple[int, int], cols: tuple[int, int], wanted: Bools) -> None:
        """Decode what is wanted of a window and not there yet; parameters as in `window`.

        Windows along a road come one by one. Asked for together, more blocks lie side by side.
        """
        places = by_block(level, rows, cols, wanted).items()
        missing = [(place, tiles) for place, tiles in places if self._find(level, place, tiles) == (None, None)]
        for _ in self._decode(level, lend, missing):
            pass

    def _find(self, level: Level, place: Place, tiles: list[Place]) -> tuple[_Block | None, list[int] | None]:
        """Return a block if it is held, or else where its tiles lie on disk, if all of them do."""
        with self._lock:
            block = self._held.get((level, place))
            if block is not None:
                self._held.move_to_end((level, place))
                _want(block, level, place, tiles)
                return block, None
            kept = self._kept.get(level, {})
            at = [kept[tile] for tile in tiles if tile in kept]
            return None, at if len(at) == len(tiles) else None

    def _decode(
        self, level: Level, lend: Lend, missing: list[tuple[Place, list[Place]]]
    ) -> Iterator[tuple[Place, _Block]]:
        """Decode blocks, those side by side together, and hold them."""
        for run in runs_of(missing):
            for (place, tiles), block in zip(run, _decoded(level, lend, [place for place, _ in run]), strict=True):
                with self._lock:
                    self._hold(level, place, block, tiles)
                yield place, block

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
                self._file = tempfile.TemporaryFile(prefix="jamline-", buffering=0)  # noqa: SIM115 (lives with the scene)
            parts, at = [], {}
            end = self._end
            for down, across in np.argwhere(block.wanted).tolist():
                tile = (place[0] * per[0] + down, place[1] * per[1] + across)
                if tile in kept:
                    continue
                here = slice(down * TILE_PX, (down + 1) * TILE_PX), slice(across * TILE_PX, (across + 1) * TILE_PX)
                content = block.raw[:, *here].tobytes()
                if block.mask is not None:
                    content += block.mask[here].tobytes()
                if end + len(content) > _KEPT_BYTES:
                    break
                parts.append(content)
                at[tile] = end
                end += len(content)
            self._file.seek(self._end)
            if self._file.write(b"".join(parts)) < end - self._end:
                raise OSError("no room")
            kept.update(at)
            self._end = end
        except OSError:
            self._end = _KEPT_BYTES

    def _from_disk(self, level: Level, tile: Place, offset: int) -> tuple[Raw, npt.NDArray[np.uint8] | None]:
        """Read one tile back."""
        high, wide = (min(TILE_PX, size - at * TILE_PX) for size, at in zip(level.shape, tile, strict=True))
        pixels = high * wide
        size = len(level.bands) * pixels * np.dtype(level.dtype).itemsize
        with self._lock:
            if self._file is None:
                raise OSError("closed while it was read")
            self._file.seek(offset)
            content = self._file.read(size + pixels * level.masked)
        raw = np.frombuffer(content[:size], level.dtype).reshape(len(level.bands), high, wide)
        return raw, np.frombuffer(content[size:], np.uint8).reshape(high, wide) if level.masked else None


def _want(block: _Block, level: Level, place: Place, tiles: list[Place]) -> None:
    per = level.unit_px[0] // TILE_PX, level.unit_px[1] // TILE_PX
    for row, col in tiles:
        block.wanted[row - place[0] * per[0], col - place[1] * per[1]] = True


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

    def read() -> tuple[Raw, npt.NDArray[np.uint8] | None]:
        with lend() as dataset:
            raw = dataset.read(
                list(level.bands), window=window, out_shape=(len(level.bands), *shape), out_dtype=level.dtype
            )
            return raw, dataset.read_masks(level.bands[0], window=window, out_shape=shape) if level.masked else None

    raw, mask = patiently(level.path, read)
    blocks = []
    for number in range(len(places)):
        part = slice(number * wide, (number + 1) * wide)
        # Copies, or one block that is held would hold its whole run.
        one = raw if len(places) == 1 else raw[:, :, part].copy()
        of = None if mask is None else mask if len(places) == 1 else mask[:, part].copy()
        tiles = -(-one.shape[1] // TILE_PX), -(-one.shape[2] // TILE_PX)
        blocks.append(_Block(one, of, np.zeros(tiles, np.bool_)))
    return blocks
