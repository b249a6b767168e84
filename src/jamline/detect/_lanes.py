"""Running lanes told from what lies beside them: bays, lots and verges.

On each side the lanes end at an edge that wanders slowly along the road. Three things tell where: how wide the road
is said to be, where its surface ends in the picture, and the vehicles themselves, which stand on one side of a kerb
or the other but not across it. The edge is a hidden state along the road; sums over all its ways are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from jamline.corridor import Section, place_posterior
from jamline.detect._protocol import Boxes

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_CHUNK_M = 20.0
"""Length over which the surface is one profile; longer than a lorry with its gap."""

_SAMPLE_M = 0.5
"""Every so many metres a sample is enough for a median."""

_STEP_M = 0.25
_INWARD_M, _OUTWARD_M = 3.0, 2.0
"""How far from where it is expected an edge may lie: less than a lane further in, or one lane would be lost."""

_NARROW_M = 0.3
"""Lanes count as 3.5 m each; in towns they are 3.0 to 3.25 m."""

_PRIOR_CHUNKS = 10.0
"""The width of a road is one fact over some 200 m, so what it says of the edge counts once in so many chunks."""

_DRIFT_M = 0.35
_JUMP = 0.01
"""The edge follows the line to so much from chunk to chunk; now and then a lane ends or a pocket begins."""

_SEEN_SHARE = 0.15
"""Share of a row that must be bare for its surface to count."""

_VISIBLE, _FAINT = 0.12, 0.02
"""Change of brightness that shows, as a share and at least."""

_TINT = 0.03
"""Change of colour, share of brightness, that shows."""

_MIXED = 1.0
"""Mean deviation along a row, in changes that show, from which it is no one surface."""

_AROUND_CHUNKS = 7
_FEWEST_ROWS = 10
_SURFACE = 1.0
"""What a metre of foreign surface inside the edge costs per chunk, or of road outside it."""

_LINE_M = 0.6
_LINE = 0.6
"""What an unbroken line (kerb stone, edge line) along the edge is worth per chunk."""

_ASTRIDE = 0.2
"""Chance of a box astride the edge over that of one clear of it: kerbs are not parked on, lines seldom."""

_PLACE_M = 0.6
"""How well a box is placed across the road: its shadow draws it aside."""

_BESIDE_M = (2.0, 4.4)
_ALONG_M, _PARTNERS = 20.0, 2
"""A vehicle on the shoulder has company of at least two in the lane next to it, 20 m up or down."""

_ROW_M, _REACH_M = 1.2, 100.0
_FEWEST, _COMPANY = 3, 0.8
"""A row within that reach waits if it has so many vehicles, and so many of them have company."""


@dataclass(frozen=True, eq=False)
class Surface:
    """What the picture says of where the road's surface ends.

    Parameters
    ----------
    station_m : array, shape (chunks,)
        Middle of each chunk.
    offset_m : array, shape (rows,)
        Offsets in falling order.
    road : array, shape (chunks, rows)
        How much a row looks like the road: 1 alike, 0 not known, -1 foreign.
    line : array, shape (chunks, rows)
        How much of an unbroken bright line runs there, 0 to 1.
    """

    station_m: Array
    offset_m: Array
    road: Array
    line: Array


def surface_of(section: Section, boxes: Boxes, *, carriageway_m: float) -> Surface:
    """Read the surface of a section's own stretch, between its vehicles.

    Parameters
    ----------
    section : Section
        Flat road.
    boxes : Boxes
        Vehicles found in it, which are no surface.
    carriageway_m : float
        Width of the road.
    """
    grid = section.grid
    rows = np.flatnonzero(np.abs(grid.offset_m()) <= carriageway_m / 2 + _OUTWARD_M + 2.0)
    columns = np.arange(0, grid.columns, max(1, round(_SAMPLE_M / grid.pixel_m)))
    station, offset = grid.station_m()[columns], grid.offset_m()[rows]
    cut = np.ix_(rows, columns)
    bare = section.seen[cut]
    for s, o, along, across in zip(boxes.station_m, boxes.offset_m, boxes.length_m, boxes.width_m, strict=True):
        a, b = np.searchsorted(station, (s - along / 2 - 0.5, s + along / 2 + 0.5))
        bare[np.abs(offset - o) < across / 2 + 0.3, a:b] = False
    colours = _colours(section.pixels[:, cut[0], cut[1]])
    first = round(section.core.start_m / _CHUNK_M)
    chunks = max(1, round(section.core.length_m / _CHUNK_M))
    profile = np.full((chunks, len(colours), len(rows)), np.nan)
    spread = np.full((chunks, len(rows)), np.nan)
    for chunk in range(chunks):
        a, b = np.searchsorted(station, np.array([first + chunk, first + chunk + 1]) * _CHUNK_M)
        enough = bare[:, a:b].sum(axis=1) > _SEEN_SHARE * max(b - a, 1)
        if not enough.any():
            continue
        values = np.where(bare[enough, a:b], colours[:, enough, a:b], np.nan)
        profile[chunk][:, enough] = _median(values)
        spread[chunk, enough] = np.nanmean(np.abs(values[0] - profile[chunk, 0, enough, None]), axis=1)
    on_road = np.abs(offset) < max(carriageway_m / 2 - 1.0, 1.0)
    return Surface(
        station_m=(np.arange(chunks, dtype=np.float64) + first + 0.5) * _CHUNK_M,
        offset_m=offset,
        road=_likeness(profile, spread, on_road),
        line=_lines(profile[:, 0], max(1, round(_LINE_M / grid.pixel_m))),
    )


def joined(parts: Sequence[Surface]) -> Surface:
    """Put the surfaces of successive sections one behind another."""
    return Surface(
        station_m=np.concatenate([part.station_m for part in parts]),
        offset_m=parts[0].offset_m,
        road=np.concatenate([part.road for part in parts]),
        line=np.concatenate([part.line for part in parts]),
    )


def _colours(pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return brightness, and two shares of it as changes of tint that show where there are colours."""
    bright: npt.NDArray[np.float32] = pixels[:3].mean(axis=0)
    if len(pixels) < 3:
        return bright[None]
    red, green, blue = pixels[:3]
    total = np.maximum(red + green + blue, 0.15)
    colours: npt.NDArray[np.float32] = np.stack([bright, (red - green) / total / _TINT, (blue - green) / total / _TINT])
    return colours


