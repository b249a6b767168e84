"""Locks between processes, which end with the process that holds them, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUFFIX = ".lock"


@contextmanager
def locked(path: str | Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the right to make a file or folder.

    Parameters
    ----------
    path : str or Path
        What is to be made. The lock is a file beside it, which is gone afterwards.
    wait : bool
        Wait for whoever holds it.

    Yields
    ------
    bool
        False if somebody else holds it and was not waited for.
    """
    lock = Path(path).with_name(f".{Path(path).name}{SUFFIX}")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        mine = _take(handle, wait=wait)
        try:
            yield mine
        finally:
            if mine:
                # Removed while held. Who waited for it looks whether the thing is made before making it.
                lock.unlink(missing_ok=True)
    finally:
        os.close(handle)


if sys.platform == "win32":

    def _take(handle: int, *, wait: bool) -> bool:
        """Take no lock: two runs at once may do a job twice here; results are whole all the same."""
        return wait

else:
    import fcntl

    def _take(handle: int, *, wait: bool) -> bool:
        """Take the lock, and tell whether that was possible."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        except OSError:
            # Some network file systems know no locks; results are whole there all the same.
            return wait
        return True
