"""A batch: many jobs, each done once, and what they found together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from jamline.batch._agenda import Agenda
from jamline.batch._folder import finished, open_folder, place_of, write_record
from jamline.batch._keys import keys
from jamline.batch._merge import merge
from jamline.batch._pools import Pool, available_cores, each, on_dask, processes
from jamline.batch._work import Failure, Planned, Task, do
from jamline.errors import UsageError


@dataclass(frozen=True)
class Batch:
    """What came of a batch.

    Parameters
    ----------
    outdir : Path
        Its folder.
    done : int
        Jobs that have a result.
    before : int
        Those of them that had it before.
    failed : tuple of Failure
        The others, in the order given.
    files : tuple of Path
        The merged results.
    """

    outdir: Path
    done: int
    before: int
    failed: tuple[Failure, ...]
    files: tuple[Path, ...]


Progress = Callable[[float, int, Failure | None], None]
"""Called first, and when a job or a step of a long road ends, with the number of jobs that ended, long roads by the
share of them that is done; the number of jobs; and what failed."""

STRETCH_M = 20_000.0
"""Some ten seconds of work: what a batch that is killed has to do again, and little beside what each process needs to
start."""


def run_batch(
    jobs: Sequence[Planned | Failure],
    outdir: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
    stretch_m: float = STRETCH_M,
) -> Batch:
    """Do all jobs that have no result yet, and write what all found together.

    Parameters
    ----------
    jobs : sequence of Planned or Failure
        The jobs, and those that could not even be read.
    outdir : str or Path
        The batch's folder: new, empty, or of an earlier batch, whose results are kept. Stopped at any moment, the same
        call goes on where it was.
    workers : int, optional
        Processes on this machine, by default one for each processor.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers do the jobs instead. They must see all files under the same paths.
    progress : callable, optional
        Called with the number of jobs that ended, the number of jobs, and the failure if it was one.
    stretch_m : float
        A road of two such stretches or more is measured in stretches, by as many workers as are free. The result is the
        same, wherever the seams lie.

    Returns
    -------
    Batch

    Raises
    ------
    UsageError
        If both workers and a scheduler are given, or the scheduler does not answer.
    OutputError
        If the folder holds something else, or cannot be written.
    """
    pool = _pool(workers, scheduler)
    folder = open_folder(outdir)
    named = _distinct(jobs)
    wanted, failures = _by_key(named)
    before = finished(folder) & wanted.keys()
    ended: float = sum(len(wanted[key]) for key in before)

    def tell(failure: Failure | None, count: float = 1) -> None:
        nonlocal ended
        ended += count
        if progress is not None:
            progress(ended, len(named), failure)

    tell(None, 0)
    for unread in failures:
        tell(unread)
    agenda = Agenda(
        Task(same[0], str(place_of(folder, key)), stretch_m) for key, same in wanted.items() if key not in before
    )
    # No pool is opened, nor a cluster asked for, where there is nothing to do.
    for task, result in each(do, agenda.todo, pool=pool) if agenda.todo else ():
        error = Failure.of(task.planned.name, result) if isinstance(result, BaseException) else result
        share, has_ended = agenda.note(task, error)
        same = wanted[Path(task.folder).name]
        if not has_ended:
            tell(None, share * len(same))
            continue
        for planned in same:
            failure = Failure(planned.name, error.rule) if isinstance(error, Failure) else None
            failures += [] if failure is None else [failure]
            tell(failure, share)
    there = finished(folder)
    done = [(each.name, place_of(folder, key)) for key, same in wanted.items() if key in there for each in same]
    order = {job.name: number for number, job in enumerate(named)}
    # A worker may die when its result is written already.
    failures = [failure for failure in failures if failure.name not in dict(done)]
    failures.sort(key=lambda failure: order[failure.name])
    files = merge(folder, done)
    write_record(folder, done=len(done), failed=failures)
    return Batch(folder, len(done), sum(len(wanted[key]) for key in before), tuple(failures), tuple(files))


def _pool(workers: int | None, scheduler: str | None) -> Callable[[], AbstractContextManager[Pool]]:
    """Return what opens the pool that was asked for."""
    if workers is not None and scheduler is not None:
        raise UsageError("Invalid scheduler besides workers. Must be one of the two.")
    if scheduler is not None:
        return partial(on_dask, scheduler)
    if workers is not None and workers < 1:
        raise UsageError(f"Invalid number of workers '{workers}'. Must be at least 1.")
    return partial(processes, workers or available_cores())


def _distinct(jobs: Sequence[Planned | Failure]) -> list[Planned | Failure]:
    """Give a number to jobs that would otherwise share a name."""
    seen: dict[str, int] = {}
    distinct = []
    for job in jobs:
        number = seen[job.name] = seen.get(job.name, 0) + 1
        distinct.append(job if number == 1 else replace(job, name=f"{job.name} ({number})"))
    return distinct


def _by_key(jobs: Sequence[Planned | Failure]) -> tuple[dict[str, list[Planned]], list[Failure]]:
    """Sort jobs by their keys, for those with equal keys are done once; and put aside what cannot be done."""
    planned = [job for job in jobs if isinstance(job, Planned)]
    failures = [job for job in jobs if isinstance(job, Failure)]
    wanted: dict[str, list[Planned]] = {}
    for job, key in zip(planned, keys(planned), strict=True):
        if isinstance(key, Failure):
            failures.append(key)
        else:
            wanted.setdefault(key, []).append(job)
    return wanted, failures