def _likeness(profile: Array, spread: Array, on_road: Bools) -> Array:
    """Tell rows that look like the middle of the road from foreign ones, shape (chunks, rows)."""
    alike = np.zeros((len(profile), profile.shape[2]))
    for chunk in range(len(profile)):
        around = profile[max(0, chunk - _AROUND_CHUNKS) : chunk + _AROUND_CHUNKS + 1][:, :, on_road]
        around = around.transpose(1, 0, 2).reshape(profile.shape[1], -1)
        if np.isfinite(around[0]).sum() < _FEWEST_ROWS:
            continue
        usual = _median(around)
        scatter = 1.4826 * _median(np.abs(around - usual[:, None]))
        shows = np.ones(len(usual))
        shows[0] = max(_VISIBLE * usual[0], _FAINT)
        unlike = (profile[chunk] - usual[:, None]) / np.maximum(shows, 1.5 * scatter)[:, None]
        square = (unlike**2).sum(axis=0)
        like = (1.0 - square) / (1.0 + square)
        # A surface is alike along itself. Vehicles that were missed are not, and hide what is under them.
        like /= np.where(like < 0, 1.0 + (spread[chunk] / (_MIXED * shows[0])) ** 4, 1.0)
        alike[chunk] = np.where(np.isfinite(like), like, 0.0)
    return alike


