"""The folder of a batch: `batch.json`, the merged files, and under `jobs` the result of each job by its key."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jamline._version import __version__
from jamline.batch._locks import SUFFIX, locked
from jamline.errors import OutputError

if TYPE_CHECKING:
    from jamline.batch._work import Failure

SCHEMA: Final = "jamline/batch/1"

RECORD = "batch.json"

STEPS: Final = ".steps"
"""What the folders of long roads end in that are not done yet."""

_JOBS = "jobs"


def open_folder(outdir: str | Path) -> Path:
    """Make the folder of a batch, or take up an earlier one.

    Raises
    ------
    OutputError
        If it holds something else, or cannot be written.
    """
    if "://" in str(outdir) or str(outdir).startswith("/vsi"):
        raise OutputError(f"Invalid output folder '{outdir}'. Must be a folder on this machine.")
    folder = Path(outdir).absolute()
    try:
        if folder.exists() and not (folder.is_dir() and (_is_batch(folder) or _is_empty(folder))):
            raise OutputError(
                f"Invalid output folder '{outdir}'. Must be new, empty or an earlier batch's; it has no {RECORD}."
            )
        folder.mkdir(parents=True, exist_ok=True)
        if not _is_batch(folder):
            write_record(folder, done=0, failed=[])
        (folder / _JOBS).mkdir(exist_ok=True)
        _sweep(folder)
    except OSError as error:
        reason = " ".join(str(error).split())
        raise OutputError(f"Invalid output folder '{outdir}'. Must be writable: {reason}") from error
    return folder


def place_of(folder: Path, key: str) -> Path:
    """Return where the result of a job belongs."""
    return folder / _JOBS / key


def finished(folder: Path) -> set[str]:
    """Return the keys of the jobs whose results are there; those appear whole or not at all."""
    return {name for name in os.listdir(folder / _JOBS) if not name.startswith(".")}


def write_record(folder: Path, *, done: int, failed: Sequence[Failure]) -> None:
    """Write `batch.json`."""
    record = {
        "schema": SCHEMA,
        "jamline": __version__,
        "done": done,
        "failed": [{"job": failure.name, "rule": failure.rule} for failure in failed],
    }
    text = json.dumps(record, indent=1, ensure_ascii=False)
    with put_in_place(folder / RECORD) as draft:
        draft.write_text(text + "\n", encoding="utf-8")


@contextmanager
def put_in_place(path: Path) -> Iterator[Path]:
    """Give a file to write, and put it in its place when the block ends without an error."""
    with locked(path):
        # What there is was left by a process that was killed: nobody else writes now.
        for left in path.parent.glob(f".{path.name}.*.part*"):
            left.unlink(missing_ok=True)
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part{path.suffix}")
        try:
            yield draft
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)


def _is_empty(folder: Path) -> bool:
    """Tell whether a folder holds nothing but what a start that was killed left."""
    return all(name.startswith(f".{RECORD}.") for name in os.listdir(folder))


def _is_batch(folder: Path) -> bool:
    """Tell whether a folder is a batch's."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and str(record.get("schema", "")).startswith("jamline/batch/")


def _sweep(folder: Path) -> None:
    """Remove what killed processes left half done; where somebody is at work it stays."""
    home = folder / _JOBS
    drafts: dict[str, list[Path]] = {}
    for name in os.listdir(home):
        if name.startswith("."):
            drafts.setdefault(name[1:].split(".", 1)[0], []).append(home / name)
    for key, left in drafts.items():
        with locked(home / key, wait=False) as mine:
            if mine:
                for draft in left:
                    kept = draft.name.endswith(STEPS) and not (home / key).exists()
                    if not (kept or draft.name.endswith(SUFFIX)):
                        shutil.rmtree(draft, ignore_errors=True)
