"""How long is the traffic jam? A queue's length in km, with an interval, from satellite or aerial GeoTIFFs.

One step hands its result to the next::

    imagery + road -> corridor -> evidence -> queues -> findings -> files

`survey` walks the whole line; the functions it calls are all here, for those who want to stop in between.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jamline._version import __version__

if TYPE_CHECKING:
    from jamline.claims import Claim, Finding, check_claim, check_claims, read_claim
    from jamline.corridor import Corridor, lay_flat
    from jamline.detect import find_vehicles
    from jamline.errors import JamlineError
    from jamline.evidence import Evidence
    from jamline.imagery import Scene, open_scene
    from jamline.outputs import write_layers
    from jamline.pipeline import Survey, survey
    from jamline.queues import Queue, Queues, measure_queues
    from jamline.review import remeasure, spotcheck
    from jamline.road import Road, read_road, read_roads
    from jamline.spans import Estimate, Span

__all__ = [
    "Claim",
    "Corridor",
    "Estimate",
    "Evidence",
    "Finding",
    "JamlineError",
    "Queue",
    "Queues",
    "Road",
    "Scene",
    "Span",
    "Survey",
    "__version__",
    "check_claim",
    "check_claims",
    "find_vehicles",
    "lay_flat",
    "measure_queues",
    "open_scene",
    "read_claim",
    "read_road",
    "read_roads",
    "remeasure",
    "spotcheck",
    "survey",
    "write_layers",
]

_ROOMS = {
    "claims": ("Claim", "Finding", "check_claim", "check_claims", "read_claim"),
    "corridor": ("Corridor", "lay_flat"),
    "detect": ("find_vehicles",),
    "errors": ("JamlineError",),
    "evidence": ("Evidence",),
    "imagery": ("Scene", "open_scene"),
    "outputs": ("write_layers",),
    "pipeline": ("Survey", "survey"),
    "queues": ("Queue", "Queues", "measure_queues"),
    "review": ("remeasure", "spotcheck"),
    "road": ("Road", "read_road", "read_roads"),
    "spans": ("Estimate", "Span"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `jamline --help` needs no GDAL (PEP 562)."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'jamline' has no attribute '{name}'")
    value = getattr(import_module(f"jamline.{_ROOM_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
