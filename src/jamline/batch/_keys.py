"""Keys of jobs: equal inputs, settings and version give equal keys, and a result is found by its key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from jamline._version import __version__
from jamline.batch._prints import fingerprints
from jamline.batch._work import Failure, Planned
from jamline.detect import detector_named
from jamline.errors import JamlineError
from jamline.imagery import image_paths

if TYPE_CHECKING:
    from jamline.errors import InputError
    from jamline.road import Road

_DIGITS = 32
"""128 bits: that two of a billion jobs share a key is less likely than 1 in 10^20."""


def keys(planned: Sequence[Planned]) -> list[str | Failure]:
    """Return the key of each job.

    Parameters
    ----------
    planned : sequence of Planned
        The jobs.

    Returns
    -------
    list of str or Failure
        In their order; a failure where inputs cannot even be named.
    """
    images = [_images(each) for each in planned]
    found = [each for each in images if not isinstance(each, Failure)]
    paths = {path for looks in found for _, look in looks for path in look}
    known = fingerprints(paths, {each.job.road for each in planned if not each.roads})
    return [
        looks if isinstance(looks, Failure) else _key(each, looks, known)
        for each, looks in zip(planned, images, strict=True)
    ]


def _images(planned: Planned) -> list[tuple[str | None, list[str]]] | Failure:
    """Return the images that each look of a job names."""
    job = planned.job
    looks = [(look.time, look.imagery) for look in job.looks] or [(None, job.imagery)]
    try:
        return [(time, image_paths(imagery)) for time, imagery in looks]
    except JamlineError as error:
        return Failure.of(planned.name, error)


def _key(
    planned: Planned, looks: Sequence[tuple[str | None, list[str]]], known: dict[str, str | InputError]
) -> str | Failure:
    """Return the key of one job."""
    try:
        inputs = {
            "jamline": __version__,
            "detector": _weights(planned.job.detector),
            "settings": planned.job.model_dump(mode="json", exclude={"imagery", "looks", "road"}),
            "roads": [_line(road) for road in planned.roads] or _known(known, planned.job.road),
            "looks": [[time, [_known(known, path) for path in look]] for time, look in looks],
        }
    except JamlineError as error:
        return Failure.of(planned.name, error)
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _known(known: dict[str, str | InputError], path: str) -> str:
    """Return what a path is known by, or raise why it is not."""
    fingerprint = known[path]
    if isinstance(fingerprint, Exception):
        raise fingerprint
    return fingerprint


@cache
def _weights(detector: str) -> str | None:
    """Return the digest of a detector's weights."""
    return detector_named(detector).sha256


def _line(road: Road) -> dict[str, Any]:
    """Return what makes a road what it is."""
    return {
        "name": road.name,
        "line": hashlib.sha256(road.lonlat.tobytes()).hexdigest(),
        "tags": [road.oneway, road.lanes, road.width_m],
        "origin": [road.origin, road.origin_station_m],
        "places": {name: list(place) for name, place in road.places.items()},
    }
