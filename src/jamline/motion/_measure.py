"""The displacement test: what the shift between two bands says of each queue.

Of a pair of bands that were taken some time apart, what stands still shows no shift but the common one, of registration
and of the ground's height, which is measured on what lies beside the road. A queue is looked at in groups of vehicles,
one behind another: each group's patches are sought in the other band, all at the same shift, so that a car that looks
like its neighbour misleads nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from jamline.corridor import Corridor, Hidden, Section
from jamline.errors import UsageError
from jamline.imagery import Scene
from jamline.motion._shift import likeness, peak
from jamline.queues import Motion, Queues
from jamline.spans import Estimate

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.float32]

_FASTEST_M_S = 36.0
"""130 km/h: no queue, and few who pass one, drive faster."""

_GROUP, _MOST_GROUPS = 12, 30
"""Vehicles that are sought together, and groups looked at in one queue, evenly over its length."""

_BEYOND_M = 4.0
"""A vehicle's patch reaches so far before and behind it: what lies around it tells it from others."""

_STILL_M, _STILL_SHIFT_M, _STILL_ALIKE = 40.0, 3.0, 0.4
"""Length of the patches beside the road, how far bands may be apart there, and how alike they must be to count."""

_LEAST_STILL = 5
"""Fewer such patches tell no common shift."""

_ALIKE, _CLEARLY = 0.35, 0.08
"""How alike a group must be at its shift, and by how much more than at any other."""

_SAME_M = 2.5
"""Shifts closer than this are one peak: a car is no shorter."""

_FLOOR_PX = 0.1
"""What sub-pixel correlation between two bands cannot do better than."""

_LEAN_PER_S = 3.0 * 7500.0 / 600_000.0
"""Metres per second by which the top of a lorry of 3 m seems to move, for the satellite sees it from elsewhere: 7.5
km/s at a height of 600 km."""

_STANDS_KMH, _MOVES_KMH = 4.0, 1.0
"""A queue stands if its speed is surely under the first, walking pace, and may be none; it moves if it is surely over
the second."""

_LEVEL, _Z = 0.9, 1.645


@dataclass(frozen=True)
class _Group:
    """What one group of vehicles says: its shift in metres, or none, and whether it surely is not where it was."""

    station_m: float
    shift_m: float | None
    gone: bool


@dataclass(frozen=True)
class _Still:
    """The common shift of what does not move: along the road and across it in pixels, and how well it is known."""

    along_px: float
    sigma_px: float
    rows: int


def times_of(scene: Scene, given: Mapping[str, float] | None) -> dict[str, float]:
    """Return when the bands of a scene were taken, in seconds, by role.

    Parameters
    ----------
    scene : Scene
        Which may know it.
    given : mapping, optional
        What somebody says instead.

    Raises
    ------
    UsageError
        If what is given names no band or no time, or the images mix their bands.
    """
    if given is None:
        return scene.band_times
    for role, seconds in given.items():
        if role not in ("red", "green", "blue", "nir"):
            raise UsageError(f"Invalid band '{role}' with a time. Must be red, green, blue or nir.")
        if not np.isfinite(seconds):
            raise UsageError(f"Invalid band time '{role}={seconds}'. Must be a number of seconds.")
    if scene.mixed:
        raise UsageError("Invalid band times for these images. Must be left out: JPEG and WebP mix the bands' detail.")
    return dict(given)


def measure_motion(corridor: Corridor, queues: Queues, band_times: Mapping[str, float]) -> Queues:
    """Say of each queue whether it stands or moves.

    Parameters
    ----------
    corridor : Corridor
        The road laid flat.
    queues : Queues
        Measured on it.
    band_times : mapping of str to float
        Seconds at which bands were taken, by role, after any one of them; empty where that is not known.

    Returns
    -------
    Queues
        The same with `Queue.motion`, and the vehicles with their column ``motion``.
    """
    pair = _pair(corridor.scene.roles, band_times)
    if pair is None:
        return queues
    first, second, lag_s = pair
    vehicles = queues.vehicles.copy()
    items = []
    for queue in queues:
        inside = (vehicles["side"] == queue.side) & (vehicles["state"] == "queued")
        inside &= (vehicles["station_m"] >= queue.start_m - 1.0) & (vehicles["station_m"] <= queue.end_m + 1.0)
        groups = list(_groups(corridor, vehicles[inside], first, second, lag_s))
        motion = _told(groups, lag_s, corridor.pixel_m)
        vehicles.loc[inside, "motion"] = motion.state
        items.append(replace(queue, motion=motion))
    return replace(queues, items=tuple(items), vehicles=vehicles)


