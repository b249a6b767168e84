"""What is done for one job: the part of a batch that runs in another process, or on another machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jamline._version import __version__
from jamline.batch._locks import locked
from jamline.errors import JamlineError, JobError
from jamline.pipeline import survey
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
    version : str
        The version that made the key.
    """

    planned: Planned
    folder: str
    version: str = __version__


def do(task: Task) -> Failure | None:
    """Do a job, unless its result is there already, and write the result whole or not at all.

    Parameters
    ----------
    task : Task
        The job.

    Returns
    -------
    Failure or None
        Never an error: what one job meets must not end the others.
    """
    try:
        if task.version != __version__:
            # A result under the key of another version would be found, and believed, for ever.
            raise JobError(f"Invalid worker 'jamline {__version__}'. Must run jamline {task.version}.")
        with locked(task.folder):
            # Another run may have done it meanwhile, or a worker that was believed to be dead.
            if not Path(task.folder).exists():
                _measure(task.planned, task.folder)
    except Exception as error:
        return Failure.of(task.planned.name, error)
    return None


def _measure(planned: Planned, folder: str) -> None:
    """Measure, and write the result."""
    job = planned.job
    roads: str | Sequence[Road] = planned.roads or job.road
    if job.looks:
        looks = [(look.time, look.imagery) for look in job.looks]
        survey_series(looks, roads, **job.options()).write(folder, title=job.title)
        return
    survey(job.imagery, roads, **job.options()).write(folder, title=job.title)
