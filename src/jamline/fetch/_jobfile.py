"""Job files written by a program."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jamline.imagery import is_address, shown

if TYPE_CHECKING:
    from jamline.fetch._search import Search


def job_text(
    found: Search,
    images: Sequence[tuple[str | None, str]],
    *,
    outdir: Path,
    half_width_m: float | None = None,
    origin: str | None = None,
    claims: Iterable[str] = (),
) -> str:
    """Write a job file.

    Parameters
    ----------
    found : Search
        Where the images come from.
    images : sequence of (day, path)
        The images, relative to the job file; those of several days are several looks.
    outdir : Path
        The folder of the job file.
    half_width_m, origin, claims
        As a job file has them.

    Returns
    -------
    str
        TOML.
    """
    head: dict[str, Any] = {
        "road": _beside(found.road_path, outdir),
        "road_name": found.road_name,
        "origin": origin,
        "half_width_m": half_width_m,
        "claims": list(claims) or None,
    }
    days = sorted({day or "" for day, _ in images})
    if len(days) == 1:
        head["imagery"] = [path for _, path in images]
    lines = [
        f"# Imagery found in {shown(found.catalogue)} by jamline fetch; measure with: jamline check job.toml -o OUT"
    ]
    lines += [f"{key} = {_toml(value)}" for key, value in head.items() if value is not None]
    if len(days) > 1:
        for day in days:
            lines += ["", "[[look]]", f"imagery = {_toml([path for at, path in images if (at or '') == day])}"]
    return "\n".join(lines) + "\n"


def _beside(path: str, outdir: Path) -> str:
    """Return a path relative to the job file, where both lie on one disk."""
    if is_address(path):
        return path
    try:
        return Path(os.path.relpath(Path(path).resolve(), outdir.resolve())).as_posix()
    except ValueError:  # another drive
        return str(Path(path).resolve())


def _toml(value: Any) -> str:
    """Write a value; JSON's texts and numbers are TOML's, but for one control character."""
    if isinstance(value, list):
        if len(value) > 1:
            return "[\n" + "".join(f"    {_toml(each)},\n" for each in value) + "]"
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
