"""`contrast`: vehicles as what stands out from the road, by OpenCV alone, without a network.

In the flat strip a vehicle is a box along x. Every box of vehicle size is priced by how much of it differs from the
road; along every line of the strip the best set of boxes that do not overlap is found exactly, which parts vehicles
bumper to bumper; between lines the better box wins.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from jamline.corridor import Hidden, Section
from jamline.detect._boxes import Prices, box_gains, box_scores, without_shadows
from jamline.detect._features import SIZES_M, length_px
from jamline.detect._flat import without_flat
from jamline.detect._packing import pack_lines, suppress
from jamline.detect._protocol import Boxes, Found, Usual
from jamline.detect._salience import WORK_M, section_maps

_LEAST_SCORE = 0.3
"""Below it a box is left out. On simulated scenes fewer are true than are told from here on down; queues weigh a box
by its score, so a doubtful one costs them less than a missed one."""

_RECALL = ((0.3, 0.5, 0.8, 1.2, 1.6), (0.75, 0.65, 0.6, 0.3, 0.05))
"""Share of vehicles found in simulated scenes, by resolution in metres; from 1.2 m on there is little to find."""

_FALSE_PER_KM = 10.0


@dataclass(frozen=True)
class Contrast:
    """The detector without a network; see the module's docstring."""

    name: str = "contrast"
    sha256: str | None = None
    prices: Prices = field(default_factory=Prices)

    def usual(self, gsd_m: float) -> Usual:
        """Say what it finds on usual imagery of a resolution: what it says of every image."""
        return Usual(float(np.interp(gsd_m, *_RECALL)), _FALSE_PER_KM)

    def find(self, section: Section, *, carriageway_m: float) -> Found:
        """Find the vehicles of a section; parameters as in `Detector.find`."""
        grid = section.grid
        usual = self.usual(section.gsd_m)
        recall, false_per_km = np.full(grid.columns, usual.recall), np.full(grid.columns, usual.false_per_km)
        if not section.seen.any():
            return Found(Boxes.none(), section.hidden, recall, false_per_km)
        maps, leaf, shade = section_maps(section, carriageway_m=carriageway_m)
        hidden = section.hidden.copy()
        over_road = np.abs(grid.offset_m())[:, None] < carriageway_m / 2
        hidden[leaf & over_road & (hidden == Hidden.SEEN)] = Hidden.TREES
        hidden[shade & over_road & (hidden == Hidden.SEEN)] = Hidden.SHADOW
        gains = box_gains(maps, self.prices, carriageway_m=carriageway_m)
        packed = pack_lines(gains, [length_px(size, WORK_M) for size in range(len(SIZES_M))])
        picked = suppress(packed, SIZES_M, pixel_m=WORK_M)
        picked = without_flat(without_shadows(picked, maps), maps)
        score = box_scores(picked, maps, carriageway_m=carriageway_m, gsd_m=section.gsd_m)
        zoom_y, zoom_x = maps.raw.shape[0] / grid.rows, maps.raw.shape[1] / grid.columns
        row, column = (picked[0] + 0.5) / zoom_y - 0.5, (picked[1] + 0.5) / zoom_x - 0.5
        size_m = np.array(SIZES_M)[picked[2]]
        boxes = Boxes(
            station_m=grid.start_m + (column + 0.5) * grid.pixel_m,
            offset_m=grid.half_width_m - (row + 0.5) * grid.pixel_m,
            length_m=size_m[:, 0],
            width_m=size_m[:, 1],
            score=score,
            parked=np.full(len(row), 0.5),
        )
        at = (
            np.clip(row.round().astype(int), 0, grid.rows - 1),
            np.clip(column.round().astype(int), 0, grid.columns - 1),
        )
        boxes = boxes.take(section.seen[at] & (score >= _LEAST_SCORE))
        return Found(boxes, hidden, recall, false_per_km)
