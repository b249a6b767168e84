"""The command line: a thin rim around what a script could call.

Only click is imported before a command runs; the rooms that need GDAL are imported by the commands.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click

from jamline._version import __version__
from jamline.cli_batch import batch
from jamline.cli_fetch import fetch
from jamline.cli_progress import as_lines, km_progress, progress_option, tell
from jamline.cli_review import remeasure, spotcheck
from jamline.cli_told import told
from jamline.errors import JamlineError

if TYPE_CHECKING:
    from jamline.jobs import Job
    from jamline.pipeline import Survey

INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C ended (128 + SIGINT)."""


@contextmanager
def _one_line() -> Iterator[None]:
    """Turn everything that a person can cause into one line on stderr and its exit code."""
    try:
        yield
    except JamlineError as error:
        _fail(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        help_at = f" See '{error.ctx.command_path} --help'." if error.ctx else ""
        _fail(error.format_message() + help_at, error.exit_code)
    except KeyboardInterrupt as interrupt:
        _fail(str(interrupt) or "Interrupted; nothing was written.", INTERRUPTED)


def _fail(message: str, exit_code: int) -> NoReturn:
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    raise click.exceptions.Exit(exit_code)


class Commands(click.Group):
    """The group of commands, also under `rio`."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the options before the command."""
        with _one_line():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _one_line():
            return super().invoke(ctx)


def run() -> None:
    """Run the command line as a program of its own."""
    if not sys.warnoptions:
        # Doubt is a value in the result; what libraries tell programmers would only hide the one line
        # that a person needs.
        warnings.simplefilter("ignore")
    main()


def _band_numbers(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, int] | None:
    """Read `--bands`."""
    if value is None:
        return None
    from jamline.jobs import bands_by_role

    try:
        bands: dict[str, int] = bands_by_role([int(number) for number in value.split(",")])
    except ValueError as error:
        raise click.BadParameter(
            f"'{value}' is not R,G,B (such as 3,2,1) or one band.", ctx=ctx, param=param
        ) from error
    return bands


def _band_times(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, float] | None:
    """Read `--band-times`."""
    if value is None:
        return None
    try:
        pairs = [pair.split("=") for pair in value.split(",")]
        return {role.strip(): float(seconds) for role, seconds in pairs}
    except ValueError as error:
        raise click.BadParameter(f"'{value}' is not seconds such as red=0,blue=1.", ctx=ctx, param=param) from error


def _numbers(ctx: click.Context, param: click.Parameter, value: str) -> list[float]:
    """Read numbers parted by commas."""
    try:
        return [float(number) for number in value.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"'{value}' is not numbers such as 1,2.", ctx=ctx, param=param) from error


def _measuring(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that `measure` and `check` share."""
    for option in reversed(
        (
            click.option(
                "-o", "--output", "outdir", metavar="OUTDIR", required=True, type=click.Path(), help="Folder to write."
            ),
            click.option("--overwrite", is_flag=True, help="Replace OUTDIR if it is an earlier result."),
            click.option("--json", "as_json", is_flag=True, help="Print run.json instead of a summary."),
            click.option("-q", "--quiet", is_flag=True, help="Show no progress."),
            progress_option,
        )
    ):
        command = option(command)
    return command


@click.group(name="jamline", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jamline")
def main() -> None:
    """How long is the traffic jam? Queue lengths with their intervals, from satellite or aerial GeoTIFFs."""


@main.command()
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path())
@click.option("--road", metavar="ROAD", required=True, type=click.Path(), help="Line of the road; any vector file.")
@click.option("--road-name", metavar="NAME", help="Measure only this road of the file.")
@click.option("--origin", metavar="NAME|LON,LAT", help="Where claims count from: a point in ROAD, or a position.")
@click.option("--claim", "claims", metavar="TEXT", multiple=True, help="Claim to check; may be repeated.")
@click.option("--gsd", "gsd_m", metavar="M", type=click.FloatRange(min=0, min_open=True), help="Resolution in m.")
@click.option("--half-width", "half_width_m", metavar="M", type=float, help="Reach to each side, 2 to 200 m.  [15]")
@click.option("--bands", metavar="R,G,B", callback=_band_numbers, help="Band numbers, from 1.")
@click.option("--band-times", metavar="ROLE=S,...", callback=_band_times, help="Seconds at which bands were taken.")
@click.option("--detector", metavar="NAME", default="network", show_default=True, help="What finds vehicles.")
@_measuring
def measure(
    images: tuple[str, ...],
    road: str,
    outdir: str,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Measure the queues on a road.

    IMAGE is a file, a folder, a pattern such as 'tiles/*.tif', the address of a COG, or a STAC item.
    """
    _measured(images, road, options, outdir, overwrite=overwrite, as_json=as_json, quiet=quiet)


@main.command()
@click.argument("job", metavar="JOB.toml", type=click.Path())
@_measuring
def check(job: str, outdir: str, overwrite: bool, as_json: bool, quiet: bool) -> None:
    """Check the claims of a job file.

    With [[look]] tables, imagery of several times, OUTDIR holds a result for each and how the queue grew.
    """
    from jamline.jobs import read_job

    work = read_job(job)
    if work.looks:
        _followed(work, outdir, overwrite=overwrite, as_json=as_json, quiet=quiet)
        return
    _measured(
        work.imagery,
        work.road,
        work.options(),
        outdir,
        title=work.title,
        overwrite=overwrite,
        as_json=as_json,
        quiet=quiet,
    )


@main.command()
@click.argument("claims", metavar="CLAIM...", nargs=-1, required=True)
@click.option("--gsd", "gsds_m", metavar="M,...", default="0.3,0.5,0.8,1.2", show_default=True, callback=_numbers)
@click.option("--looks", metavar="N,...", default="1,2,3", show_default=True, callback=_numbers)
@click.option("--clouds", metavar="SHARE", default=0.2, show_default=True, help="Of the road, hidden in each look.")
@click.option("--rows", metavar="N", default=1, show_default=True, help="Rows abreast.")
@click.option("--trucks", metavar="SHARE", default=0.1, show_default=True, help="Of the vehicles.")
@click.option("--detector", metavar="NAME", default="network", show_default=True, help="What would find the vehicles.")
@click.option("--cases", metavar="N", default=20, show_default=True, help="Simulated for each setting.")
@click.option("--seed", metavar="N", default=0, show_default=True, help="Seed of the simulation.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plan(
    claims: tuple[str, ...],
    gsds_m: list[float],
    looks: list[float],
    rows: int,
    trucks: float,
    as_json: bool,
    **options: Any,
) -> None:
    """Say which imagery would decide a claim, before there is any.

    Queues are simulated for which CLAIM is right or well off, and measured as images of each resolution, coverage and
    number of looks would show them.
    """
    from tqdm import tqdm

    from jamline.planning import Traffic
    from jamline.planning import plan as planned

    options |= {"gsds_m": gsds_m, "looks": [int(n) for n in looks], "traffic": Traffic(rows=rows, trucks=trucks)}
    with tqdm(unit=" simulated cases", disable=None, leave=False) as bar:
        plans = [planned(claim, progress=bar.update, **options) for claim in claims]
    if as_json:
        click.echo(json.dumps([each.to_json() for each in plans], indent=1))
        return
    for each in plans:
        for line in each.sentences():
            click.echo(line)


@main.command()
@click.argument("scene", metavar="SCENE.toml", type=click.Path())
@click.argument("outdir", type=click.Path())
@click.option("--overwrite", is_flag=True, help="Replace OUTDIR.")
@progress_option
def synth(scene: str, outdir: str, overwrite: bool) -> None:
    """Simulate a scene, with the truth about it."""
    from jamline.synth import read_scene, simulate

    def painted(done: int, total: int) -> None:
        tell(done, total, f"{done} of {total} tiles")

    click.echo(simulate(read_scene(scene), outdir, overwrite=overwrite, progress=painted if as_lines() else None))


@main.command()
@click.argument("outdir", type=click.Path())
@click.argument("truth", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--picture", metavar="PNG", help="Draw the road around missed and false vehicles.")
@click.option("--overwrite", is_flag=True, help="Replace PNG if it exists.")
@click.option("--imagery", metavar="IMAGE", multiple=True, help="What was measured, to tell vehicles by brightness.")
@click.option(
    "--half-width",
    "half_width_m",
    metavar="M",
    type=click.FloatRange(min=0, min_open=True),
    help="Count all vehicles within so far of the road, not only where it was seen.",
)
def evaluate(
    outdir: str, truth: str, as_json: bool, picture: str | None, overwrite: bool, imagery: tuple[str, ...], **rule: Any
) -> None:
    """Hold a result against the truth.

    OUTDIR is a folder that `measure` wrote, TRUTH one with vehicles.geojson, and perhaps queues.json.
    """
    from jamline.evaluate import draw_misses
    from jamline.evaluate import evaluate as evaluated

    evaluation = evaluated(outdir, truth, imagery=imagery or None, **rule)
    if picture:
        draw_misses(outdir, truth, picture, imagery=imagery or None, overwrite=overwrite, **rule)
    click.echo(json.dumps(evaluation.to_json(), indent=1) if as_json else str(evaluation))


def _measured(
    images: tuple[str, ...],
    road: str,
    options: dict[str, Any],
    outdir: str,
    *,
    title: str | None = None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure, write, and print what came out."""
    from jamline.outputs import check_outdir
    from jamline.pipeline import REPORT, survey

    # Measuring takes minutes; that the result has no place to go is said first.
    check_outdir(outdir, overwrite=overwrite)
    with km_progress(quiet=quiet) as progress:
        result = survey(images, road, progress=progress, **options)
    written = result.write(outdir, overwrite=overwrite, title=title)
    if as_json:
        click.echo((written / "run.json").read_text(encoding="utf-8"), nl=False)
        return
    for line in _summary(result):
        click.echo(line)
    click.echo(f"Report: {written / REPORT}")


def _followed(work: Job, outdir: str, *, overwrite: bool, as_json: bool, quiet: bool) -> None:
    """Measure at several times, write, and print what came out."""
    from jamline.outputs import check_outdir
    from jamline.series import survey_series

    check_outdir(outdir, overwrite=overwrite)
    looks = [(look.time, look.imagery) for look in work.looks]
    with km_progress(quiet=quiet) as progress:
        series = survey_series(looks, work.road, progress=progress, **work.options())
    written = series.write(outdir, overwrite=overwrite, title=work.title)
    if as_json:
        click.echo((written / "series.json").read_text(encoding="utf-8"), nl=False)
        return
    for time, result in zip(series.times, series.surveys, strict=True):
        click.echo(time)
        for line in _summary(result):
            click.echo(f"  {line}")
    for sentence in series.sentences():
        click.echo(sentence)
    click.echo(f"Series: {written / 'series.svg'}")


def _summary(result: Survey) -> Iterator[str]:
    """Say what was measured, for people: a paragraph for each road, a line for each finding."""
    yield from told(result.queues, result.findings, result.scene.acquired)


for _command in (batch, fetch, remeasure, spotcheck):
    main.add_command(_command)
