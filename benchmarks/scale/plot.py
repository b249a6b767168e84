"""The picture of docs/performance.md. Runs where matplotlib is: `python plot.py RESULTS.json PICTURE.png`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

OURS, OTHERS, FLOOR = "#b5451b", "#8a8f98", "#c9cdd3"


def main() -> None:
    results, picture = sys.argv[1:]
    told = json.loads(Path(results).read_text())
    plt.rcParams |= {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), width_ratios=(1.5, 1), layout="constrained")

    square = told["squares"]["jpeg"]
    shown = [name for name in ("decode-1", "warp", "survey-1", "sahi-tiles", "sahi-whole") if name in square]
    seconds = [square[name]["cpu"] for name in shown]
    colours = [FLOOR if name == "decode-1" else OURS if name.startswith("survey") else OTHERS for name in shown]
    labels = [told["names"][name].replace("SAHI + YOLO11n-obb, ", "SAHI + YOLO11n-obb,\n") for name in shown]
    bars = left.barh(labels, seconds, color=colours)
    left.set_xscale("log")
    left.set_xlim(min(seconds) / 3, max(seconds) * 8)
    left.bar_label(bars, [f"{value:.3g} s" for value in seconds], padding=3)
    left.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    left.minorticks_off()
    left.invert_yaxis()
    left.tick_params(axis="y", length=0)
    left.set_xlabel("processor seconds, logarithmic")
    left.set_title("10 km of road in a JPEG of 20,000 by 20,000 pixels", loc="left", fontsize=9)

    lengths = {int(km): result for km, result in told["lengths"].items()}
    per_km = [1000 * result["cpu"] / result["km"] for result in lengths.values()]
    right.plot(list(lengths), per_km, color=OURS, marker="o")
    for km, value, result in zip(lengths, per_km, lengths.values(), strict=True):
        # Where the line is not: it falls from the first point to the second.
        first, last = km == min(lengths), km == max(lengths)
        place = {"xytext": (8, 2), "ha": "left"} if first else {"xytext": (0, 8 if last else -15), "ha": "center"}
        right.annotate(f"{result['peak_mib']:.0f} MiB", (km, value), textcoords="offset points", **place)
    right.set_xscale("log")
    right.set_xticks(list(lengths), [str(km) for km in lengths])
    right.minorticks_off()
    right.set_xlim(0.6, 2.2 * max(lengths))
    right.set_ylim(0, 1.35 * max(per_km))
    right.set_xlabel("km of road")
    right.set_ylabel("processor ms per km")
    right.set_title("What a km costs, and the most memory held", loc="left", fontsize=9)
    figure.savefig(picture, dpi=150)


if __name__ == "__main__":
    main()
