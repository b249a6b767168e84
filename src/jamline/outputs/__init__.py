"""Every file format that is written: GeoPackage, GeoJSON, styles, a QGIS project, and the records of a run.

A result is a folder. It is written beside its place under another name and moved there when it is complete,
so that nobody ever finds half of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from jamline.errors import OutputError
from jamline.outputs import claimreview
from jamline.outputs.folder import check_outdir, result_folder
from jamline.outputs.geojson import write_geojson
from jamline.outputs.geopackage import write_geopackage
from jamline.outputs.kept import KEPT, Kept, Strip, Told, read_kept, write_kept, write_told
from jamline.outputs.layers import layers
from jamline.outputs.project import PROJECT, Picture, write_project
from jamline.outputs.record import RunRecord, as_findings, as_queues, read_run, run_record, write_run

if TYPE_CHECKING:
    from jamline.claims import Finding
    from jamline.evidence import Evidence
    from jamline.queues import Queues

__all__ = [
    "GEOPACKAGE",
    "KEPT",
    "PROJECT",
    "Kept",
    "Picture",
    "RunRecord",
    "Told",
    "check_outdir",
    "put_layers",
    "read_kept",
    "read_run",
    "result_folder",
    "run_record",
    "write_geopackage",
    "write_layers",
    "write_told",
]

GEOPACKAGE = "jam.gpkg"


def write_layers(
    outdir: str | Path,
    queues: Queues | Sequence[Queues],
    evidence: Evidence | Sequence[Evidence] | None = None,
    findings: Finding | Sequence[Finding] | None = None,
    *,
    overwrite: bool = False,
    run: RunRecord | None = None,
) -> Path:
    """Write a result folder: `jam.gpkg`, `jam.qgz`, the layers as GeoJSON with styles, `run.json`, `claimreview.json`.

    Beside them lies `evidence.gpkg`, from which it can be measured anew after a review.

    Parameters
    ----------
    outdir : str or Path
        The folder to make. Its parents are made too.
    queues : Queues or sequence of Queues
        One for each road.
    evidence : Evidence or sequence of Evidence, optional
        What the queues were measured from; by default each knows its own.
    findings : Finding or sequence of Finding, optional
        Claims that were checked; without any there is no `claimreview.json`.
    overwrite : bool
        Replace the folder if it is empty or an earlier result.
    run : RunRecord, optional
        What `run.json` says; by default it is made from the other arguments and names no imagery.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputError
        If the folder exists and may not be replaced, or cannot be written; then nothing was written.
    """
    with result_folder(outdir, overwrite=overwrite) as folder:
        put_layers(folder, queues, evidence, findings, run=run)
    return Path(outdir)


def put_layers(
    folder: str | Path,
    queues: Queues | Sequence[Queues],
    evidence: Evidence | Sequence[Evidence] | None = None,
    findings: Finding | Sequence[Finding] | None = None,
    *,
    run: RunRecord | None = None,
    strips: Iterable[Strip] = (),
    pictures: Sequence[Picture] = (),
) -> None:
    """Write the files of `write_layers` into a folder that is there, for those who add files of their own.

    Parameters
    ----------
    folder : str or Path
        As `result_folder` gives it.
    queues, evidence, findings, run
        As in `write_layers`.
    strips : iterable of Strip
        The roads laid flat, kept for a report after a review.
    pictures : sequence of Picture, optional
        The images that the project shows, the topmost first.

    Raises
    ------
    OutputError
        If there is not one evidence for each road's queues.
    """
    folder = Path(folder)
    per_road = as_queues(queues)
    evidences = _as_evidence(evidence, per_road)
    record = run if run is not None else run_record(per_road, findings, evidence=evidences)
    frames = layers(per_road, evidences)
    write_geopackage(folder / GEOPACKAGE, frames, last_change=record.newest_image())
    write_project(folder / PROJECT, record, frames, pictures)
    write_geojson(folder, frames)
    write_kept(folder / KEPT, per_road, evidences, strips, last_change=record.newest_image())
    write_run(folder / "run.json", record)
    if told := as_findings(findings):
        claimreview.write_claim_reviews(folder / claimreview.FILE, told)


def _as_evidence(evidence: Evidence | Sequence[Evidence] | None, per_road: Sequence[Queues]) -> list[Evidence]:
    """Return one evidence for each road, in the order of the queues."""
    if evidence is None:
        return [queues.evidence for queues in per_road]
    evidences = cast("list[Evidence]", [evidence] if hasattr(evidence, "sight") else list(evidence))
    names = [queues.evidence.road.name for queues in per_road]
    given = [each.road.name for each in evidences]
    if given != names:
        raise OutputError(f"Invalid evidence for '{', '.join(given)}'. Must be for '{', '.join(names)}'.")
    return evidences