def _pair(roles: tuple[str, ...], times: Mapping[str, float]) -> tuple[int, int, float] | None:
    """Return the bands that lie furthest apart in time, the earlier one first, and by how many seconds."""
    known = sorted((times[role], number) for number, role in enumerate(roles) if role in times)
    if len(known) < 2 or known[-1][0] - known[0][0] <= 0:
        return None
    return known[0][1], known[-1][1], known[-1][0] - known[0][0]


def _groups(corridor: Corridor, vehicles: object, first: int, second: int, lag_s: float) -> Iterator[_Group]:
    """Look at groups of a queue's vehicles, each in a cut of the strip of its own."""
    table = vehicles.sort_values("station_m")  # type: ignore[attr-defined]
    count = len(table) // _GROUP if len(table) >= 2 * _GROUP else 1
    parts = np.array_split(np.arange(len(table)), count)
    chosen = np.unique(np.linspace(0, len(parts) - 1, min(len(parts), _MOST_GROUPS)).round().astype(int))
    reach_m = _FASTEST_M_S * lag_s + 5.0
    whole = corridor.grid
    for part in (parts[number] for number in chosen):
        rows = table.iloc[part]
        low = float((rows["station_m"] - rows["length_m"] / 2).min()) - _BEYOND_M - reach_m
        high = float((rows["station_m"] + rows["length_m"] / 2).max()) + _BEYOND_M + reach_m
        wide_m = max(0.0, 400.0 - (high - low)) / 2
        columns = (np.array([low - wide_m, high + wide_m]) / corridor.pixel_m).round().astype(int)
        section = corridor.read(whole.cut(int(columns[0]), int(columns[1])))
        group = _looked_at(section, rows, corridor.carriageway_m, (first, second), reach_m)
        if group is not None:
            yield group


def _looked_at(
    section: Section, rows: object, carriageway_m: float, pair: tuple[int, int], reach_m: float
) -> _Group | None:
    """Return what one group says, ``None`` where nothing beside the road tells the common shift."""
    bands = section.pixels[pair[0]], section.pixels[pair[1]]
    still = _still(section, bands, carriageway_m)
    if still is None:
        return None
    pixel_m = section.grid.pixel_m
    reach = round(reach_m / pixel_m)
    curves = [curve for curve in _curves(section, bands, rows, still.rows, reach) if curve is not None]
    station_m = float(rows["station_m"].mean())  # type: ignore[index]
    if len(curves) < 3:
        return _Group(station_m, None, gone=False)
    joint = np.mean(np.maximum(curves, 0.0), axis=0)
    at, height = peak(joint)
    apart = np.abs(np.arange(len(joint)) - at) * pixel_m > _SAME_M
    rival = float(joint[apart].max()) if apart.any() else 0.0
    home = round(reach + still.along_px)
    here = float(joint[max(0, home - 1) : home + 2].max())
    if height >= _ALIKE and height - rival >= _CLEARLY:
        return _Group(station_m, (at - reach - still.along_px) * pixel_m, gone=False)
    own = np.median([curve.max() for curve in curves])
    return _Group(station_m, None, gone=bool(here < 0.5 * _ALIKE and own > 2 * _ALIKE))


