"""What is done for one job: the part of a batch that runs in another process, or on another machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jamline._version import __version__
from jamline.batch._locks import locked
from jamline.batch._stretches import WHOLE, Step, begin, take
from jamline.errors import JamlineError, JobError
from jamline.pipeline import in_stretches, survey
from jamline.series import survey_series

if TYPE_CHECKING:
    from jamline.jobs import Job
    from jamline.road import Road


@dataclass(frozen=True)
class Planned:
    """A job with the name by which people know it.

    Parameters
    ----------
    name : str
        Path of the job file, row of the table, or road and day.
    job : Job
        What to do; its paths are absolute, because another process has another working folder.
    roads : tuple of Road
        The roads themselves, where reading the job's whole road file for one of them would be too much.
    """

    name: str
    job: Job
    roads: tuple[Road, ...] = ()


@dataclass(frozen=True)
class Failure:
    """A job that came to nothing.

    Parameters
    ----------
    name : str
        As in `Planned`.
    rule : str
        What is wrong, on one line.
    """

    name: str
    rule: str

    @classmethod
    def of(cls, name: str, error: BaseException) -> Failure:
        """Return the failure that an error means; an error that nobody foresaw says its kind too."""
        text = " ".join(str(error).split())
        return cls(name, text if isinstance(error, JamlineError) else f"{type(error).__name__}: {text}".rstrip(": "))


@dataclass(frozen=True)
class Task:
    """A job on its way to a worker.

    Parameters
    ----------
    planned : Planned
        The job.
    folder : str
        Where its result belongs; the last part is the job's key.
    stretch_m : float
        A road of two such stretches or more is measured in stretches.
    step : Step
        The whole job, or one step of a long road.
    version : str
        The version that made the key.
    """

    planned: Planned
    folder: str
    stretch_m: float
    step: Step = WHOLE
    version: str = __version__


@dataclass(frozen=True)
class Cut:
    """The answer to a job that is to be done in steps.

    Parameters
    ----------
    stretches : int
        How many.
    """

    stretches: int


def do(task: Task) -> Failure | Cut | None:
    """Do a job or a step of it, unless its result is there already, and write the result whole or not at all.

    Parameters
    ----------
    task : Task
        The job.

    Returns
    -------
    Failure, Cut or None
        Never an error: what one job meets must not end the others.
    """
    try:
        if task.version != __version__:
            # A result under the key of another version would be found, and believed, for ever.
            raise JobError(f"Invalid worker 'jamline {__version__}'. Must run jamline {task.version}.")
        if task.step != WHOLE:
            take(task.step, task.folder, title=task.planned.job.title)
            return None
        with locked(task.folder):
            # Another run may have done it meanwhile, or a worker that was believed to be dead.
            if not Path(task.folder).exists():
                return _measure(task)
    except Exception as error:
        return Failure.of(task.planned.name, error)
    return None


def _measure(task: Task) -> Cut | None:
    """Measure, and write the result; or say that this is to be done in steps."""
    job = task.planned.job
    roads: str | Sequence[Road] = task.planned.roads or job.road
    if job.looks:
        looks = [(look.time, look.imagery) for look in job.looks]
        survey_series(looks, roads, **job.options()).write(task.folder, title=job.title)
        return None
    long = in_stretches(job.imagery, roads, stretch_m=task.stretch_m, **job.options())
    if long is not None:
        begin(long, task.folder)
        return Cut(long.count)
    survey(job.imagery, roads, **job.options()).write(task.folder, title=job.title)
    return None
