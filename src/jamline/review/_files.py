"""The files of a result after a review: rewritten where something changed, and else as they were."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyogrio

from jamline import tables
from jamline.outputs import GEOPACKAGE, KEPT, PROJECT, Kept, Told, write_told
from jamline.outputs.claimreview import FILE as CLAIMREVIEW
from jamline.outputs.claimreview import write_claim_reviews
from jamline.outputs.geojson import write_geojson
from jamline.outputs.geopackage import write_geopackage
from jamline.outputs.layers import coverage_table, joined, layers, road_table, rounded
from jamline.outputs.project import retell, settle_paths, write_project
from jamline.outputs.record import write_run
from jamline.pipeline import REPORT
from jamline.report import StripImage, write_report
from jamline.review._edits import LAYERS, Edits

if TYPE_CHECKING:
    from jamline.review._remeasure import Review

UNEDITED = "unedited"
"""Folder within a result that keeps it as it was before the first review."""


def copied(draft: Path, folder: Path) -> None:
    """Copy a result folder into an empty one; a GeoPackage that is open elsewhere with all that was saved."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            shutil.copytree(path, draft / path.name)
        elif path.suffix == ".gpkg":
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(draft / path.name)) as copy:
                source.backup(copy)
                # A file that QGIS has open is in its write-ahead mode; the copy shall be one file.
                copy.execute("PRAGMA journal_mode = DELETE")
        elif not path.name.endswith((".gpkg-wal", ".gpkg-shm", ".gpkg-journal")):
            shutil.copy2(path, draft / path.name)


def put_reviewed(
    draft: Path, folder: Path, review: Review, *, edits: Edits, kept: Kept, told: Mapping[int, Told]
) -> None:
    """Write the reviewed result.

    Parameters
    ----------
    draft : Path
        An empty folder.
    folder : Path
        The result as it is.
    review : Review
        What came out.
    edits : Edits
        What was edited.
    kept : Kept
        What the detector had left.
    told : mapping of int to Told
        The states that are written.
    """
    copied(draft, folder)
    if not (draft / UNEDITED).exists():
        _keep_unedited(draft, kept, last_change=review.run.newest_image())
    frames = layers(review.queues, [each.evidence for each in review.queues])
    _update(draft / GEOPACKAGE, edits, told)
    _replace_queues(draft / GEOPACKAGE, frames["queues"])
    write_told(draft / KEPT, told)
    if (draft / PROJECT).exists():
        retell(draft / PROJECT, review.run)
    else:  # a result of before there were projects
        write_project(draft / PROJECT, review.run, frames)
    for name in ("queues", "vehicles"):
        (draft / f"{name}.geojson").unlink(missing_ok=True)
        write_geojson(draft, {name: frames[name]})
    write_run(draft / "run.json", review.run)
    if review.findings:
        write_claim_reviews(draft / CLAIMREVIEW, review.findings)
    write_report(
        draft / REPORT,
        queues=review.queues,
        findings=review.findings,
        strips=[StripImage(**strip) for strip in kept.strips],
        run=review.run,
        title=review.run.title,
    )


def _keep_unedited(draft: Path, kept: Kept, *, last_change: str | None) -> None:
    """Put a result as it was before anything was edited in a folder of its own: a whole result."""
    unedited = draft / UNEDITED
    unedited.mkdir()
    for path in [path for path in draft.iterdir() if path.is_file() and path.name != GEOPACKAGE]:
        if not path.name.startswith("spotcheck."):
            shutil.copy2(path, unedited / path.name)
    if (unedited / PROJECT).exists():
        # It is to show its imagery where it lies now, and also where its files are moved to go back.
        settle_paths(unedited / PROJECT, draft)
    # Nobody edits the GeoJSON; it is the same but for lines drawn to a centimetre.
    queues = pyogrio.read_dataframe(draft / "queues.geojson").fillna({"open": ""})
    if not len(queues):
        queues = tables.empty(tables.QUEUES)
    parts = {
        "queues": [queues],
        "vehicles": [each.vehicles for each in kept.evidence],
        "coverage": [coverage_table(each) for each in kept.evidence],
        "road": [road_table(each) for each in kept.evidence],
    }
    frames = {name: rounded(joined(parts[name], tables.SCHEMAS[name]), tables.SCHEMAS[name]) for name in LAYERS}
    write_geopackage(unedited / GEOPACKAGE, frames, last_change=last_change)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a GeoPackage for changes that leave geometries as they are."""
    with closing(sqlite3.connect(path)) as file, file:
        # The triggers that keep the spatial index speak these words, though none of them fires.
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            file.create_function(name, 1, lambda _: None)
        yield file


def _update(path: Path, edits: Edits, told: Mapping[int, Told]) -> None:
    """Write marks, states and what was worked out of drawn vehicles; nothing that a person gave is changed."""
    rows = edits.written
    by_review = [(_plain(review), int(fid)) for fid, review in rows["review"].items()]
    columns = [name for name in rows.columns if name != "review"]
    drawn = rows[rows["road"].notna()]
    measured = [(*map(_plain, values[1:]), int(values[0])) for values in drawn[columns].itertuples(name=None)]
    there = [int(fid) for fid in edits.vehicles["fid"]]
    scores = [
        (float(score), int(fid)) for fid, score in zip(edits.vehicles["fid"], edits.vehicles["score"], strict=True)
    ]
    with _opened(path) as file:
        file.executemany("UPDATE vehicles SET review = ? WHERE fid = ?", by_review)
        if measured:
            names = ", ".join(f"{name} = ?" for name in columns)
            file.executemany(f"UPDATE vehicles SET {names} WHERE fid = ?", measured)  # noqa: S608 - our own names
        file.executemany("UPDATE vehicles SET state = ? WHERE fid = ?", [(told[fid].state, fid) for fid in there])
        file.executemany(
            "UPDATE vehicles SET motion = coalesce(motion, 'unknown'), score = coalesce(score, ?) WHERE fid = ?", scores
        )


def _replace_queues(path: Path, queues: Any) -> None:
    """Put other queues into their layer, which keeps its place and style."""
    with _opened(path) as file:
        file.execute("DELETE FROM queues")
        file.execute("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'queues'")
    if len(queues):
        pyogrio.write_dataframe(queues, path, driver="GPKG", layer="queues", append=True)


def _plain(value: Any) -> Any:
    """Turn a value of a table into one that SQLite takes."""
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
