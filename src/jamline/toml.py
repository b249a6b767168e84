"""TOML files that people write by hand: jobs, claims, scenes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from jamline.errors import JobError


def read_toml(path: str | Path, *, thing: str) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    path : str or Path
        The file.
    thing : str
        What it is, for the message: ``"job"``, ``"claims file"``, ``"scene"``.

    Raises
    ------
    JobError
        If it is missing, cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise JobError(f"Invalid {thing} '{path}'. Must be a file that can be read.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise JobError(f"Invalid {thing} '{path}'. Must be TOML: {error}.") from error
