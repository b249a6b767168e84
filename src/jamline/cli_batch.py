"""The command `batch`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from jamline.cli_progress import as_lines, progress_option, tell
from jamline.errors import BatchError, UsageError

if TYPE_CHECKING:
    from jamline.batch import Batch, Failure, Progress

_BAR = "{l_bar}{bar}| {n:.6g}/{total:.6g} [{elapsed}<{remaining}, {rate_fmt}]"
"""As usual, but for the number of jobs: a long road counts by the share of it that is done."""


@click.command()
@click.argument("jobs", metavar="JOBS...", nargs=-1, type=click.Path())
@click.option(
    "-o", "--output", "outdir", metavar="OUTDIR", required=True, type=click.Path(), help="Folder of the batch."
)
@click.option("--roads", metavar="FILE", help="Instead of JOBS: roads, each to be measured wherever images show it.")
@click.option("--images", metavar="IMAGE", multiple=True, help="Images or a STAC catalogue for --roads.")
@click.option("--dates", metavar="DAY[/DAY]", help="With --roads: when images were taken, both days included.")
@click.option("--max-cloud", metavar="PERCENT", type=click.FloatRange(0, 100), help="With --roads: of an image.")
@click.option("--collection", "collections", metavar="ID", multiple=True, help="With --roads: where to look.")
@click.option("--origin", metavar="NAME|LON,LAT", help="With --roads: where claims count from.")
@click.option("--claim", "claims", metavar="TEXT", multiple=True, help="With --roads: claim to check of each.")
@click.option("--gsd", "gsd_m", metavar="M", type=click.FloatRange(min=0, min_open=True), help="With --roads.")
@click.option("--half-width", "half_width_m", metavar="M", type=click.FloatRange(2, 200), help="With --roads.")
@click.option("--detector", metavar="NAME", help="With --roads.")
@click.option("--workers", metavar="N", type=click.IntRange(min=1), help="Processes.  [one for each processor]")
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="Do the jobs on the workers of a Dask scheduler.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@progress_option
def batch(
    jobs: tuple[str, ...],
    outdir: str,
    roads: str | None,
    images: tuple[str, ...],
    workers: int | None,
    scheduler: str | None,
    quiet: bool,
    **options: Any,
) -> None:
    """Do many jobs, each once.

    JOBS are job files, folders or patterns of them, or job tables: CSV or Parquet with the keys of a job file as
    columns. With --roads and --images there is a job for each road and each day on which images show it; IMAGE
    may also be a STAC item, a catalogue, or the address of a STAC API.

    A job that fails is named, and the others go on. Stopped at any moment, the same command goes on where it was.
    """
    given: dict[str, Any] = {key: value for key, value in options.items() if value not in (None, ())}
    if bool(jobs) == bool(roads) or bool(roads) != bool(images) or (jobs and given):
        raise UsageError("Invalid jobs. Must be JOBS, or --roads and --images, which alone go with other options.")
    from jamline.batch import join_jobs, read_jobs, run_batch

    if roads:
        given |= {"claims": list(options["claims"])}
        join = join_jobs(roads, images, **given)
        wanted = list(join.jobs)
        if join.unseen and not quiet:
            click.echo(f"{len(join.unseen)} of {join.roads} roads are in none of the images.", err=True)
    else:
        wanted = read_jobs(jobs)
    try:
        with _progress(quiet=quiet) as progress:
            result = run_batch(wanted, outdir, workers=workers, scheduler=scheduler, progress=progress)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt("Interrupted; what is done is kept, and the same command goes on from there.") from (
            interrupt
        )
    _summary(result)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress]:
    """Show on stderr how many jobs are done, how fast and how long the others will take; and name those that failed."""
    from tqdm import tqdm

    bar: tqdm | None = None
    lines = as_lines() and not quiet

    def advance(ended: float, total: int, failure: Failure | None) -> None:
        nonlocal bar
        if bar is None:
            # The rate is of this run alone: what was done before costs no time now.
            off = True if quiet or lines else None
            bar = tqdm(total=total, initial=ended, unit=" jobs", disable=off, dynamic_ncols=True, bar_format=_BAR)
        if failure is not None:
            with tqdm.external_write_mode():
                click.echo(f"Failed: {failure.name}: {failure.rule}", err=True)
        if lines:
            tell(ended, total, f"{ended:g} of {total} jobs")
        bar.update(ended - bar.n)

    try:
        yield advance
    finally:
        if bar is not None:
            bar.close()


def _summary(result: Batch) -> None:
    """Say what came of it; jobs that failed end it with an error."""
    total = result.done + len(result.failed)
    click.echo(f"{result.done} of {total} jobs done, {result.before} of them before.")
    for file in result.files:
        click.echo(file)
    if result.files[-1].suffix == ".csv":
        click.echo("No pyarrow, so the results are CSV; for Parquet: pip install 'jamline[batch]'.", err=True)
    if result.failed:
        raise BatchError(f"{len(result.failed)} of {total} jobs failed; '{result.outdir}/batch.json' names them.")