def _still(section: Section, bands: tuple[Pixels, Pixels], carriageway_m: float) -> _Still | None:
    """Measure the common shift on patches beside the road."""
    grid = section.grid
    size, reach = round(_STILL_M / grid.pixel_m), round(_STILL_SHIFT_M / grid.pixel_m)
    offset = grid.offset_m()
    edge_m = carriageway_m / 2 + 1.5
    sides = [np.flatnonzero(offset > edge_m), np.flatnonzero(offset < -edge_m)]
    shown = ~np.isin(section.hidden, (Hidden.OUTSIDE, Hidden.NODATA))
    best: tuple[float, list[float], int] = (0.0, [], 0)
    for down in (-1, 0, 1):
        found, total = [], 0.0
        for rows in (each for each in sides if len(each) > 4):
            inner = rows[1:-1]
            for left in range(reach, grid.columns - size - reach, size):
                beside = slice(left - reach, left + size + reach)
                if not shown[rows, beside].all():
                    continue
                patch = bands[0][inner, left : left + size]
                at, height = peak(likeness(patch, bands[1][inner + down, beside]))
                if height >= _STILL_ALIKE:
                    found.append(at - reach)
                    total += height
        if total > best[0]:
            best = (total, found, down)
    _, found, down = best
    if len(found) < _LEAST_STILL:
        return None
    middle = float(np.median(found))
    spread = 1.48 * float(np.median(np.abs(np.array(found) - middle)))
    return _Still(middle, 1.25 * spread / len(found) ** 0.5, down)


def _curves(
    section: Section, bands: tuple[Pixels, Pixels], rows: object, down: int, reach: int
) -> Iterator[Array | None]:
    """Yield for each vehicle how alike the bands are around it at each shift, ``None`` where that was not seen."""
    grid = section.grid
    shown = ~np.isin(section.hidden, (Hidden.OUTSIDE, Hidden.NODATA))
    for row in rows.itertuples():  # type: ignore[attr-defined]
        half_m = row.length_m / 2 + _BEYOND_M
        left, right = grid.column_of(np.array([row.station_m - half_m, row.station_m + half_m])).round().astype(int)
        top, bottom = grid.row_of(np.array([row.offset_m + row.width_m / 2, row.offset_m - row.width_m / 2]))
        across = np.arange(round(float(top)), max(round(float(bottom)), round(float(top)) + 2) + 1)
        beside = slice(left - reach, right + reach)
        inside = across.min() + min(down, 0) >= 0 and across.max() + max(down, 0) < len(shown)
        if not inside or beside.start < 0 or beside.stop > grid.columns or not shown[across, beside].all():
            yield None
            continue
        curve = likeness(bands[0][across, left:right], bands[1][across + down, beside])
        yield curve if curve.any() else None


def _told(groups: list[_Group], lag_s: float, pixel_m: float) -> Motion:
    """Put what the groups of a queue say together."""
    if not groups:
        return Motion(lag_s=lag_s, reason="nothing beside the road tells how the bands lie on each other")
    shifts = np.array([group.shift_m for group in groups if group.shift_m is not None])
    if 2 * len(shifts) < len(groups) or not len(shifts):
        if 2 * sum(group.gone for group in groups) > len(groups):
            return Motion("moving", None, lag_s, "its vehicles are elsewhere in the later band, each its own way")
        return Motion(lag_s=lag_s, reason="its vehicles cannot be found again in the later band")
    shift = float(np.median(shifts))
    spread = 1.48 * float(np.median(np.abs(shifts - shift)))
    floor_m = float(np.hypot(_FLOOR_PX * pixel_m, _LEAN_PER_S * lag_s))
    half_m = _Z * float(np.hypot(floor_m, 1.25 * spread / len(shifts) ** 0.5))
    low, high = (3.6 * (shift + way * half_m) / lag_s for way in (-1, 1))
    near, far = max(0.0, low, -high), max(abs(low), abs(high))
    speed = Estimate(abs(3.6 * shift / lag_s), near, far, _LEVEL, "km/h")
    if near == 0.0 and far < _STANDS_KMH:
        return Motion("standing", speed, lag_s, "")
    if near > _MOVES_KMH:
        return Motion("moving", speed, lag_s, "")
    return Motion("unknown", speed, lag_s, "the shift between the bands is too small to tell")
