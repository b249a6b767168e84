"""Running lanes told from bays and verges: by boxes alone, and by boxes with the picture they stand in."""

from __future__ import annotations

import numpy as np
import pytest

from drawn_road import ASPHALT, Drawing, line
from jamline.corridor import lay_flat
from jamline.detect import Boxes, find_vehicles
from jamline.detect._lanes import lanes_of
from jamline.imagery import open_scene
from jamline.queues import measure_queues

LENGTH_M = 400.0
BAY = (150, 143, 132)


def row(start_m, end_m, offset_m, *, step_m=7.5) -> np.ndarray:
    """Return station and offset of cars one behind another, shape (n, 2)."""
    station = np.arange(start_m, end_m, step_m)
    return np.column_stack([station, np.full(len(station), offset_m)])


def boxes_of(*rows, seed=0, looks=0.5) -> tuple[Boxes, np.ndarray]:
    """Return boxes as a detector places them, half a metre askew, and the number of each one's row."""
    places = np.vstack(rows)
    number = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
    order = np.argsort(places[:, 0], kind="stable")
    places, number = places[order], number[order]
    rng = np.random.default_rng(seed)
    offset = places[:, 1] + np.clip(rng.normal(0, 0.35, len(places)), -0.6, 0.6)
    n = len(places)
    return Boxes(places[:, 0], offset, np.full(n, 4.5), np.full(n, 1.8), np.full(n, 0.9), np.full(n, looks)), number


def share_parked(*rows, carriageway_m=8.0, seed=0, looks=0.5) -> list[float]:
    boxes, number = boxes_of(*rows, seed=seed, looks=looks)
    beside = lanes_of(boxes, oneway=False, carriageway_m=carriageway_m, edge_sigma_m=0.8).parked
    return [float(beside[number == k].mean()) for k in range(len(rows))]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("side", [1, -1])
def test_a_bay_beside_a_lane_is_parked(side, seed):
    lane, bay = share_parked(row(0, 300, side * 2.0), row(100, 400, side * 5.4), seed=seed)
    assert lane == 0.0
    assert bay >= 0.9


@pytest.mark.parametrize("shift_m", [-1.0, -0.5, 0.0, 0.5, 1.0])
def test_a_row_alone_on_a_narrow_road_is_in_its_lane(shift_m):
    # 3 m lanes; the line lies up to a metre off them.
    (lane,) = share_parked(row(0, 300, -1.6 + shift_m), carriageway_m=6.0)
    assert lane == 0.0


def test_a_row_on_the_shoulder_waits_as_far_as_the_queue_beside_it():
    # Lanes of a two-way road with shoulders: edge lines at 3.5 m, pavement to 5.2 m.
    queue, shoulder = share_parked(row(0, 300, -1.8), row(10, 250, -4.9), carriageway_m=10.4)
    assert queue == 0.0
    assert shoulder <= 0.1


def test_a_row_that_goes_on_where_the_lane_is_free_is_parked():
    queue, beside = share_parked(row(0, 100, -1.8), row(10, 400, -5.6), carriageway_m=10.4)
    assert queue == 0.0
    assert beside >= 0.9


def test_no_vehicle_is_no_parked_one():
    assert lanes_of(Boxes.none(), oneway=False, carriageway_m=8.0, edge_sigma_m=0.8).parked.shape == (0,)


def test_looks_decide_where_width_leaves_it_open():
    # The row stands where the edge may be to either side of it.
    (parked_like,) = share_parked(row(0, 300, 3.9), carriageway_m=8.4, looks=0.97)
    (lane_like,) = share_parked(row(0, 300, 3.9), carriageway_m=8.4, looks=0.03)
    assert parked_like >= 0.9
    assert lane_like <= 0.1


def test_doubtful_looks_do_not_empty_a_lane():
    (lane,) = share_parked(row(0, 300, 1.7), carriageway_m=8.4, looks=0.75)
    assert lane == 0.0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("off_m", [-1.5, -0.8, 0.0, 0.8, 1.5])
def test_a_row_on_the_middle_line_is_all_on_one_side(off_m, seed):
    # Lanes of 3.5 m to both sides of a middle that was found so far off.
    boxes, number = boxes_of(row(0, 400, -1.75 - off_m), row(30, 400, 1.75 - off_m, step_m=60.0), seed=seed)
    left_m = lanes_of(boxes, oneway=False, carriageway_m=7.0, edge_sigma_m=0.8).left_m
    assert (left_m[number == 0] < 0).all()
    assert (left_m[number == 1] > 0).all()


def test_on_a_oneway_road_a_row_may_stand_on_the_middle():
    boxes, _ = boxes_of(row(0, 300, 0.0))
    assert lanes_of(boxes, oneway=True, carriageway_m=10.0, edge_sigma_m=0.8).left_m == pytest.approx(boxes.offset_m)


def street(*, bay=BAY, kerb=True) -> Drawing:
    """A street with lanes to 3.5 m on both sides, and a bay to 6 m on the left."""
    drawing = Drawing.of_road(LENGTH_M, width_m=7.0, pixel_m=0.3, noise=2.0)
    drawing.box(-20, LENGTH_M + 20, 3.5, 6.0, bay)
    if kerb:
        drawing.box(-20, LENGTH_M + 20, 3.5, 3.8, 190)
    return drawing


def evidence_of(drawing, folder, *, shift_m=0.0, width_m=7.0):
    road = line(LENGTH_M, shift_m, width_m=width_m)
    corridor = lay_flat(open_scene(drawing.write(folder / "a.tif")), road, align_road=False)
    return find_vehicles(corridor, detector="contrast")


@pytest.mark.parametrize("shift_m", [-1.2, 0.0, 1.2])
def test_the_kerb_decides_where_the_line_is_off(tmp_path, shift_m):
    drawing = street()
    for station, offset in [*row(10, 60, 1.75), *row(20, 390, 4.8, step_m=12.0)]:
        drawing.vehicle(station, offset, colour=(215, 40)[int(station) % 2])
    vehicles = evidence_of(drawing, tmp_path, shift_m=shift_m).vehicles
    # Offsets are counted from the line that was drawn.
    offset = vehicles["offset_m"] + shift_m
    lane, bay = vehicles[(offset > 0.5) & (offset < 3.0)], vehicles[(offset > 3.8) & (offset < 6.0)]
    assert len(lane) >= 5
    assert len(bay) >= 20
    assert set(lane["state"]) == {"flowing"}
    assert (bay["state"] == "parked").mean() >= 0.9


def test_cars_in_a_bay_do_not_lengthen_a_queue(tmp_path):
    drawing = street()
    for station, offset in [*row(10, 80, 1.75), *row(95, 390, 4.8, step_m=8.0)]:
        drawing.vehicle(station, offset, colour=215)
    (queue,) = measure_queues(evidence_of(drawing, tmp_path, shift_m=1.2))
    assert queue.end_m == pytest.approx(79.75, abs=3.0)


def test_a_queue_beyond_the_edge_line_is_queued(tmp_path):
    # Lanes to 3.5 m, an edge line, and a shoulder of the same asphalt to 6 m.
    drawing = street(bay=ASPHALT, kerb=False)
    drawing.box(-20, LENGTH_M + 20, 3.44, 3.56, 215)
    for station, offset in [*row(10, 300, 1.75), *row(10, 200, 4.7)]:
        drawing.vehicle(station, offset, colour=215)
    vehicles = evidence_of(drawing, tmp_path, width_m=9.4).vehicles
    shoulder = vehicles[vehicles["offset_m"] > 3.5]
    assert len(shoulder) >= 20
    assert (shoulder["state"] == "parked").mean() <= 0.1
