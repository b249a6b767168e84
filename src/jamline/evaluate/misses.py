"""A picture of what went wrong: the flat road around vehicles that were missed and ones that are none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jamline.corridor import Corridor, Hidden, lay_flat
from jamline.errors import InputError, NothingToMeasureError
from jamline.evaluate.against import Compared, Paths, compare, scene_of
from jamline.evaluate.footprints import Array
from jamline.evaluate.glyphs import lettering
from jamline.evaluate.sight import roads_in
from jamline.imagery import Scene, packed_picture
from jamline.road import Road

Picture = npt.NDArray[np.uint8]

_TILE_M = 60.0
_MARGIN_M = 8.0
"""Road before the first and behind the last error of a tile."""

_PX_PER_M = 8.0
"""Pixels are blown up to about this; a car is then 36 px long."""

_MOST_TILES = 60
_WIDEST_PX = 2000
_GAP_PX = 6
_LINE_PX = 22
"""Height of a line of text: seven dots of 2 px, and room."""

_PAPER, _INK, _UNSEEN = (24, 24, 24), (235, 235, 235), (128, 128, 128)

COLOURS = {"not counted": (150, 150, 150), "found": (40, 220, 60), "false": (255, 220, 0), "missed": (255, 50, 40)}
"""Outlines, the ones drawn last at the end."""


@dataclass(frozen=True, eq=False)
class _OnRoad:
    """The vehicles nearest to one road.

    Parameters
    ----------
    road : Road
        The road.
    station_m, offset_m : array, shape (n, 4)
        Of the footprints' corners.
    state : array of str, shape (n,)
        One of `COLOURS`.
    """

    road: Road
    station_m: Array = field(repr=False)
    offset_m: Array = field(repr=False)
    state: npt.NDArray[np.str_] = field(repr=False)

    def starts_m(self) -> list[float]:
        """Return where tiles begin so that each error lies whole in one, greedily from the road's start."""
        wrong = np.isin(self.state, ("missed", "false"))
        low, high = self.station_m[wrong].min(axis=1), self.station_m[wrong].max(axis=1)
        starts: list[float] = []
        for k in np.argsort(low):
            if not starts or high[k] + _MARGIN_M > starts[-1] + _TILE_M:
                starts.append(float(low[k]) - _MARGIN_M)
        return starts

    def within(self, start_m: float, state: str) -> int:
        """Count the vehicles of a state whose middle lies in a tile."""
        middle = self.station_m.mean(axis=1)
        return int(((self.state == state) & (middle >= start_m) & (middle < start_m + _TILE_M)).sum())


def draw_misses(
    outdir: str | Path,
    truth_dir: str | Path,
    path: str | Path,
    *,
    match_m: float = 2.5,
    half_width_m: float | None = None,
    imagery: Paths | None = None,
    overwrite: bool = False,
) -> Path:
    """Draw the flat road around missed and false vehicles, tile by tile, as one PNG.

    Parameters
    ----------
    outdir, truth_dir, match_m, half_width_m
        As `evaluate` takes them.
    path : str or Path
        The file to write.
    imagery : str, Path or a sequence of those, optional
        The imagery that was measured, by default what `run.json` names.
    overwrite : bool
        Replace the file if it exists.

    Returns
    -------
    Path
        The file. Vehicles found are green, missed ones red, false ones yellow, those that count neither way
        grey. Where there are many tiles, those with most errors are shown.

    Raises
    ------
    InputError
        If a file is missing or cannot be read, or the picture exists and may not be replaced.
    """
    file = Path(path)
    if file.exists() and not overwrite:
        raise InputError(f"Invalid picture '{file}'. Must not exist, or be written with --overwrite.")
    compared = compare(outdir, truth_dir, match_m=match_m, half_width_m=half_width_m, imagery=imagery)
    reach_m = max(compared.half_width_m, half_width_m or 0.0)
    roads = _on_roads(compared, roads_in(compared.out / "road.geojson"))
    places = _places(roads)
    with scene_of(compared.run, imagery, compared.out) as scene:
        tiles = list(_tiles(scene, _worst(places), reach_m))
    picture = _sheet(tiles, _heading(roads, f"{len(tiles)} of {len(places)} places shown"))
    try:
        part = file.with_name(f".{file.name}.part")
        part.write_bytes(packed_picture(picture, "PNG"))
        part.replace(file)
    except OSError as error:
        raise InputError(f"Invalid picture '{file}'. Must be a file that can be written: {error}.") from error
    return file


