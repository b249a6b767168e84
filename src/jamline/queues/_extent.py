"""From queued vehicles to the stretches they occupy, by the gap and break rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jamline.spans import Span, total_m

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Extent:
    """Where one queue lies.

    Parameters
    ----------
    span : Span
        From the near end of its first vehicle to the far end of its last.
    occupied : tuple of Span
        What is left without the gaps.
    rows_m : float
        Occupied length summed over rows.
    count : int
        Vehicles.
    """

    span: Span
    occupied: tuple[Span, ...]
    rows_m: float
    count: int


def extents(
    start_m: Array,
    end_m: Array,
    row: npt.NDArray[np.int64],
    *,
    gap_m: float,
    break_m: float,
    unseen: list[Span],
) -> list[Extent]:
    """Join queued vehicles to queues.

    Parameters
    ----------
    start_m, end_m : array, shape (n,)
        Near and far end of each queued vehicle.
    row : array of int, shape (n,)
        Its row.
    gap_m : float
        Widest net gap over which a row counts as occupied.
    break_m : float
        Widest stretch without a queued vehicle within one queue.
    unseen : list of Span
        Stretches not seen, in order; they are not counted as gap.

    Returns
    -------
    list of Extent
        In order of station.
    """
    if not len(start_m):
        return []
    # Rows are laid end to end, so that one pass joins them all and never one to the next.
    far = row * (end_m.max() - start_m.min() + 2 * break_m + 1.0)
    runs = _joined(start_m + far, end_m + far, gap_m)
    order = np.argsort(start_m + far, kind="stable")
    back = far[order][np.searchsorted((start_m + far)[order], runs[:, 0])]
    runs -= back[:, None]
    occupied = _joined(runs[:, 0], runs[:, 1], 0.0)
    apart = occupied[1:, 0] - occupied[:-1, 1]
    cuts = [
        i + 1
        for i in np.flatnonzero(apart > break_m)
        if seen_between_m(occupied[i, 1], occupied[i + 1, 0], unseen) > break_m
    ]
    middle = (start_m + end_m) / 2
    found = []
    for group in np.split(occupied, cuts):
        near, distant = group[0, 0], group[-1, 1]
        inside = (runs[:, 0] >= near) & (runs[:, 1] <= distant)
        found.append(
            Extent(
                Span(float(near), float(distant)),
                tuple(Span(float(a), float(b)) for a, b in group),
                float(np.sum(runs[inside, 1] - runs[inside, 0])),
                int(np.count_nonzero((middle >= near) & (middle <= distant))),
            )
        )
    return found


def _joined(start_m: Array, end_m: Array, gap_m: float) -> Array:
    """Join spans at most `gap_m` apart, shape (n, 2), in order of start."""
    order = np.argsort(start_m, kind="stable")
    start_m, reach_m = start_m[order], np.maximum.accumulate(end_m[order])
    first = np.concatenate([[True], start_m[1:] - reach_m[:-1] > gap_m])
    last = np.concatenate([first[1:], [True]])
    return np.column_stack([start_m[first], reach_m[last]])


def seen_between_m(start_m: float, end_m: float, unseen: list[Span]) -> float:
    """Return how much of a stretch was seen, in metres."""
    hidden = [
        Span(max(start_m, span.start_m), min(end_m, span.end_m))
        for span in unseen
        if span.end_m > start_m and span.start_m < end_m
    ]
    return end_m - start_m - total_m(hidden)
