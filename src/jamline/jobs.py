"""Job files: which imagery, which road, which claims."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from jamline.claims import Claim, claims_from_tables, read_claims_file
from jamline.errors import JobError
from jamline.toml import read_toml

Bands = dict[str, int]


def bands_by_role(bands: Any) -> Any:
    """Turn band numbers into bands by role: three are red, green, blue, a fourth is nir, one alone is pan.

    Examples
    --------
    >>> bands_by_role([3, 2, 1])
    {'red': 3, 'green': 2, 'blue': 1}
    """
    if not isinstance(bands, list | tuple):
        return bands
    roles = {1: ("pan",), 3: ("red", "green", "blue"), 4: ("red", "green", "blue", "nir")}.get(len(bands))
    if roles is None:
        raise ValueError("be one, three or four band numbers")
    return dict(zip(roles, bands, strict=True))


def _iso(value: Any) -> Any:
    """Turn a TOML date or time into text, and hold that a text is one."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str):
        try:
            datetime.datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("be a date or time such as 2022-09-25 or 2022-09-25T08:03:00Z") from None
    return value


class LookAt(BaseModel):
    """Imagery of one time, where a job has several: a ``[[look]]`` table.

    Attributes
    ----------
    imagery : tuple of str
        As in `Job`.
    time : str or None
        A day or time in ISO 8601, as ``date`` in the file; by default what the images tell.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    imagery: Annotated[tuple[str, ...], Field(min_length=1)]
    time: Annotated[str | None, BeforeValidator(_iso)] = Field(None, alias="date")


class Job(BaseModel):
    """What a job file says, its paths resolved.

    Attributes
    ----------
    imagery : tuple of str
        Files, folders, patterns or addresses; in the file they are relative to it. Empty where there are looks.
    looks : tuple of LookAt
        Imagery of several times, in the file ``[[look]]`` tables; then there is no ``imagery`` besides.
    road : str
        The road file; likewise.
    claims : tuple of Claim
        In the file: texts, or the path of a file of claims as ``claims``; ``[[claim]]`` tables; or both.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    imagery: tuple[str, ...] = ()
    looks: tuple[LookAt, ...] = ()
    road: str
    road_name: str | None = None
    origin: str | None = None
    claims: tuple[Claim, ...] = ()
    gsd_m: float | None = Field(None, gt=0)
    half_width_m: float | None = Field(None, ge=2, le=200)
    bands: Annotated[Bands, BeforeValidator(bands_by_role)] | None = None
    band_times: dict[str, float] | None = None
    detector: str = "network"
    title: str | None = None

    @model_validator(mode="after")
    def _either(self) -> Job:
        """Hold that there is imagery, of one time or of several."""
        if not self.imagery and not self.looks:
            raise ValueError("be given, here or in [[look]] tables")
        if self.imagery and self.looks:
            raise ValueError("be left out where there are [[look]] tables")
        return self

    def options(self) -> dict[str, Any]:
        """Return the keyword arguments of `survey` that the job gives, besides imagery and road."""
        return {
            name: getattr(self, name)
            for name in ("origin", "road_name", "claims", "gsd_m", "half_width_m", "bands", "band_times", "detector")
        }


def read_job(path: str | Path) -> Job:
    """Read a job file.

    Parameters
    ----------
    path : str or Path
        TOML with the keys of `Job`; paths in it are relative to it.

    Returns
    -------
    Job

    Raises
    ------
    JobError
        If it is missing, is no TOML, or has an unknown key or a wrong value.
    ClaimError
        If one of its claims cannot be read.

    Examples
    --------
    >>> read_job("seeds/jobs/lars-2022.toml").road
    'seeds/roads/lars.geojson'
    """
    return job_from(read_toml(path, thing="job"), folder=Path(path).parent, source=str(path))


def job_from(content: Mapping[str, Any], *, folder: Path, source: str) -> Job:
    """Make a job of what a job file says.

    Parameters
    ----------
    content : mapping
        The keys of a job file and their values.
    folder : Path
        What the paths in it are relative to.
    source : str
        Where it comes from, for the message.

    Raises
    ------
    JobError, ClaimError
        As `read_job`.
    """
    content = dict(content)
    content["claims"] = _claims(content.get("claims", []), content.pop("claim", []), folder, source)
    if "looks" in content:
        raise JobError(f"Invalid key 'looks' in job '{source}'. Must be [[look]] tables.")
    if "look" in content:
        content["looks"] = content.pop("look")
    looks = content.get("looks")
    for table in (content, *(looks if isinstance(looks, list) else ())):
        if isinstance(table, dict) and "imagery" in table:
            table["imagery"] = _imagery(folder, table["imagery"])
    if "road" in content:
        content["road"] = _beside(folder, content["road"])
    try:
        return Job.model_validate(content)
    except ValidationError as error:
        raise _job_error(error, source) from error


def _claims(claims: Any, tables: Any, folder: Path, source: str) -> list[Claim]:
    """Gather the claims of a job, from wherever it has them."""
    found: list[Claim] = []
    if isinstance(claims, str):
        found += read_claims_file(_beside(folder, claims))
    elif isinstance(claims, list):
        found += claims_from_tables(claims, source=source)
    else:
        raise JobError(f"Invalid key 'claims' in job '{source}'. Must be texts, or the path of a file of claims.")
    if not isinstance(tables, list):
        raise JobError(f"Invalid key 'claim' in job '{source}'. Must be [[claim]] tables.")
    return found + claims_from_tables(tables, source=source)


def _imagery(folder: Path, imagery: Any) -> Any:
    """Resolve the paths of imagery; what is neither a path nor a list of them is judged later."""
    if isinstance(imagery, str):
        imagery = [imagery]
    return [_beside(folder, each) for each in imagery] if isinstance(imagery, list) else imagery


def _beside(folder: Path, path: Any) -> Any:
    """Resolve a path against a job's folder; addresses stay, and what is no text is judged later."""
    if not isinstance(path, str) or not path or "://" in path or path.startswith("/vsi"):
        return path
    return os.path.normpath(folder / Path(path).expanduser())


def _job_error(error: ValidationError, path: str | Path) -> JobError:
    """Say on one line which key is wrong."""
    first = error.errors()[0]
    *within, key = [str(part) for part in first["loc"]] or ["imagery"]
    known = [name for name in Job.model_fields if name != "looks"]
    known = ["imagery", "date"] if within else [*known, "claim", "look"]
    key = ".".join([*within, key]).replace("looks", "look")
    rules = {"extra_forbidden": f"be one of {', '.join(known)}", "missing": "be given"}
    rule = rules.get(first["type"], first["msg"].removeprefix("Value error, "))
    return JobError(f"Invalid key '{key}' in job '{path}'. Must {rule[0].lower()}{rule[1:].rstrip('.')}.")
