"""From what a person typed to jobs: job files, folders and patterns of them, and tables with a job in each row."""

from __future__ import annotations

import csv
import glob
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jamline.batch._work import Failure, Planned
from jamline.errors import JamlineError, JobError
from jamline.jobs import Job, job_from, read_job

COLUMNS = tuple(name for name in Job.model_fields if name != "looks")
"""Columns that a job table may have, besides ``name``: the keys of a job file."""


def read_jobs(sources: Sequence[str | Path]) -> list[Planned | Failure]:
    """Read jobs.

    Parameters
    ----------
    sources : sequence of str or Path
        Job files; folders and patterns of them; job tables, CSV or Parquet. A table has the columns ``imagery`` and
        ``road``, perhaps ``name``, and others of `COLUMNS`; paths are relative to it, and ``;`` parts several images
        or claims.

    Returns
    -------
    list of Planned or Failure
        In the order given, each name once; a failure for a job that cannot be read.

    Raises
    ------
    JobError
        If a table cannot be read, or a folder or pattern has no job.
    """
    found = [each for source in sources for each in _of(str(source))]
    if not found:
        raise JobError("Invalid jobs ''. Must name at least one job.")
    return found


def _of(source: str) -> Iterator[Planned | Failure]:
    """Read the jobs of one file, folder or pattern."""
    if os.path.isdir(source):
        paths = sorted(str(path) for path in Path(source).glob("*.toml"))
        if not paths:
            raise JobError(f"Invalid jobs '{source}'. Must hold at least one job file (.toml).")
    elif not os.path.exists(source) and glob.has_magic(source):
        paths = sorted(glob.glob(source, recursive=True))
        if not paths:
            raise JobError(f"Invalid jobs '{source}'. Must match at least one file.")
    else:
        paths = [source]
    for path in paths:
        if path.lower().endswith((".csv", ".parquet")):
            yield from _of_table(path)
        else:
            yield _planned(path, lambda path=path: read_job(os.path.abspath(path)))  # type: ignore[misc]


def _planned(name: str, read: Callable[[], Job]) -> Planned | Failure:
    """Read one job, or say why not."""
    try:
        return Planned(name, read())
    except JamlineError as error:
        return Failure.of(name, error)


def _of_table(path: str) -> Iterator[Planned | Failure]:
    """Read the jobs of a table."""
    try:
        rows = _parquet_rows(path) if path.lower().endswith(".parquet") else _csv_rows(path)
    except (OSError, ValueError, csv.Error) as error:
        raise JobError(f"Invalid job table '{path}'. Must be a CSV or Parquet file that can be read.") from error
    unknown = {column for row in rows[:1] for column in row} - {"name", *COLUMNS}
    if unknown:
        known = ", ".join(("name", *COLUMNS))
        raise JobError(f"Invalid column '{sorted(map(str, unknown))[0]}' in '{path}'. Must be one of {known}.")
    if not rows:
        raise JobError(f"Invalid job table '{path}'. Must have at least one row.")
    folder = Path(path).absolute().parent
    for number, row in enumerate(rows, start=1):
        given = {key: value for key, value in row.items() if not _is_missing(value)}
        place = f"{path}, row {number}"
        name = str(given.pop("name", place))
        yield _planned(name, lambda given=given, place=place: job_from(_cells(given), folder=folder, source=place))  # type: ignore[misc]


def _csv_rows(path: str) -> list[dict[str, Any]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        # A row longer than the header has its surplus under None.
        return [{str(key): value for key, value in row.items()} for row in csv.DictReader(file)]


def _parquet_rows(path: str) -> list[dict[str, Any]]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise JobError(
            f"Invalid job table '{path}'. Must be CSV where pyarrow is missing: pip install 'jamline[batch]'."
        ) from error
    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return rows


def _is_missing(value: Any) -> bool:
    """Tell whether a cell is empty."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as a job file would say it."""
    content = dict(row)
    for key in ("imagery", "claims"):
        if isinstance(text := content.get(key), str) and not (key == "claims" and text.endswith(".toml")):
            content[key] = [part.strip() for part in text.split(";") if part.strip()]
    if isinstance(text := content.get("bands"), str):
        content["bands"] = [int(part) if part.strip().isdecimal() else part for part in text.split(",")]
    if isinstance(text := content.get("band_times"), str):
        pairs = [part.partition("=") for part in text.split(",")]
        content["band_times"] = {role.strip(): seconds for role, _, seconds in pairs}
    return content
