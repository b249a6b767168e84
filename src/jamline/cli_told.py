"""What is printed of a result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jamline.claims import Finding
    from jamline.queues import Queues


def told(measured: Iterable[Queues], findings: Iterable[Finding], acquired: str | None) -> Iterator[str]:
    """Say what was measured on each road, and of each claim."""
    day = f", {acquired[:10]}" if acquired else ""
    for queues in measured:
        evidence = queues.evidence
        road = evidence.road
        seen_km = sum(span.length_m for span in evidence.seen_by_any()) / 1000
        length_km = road.length_m / 1000
        yield f"{road.name}: {seen_km:.2f} of {length_km:.2f} km seen at {evidence.gsd_m:.2g} m{day}"
        for queue in queues:
            start, end = ((m - road.origin_station_m) / 1000 for m in (queue.start_m, queue.end_m))
            yield (
                f"  {queue.side}: {queue.length_km}, {queue.vehicles}, {queue.packing}; "
                f"km {start:.2f} to {end:.2f} from {road.origin}"
            )
        if not len(queues):
            yield "  no queue was seen"
    for finding in findings:
        yield str(finding)
