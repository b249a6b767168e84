"""The command `fetch`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from jamline.cli_progress import as_lines, progress_option, tell

if TYPE_CHECKING:
    from jamline.fetch import Fetched, Found, Search
    from jamline.fetch import Progress as Items

_BAR_CELLS = 20
"""Length of the bar that stands for the road in the table."""


@click.command()
@click.argument("catalogue", metavar="CATALOGUE", type=click.Path())
@click.option("--road", metavar="ROAD", required=True, type=click.Path(), help="File with the road.")
@click.option("--road-name", metavar="NAME", help="The one road of the file to look for.")
@click.option("--dates", metavar="DAY[/DAY]", help="When taken, both days included; an end may be left open.")
@click.option("--max-cloud", metavar="PERCENT", type=click.FloatRange(0, 100), help="Most cloud cover of an image.")
@click.option("--collection", "collections", metavar="ID", multiple=True, help="Where to look.  [everywhere]")
@click.option("--item", "items", metavar="ID", multiple=True, help="Take this item only.")
@click.option("-o", "--output", "outdir", metavar="OUTDIR", type=click.Path(), help="Download along the road into it.")
@click.option("--overwrite", is_flag=True, help="Replace OUTDIR if it is an earlier result.")
@click.option("--half-width", "half_width_m", metavar="M", type=click.FloatRange(2, 200), help="For the job file.")
@click.option("--origin", metavar="NAME|LON,LAT", help="For the job file.")
@click.option("--claim", "claims", metavar="TEXT", multiple=True, help="For the job file.")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@progress_option
def fetch(
    catalogue: str,
    road: str,
    road_name: str | None,
    dates: str | None,
    max_cloud: float | None,
    collections: tuple[str, ...],
    items: tuple[str, ...],
    outdir: str | None,
    overwrite: bool,
    half_width_m: float | None,
    origin: str | None,
    claims: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Find imagery over a road, and download what lies along it.

    CATALOGUE is the address of a STAC API, or of a static catalogue, a collection, or items; files will do too. Printed
    is what covers the road, and how much of it. With -o, of each item the blocks along the road become a COG in OUTDIR,
    with its masks, beside a job file for `jamline check`.
    """
    from jamline.fetch import download, search

    if outdir is not None:
        from jamline.outputs import check_outdir

        check_outdir(outdir, overwrite=overwrite)
    found = search(
        catalogue,
        road,
        road_name=road_name,
        dates=dates,
        max_cloud=max_cloud,
        collections=collections,
        items=items,
    )
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=1))
    else:
        for line in _table(found):
            click.echo(line)
    if outdir is None:
        return
    with _progress(quiet=quiet) as progress:
        fetched = download(
            found,
            outdir,
            half_width_m=half_width_m,
            origin=origin,
            claims=claims,
            overwrite=overwrite,
            progress=progress,
        )
    for line in _told(fetched):
        click.echo(line, err=as_json)


def _table(found: Search) -> Iterator[str]:
    """Say what covers the road: a line for each item, with a bar that stands for the road."""
    rows = [
        (
            (each.acquired or "undated")[:16].replace("T", " "),
            each.collection or "",
            each.id,
            "" if each.gsd_m is None else f"{each.gsd_m:.3g} m",
            "" if each.cloud_percent is None else f"{each.cloud_percent:.0f} %",
            f"{each.covered_m / 1000:.2f} km",
            _bar(found, each),
            each.unfit or "",
        )
        for each in found.found
    ]
    heads = ("taken", "collection", "item", "resolution", "cloud", "on the road", "where", "")
    widths = [max(len(row[at]) for row in (heads, *rows)) for at in range(len(heads))]
    for row in (heads, *rows):
        # Numbers to the right, so that they can be compared.
        cells = [row[at].rjust(w) if at in (3, 4, 5) else row[at].ljust(w) for at, w in enumerate(widths)]
        yield "  ".join(cells).rstrip()
    roads = found.roads[0].name if len(found.roads) == 1 else f"{len(found.roads)} roads"
    yield (
        f"{len(found.found)} items; together they cover {found.covered_m / 1000:.2f} of {found.length_m / 1000:.2f} km "
        f"of {roads}."
    )


def _bar(found: Search, each: Found) -> str:
    """Draw the roads, one after another from their starts, with what an item covers of them."""
    starts: dict[str, float] = {}
    length_m = 0.0
    for road in found.roads:
        starts[road.name] = length_m
        length_m += road.length_m
    cells = ["."] * _BAR_CELLS
    for stretch in each.stretches:
        first, last = ((starts[stretch.road] + at) / length_m * _BAR_CELLS for at in (stretch.start_m, stretch.end_m))
        for at in range(int(first), min(_BAR_CELLS, max(int(first) + 1, round(last)))):
            cells[at] = "#"
    return "".join(cells)


def _told(fetched: Fetched) -> Iterator[str]:
    """Say what was downloaded."""
    for name, why in fetched.left_out:
        yield f"Left out: {name}: {why}"
    count = len(fetched.images)
    yield f"{count} item{'s' * (count != 1)}, {fetched.size_bytes / 1e6:.1f} MB, in {fetched.folder}"
    yield f"To measure: jamline check {fetched.job} -o OUT"


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Items]:
    """Show on stderr how many items are there."""
    from tqdm import tqdm

    lines = as_lines() and not quiet
    with tqdm(unit=" items", disable=True if quiet or lines else None, leave=False) as bar:

        def advance(done: int, total: int) -> None:
            if lines:
                tell(done, total, f"{done} of {total} items")
            bar.total = total
            bar.update(done - bar.n)

        yield advance
