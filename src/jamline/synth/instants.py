"""Bands taken at different instants: between them, vehicles drive on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jamline.synth.canvas import Field
from jamline.synth.lanes import Vehicle
from jamline.synth.noise import Window
from jamline.synth.options import InstantsSpec
from jamline.synth.render import Renderer
from jamline.synth.world import World

_WAVE_M = 250.0
"""Vehicles so near to each other drive about alike."""


class InstantRenderer(Renderer):
    """Paints each band with the vehicles where they are when it is taken.

    Parameters
    ----------
    world : World
        The scene's geometry.
    vehicles : sequence of Vehicle
        Its traffic at the time 0.
    """

    def __init__(self, world: World, vehicles: Sequence[Vehicle]) -> None:
        super().__init__(world, tuple(vehicles))
        self._later = [
            Renderer(world, driven_on(vehicles, world.spec.instants, lag_s, seed=world.spec.seed)) if lag_s else None
            for lag_s in world.spec.instants.lag_s
        ]

    def paint(self, window: Window) -> tuple[Field, Field, Field]:
        """Return radiance behind the optics, station and offset of a window, as `Renderer.paint`."""
        light, station, offset = super().paint(window)
        for band, later in enumerate(self._later):
            if later is not None:
                light[..., band] = later.paint(window)[0][..., band]
        return light, station, offset


def renderer_of(world: World, vehicles: Sequence[Vehicle]) -> Renderer:
    """Return what paints a scene."""
    return InstantRenderer(world, vehicles) if any(world.spec.instants.lag_s) else Renderer(world, tuple(vehicles))


def driven_on(vehicles: Sequence[Vehicle], spec: InstantsSpec, lag_s: float, *, seed: int) -> tuple[Vehicle, ...]:
    """Return vehicles some seconds later; speeds change smoothly along the road and a little from car to car."""
    rng = np.random.default_rng([seed, 31])
    waves = rng.uniform(0.0, 1.0, 4096)
    moved = []
    for vehicle in vehicles:
        low, high = {"queued": spec.queue_kmh, "flowing": spec.flow_kmh}.get(vehicle.state, (0.0, 0.0))
        at = max(0.0, vehicle.station_m) / _WAVE_M
        share = float(np.interp(at, np.arange(len(waves)), waves))
        own = 1.0 + 0.03 * float(np.random.default_rng([seed, vehicle.number, 32]).normal())
        way = 1.0 if vehicle.along else -1.0
        step_m = way * (low + share * (high - low)) * own / 3.6 * lag_s
        moved.append(replace(vehicle, station_m=vehicle.station_m + step_m))
    return tuple(moved)
