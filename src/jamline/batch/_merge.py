"""`jam.gpkg` and `results.parquet` of a whole batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from jamline.batch._folder import put_in_place
from jamline.batch._layers import joined
from jamline.outputs import RunRecord, read_run, write_geopackage

_COLUMNS = {
    "job": "str",
    "folder": "str",
    "road": "str",
    "acquired": "str",
    "gsd_m": "float64",
    "road_m": "float64",
    "seen_m": "float64",
    "queues": "int64",
    "queued_km": "float64",
    "longest_km": "float64",
    "longest_low_km": "float64",
    "longest_high_km": "float64",
    "longest_open": "str",
    "longest_side": "str",
    "longest_start_m": "float64",
    "longest_end_m": "float64",
    "vehicles": "float64",
    "findings": "str",
}
"""Of the table of results, which has a row for each road of each job."""


def merge(outdir: Path, done: Sequence[tuple[str, Path]]) -> list[Path]:
    """Write the layers and the table of all results, the same bytes for the same results.

    Parameters
    ----------
    outdir : Path
        The batch's folder.
    done : sequence of (str, Path)
        The name of each job that has a result, and its folder.

    Returns
    -------
    list of Path
        ``jam.gpkg``, and ``results.parquet`` or, without pyarrow, ``results.csv``.
    """
    parts = sorted(part for name, folder in done for part in _parts(name, folder))
    runs = [(name, folder, read_run(folder)) for name, folder in parts]
    newest = max((time for _, _, run in runs if (time := run.newest_image())), default=None)
    with put_in_place(outdir / "jam.gpkg") as draft:
        write_geopackage(draft, joined(parts), last_change=newest)
    rows = [row for name, folder, run in runs for row in _rows(name, folder.relative_to(outdir).as_posix(), run)]
    return [outdir / "jam.gpkg", _write_table(outdir, rows)]


def _parts(name: str, folder: Path) -> list[tuple[str, Path]]:
    """Return the results in a job's folder: one, or one of each look."""
    if (folder / "run.json").exists():
        return [(name, folder)]
    return [(f"{name} {run.parent.name}", run.parent) for run in folder.glob("*/run.json")]


def _rows(name: str, folder: str, run: RunRecord) -> Iterator[dict[str, Any]]:
    """Return a row for each road of a result."""
    for road in run.roads:
        longest = max(road.queues, key=lambda queue: queue.length_km.value or 0.0, default=None)
        told = [{"claim": f.claim, "verdict": f.verdict, "probability": f.probability} for f in road.findings]
        yield {
            "job": name,
            "folder": folder,
            "road": road.name,
            "acquired": run.newest_image() or "",
            "gsd_m": min((image.gsd_m for image in run.imagery), default=None),
            "road_m": road.length_m,
            "seen_m": road.coverage.seen_m,
            "queues": len(road.queues),
            "queued_km": round(sum(queue.length_km.value or 0.0 for queue in road.queues), 3),
            "longest_km": longest.length_km.value if longest else 0.0,
            "longest_low_km": longest.length_km.low if longest else None,
            "longest_high_km": longest.length_km.high if longest else None,
            "longest_open": ",".join(longest.length_km.open) if longest else "",
            "longest_side": longest.side if longest else "",
            "longest_start_m": longest.start_m if longest else None,
            "longest_end_m": longest.end_m if longest else None,
            "vehicles": round(sum(queue.vehicles.value or 0.0 for queue in road.queues), 1),
            "findings": json.dumps(told, ensure_ascii=False),
        }


def _write_table(outdir: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write the table of results as Parquet, or as CSV where Parquet cannot be written."""
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    parquet, plain = outdir / "results.parquet", outdir / "results.csv"
    # One of the two only: the other would be of an earlier run.
    if has_pyarrow():
        with put_in_place(parquet) as draft:
            frame.to_parquet(draft, engine="pyarrow", index=False)
        plain.unlink(missing_ok=True)
        return parquet
    with put_in_place(plain) as draft:
        frame.to_csv(draft, index=False, lineterminator="\n")
    parquet.unlink(missing_ok=True)
    return plain


def has_pyarrow() -> bool:
    """Tell whether Parquet can be written."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        return False
    return True
