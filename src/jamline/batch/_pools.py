"""Where jobs are done: processes of this machine, or the workers of a Dask cluster, both as executors."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from jamline.errors import BatchError, UsageError

T = TypeVar("T")
R = TypeVar("R")

_CONNECT_S = 20
"""How long a scheduler may take to answer."""

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""One job is one thread: what is done at the same time is other jobs."""


@dataclass(frozen=True)
class Pool:
    """An executor, and how many jobs it should have in hand.

    Parameters
    ----------
    executor : Executor
        Does the jobs.
    width : callable
        Returns the number of jobs in hand with which nobody is idle. All at once would need memory for all.
    """

    executor: Executor
    width: Callable[[], int]


def each(
    do: Callable[[T], R], tasks: deque[T], *, pool: Callable[[], AbstractContextManager[Pool]]
) -> Iterator[tuple[T, R | BaseException]]:
    """Do every task, and hand out what came of it as soon as it is there.

    Parameters
    ----------
    do : callable
        Runs elsewhere, so it and the tasks must be picklable.
    tasks : deque
        What to do, taken from the left. More may be added whenever a result is handed out.
    pool : callable
        Opens a pool.

    Yields
    ------
    task, result
        In the order in which they end. An exception instead of a result where `do` raised, or where its process died
        with this task alone in hand.
    """
    while True:
        suspects: list[T] = []
        with pool() as opened:
            yield from _through(opened.executor, opened.width, do, tasks, suspects)
        if not suspects:
            return
        # When a process dies, out of memory say, its pool goes with it. Whose fault it was shows when each task that
        # was in hand is done alone.
        for task in suspects:
            alone: list[T] = []
            with pool() as opened:
                yield from _through(opened.executor, lambda: 1, do, deque([task]), alone)
            for culprit in alone:
                yield culprit, UsageError("Invalid worker. Must live until its job is done; its process died.")


def _through(
    executor: Executor, width: Callable[[], int], do: Callable[[T], R], tasks: deque[T], suspects: list[T]
) -> Iterator[tuple[T, R | BaseException]]:
    """Hand tasks over until there are none left; if the pool breaks, say which were in hand."""
    in_hand: dict[Future[R], T] = {}
    while not suspects:
        for _ in range(min(len(tasks), width() - len(in_hand))):
            task = tasks.popleft()
            try:
                in_hand[executor.submit(do, task)] = task
            except BrokenExecutor:
                suspects.append(task)
                break
        if not in_hand:
            return
        done, _ = wait(in_hand, return_when=FIRST_COMPLETED)
        for future in done:
            task = in_hand.pop(future)
            result = _result(future)
            if isinstance(result, BrokenExecutor):
                suspects.append(task)
            else:
                yield task, result
    for future, task in in_hand.items():
        result = _result(future)
        if isinstance(result, BrokenExecutor):
            suspects.append(task)
        else:
            yield task, result


def _result(future: Future[R]) -> R | BaseException:
    """Return what came of a task, be it an error."""
    error = future.exception()
    return future.result() if error is None else error


@contextmanager
def processes(workers: int) -> Iterator[Pool]:
    """Open a pool of processes on this machine, which end when this one does, however it ends."""
    # Forking a process that has threads, GDAL's or OpenCV's, may leave the child hanging.
    context = multiprocessing.get_context("spawn")
    with (
        _environment(dict.fromkeys(_ONE_THREAD, "1")),
        ProcessPoolExecutor(workers, mp_context=context, initializer=_begin) as executor,
    ):
        try:
            # One waits, so that nobody is idle while the next is handed over.
            yield Pool(executor, lambda: workers + 1)
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def on_dask(address: str) -> Iterator[Pool]:
    """Open a pool on the workers of a Dask cluster, which see the same files under the same paths.

    Raises
    ------
    UsageError
        If Dask is not installed, or no scheduler answers.
    """
    try:
        from distributed import Client
        from distributed.utils import silence_logging_cmgr
    except ImportError as error:
        raise UsageError(f"Invalid scheduler '{address}'. Must have Dask: pip install 'jamline[batch]'.") from error
    try:
        client: Any = Client(address, timeout=_CONNECT_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(f"Invalid scheduler '{address}'. Must be the address of a running Dask scheduler.") from error
    # That a worker or the scheduler went is said here, in a line; Dask would log tracebacks too.
    quiet = silence_logging_cmgr(logging.CRITICAL)
    with quiet, client, client.get_executor(pure=False) as executor:
        try:
            # When a worker dies, the scheduler gives its job to another.
            yield Pool(executor, lambda: max(16, 2 * sum(client.nthreads().values())))
        except (OSError, RuntimeError, ValueError, CancelledError) as error:
            raise BatchError(f"Invalid scheduler '{address}'. Must run until the batch is done; it is gone.") from error
        finally:
            # What is still in hand, because somebody stopped the batch or the scheduler is gone, is cancelled.
            with suppress(OSError, RuntimeError, ValueError, TimeoutError):
                executor.shutdown(wait=False)


def _begin() -> None:
    """Set up a process of a pool."""
    # Ctrl-C reaches every process of a terminal; one that waits for work would answer with a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process as soon as its parent has ended: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Let children inherit variables, except where somebody has set them."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def available_cores() -> int:
    """Return how many processors this process may use."""
    affinity: Any = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
