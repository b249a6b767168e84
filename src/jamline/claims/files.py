"""Claims from TOML: a file of them, or the tables of a job file."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from jamline.claims.claim import Claim
from jamline.claims.reading import read_claim
from jamline.errors import ClaimError, JobError
from jamline.toml import read_toml

_DAYS = ("date", "published")
_GIVEN = ("side", "origin", "note", "author", "url", *_DAYS)
_KEYS = ("text", "source", "qualifier", *_GIVEN)


def read_claims_file(path: str | Path) -> list[Claim]:
    """Read the claims of a TOML file.

    Parameters
    ----------
    path : str or Path
        A file of ``[[claim]]`` tables. Each has ``text``, and may have ``source``, ``qualifier``, ``side``,
        ``origin``, ``note``, ``author``, ``url``, ``date`` (the day it speaks of) and ``published``, which win over
        what is read from the text.

    Returns
    -------
    list of Claim
        In the order of the file, at least one.

    Raises
    ------
    JobError
        If the file is missing, is no TOML, or has a key that is not known.
    ClaimError
        If a claim cannot be read.

    Examples
    --------
    >>> [claim.meaning for claim in read_claims_file("seeds/claims/lars-2022.toml")][0]
    'at least 16 km'
    """
    content = read_toml(path, thing="claims file")
    for key in content:
        if key != "claim":
            raise JobError(f"Invalid key '{key}' in '{path}'. Must be 'claim'.")
    tables = content.get("claim", [])
    if not isinstance(tables, list) or not tables:
        raise JobError(f"Invalid claims file '{path}'. Must hold [[claim]] tables.")
    return claims_from_tables(tables, source=str(path))


def claims_from_tables(tables: Iterable[str | dict[str, Any]], *, source: str) -> list[Claim]:
    """Turn the ``[[claim]]`` tables of a file, or plain texts, into claims.

    Parameters
    ----------
    tables : iterable of str or dict
        As `read_claims_file` describes them.
    source : str
        The file they came from, for messages.

    Raises
    ------
    JobError
        If a table has a key that is not known, a value that is no text, or no text.
    ClaimError
        If a claim cannot be read.
    """
    claims = []
    for number, table in enumerate(tables, start=1):
        entry: Any = {"text": table} if isinstance(table, str) else table
        if not isinstance(entry, dict):
            raise JobError(f"Invalid claim {number} in '{source}'. Must be a text or a table.")
        for key, value in entry.items():
            if key not in _KEYS:
                raise JobError(f"Invalid key '{key}' in '{source}'. Must be one of {', '.join(_KEYS)}.")
            if key in _DAYS and type(value) is datetime.date:
                entry = {**entry, key: value.isoformat()}
            elif not isinstance(value, str):
                raise JobError(f"Invalid {key} '{value}' in '{source}'. Must be a text.")
        if "text" not in entry:
            raise JobError(f"Invalid claim {number} in '{source}'. Must have a text.")
        try:
            claim = read_claim(entry["text"], source=entry.get("source"), qualifier=entry.get("qualifier"))
            given: dict[str, Any] = {key: entry[key] for key in _GIVEN if key in entry}
            claims.append(replace(claim, **given) if given else claim)
        except ClaimError as error:
            raise ClaimError(f"{str(error).removesuffix('.')}; see '{source}'.") from error
    return claims