def _median(values: npt.NDArray[np.floating]) -> Array:
    """Return the median of the last axis without NaN; numpy's own is slow on many short rows."""
    count = np.maximum(np.isfinite(values).sum(axis=-1) - 1, 0)
    ordered = np.sort(values, axis=-1)
    middle: Array = np.take_along_axis(ordered, (count // 2)[..., None], axis=-1)[..., 0].astype(np.float64)
    return middle


def _lines(bright: Array, reach: int) -> Array:
    """Return how much each row is brighter than both its neighbours, shape (chunks, rows), 0 to 1."""
    filled = np.where(np.isfinite(bright), bright, np.inf)
    before = np.pad(filled, ((0, 0), (reach, 0)), constant_values=np.inf)[:, : bright.shape[1]]
    after = np.pad(filled, ((0, 0), (0, reach)), constant_values=np.inf)[:, reach:]
    above = bright - np.maximum(before, after)
    line = np.clip(above / np.maximum(_VISIBLE * np.abs(bright), _FAINT), 0.0, 1.0)
    return np.where(np.isfinite(line), line, 0.0)


def parked(boxes: Boxes, *, carriageway_m: float, edge_sigma_m: float, surface: Surface | None = None) -> Bools:
    """Tell which vehicles stand beside the running lanes.

    Parameters
    ----------
    boxes : Boxes
        Vehicles of a road, in order of station.
    carriageway_m : float
        Width of the road.
    edge_sigma_m : float
        Standard deviation of where its edges lie.
    surface : Surface, optional
        What the picture shows; without it width and vehicles alone decide.

    Returns
    -------
    array of bool, shape (n,)
    """
    beside = np.zeros(len(boxes), bool)
    if not len(boxes):
        return beside
    expected_m = carriageway_m / 2 - _NARROW_M
    edges = np.arange(max(1.0, expected_m - _INWARD_M), expected_m + _OUTWARD_M + 1e-6, _STEP_M)
    last = int(max(boxes.station_m.max(), 0.0) // _CHUNK_M)
    if surface is not None:
        last = max(last, len(surface.station_m) - 1)
    prior = -0.5 * ((edges - expected_m) / edge_sigma_m) ** 2 / min(_PRIOR_CHUNKS, last + 1)
    for sign in (1, -1):
        mine = np.flatnonzero(np.sign(boxes.offset_m) == sign)
        out_m, half_m = sign * boxes.offset_m[mine], boxes.width_m[mine] / 2
        chunk = np.clip((boxes.station_m[mine] // _CHUNK_M).astype(int), 0, last)
        score = np.tile(prior, (last + 1, 1))
        if surface is not None:
            seen = _shown(surface, edges, sign)
            score[: len(seen)] += seen[: last + 1]
        beyond = out_m[:, None] - edges[None, :]
        room = (np.abs(beyond) - 0.8 * half_m[:, None]) / _PLACE_M
        clear = np.log(_ASTRIDE + (1 - _ASTRIDE) / (1 + np.exp(-1.7 * room)))
        np.add.at(score, chunk, boxes.score[mine][:, None] * clear)
        chance = _posterior(score)
        outside = 1 / (1 + np.exp(-1.7 * beyond / _PLACE_M))
        beside[mine] = (chance[chunk] * outside).sum(axis=1) > 0.5
    return beside & ~_waiting(boxes, beside, carriageway_m)


def _shown(surface: Surface, edges: Array, sign: int) -> Array:
    """Return what the picture says for each place of the edge, shape (chunks, edges)."""
    out_m = sign * surface.offset_m
    order = np.argsort(out_m)
    out_m, road, line = out_m[order], surface.road[:, order], surface.line[:, order]
    pixel_m = float(out_m[1] - out_m[0])
    near = (out_m > edges[0] - 1.5) & (out_m < edges[-1] + 1.5)
    total = np.cumsum(np.where(near, road, 0.0), axis=1) * pixel_m
    # Road inside and none outside: what is gained up to the edge less what is lost beyond it.
    fit = _SURFACE * (2 * total - total[:, -1:])
    along = _LINE * ndimage.maximum_filter1d(line, max(1, round(0.5 / pixel_m)), axis=1)
    at = np.clip(np.searchsorted(out_m, edges), 0, len(out_m) - 1)
    shown: Array = (fit + along)[:, at]
    return shown


def _posterior(score: Array) -> Array:
    """Return the probability of each place of the edge in each chunk, shape (chunks, places)."""
    places = score.shape[1]
    apart = (np.arange(places)[:, None] - np.arange(places)[None, :]) * _STEP_M
    move = np.exp(-0.5 * (apart / _DRIFT_M) ** 2)
    move = (1 - _JUMP) * move / move.sum(axis=1, keepdims=True) + _JUMP / places
    return place_posterior(score, move)


def _waiting(boxes: Boxes, beside: Bools, carriageway_m: float) -> Bools:
    """Tell which vehicles beside the lanes are one more row of a queue that stands in them.

    Such a row goes no further than the queue does; a row that is parked stays where the lanes are free too.
    """
    station, out_m, side = boxes.station_m, np.abs(boxes.offset_m), np.sign(boxes.offset_m)

    def around(i: np.intp, reach_m: float) -> npt.NDArray[np.intp]:
        low, high = np.searchsorted(station, (station[i] - reach_m, station[i] + reach_m))
        near = np.arange(low, high)
        mine: npt.NDArray[np.intp] = near[side[near] == side[i]]
        return mine

    company = np.zeros(len(boxes), bool)
    for i in np.flatnonzero(beside):
        near = around(i, _ALONG_M)
        further = out_m[i] - out_m[near]
        company[i] = np.count_nonzero(~beside[near] & (further > _BESIDE_M[0]) & (further < _BESIDE_M[1])) >= _PARTNERS
    waiting = np.zeros(len(boxes), bool)
    # Out there is the carriageway's own edge: beyond it is no room to wait.
    for i in np.flatnonzero(beside & (out_m < carriageway_m / 2)):
        near = around(i, _REACH_M)
        row = near[beside[near] & (np.abs(out_m[near] - out_m[i]) < _ROW_M)]
        waiting[i] = len(row) >= _FEWEST and company[row].mean() >= _COMPANY
    return waiting
