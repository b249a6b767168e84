"""Train the detector `network`: scenes, training, what its answers are worth, the two files that are shipped.

    python training/train.py --real ../shared/real

makes what is not there yet and goes on where it was stopped. It says how far it is and how long it will take.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from batches import Batches
from export import calibrated, f1_by_resolution, facts, look_at, onnx_of
from frames import LEANS, real_samples
from jamline.detect.network import Network
from model import RoadNet, loss_of
from samples import Sample, load, make

HELD_OUT = range(8000, 8060)
"""Scenes that scores are calibrated on; training uses seeds from 1 on, `benchmarks/` those from 9000 on."""

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "jamline" / "detect"

ROUNDS = ((7500, 3e-3), (3500, 2e-3))
"""Steps and highest learning rate of each round."""

_SAVED_EVERY = 250
_MEAN = 0.999
"""Decay of the mean of the weights, which is what is shipped."""


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("training/build"), show_default=True)
@click.option("--scenes", default=650, show_default=True, help="Simulated roads of 0.6 km to learn from.")
@click.option("--seed", default=0, show_default=True)
@click.option("--real", type=click.Path(exists=True, path_type=Path), help="Folder of real frames; none if not given.")
@click.option("--real-share", default=0.10, show_default=True, help="Share of crops taken from them.")
@click.option("--workers", default=2, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=PACKAGE, help="Where the two files go.")
def main(folder: Path, scenes: int, seed: int, real: Path | None, real_share: float, workers: int, out: Path) -> None:
    """Make what is missing, and say how it goes."""
    learned = _samples(range(1, 1 + scenes), folder / "scenes", workers)
    cuts = real_samples(real, seed=seed) if real else []
    batches = Batches(learned, cuts, real_share=real_share, seed=seed)
    torch.manual_seed(seed)
    # Channels beside one another in memory: a fifth faster.
    net: nn.Module = RoadNet().to(memory_format=torch.channels_last)
    done = 0
    for number, (steps, rate) in enumerate(ROUNDS):
        mean = trained(net, batches.later(done), folder / f"network{number}.pt", steps=steps, rate=rate)
        done += steps
    weights = onnx_of(mean)
    network = Network(weights)
    looks = [look_at(sample, network) for sample in _samples(HELD_OUT, folder / "scenes", workers)]
    calibration = calibrated(looks)
    for name, row in f1_by_resolution(replace(network, calibration=calibration), looks).items():
        click.echo(f"held out, {name}: {row}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "network.onnx").write_bytes(weights)
    about = {
        "scenes": f"simulated, seeds 1 to {scenes}",
        "frames": [f"{name} (KIT AIS, CC-BY 3.0)" for name in LEANS] if real else [],
        "steps": done,
        "seed": seed,
    }
    (out / "network.json").write_text(json.dumps(facts(calibration, trained_on=about), indent=2) + "\n")


def _samples(seeds: range, folder: Path, workers: int) -> list[Sample]:
    began = time.perf_counter()
    files = make(seeds, folder, workers=workers)
    click.echo(f"{len(files)} scenes from seed {seeds.start}: {time.perf_counter() - began:.0f} s")
    return [load(path) for path in files]


def trained(
    net: nn.Module, batches: Batches, checkpoint: Path, *, steps: int, rate: float, batch: int = 16
) -> nn.Module:
    """Train a network for a round, from where the checkpoint left it, and return the mean of its last weights.

    Parameters
    ----------
    net : Module
        To train; what it has learned stays in it.
    batches : Batches
        What to learn from.
    checkpoint : Path
        Written every few minutes, read if it is there.
    steps : int
        Batches in all.
    rate : float
        The highest learning rate; it rises to it at first and falls to nothing at the end.
    batch : int
        Crops at a time.
    """
    # One core cuts crops, the others train; where there is one only, it does both.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch.set_num_threads(max(1, cores - 1))
    cv2.setNumThreads(1)
    mean = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(_MEAN), use_buffers=True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.06)
    parts = {"net": net, "mean": mean, "optimiser": optimiser, "schedule": schedule}
    begin = 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        begin = state["step"]
        batches = batches.later(begin)
    aside = {"num_workers": 1, "prefetch_factor": 4} if cores > 1 else {}
    loader = iter(DataLoader(batches, batch_size=batch, **aside))
    halves = bool(torch.cpu._is_avx512_bf16_supported())
    began, said = time.perf_counter(), []
    net.train()
    for step in range(begin + 1, steps + 1):
        pixels, heat, targets, weight, seen = next(loader)
        with torch.autocast("cpu", torch.bfloat16, enabled=halves):
            maps = net(pixels.to(memory_format=torch.channels_last))
        loss, terms = loss_of(maps.float(), heat, targets, weight, seen)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        mean.update_parameters(net)
        said.append(terms)
        if step % _SAVED_EVERY == 0 or step == steps:
            state = {name: part.state_dict() for name, part in parts.items()} | {"step": step}
            part_file = checkpoint.with_suffix(".part")
            torch.save(state, part_file)
            part_file.rename(checkpoint)
            spent = time.perf_counter() - began
            left = spent / (step - begin) * (steps - step)
            click.echo(f"step {step} of {steps}: {_mean_of(said)}; {spent:.0f} s, about {left:.0f} s to go")
            said.clear()
    return mean.module


def _mean_of(said: Sequence[dict[str, float]]) -> str:
    return ", ".join(f"{name} {np.mean([terms[name] for terms in said]):.3f}" for name in (said[0] if said else ()))


if __name__ == "__main__":
    main()
