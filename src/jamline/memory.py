"""What keeps a long road from filling memory: arrays put aside in a file, and freed memory given back."""

from __future__ import annotations

import ctypes
import math
import tempfile
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any, Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

Kind = TypeVar("Kind", bound=np.generic)

LONG_M = 50_000.0
"""Road from which on it counts what is left behind in memory."""

_HELD_BYTES = 4 << 20
"""What a shelf holds in memory: a road of some 20 km needs no file."""


class Shelf(Sequence[npt.NDArray[Kind]], Generic[Kind]):
    """Arrays of one type in the order in which they came; what is too much for memory lies in an unnamed file.

    Parameters
    ----------
    arrays : iterable of array
        What lies on it from the start.
    """

    def __init__(self, arrays: Iterable[npt.NDArray[Kind]] = ()) -> None:
        self._held: list[npt.NDArray[Kind] | None] = []
        self._lies: list[tuple[tuple[int, ...], int]] = []
        self._held_bytes = self._end = 0
        self._dtype: Any = None
        self._file: IO[bytes] | None = None
        self.extend(arrays)

    def append(self, array: npt.NDArray[Kind]) -> None:
        """Put an array at the end."""
        self._dtype = array.dtype
        away = self._held_bytes + array.nbytes > _HELD_BYTES and self._put_down(array)
        self._lies.append((array.shape, self._end - array.nbytes))
        self._held.append(None if away else array)
        self._held_bytes += 0 if away else array.nbytes

    def extend(self, arrays: Iterable[npt.NDArray[Kind]]) -> None:
        """Put arrays at the end."""
        for array in arrays:
            self.append(array)

    def __len__(self) -> int:
        return len(self._held)

    @overload
    def __getitem__(self, index: int) -> npt.NDArray[Kind]: ...
    @overload
    def __getitem__(self, index: slice) -> list[npt.NDArray[Kind]]: ...
    def __getitem__(self, index: int | slice) -> npt.NDArray[Kind] | list[npt.NDArray[Kind]]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        held = self._held[index]
        if held is not None or self._file is None:
            return np.zeros(0, self._dtype) if held is None else held
        shape, offset = self._lies[index]
        self._file.seek(offset)
        content = self._file.read(math.prod(shape) * self._dtype.itemsize)
        array: npt.NDArray[Kind] = np.frombuffer(content, self._dtype).reshape(shape)
        return array

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Shelf, (list(self),)

    def _put_down(self, array: npt.NDArray[Kind]) -> bool:
        """Write an array to the file, and say whether there was room."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="jamline-", buffering=0)  # noqa: SIM115 (lives with the shelf)
                weakref.finalize(self, self._file.close)
            self._file.seek(self._end)
            if self._file.write(array.tobytes()) < array.nbytes:
                return False
        except OSError:
            return False
        self._end += array.nbytes
        return True


def give_back(length_m: float = LONG_M) -> None:
    """Give memory that was freed back to the system, where the C library knows how to (glibc).

    Of its own accord it keeps what lies below anything still in use: on a road of 500 km, 80 MB from finding the line.

    Parameters
    ----------
    length_m : float
        Road that is measured; what a shorter one than `LONG_M` leaves behind is too little to ask for.
    """
    if length_m < LONG_M:
        return
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return
