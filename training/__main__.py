"""Learn a network anew: scenes, training, and the files that are shipped.

    python -m training centreline
    python -m training detector --real ../shared/real

Each makes what is not there yet and goes on where it was stopped. It says how far it is and how long it will take.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import torch

from jamline.corridor._centreline import PLANES as ROAD_PLANES
from jamline.detect._cells import CELL, PLANES
from jamline.detect.network import Network
from training.centreline.crops import COLUMNS, ROWS, RoadCrops
from training.centreline.net import CentrelineNet
from training.centreline.net import loss_of as road_loss_of
from training.centreline.samples import RoadSample
from training.centreline.samples import sample_of as road_sample_of
from training.detector.crops import VehicleCrops
from training.detector.frames import LEANS, real_samples
from training.detector.net import RoadNet, loss_of
from training.detector.samples import Sample, sample_of
from training.detector.sight import insight_of, told_by_share, witnesses
from training.detector.worth import calibrated, f1_by_resolution, look_at, parked_wrong
from training.fitting import onnx_of, trained
from training.scenes import samples_of

_PACKAGE = Path(__file__).resolve().parents[1] / "src" / "jamline"

_LEARNED = range(1, 501)
_HELD_OUT = range(8000, 8060)
"""Scenes that scores are calibrated on; `benchmarks/` uses seeds from 9000 on, but for the roads below."""

_SIGHTED = range(8060, 8260)
"""Scenes by which it is told how much is missed."""

_ROADS = range(20_000, 20_600)

_AGAIN = 1.5e-3
"""Highest rate of the second round: half that of the first, or what was learned there would be lost."""


@click.group()
def main() -> None:
    """Learn a network anew."""


def _common(steps: int) -> Callable[[Any], Any]:
    options = (
        click.option("--folder", type=click.Path(path_type=Path), default=Path("training/build"), show_default=True),
        click.option("--steps", default=steps, show_default=True, help="Batches of crops."),
        click.option("--seed", default=0, show_default=True),
        click.option("--workers", default=2, show_default=True, help="Processes that simulate scenes."),
    )

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@main.command("centreline")
@_common(6000)
@click.option("--scenes", default=len(_ROADS), show_default=True, help="Simulated roads of 0.8 km to learn from.")
@click.option("--out", type=click.Path(path_type=Path), default=_PACKAGE / "corridor", help="Where the file goes.")
def centreline_(folder: Path, steps: int, seed: int, workers: int, scenes: int, out: Path) -> None:
    """Learn to find the road beside its drawn line."""
    learned = samples_of(road_sample_of, RoadSample, _ROADS[:scenes], folder / "roads", workers=workers)
    torch.manual_seed(seed)
    crops = RoadCrops(learned, seed=seed)
    net = trained(CentrelineNet(), crops, road_loss_of, folder / "centreline.pt", steps=steps)
    free = {"strip": {3: "columns"}, "maps": {3: "cells"}}
    shape = (1, ROAD_PLANES, ROWS, COLUMNS)
    out.mkdir(parents=True, exist_ok=True)
    (out / "centreline.onnx").write_bytes(onnx_of(net, shape, free=free))


@main.command("detector")
@_common(30_000)
@click.option("--scenes", default=len(_LEARNED), show_default=True, help="Simulated roads of 0.6 km to learn from.")
@click.option("--more", default=4_000, show_default=True, help="Batches after those, the rate raised once more.")
@click.option("--real", type=click.Path(exists=True, path_type=Path), help="Folder of real frames; none if not given.")
@click.option("--real-share", default=0.10, show_default=True, help="Share of crops taken from them.")
@click.option("--out", type=click.Path(path_type=Path), default=_PACKAGE / "detect", help="Where the two files go.")
def detector_(
    folder: Path,
    steps: int,
    seed: int,
    workers: int,
    scenes: int,
    more: int,
    real: Path | None,
    real_share: float,
    out: Path,
) -> None:
    """Learn to find vehicles."""
    kept = folder / "scenes"
    learned = samples_of(sample_of, Sample, _LEARNED[:scenes], kept, workers=workers)
    cuts = real_samples(real, seed=seed) if real else []
    crops = VehicleCrops(learned, cuts, real_share=real_share, seed=seed)
    torch.manual_seed(seed)
    net = trained(RoadNet(), crops, loss_of, folder / "network.pt", steps=steps)
    if more:
        net = trained(net, crops.later(steps), loss_of, folder / "network-more.pt", steps=more, rate=_AGAIN)
    free = {name: {2: "rows", 3: "columns"} for name in ("strip", "maps")}
    weights = onnx_of(net, (1, PLANES, 96 // CELL[0], 3200 // CELL[1]), free=free)
    network = Network(weights)
    held_out = samples_of(sample_of, Sample, _HELD_OUT, kept, workers=workers)
    looks = [look_at(sample, network) for sample in held_out]
    network = replace(network, calibration=calibrated(looks))
    seen = witnesses(network, _SIGHTED, workers=workers)
    insight = insight_of(seen)
    for name, row in f1_by_resolution(network, looks).items():
        click.echo(f"held out, {name}: {row}")
    click.echo(f"held out, parked or not: {parked_wrong(network, looks):.1%} wrong")
    for line in told_by_share(insight, seen):
        click.echo(f"held out, recall: {line}")
    about = {
        "scenes": f"simulated, seeds 1 to {scenes}",
        "frames": [f"{name} (KIT AIS, CC-BY 3.0)" for name in LEANS] if real else [],
        "steps": steps + more,
        "seed": seed,
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "network.onnx").write_bytes(weights)
    facts = {"calibration": asdict(network.calibration), "insight": asdict(insight), "trained_on": about}
    (out / "network.json").write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
