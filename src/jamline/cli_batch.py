"""The command `batch`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from jamline.errors import BatchError

if TYPE_CHECKING:
    from jamline.batch import Batch, Failure, Progress


@click.command()
@click.argument("jobs", metavar="JOBS...", nargs=-1, required=True)
@click.option("-o", "--output", "outdir", metavar="OUTDIR", required=True, help="Folder of the batch.")
@click.option("--workers", metavar="N", type=click.IntRange(min=1), help="Processes.  [one for each processor]")
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="Do the jobs on the workers of a Dask scheduler.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def batch(jobs: tuple[str, ...], outdir: str, workers: int | None, scheduler: str | None, quiet: bool) -> None:
    """Do many jobs, each once.

    JOBS are job files, folders or patterns of them, or job tables: CSV or Parquet with the keys of a job file as
    columns. A job that fails is named, and the others go on. Stopped at any moment, the same command goes on where it
    was.
    """
    from jamline.batch import read_jobs, run_batch

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

    def advance(ended: int, total: int, failure: Failure | None) -> None:
        nonlocal bar
        if bar is None:
            # The rate is of this run alone: what was done before costs no time now.
            bar = tqdm(total=total, initial=ended, unit=" jobs", disable=True if quiet else None, dynamic_ncols=True)
        if failure is not None:
            with tqdm.external_write_mode():
                click.echo(f"Failed: {failure.name}: {failure.rule}", err=True)
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