def _on_roads(compared: Compared, roads: Sequence[Road]) -> list[_OnRoad]:
    """Give each vehicle to the road that it lies nearest to: found ones as found, missed ones as they truly lie."""
    found, truth = compared.found, compared.truth
    hit = compared.partner >= 0
    of_found = np.where(hit, "found", np.where(compared.counts_found, "false", "not counted"))
    missed = ~compared.hit_truth
    of_truth = np.where(compared.counts_truth, "missed", "not counted")[missed]
    boxes = np.concatenate([found.boxes, truth.boxes[missed]])
    state = np.concatenate([of_found, of_truth])
    if not len(boxes):
        return []
    placed = [[m.reshape(-1, 4) for m in road.to_road(*boxes.reshape(-1, 2).T)] for road in roads]
    nearest = np.argmin([_distance_m(road, *place) for road, place in zip(roads, placed, strict=True)], axis=0)
    return [
        _OnRoad(road, station[nearest == k], offset[nearest == k], state[nearest == k])
        for k, (road, (station, offset)) in enumerate(zip(roads, placed, strict=True))
    ]


def _distance_m(road: Road, station_m: Array, offset_m: Array) -> Array:
    """Return how far vehicles lie from a road, the way beyond its ends counted too."""
    middle = station_m.mean(axis=1)
    beyond = np.maximum(0.0, np.maximum(-middle, middle - road.length_m))
    distance: Array = np.hypot(beyond, offset_m.mean(axis=1))
    return distance


def _places(roads: Sequence[_OnRoad]) -> list[tuple[_OnRoad, float]]:
    """Return where tiles begin on each road, for every error."""
    return [(each, start) for each in roads for start in each.starts_m()]


def _worst(places: Sequence[tuple[_OnRoad, float]]) -> list[tuple[_OnRoad, float]]:
    """Choose the places to show: all, or where they are too many those with most errors, in order of the road."""
    wrong = [each.within(start, "missed") + each.within(start, "false") for each, start in places]
    return [places[k] for k in sorted(np.argsort([-n for n in wrong], kind="stable")[:_MOST_TILES])]


def _tiles(scene: Scene, places: Sequence[tuple[_OnRoad, float]], half_width_m: float) -> Iterator[Picture]:
    """Yield a captioned tile for each place."""
    corridor: Corridor | None = None
    for each, start_m in places:
        if corridor is None or corridor.road is not each.road:
            try:
                corridor = lay_flat(scene, each.road, half_width_m=half_width_m, align_road=False)
            except NothingToMeasureError:
                continue
        yield _tile(corridor, each, start_m)


def _tile(corridor: Corridor, vehicles: _OnRoad, start_m: float) -> Picture:
    """Draw one tile with its caption above: where it lies, and what is in it."""
    whole, pixel_m = corridor.grid, corridor.pixel_m
    first, columns = math.floor(start_m / pixel_m), math.ceil(_TILE_M / pixel_m)
    zoom = max(1, round(_PX_PER_M * pixel_m))
    strip = np.full((whole.rows, columns, 3), _UNSEEN, dtype=np.uint8)
    grid = whole.cut(first, first + columns)
    if grid.columns > 0:
        section = corridor.read(grid)
        bands = section.pixels[: 3 if len(section.pixels) >= 3 else 1]
        light = np.rint(255 * np.clip(np.moveaxis(bands, 0, -1), 0.0, 1.0)).astype(np.uint8)
        shown = ~np.isin(section.hidden, (Hidden.OUTSIDE, Hidden.NODATA))
        at = grid.first - first
        strip[:, at : at + grid.columns][shown] = np.broadcast_to(light, (*light.shape[:2], 3))[shown]
    picture = np.repeat(np.repeat(strip, zoom, axis=0), zoom, axis=1)
    x = (vehicles.station_m / pixel_m - first) * zoom
    y = (whole.row_of(vehicles.offset_m) + 0.5) * zoom
    within = (x.max(axis=1) > 0) & (x.min(axis=1) < picture.shape[1])
    for state, colour in COLOURS.items():
        for k in np.flatnonzero(within & (vehicles.state == state)):
            _outline(picture, x[k], y[k], colour)
    road = f"km {_km(start_m)} to {_km(start_m + _TILE_M)}, {vehicles.road.name}"
    told = ", ".join(f"{vehicles.within(start_m, state)} {state}" for state in ("found", "missed", "false"))
    return np.concatenate([*(_cut(_line(text), picture.shape[1]) for text in (road, told)), picture])


