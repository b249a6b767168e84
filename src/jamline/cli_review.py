"""The commands `remeasure` and `spotcheck`."""

from __future__ import annotations

import click

from jamline.cli_told import told


@click.command()
@click.argument("outdir", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print run.json instead of a summary.")
def remeasure(outdir: str, as_json: bool) -> None:
    """Measure a result anew after its vehicles were reviewed.

    OUTDIR is a folder that `measure` wrote, of which jam.gpkg was edited: vehicles marked in the column `review`,
    added, moved, deleted or given another `state`. The unedited run stays in OUTDIR/unedited.
    """
    from pathlib import Path

    from jamline.pipeline import REPORT
    from jamline.review import remeasure as remeasured

    review = remeasured(outdir)
    if as_json:
        click.echo((Path(outdir) / "run.json").read_text(encoding="utf-8"), nl=False)
        return
    for line in (*told(review.queues, review.findings, review.run.newest_image()), *review.sentences()):
        click.echo(line)
    click.echo(f"Report: {Path(outdir) / REPORT}")


@click.command()
@click.argument("outdir", type=click.Path())
@click.option("-n", "size", metavar="N", default=20, show_default=True, help="Stretches of 50 m to draw.")
@click.option("--seed", metavar="N", default=0, show_default=True, help="Seed of the draw.")
@click.option("--side", metavar="SIDE", help="Draw from, and count, this side only.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier spot check with its marks.")
def spotcheck(outdir: str, size: int, seed: int, side: str | None, overwrite: bool) -> None:
    """Draw stretches of a result to look at, for a count without bias.

    Stretches come into jam.gpkg as the layer `spotcheck`. In each, reject what is no vehicle, add what is missed, and
    set `reviewed` to yes; then `remeasure` tells the count with its interval.
    """
    from pathlib import Path

    from jamline.review import spotcheck as drawn_from

    drawn = drawn_from(outdir, size=size, seed=seed, side=side, overwrite=overwrite)
    for row in drawn.table.itertuples():
        click.echo(
            f"{row.number:3d}  {row.road}, {row.side}: {row.start_m:.0f} to {row.end_m:.0f} m; {row.found} found, "
            f"{row.doubt:.1f} in doubt"
        )
    click.echo(f"Look at them in layer 'spotcheck' of {Path(outdir) / 'jam.gpkg'}, then: jamline remeasure {outdir}")
