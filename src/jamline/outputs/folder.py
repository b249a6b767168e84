"""A result folder that is there whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyogrio.errors

from jamline.errors import OutputError


def check_outdir(outdir: str | Path, *, overwrite: bool = False) -> Path:
    """Say early whether a result may be written to ``outdir``; nothing is touched.

    Parameters
    ----------
    outdir : str or Path
        A folder on a file system. A GeoPackage cannot be written in place on object storage.
    overwrite : bool
        Allow a folder that is empty or holds an earlier result.

    Returns
    -------
    Path
        Its absolute path with links followed.

    Raises
    ------
    OutputError
        If it exists and may not be replaced, cannot be made where it should be, or is an address.
    """
    if "://" in str(outdir) or str(outdir).startswith("/vsi"):
        raise OutputError(f"Invalid output folder '{outdir}'. Must be a folder on this machine.")
    try:
        folder = Path(outdir).resolve()
        exists = folder.exists()
        _try_to_write_beside(folder)
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a null character
        raise _unwritable(outdir, error) from error
    if not exists:
        return folder
    if not folder.is_dir():
        raise OutputError(f"Invalid output folder '{outdir}'. Must be a folder; it is a file.")
    if not overwrite:
        raise OutputError(f"Invalid output folder '{outdir}'. Must not exist; overwrite it with --overwrite.")
    if any(folder.iterdir()) and not _holds_result(folder):
        raise OutputError(f"Invalid output folder '{outdir}'. Must be empty or an earlier result; it has no run.json.")
    return folder


@contextmanager
def result_folder(outdir: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a folder to write into, and put it in its place when the block ends without an error.

    Parameters
    ----------
    outdir, overwrite
        As in `check_outdir`.

    Yields
    ------
    Path
        An empty folder beside ``outdir``. It is removed if the block raises.

    Raises
    ------
    OutputError
        As `check_outdir`, and if a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "out"
    >>> with result_folder(place) as folder:
    ...     _ = (folder / "note.txt").write_text("complete")
    >>> [path.name for path in place.iterdir()]
    ['note.txt']
    """
    place = check_outdir(outdir, overwrite=overwrite)
    mark = uuid.uuid4().hex[:8]
    # Beside its place, because a rename is atomic on one file system only.
    draft = _draft_of(place, mark)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
        yield draft
        check_outdir(outdir, overwrite=overwrite)  # someone else may have been faster
        _swap(draft, place, place.with_name(f".{place.name}.{mark}.old"))
    except (OSError, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise _unwritable(outdir, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _try_to_write_beside(folder: Path) -> None:
    """Raise what making a folder there would raise, and leave nothing behind."""
    _draft_of(folder, "0" * 8).exists()  # raises if the name is too long
    home = next(parent for parent in folder.parents if parent.exists())
    # What the permissions say is not enough: a disk may be mounted read-only.
    try:
        tempfile.TemporaryFile(dir=home).close()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(home)) from error


def _draft_of(folder: Path, mark: str) -> Path:
    """Return where a result is written before it takes its place."""
    return folder.with_name(f".{folder.name}.{mark}.part")


def _unwritable(outdir: str | Path, error: Exception) -> OutputError:
    reason = " ".join(str(error).split())
    return OutputError(f"Invalid output folder '{outdir}'. Must be writable: {reason}")


def _swap(draft: Path, place: Path, aside: Path) -> None:
    """Move ``draft`` to ``place``; what was there is put back if that fails."""
    if not place.exists():
        os.rename(draft, place)
        return
    os.rename(place, aside)
    try:
        os.rename(draft, place)
    except OSError:
        os.rename(aside, place)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _holds_result(folder: Path) -> bool:
    """Tell whether a folder holds a record of this program: of a run, a series of them, or a search."""
    for kind in ("run", "series", "search"):
        try:
            record = json.loads((folder / f"{kind}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(record, dict) and str(record.get("schema", "")).startswith(f"jamline/{kind}/"):
            return True
    return False
