"""The queue model: vehicles and sight in, queues with intervals out. It knows no pixels.

Definitions (gap, break, density) are those of traffic simulation practice and the Highway Capacity Manual;
`docs/how-it-works.md` draws them.
"""

from jamline.queues._measure import measure_queues
from jamline.queues._queue import Bridge, Motion, Queue, Queues
from jamline.queues._summary import BREAKDOWN_PER_KM_LANE, PACKED_PER_KM_LANE

__all__ = ["BREAKDOWN_PER_KM_LANE", "PACKED_PER_KM_LANE", "Bridge", "Motion", "Queue", "Queues", "measure_queues"]
