"""Pictures put aside until the report is written: those of a long road would fill memory all the while."""

from __future__ import annotations

import math
import tempfile
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import IO, Any, overload

import numpy as np

from jamline.report.strips import StripImage

_HELD_BYTES = 4 << 20
"""Pictures held in memory: those of some 20 km of road."""


class Shelf(Sequence[StripImage]):
    """Pictures in the order in which they came; what is too much for memory lies in an unnamed file.

    Parameters
    ----------
    strips : iterable of StripImage
        What lies on it from the start.
    """

    def __init__(self, strips: Iterable[StripImage] = ()) -> None:
        self._strips: list[tuple[StripImage, tuple[int, ...] | None, int]] = []
        self._held_bytes = 0
        self._file: IO[bytes] | None = None
        self._end = 0
        self.extend(strips)

    def append(self, strip: StripImage) -> None:
        """Put a picture at the end."""
        if self._held_bytes + strip.image.nbytes > _HELD_BYTES and self._put_down(strip):
            return
        self._held_bytes += strip.image.nbytes
        self._strips.append((strip, None, 0))

    def extend(self, strips: Iterable[StripImage]) -> None:
        """Put pictures at the end."""
        for strip in strips:
            self.append(strip)

    def __len__(self) -> int:
        return len(self._strips)

    @overload
    def __getitem__(self, index: int) -> StripImage: ...
    @overload
    def __getitem__(self, index: slice) -> list[StripImage]: ...
    def __getitem__(self, index: int | slice) -> StripImage | list[StripImage]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        strip, shape, offset = self._strips[index]
        if shape is None or self._file is None:
            return strip
        self._file.seek(offset)
        content = self._file.read(math.prod(shape))
        return replace(strip, image=np.frombuffer(content, np.uint8).reshape(shape))

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Shelf, (list(self),)

    def _put_down(self, strip: StripImage) -> bool:
        """Write a picture to the file, and say whether there was room."""
        content = strip.image.tobytes()
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="jamline-", buffering=0)  # noqa: SIM115 (lives with the shelf)
                weakref.finalize(self, self._file.close)
            self._file.seek(self._end)
            if self._file.write(content) < len(content):
                return False
        except OSError:
            return False
        self._strips.append((replace(strip, image=np.zeros(0, np.uint8)), strip.image.shape, self._end))
        self._end += len(content)
        return True
