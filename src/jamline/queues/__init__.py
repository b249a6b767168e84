"""The queue model: vehicles and sight in, queues with intervals out. It knows no pixels.

Definitions (gap, break, density) are those of traffic simulation practice and the Highway Capacity Manual;
`docs/how-it-works.md` draws them.
"""

from jamline.queues._measure import BREAKDOWN_PER_KM_LANE, PACKED_PER_KM_LANE, measure_queues
from jamline.queues._queue import Queue, Queues

__all__ = ["BREAKDOWN_PER_KM_LANE", "PACKED_PER_KM_LANE", "Queue", "Queues", "measure_queues"]
