"""The command that measures the same again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jamline.evidence import Evidence

_MOST_IMAGES = 40
"""More would fill the page; the table of images names them all."""

_OPTIONS = {"origin": "--origin", "road_name": "--road-name", "gsd_m": "--gsd", "half_width_m": "--half-width"}


def command_of(run: Mapping[str, Any], evidence: Sequence[Evidence]) -> str:
    """Return a command line that measures what a run measured, empty where none would.

    Parameters
    ----------
    run : mapping
        What `run.json` holds.
    evidence : sequence of Evidence
        One for each road; they know which file it came from.

    Returns
    -------
    str
        For a POSIX shell. Roads that a script made have no file, so there is no command for them.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> run = {"imagery": [{"path": "a b.tif"}], "settings": {"gsd_m": 0.5}, "roads": []}
    >>> run["detector"] = {"name": "network"}
    >>> command_of(run, [SimpleNamespace(road=SimpleNamespace(source="road.gpkg"))])
    "jamline measure 'a b.tif' --road road.gpkg --gsd 0.5 --detector network -o OUTDIR"
    """
    sources = {each.road.source for each in evidence}
    images = [image["path"] for image in run["imagery"]]
    if len(sources) != 1 or not all(sources) or not images:
        return ""
    settings = run["settings"]
    words = ["jamline", "measure", *map(shlex.quote, images if len(images) <= _MOST_IMAGES else [])]
    words += ["IMAGE..."] if len(images) > _MOST_IMAGES else []
    words += ["--road", shlex.quote(sources.pop())]
    for name, option in _OPTIONS.items():
        if settings.get(name) is not None:
            words += [option, shlex.quote(f"{settings[name]:g}" if name.endswith("_m") else str(settings[name]))]
    if settings.get("bands"):
        bands = settings["bands"]
        words += [
            "--bands",
            ",".join(str(bands[role]) for role in ("red", "green", "blue", "nir", "pan") if role in bands),
        ]
    if settings.get("band_times"):
        words += ["--band-times", ",".join(f"{role}={seconds:g}" for role, seconds in settings["band_times"].items())]
    words += ["--detector", shlex.quote(run["detector"]["name"])]
    for road in run["roads"]:
        for finding in road["findings"]:
            words += ["--claim", shlex.quote(finding["claim"])]
    return " ".join([*words, "-o", "OUTDIR"])
