"""Reading the next piece while this one is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

T = TypeVar("T")

_END = object()


def one_ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield items in their order, each made in another thread while the one before it is used.

    Decoding and resampling let go of the interpreter, and so does a network's answer. At most two items are there at
    once. An error comes where its item would have come.

    Examples
    --------
    >>> list(one_ahead(range(3)))
    [0, 1, 2]
    """
    made = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="jamline-read") as reader:
        coming = reader.submit(next, made, _END)
        while (item := coming.result()) is not _END:
            coming = reader.submit(next, made, _END)
            yield cast(T, item)
