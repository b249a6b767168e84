"""A network from its first weights to an ONNX file, whatever it learns."""

from __future__ import annotations

import os
import tempfile
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import click
import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, IterableDataset

BATCH = 16
"""Crops at a time."""

_SAVED_EVERY = 250
_MEAN = 0.999
"""Decay of the mean of the weights, which is what is shipped."""

Terms = Mapping[str, float]


class Crops(IterableDataset, ABC):
    """Crops without end: what the network is shown, then what is wanted of it, an array each."""

    @abstractmethod
    def later(self, step: int) -> Self:
        """Return other crops of the same samples, for going on after so many steps."""


def trained(
    net: nn.Module,
    crops: Crops,
    loss_of: Callable[..., tuple[Tensor, Terms]],
    checkpoint: Path,
    *,
    steps: int,
    rate: float = 3e-3,
) -> nn.Module:
    """Train a network, from where the checkpoint left it, and return the mean of its last weights.

    Parameters
    ----------
    net : Module
        To train; what it has learned stays in it.
    crops : Crops
        What to learn from.
    loss_of : callable
        Maps and what is wanted of them in, the loss and its parts out.
    checkpoint : Path
        Written every few minutes, read if it is there.
    steps : int
        Batches in all.
    rate : float
        The highest learning rate; it rises to it at first and falls to nothing at the end.
    """
    # One core cuts crops, the others train; where there is one only, it does both.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch.set_num_threads(max(1, cores - 1))
    cv2.setNumThreads(1)
    # Channels beside one another in memory: a fifth faster.
    net.to(memory_format=torch.channels_last)
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
        crops = crops.later(begin)
    aside = {"num_workers": 1, "prefetch_factor": 4} if cores > 1 else {}
    loader = iter(DataLoader(crops, batch_size=BATCH, **aside))
    halves = bool(torch.cpu._is_avx512_bf16_supported())
    began, said = time.perf_counter(), []
    net.train()
    for step in range(begin + 1, steps + 1):
        shown, *wanted = next(loader)
        with torch.autocast("cpu", torch.bfloat16, enabled=halves):
            maps = net(shown.to(memory_format=torch.channels_last))
        loss, terms = loss_of(maps.float(), *wanted)
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


def _mean_of(said: Sequence[Terms]) -> str:
    return ", ".join(f"{name} {np.mean([terms[name] for terms in said]):.3f}" for name in (said[0] if said else ()))


def onnx_of(net: nn.Module, shown: tuple[int, ...], *, free: Mapping[str, Mapping[int, str]]) -> bytes:
    """Return a network as an ONNX file.

    Parameters
    ----------
    net : Module
        Trained.
    shown : tuple of int
        A shape that it may be shown.
    free : mapping
        Axes whose size may differ, by ``strip`` (what goes in) and ``maps`` (what comes out).
    """
    net.eval()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "network.onnx"
        torch.onnx.export(
            net,
            (torch.zeros(shown),),
            str(path),
            dynamo=False,
            input_names=["strip"],
            output_names=["maps"],
            dynamic_axes={name: dict(axes) for name, axes in free.items()},
            opset_version=13,
        )
        return path.read_bytes()
