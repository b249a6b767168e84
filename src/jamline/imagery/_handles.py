"""Open datasets, kept for the next read."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import rasterio
from rasterio.session import DummySession

from jamline.imagery._remote import gdal_name, settings

_CACHE_MB = 16
"""GDAL's own block cache; its default of 5 % of all memory, taken by each process, is what fills machines."""

_MAX_IDLE = 32
"""Datasets kept open between reads, far below the 256 files that some systems allow a process."""


class Handles:
    """Open datasets of one scene, lent to one thread at a time.

    A dataset must never be used by two threads at once, but may move from one to the next; so there are as
    many of a file as threads read it at the same moment. Pickles carry none.
    """

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._idle: OrderedDict[tuple[str, int], Any] = OrderedDict()
        self._number = 0
        self._pid = os.getpid()

    @contextmanager
    def borrow(self, path: str) -> Iterator[Any]:
        """Lend a dataset of the file; GDAL's settings hold for as long as it is out."""
        # Keys to object storage are GDAL's business, which looks for them where all tools do.
        with rasterio.Env(session=DummySession(), **_settings(path)):
            dataset = self._take(path) or rasterio.open(gdal_name(path))
            try:
                yield dataset
            except BaseException:
                # After a failed read its state is anyone's guess.
                dataset.close()
                raise
            self._put(path, dataset)

    def close(self) -> None:
        """Close what is not lent out; a later read opens the file again."""
        with self._lock:
            idle = list(self._idle.values())
            self._idle.clear()
        for dataset in idle:
            dataset.close()

    def _take(self, path: str) -> Any:
        if self._pid != os.getpid():
            # A forked child shares file positions with its parent: neither read from nor close its datasets.
            self._reset()
        with self._lock:
            key = next((key for key in reversed(self._idle) if key[0] == path), None)
            return self._idle.pop(key) if key else None

    def _put(self, path: str, dataset: Any) -> None:
        with self._lock:
            self._number += 1
            self._idle[path, self._number] = dataset
            surplus = [self._idle.popitem(last=False)[1] for _ in range(len(self._idle) - _MAX_IDLE)]
        for old in surplus:
            old.close()

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._reset()


def _settings(path: str) -> dict[str, Any]:
    return settings(path) | ({} if "GDAL_CACHEMAX" in os.environ else {"GDAL_CACHEMAX": _CACHE_MB})
