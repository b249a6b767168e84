"""Train the network that finds the road beside its drawn line.

    python training/centreline/train.py

makes what is not there yet and goes on where it was stopped. It says how far it is and how long it will take.
"""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path

import click
import numpy as np
import torch
from crops import COLUMNS, ROWS, RoadCrops
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from jamline.corridor._centreline import PLANES
from model import CentrelineNet, loss_of
from samples import make

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "jamline" / "corridor"

FIRST_SEED = 20_000
_SAVED_EVERY = 250
_MEAN = 0.998
"""Decay of the mean of the weights, which is what is shipped."""

_WORTH = torch.tensor([1.0, 0.4, 0.4])
"""The middle is what is asked for; the edges help to see it."""


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("training/build"), show_default=True)
@click.option("--scenes", default=600, show_default=True, help="Simulated roads of 0.8 km to learn from.")
@click.option("--steps", default=6000, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=PACKAGE, help="Where the file goes.")
def main(folder: Path, scenes: int, steps: int, seed: int, workers: int, out: Path) -> None:
    """Make what is missing, and say how it goes."""
    began = time.perf_counter()
    samples = make(range(FIRST_SEED, FIRST_SEED + scenes), folder / "roads", workers=workers)
    click.echo(f"{len(samples)} roads: {time.perf_counter() - began:.0f} s")
    net = trained(RoadCrops(samples, seed=seed), folder / "centreline.pt", steps=steps, seed=seed)
    (out / "centreline.onnx").write_bytes(onnx_of(net))


def trained(
    crops: RoadCrops, checkpoint: Path, *, steps: int, seed: int, batch: int = 16, rate: float = 3e-3
) -> nn.Module:
    """Train a network, from where the checkpoint left it, and return the mean of its last weights.

    Parameters
    ----------
    crops : RoadCrops
        What to learn from.
    checkpoint : Path
        Written every few minutes, read if it is there.
    steps : int
        Batches in all.
    seed : int
        Of the first weights.
    batch : int
        Crops at a time.
    rate : float
        The highest learning rate; it rises to it at first and falls to nothing at the end.
    """
    torch.manual_seed(seed)
    # One core cuts crops, the others train.
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    net = CentrelineNet()
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
        crops = RoadCrops(crops.samples, seed=seed + 1_000_003 * begin)
    loader = iter(DataLoader(crops, batch_size=batch, num_workers=1, prefetch_factor=4))
    halves = bool(torch.cpu._is_avx512_bf16_supported())
    began, said = time.perf_counter(), []
    net.train()
    for step in range(begin + 1, steps + 1):
        strip, wanted, weight = next(loader)
        with torch.autocast("cpu", torch.bfloat16, enabled=halves):
            maps = net(strip)
        losses = loss_of(maps.float(), wanted, weight)
        optimiser.zero_grad()
        (losses * _WORTH).sum().backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        mean.update_parameters(net)
        said.append(losses.detach().numpy())
        if step % _SAVED_EVERY == 0 or step == steps:
            state = {name: part.state_dict() for name, part in parts.items()} | {"step": step}
            part_file = checkpoint.with_suffix(".part")
            torch.save(state, part_file)
            part_file.rename(checkpoint)
            spent = time.perf_counter() - began
            left = spent / (step - begin) * (steps - step)
            losses_said = ", ".join(f"{loss:.3f}" for loss in np.mean(said, axis=0))
            click.echo(f"step {step} of {steps}: {losses_said}; {spent:.0f} s, about {left:.0f} s to go")
            said.clear()
    return mean.module


def onnx_of(net: nn.Module) -> bytes:
    """Return a network as an ONNX file."""
    net.eval()
    path = Path("centreline.onnx.part")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (torch.zeros(1, PLANES, ROWS, COLUMNS),),
            str(path),
            dynamo=False,
            input_names=["strip"],
            output_names=["maps"],
            dynamic_axes={"strip": {3: "columns"}, "maps": {3: "cells"}},
            opset_version=13,
        )
    weights = path.read_bytes()
    path.unlink()
    return weights


if __name__ == "__main__":
    main()
