"""Surveys of one road at several times, and what is written of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jamline.claims import Claim, as_claim, check_claims
from jamline.errors import JobError
from jamline.outputs import check_outdir, result_folder
from jamline.pipeline import Survey, scene_days, survey
from jamline.series._files import write_series
from jamline.series._growth import Look, growth, moment, speed_sentence

if TYPE_CHECKING:
    from jamline.pipeline import Progress


@dataclass(frozen=True, eq=False)
class Series:
    """What was measured of one road at several times, ready to be written.

    Parameters
    ----------
    times : tuple of str
        When each look was taken, in order.
    surveys : tuple of Survey
        One for each.
    """

    times: tuple[str, ...]
    surveys: tuple[Survey, ...] = field(repr=False)

    @property
    def folders(self) -> list[str]:
        """Names of the folders that hold the looks' own results."""
        days = [time[:10] for time in self.times]
        return [
            day if days.count(day) == 1 else moment(time).strftime("%Y-%m-%dT%H%M%S")
            for day, time in zip(days, self.times, strict=True)
        ]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """How the ends of the queues moved, as `growth` returns it."""
        pairs = zip(self.times, self.surveys, strict=True)
        return growth([Look(time, queues) for time, each in pairs for queues in each.queues])

    def sentences(self) -> list[str]:
        """Return how fast the ends of the queues moved, for people."""
        return [sentence for row in self.rows if (sentence := speed_sentence(row))]

    def write(self, outdir: str | Path, *, overwrite: bool = False, title: str | None = None) -> Path:
        """Write a folder with each look's result in a folder of its own, and the series beside them.

        Parameters
        ----------
        outdir : str or Path
            The folder to make.
        overwrite : bool
            Replace the folder if it is empty or an earlier result.
        title : str, optional
            Title of the plot and of the reports, by default the roads' names.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        OutputError
            If the folder exists and may not be replaced, or cannot be written; then nothing was written.
        """
        check_outdir(outdir, overwrite=overwrite)
        with result_folder(outdir, overwrite=overwrite) as folder:
            for name, time, each in zip(self.folders, self.times, self.surveys, strict=True):
                each.write(folder / name, title=f"{title}, {time[:16]}" if title else None)
            write_series(folder, self.rows, looks=dict(zip(self.folders, self.times, strict=True)), title=title)
        return Path(outdir)


def survey_series(
    looks: Sequence[tuple[str | None, Any]],
    roads: Any,
    *,
    claims: Iterable[str | Claim] = (),
    progress: Progress | None = None,
    **options: Any,
) -> Series:
    """Measure the queues on a road at several times.

    Parameters
    ----------
    looks : sequence of (time, images)
        When each was taken, ISO 8601, or ``None`` where the images tell; and its images, as `survey` takes them.
    roads
        As `survey` takes them.
    claims : iterable of str or Claim
        Checked by each look; one that names another day is left out there, if a look of its own day is there.
    progress : callable, optional
        As in `survey`; it starts anew with each look.
    **options
        As `survey` takes them.

    Returns
    -------
    Series
        In order of time.

    Raises
    ------
    JobError
        If a look has no time, or two have the same.
    InputError, NothingToMeasureError, UsageError
        As `survey`.
    """
    wanted = [as_claim(claim) for claim in claims]
    seen: dict[str, Survey] = {}
    for number, (told, images) in enumerate(looks, start=1):
        each = survey(images, roads, progress=progress, **options)
        time = told or each.scene.acquired
        if time is None:
            raise JobError(f"Invalid look {number}. Must have a date, because its images tell none.")
        if any(moment(time) == moment(other) for other in seen):
            raise JobError(f"Invalid look {number}. Must be of another time than the others; it is of '{time}' too.")
        seen[time] = each
    times = sorted(seen, key=moment)
    days = {time[:10] for time in times}
    surveys = []
    for time in times:
        each = seen[time]
        mine = [claim for claim in wanted if claim.date is None or claim.date == time[:10] or claim.date not in days]
        of_look = [time[:10]] if time not in (each.scene.acquired, None) else scene_days(each.scene)
        surveys.append(replace(each, findings=tuple(check_claims(mine, each.queues, days=of_look))))
    return Series(tuple(times), tuple(surveys))