def _km(station_m: float) -> str:
    return f"{max(station_m, 0.0) / 1000:.2f}"


def _cut(line: Picture, width_px: int) -> Picture:
    """Return a line of text of just this width."""
    whole = np.full((len(line), width_px, 3), _PAPER, dtype=np.uint8)
    whole[:, : line.shape[1]] = line[:, :width_px]
    return whole


def _outline(picture: Picture, x: Array, y: Array, colour: tuple[int, int, int]) -> None:
    """Draw a closed line through corners, 2 px thick; what lies beyond the picture is left out."""
    x, y = np.append(x, x[0]), np.append(y, y[0])
    steps = max(2, math.ceil(2 * float(np.hypot(np.diff(x), np.diff(y)).max())))
    share = np.linspace(0.0, 1.0, steps)[:, None]
    px = np.floor(x[:-1] + share * np.diff(x)).astype(int).ravel()
    py = np.floor(y[:-1] + share * np.diff(y)).astype(int).ravel()
    for right in (0, 1):
        for down in (0, 1):
            a, b = px + right, py + down
            inside = (a >= 0) & (a < picture.shape[1]) & (b >= 0) & (b < picture.shape[0])
            picture[b[inside], a[inside]] = colour


def _line(text: str, colour: tuple[int, int, int] = _INK) -> Picture:
    """Return a line of text on its ground."""
    letters = lettering(text)
    line = np.full((_LINE_PX, letters.shape[1] + 2 * _GAP_PX, 3), _PAPER, dtype=np.uint8)
    top = (_LINE_PX - len(letters)) // 2
    line[top : top + len(letters), _GAP_PX : _GAP_PX + letters.shape[1]][letters] = colour
    return line


def _heading(roads: Sequence[_OnRoad], told: str) -> Picture:
    """Say what the colours mean, how many vehicles have each, and what is shown."""
    states = [str(state) for each in roads for state in each.state]
    named = ("found", "missed", "false", "not counted")
    counts = [_line(f"{states.count(state)} {state}", COLOURS[state]) for state in named]
    return np.concatenate([*counts, _line(told)], axis=1)


def _sheet(tiles: Sequence[Picture], heading: Picture) -> Picture:
    """Put the tiles under the heading, side by side as far as the sheet is wide."""
    wide = max((tile.shape[1] for tile in tiles), default=1)
    high = max((tile.shape[0] for tile in tiles), default=0)
    across = max(1, min(len(tiles), (_WIDEST_PX + _GAP_PX) // (wide + _GAP_PX)))
    down = math.ceil(len(tiles) / across)
    width = max(heading.shape[1], across * (wide + _GAP_PX) - _GAP_PX) + 2 * _GAP_PX
    sheet = np.full((_LINE_PX + 2 * _GAP_PX + down * (high + _GAP_PX), width, 3), _PAPER, dtype=np.uint8)
    sheet[_GAP_PX : _GAP_PX + _LINE_PX, : heading.shape[1]] = heading
    for k, tile in enumerate(tiles):
        top = _LINE_PX + 2 * _GAP_PX + k // across * (high + _GAP_PX)
        left = _GAP_PX + k % across * (wide + _GAP_PX)
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return sheet
