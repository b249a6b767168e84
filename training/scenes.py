"""Samples of simulated scenes, made once and kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import click
import cv2
import numpy as np

from jamline.synth import SceneSpec, varied

_IMAGED_M = 34.0
"""Reach of the alignment, and of a line that lies off by 8 m."""

S = TypeVar("S")


def scene_for(
    seed: int, *, stream: int, finest_m: float, coarsest_m: float, length_km: float
) -> tuple[SceneSpec, float]:
    """Draw a scene to learn from, and its resolution in metres.

    Parameters
    ----------
    seed : int
        Of the scene.
    stream : int
        Of the resolution, so that what is learned by one network tells nothing of what is learned by another.
    finest_m, coarsest_m : float
        Between which resolutions it is drawn.
    length_km : float
        Of its road.
    """
    rng = np.random.default_rng([seed, stream])
    gsd_m = float(np.exp(rng.uniform(np.log(finest_m), np.log(coarsest_m))))
    spec = varied(seed, gsd_m=gsd_m, length_km=length_km)
    # No wider than what is looked at: pixels beside the road cost as much as those on it.
    near = spec.imagery.model_copy(update={"half_width_m": _IMAGED_M})
    return spec.model_copy(update={"imagery": near}), gsd_m


def samples_of(make: Callable[[int], S | None], kind: type[S], seeds: range, folder: Path, *, workers: int) -> list[S]:
    """Return the samples of some seeds, in order; those that are not there yet are made.

    Parameters
    ----------
    make : callable
        Makes the sample of a seed, ``None`` where a survey would refuse the scene.
    kind : type
        Dataclass of arrays and numbers.
    seeds : range
    folder : Path
        Where they are kept.
    workers : int
        Processes at a time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    with ProcessPoolExecutor(workers, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        made = sum(pool.map(_make, [make] * len(seeds), seeds, [folder] * len(seeds), chunksize=4))
    files = [path for seed in seeds if (path := folder / f"{seed}.npz").exists()]
    spent = time.perf_counter() - began
    click.echo(f"{len(files)} scenes from seed {seeds.start}, {made} of them made now: {spent:.0f} s")
    return [_load(path, kind) for path in files]


def _make(make: Callable[[int], Any], seed: int, folder: Path) -> int:
    path, refused = folder / f"{seed}.npz", folder / f"{seed}.none"
    if path.exists() or refused.exists():
        return 0
    sample = make(seed)
    if sample is None:
        refused.touch()
        return 0
    # Whole or not at all: a run that is stopped goes on from here.
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, **vars(sample))
    part.rename(path)
    return 1


def _load(path: Path, kind: type[S]) -> S:
    with np.load(path) as data:
        return kind(**{name: data[name] if data[name].ndim else data[name].item() for name in data.files})
