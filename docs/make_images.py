"""The pictures of these pages, made by the code itself from the simulated sample tiles.

python docs/make_images.py        needs matplotlib, which jamline itself does not
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

import jamline as jl
from jamline.corridor import Section
from jamline.detect._salience import section_maps

mpl.use("Agg")
mpl.rcParams |= {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#68707a",
    "axes.labelcolor": "#303840",
    "xtick.color": "#68707a",
    "ytick.color": "#68707a",
    "savefig.facecolor": "white",
}

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
IMAGES = HERE / "images"

QUEUED, FLOWING, PARKED = "#ff7a1a", "#4db8ff", "#d8d8d8"
"""As in the report."""

QUEUE, INK, SEEN, UNSEEN = "#d55e00", "#303840", "#e9ecef", "#c3c8ce"

CLOSE_M = (13455.0, 13605.0)
"""Stretch of the road shown close up: cars bumper to bumper, lorries, and traffic the other way."""

REACH_M = 9.0
"""How far to each side of the road the close-ups show."""


def main() -> None:
    """Make every picture."""
    IMAGES.mkdir(exist_ok=True)
    road = jl.read_road(ROOT / "seeds" / "roads" / "lars.geojson", origin="border")
    with jl.open_scene(ROOT / "sample_tiles" / "lars") as scene:
        corridor = jl.lay_flat(scene, road, half_width_m=15)
        drawn = jl.lay_flat(scene, road, half_width_m=15, align_road=False)
        queues = jl.measure_queues(jl.find_vehicles(corridor))
        save("strip", strip_picture(corridor, queues))
        save("alignment", alignment_picture(drawn, corridor))
        save("detector", detector_picture(corridor, queues))
    short = ROOT / "sample_tiles" / "short"
    truth = json.loads((short / "truth" / "queues.json").read_text(encoding="utf-8"))
    with jl.open_scene(short) as scene:
        corridor = jl.lay_flat(scene, jl.read_road(short / "road.geojson"))
        save("worlds", worlds_picture(jl.measure_queues(jl.find_vehicles(corridor)), truth))


def save(name: str, figure: Any) -> None:
    """Write a picture; the same code gives the same bytes."""
    figure.savefig(IMAGES / f"{name}.png", dpi=150, metadata={"Software": None})
    plt.close(figure)


def cut(corridor: jl.Corridor, start_m: float, end_m: float) -> Section:
    """Read a stretch of the strip."""
    first, stop = (round(m / corridor.pixel_m) for m in (start_m, end_m))
    return corridor.read(corridor.grid.cut(first, stop))


def show(axes: Any, section: Section, *, values: Any = None) -> None:
    """Draw a strip, or a map of it, in stations and offsets."""
    grid = section.grid
    picture = np.clip(np.moveaxis(section.pixels[:3], 0, -1), 0, 1) if values is None else values
    axes.imshow(
        picture,
        extent=(grid.start_m, grid.end_m, -grid.half_width_m, grid.half_width_m),
        cmap="magma",
        vmin=0,
        vmax=1,
        interpolation="bicubic" if values is None else "nearest",
        aspect="equal",
    )
    axes.set_ylim(-REACH_M, REACH_M)
    axes.set_yticks([-5, 0, 5])
    axes.tick_params(length=0, labelsize=8)
    for spine in axes.spines.values():
        spine.set_visible(False)


def boxes(axes: Any, queues: jl.Queues, start_m: float, end_m: float, *, width: float = 1.2) -> None:
    """Draw the vehicles of a stretch by their state."""
    colour = {"queued": QUEUED, "flowing": FLOWING, "parked": PARKED}
    table = queues.vehicles
    for car in table[table["station_m"].between(start_m, end_m)].itertuples():
        corner = (car.station_m - car.length_m / 2, car.offset_m - car.width_m / 2)
        axes.add_patch(Rectangle(corner, car.length_m, car.width_m, fill=False, ec=colour[car.state], lw=width))


def from_origin(axes: Any, queues: jl.Queues, step_m: float, digits: int) -> None:
    """Label stations as km from the origin."""
    zero = queues.evidence.road.origin_station_m
    low, high = axes.get_xlim()
    ticks = np.arange(np.ceil((low - zero) / step_m), np.floor((high - zero) / step_m) + 1) * step_m
    axes.set_xticks(ticks + zero, [f"{tick / 1000 + 0.0:.{digits}f}" for tick in ticks])


def strip_picture(corridor: jl.Corridor, queues: jl.Queues) -> Any:
    """Draw the whole road as a bar, and a piece of it laid flat with what was found."""
    evidence = queues.evidence
    start_m, end_m = CLOSE_M
    side = queues[0].side if len(queues) else "left"
    mine = [queue for queue in queues if queue.side == side]
    figure = plt.figure(figsize=(10, 2.72))

    whole = figure.add_axes((0.02, 0.715, 0.96, 0.13))
    last = max(span.end_m for span in evidence.seen_by_any())
    whole.set_xlim(evidence.road.origin_station_m - 300, min(last + 1500, evidence.road.length_m))
    whole.set_facecolor(UNSEEN)
    for span in evidence.seen_by_any():
        whole.axvspan(span.start_m, span.end_m, color=SEEN, lw=0)
    for queue in mine:
        whole.axvspan(queue.start_m, queue.end_m, 0.14, 0.86, color=QUEUE, lw=0)
    for queue in mine[:1]:
        middle = (queue.start_m + queue.end_m) / 2
        whole.text(middle, 0.47, str(queue.length_km), color="white", weight="bold", ha="center", va="center")
    whole.text((last + whole.get_xlim()[1]) / 2, 0.47, "not seen", color=INK, ha="center", va="center")
    whole.axvspan(start_m, end_m, -0.2, 1.2, fill=False, ec=INK, lw=1.3, clip_on=False)
    whole.set_yticks([])
    whole.tick_params(length=2, labelsize=8, pad=2)
    for spine in whole.spines.values():
        spine.set_visible(False)
    from_origin(whole, queues, 1000.0, 0)
    figure.text(
        0.02, 0.93, f"{evidence.road.name}, {side} side, km from the {evidence.road.origin} (simulated)",
        fontsize=9.5, color=INK, va="center",
    )  # fmt: skip

    close = figure.add_axes((0.02, 0.075, 0.96, 0.4235))
    show(close, cut(corridor, start_m, end_m))
    boxes(close, queues, start_m, end_m)
    for queue in mine:
        near, far = max(start_m, queue.start_m), min(end_m, queue.end_m)
        if near < far:
            close.add_patch(Rectangle((near, REACH_M - 1.3), far - near, 1.3, color=QUEUE, lw=0))
    close.set_xlim(start_m, end_m)
    close.set_yticks([])
    from_origin(close, queues, 20.0, 2)
    figure.text(0.02, 0.545, f"{end_m - start_m:.0f} m of it laid flat", fontsize=9.5, color=INK, va="center")
    for at, word, colour in (
        (0.2, "queued", QUEUED),
        (0.28, "flowing", FLOWING),
        (0.36, "parked", "#a9a9a9"),
    ):
        figure.text(at, 0.545, f"□ {word}", color=colour, fontsize=9.5, va="center", weight="bold")
    return figure


def alignment_picture(drawn: jl.Corridor, corridor: jl.Corridor) -> Any:
    """Draw a stretch along the line as drawn, and along the road as found."""
    start_m, end_m = CLOSE_M
    figure, axes = plt.subplots(2, 1, figsize=(10, 3.45), layout="constrained")
    shift = corridor.alignment_m
    for ax, each, title in (
        (axes[0], drawn, "along the line as drawn"),
        (axes[1], corridor, f"along the road as found; the mean shift is {shift}"),
    ):
        show(ax, cut(each, start_m, end_m))
        ax.axhline(0, color="#ffd166", lw=1.2, ls=(0, (6, 4)))
        if each is corridor:
            for edge in (-1, 1):
                ax.axhline(edge * corridor.carriageway_m / 2, color="#ffd166", lw=0.8)
        ax.set_title(title, loc="left", fontsize=9.5, color=INK)
        ax.set_ylabel("offset, m")
    axes[1].set_xlabel("station, m")
    return figure


def detector_picture(corridor: jl.Corridor, queues: jl.Queues) -> Any:
    """Draw what the detector `contrast` makes of a stretch, step by step."""
    start_m, end_m = CLOSE_M
    section = cut(corridor, start_m - 60.0, end_m + 60.0)
    maps, _, _ = section_maps(section, carriageway_m=corridor.carriageway_m)
    figure, axes = plt.subplots(4, 1, figsize=(10, 6.2), layout="constrained", sharex=True)
    for ax, values, title in (
        (axes[0], None, "the strip"),
        (axes[1], maps.raw, "salience: how far each pixel is from the road around it"),
        (axes[2], maps.solid, "what of it is as wide and as long as a vehicle"),
        (axes[3], None, "the best set of boxes"),
    ):
        show(ax, section, values=values)
        ax.set_title(title, loc="left", fontsize=9.5, color=INK)
        ax.set_ylabel("offset, m")
        ax.set_xlim(start_m, end_m)
    boxes(axes[3], queues, start_m, end_m)
    axes[3].set_xlabel("station, m")
    return figure


def worlds_picture(queues: jl.Queues, truth: dict[str, Any]) -> Any:
    """Draw the vehicles of one side with their queue, and its length in every drawn world, beside the truth."""
    longest = queues[0]
    table = queues.vehicles
    mine = table[(table["side"] == longest.side) & (table["state"] != "parked")]
    true = max(truth["queues"], key=lambda queue: queue["seen_length_km"])
    figure, (top, below) = plt.subplots(2, 1, figsize=(10, 3.9), layout="constrained", height_ratios=(1, 1.5))
    colours = mine["state"].map({"queued": QUEUE, "flowing": FLOWING})
    top.vlines(mine["station_m"], 0, mine["score"], color=colours, lw=1)
    for level, bars, colour in (
        (-0.2, [(queue.start_m, queue.end_m) for queue in queues if queue.side == longest.side], QUEUE),
        (-0.45, [(true["seen_start_m"], true["seen_end_m"])], INK),
    ):
        for start_m, end_m in bars:
            top.add_patch(Rectangle((start_m, level - 0.08), end_m - start_m, 0.16, color=colour, lw=0))
    top.set_xlim(0, queues.evidence.road.length_m)
    top.set_ylim(-0.6, 1.05)
    top.set_yticks([-0.45, -0.2, 0, 1], ["truth", "found", "0", "1"])
    top.tick_params(axis="y", length=0)
    top.set_xlabel("station, m", labelpad=1)
    top.set_title(
        f"vehicles found on the {longest.side} side, as high as their score, and the queue they make",
        loc="left", fontsize=9.5, color=INK,
    )  # fmt: skip

    there = longest.length_samples_km[longest.length_samples_km > 0]
    low, high = longest.length_km.low, longest.length_km.high
    below.axvspan(low, high if high is not None else there.max(), color=SEEN, lw=0)
    below.hist(there, bins=60, color=QUEUE)
    below.axvline(true["seen_length_km"], color=INK, lw=1.5, ls=(0, (4, 3)))
    below.margins(x=0.05)
    below.set_ylabel("worlds")
    below.set_xlabel("length of the longest queue, km", labelpad=1)
    below.set_title(
        f"its length in {len(there)} drawn worlds: {longest.length_km}; dashed, the truth: "
        f"{true['seen_length_km']:.2f} km",
        loc="left", fontsize=9.5, color=INK,
    )  # fmt: skip
    return figure


if __name__ == "__main__":
    main()
