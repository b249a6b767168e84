"""All layers of a scene, painted window by window in the order of the light."""

from __future__ import annotations

import numpy as np

from jamline.synth import bridges, clutter, cover, furniture, marks, plots, roadway, sensor, strips, terrain, wear
from jamline.synth.canvas import Canvas, Field, Stage
from jamline.synth.lanes import Vehicle
from jamline.synth.noise import Noise, Window
from jamline.synth.vehicles import Fleet
from jamline.synth.world import World


class Renderer:
    """Paints any window of a scene; a place looks the same whichever window shows it.

    Parameters
    ----------
    world : World
        The scene's geometry.
    vehicles : tuple of Vehicle
        Its traffic.
    """

    def __init__(self, world: World, vehicles: tuple[Vehicle, ...]) -> None:
        self.stage = Stage(world.spec, world, Noise(world.spec.seed))
        self.buildings = terrain.plan_buildings(self.stage) + terrain.plan_towers(self.stage)
        self.blemishes = roadway.plan_blemishes(self.stage)
        self.courses = wear.plan_courses(self.stage)
        self.marks = marks.plan_marks(self.stage)
        self.clutter = clutter.plan_clutter(self.stage)
        self.greens = strips.plan_strips(self.stage)
        self.grove = cover.Grove(self.stage, self.buildings)
        self.furniture = furniture.plan_furniture(self.stage)
        self.bridges = bridges.plan_bridges(self.stage)
        self.fleet = Fleet(self.stage, vehicles)

    def paint(self, window: Window) -> tuple[Field, Field, Field]:
        """Return radiance behind the optics, station and offset of a window.

        Returns
        -------
        light : array, float32, shape (h, w, 3)
        station_m, offset_m : array, float32, shape (h, w)
        """
        stage = self.stage
        station, offset = stage.world.fields(window)
        shape = (window.height, window.width)
        canvas = Canvas(
            window, station, offset, np.zeros((*shape, 3), dtype=np.float32), np.ones(shape, dtype=np.float32)
        )
        trees = self.grove.trees(window)
        terrain.lay_ground(stage, canvas)
        roadway.lay_road(stage, canvas, self.blemishes, self.courses)
        # Car parks and crossing roads are swept; markings show through what drifts.
        wear.lay_drift(stage, canvas)
        strips.lay_strips(stage, canvas)
        plots.lay_lots(stage, canvas)
        plots.lay_crossings(stage, canvas)
        furniture.lay_paint(stage, canvas, self.furniture)
        marks.lay_marks(stage, canvas, self.marks)
        terrain.lay_buildings(stage, canvas, self.buildings)
        self.grove.cast(canvas, trees)
        furniture.lay_posts(stage, canvas, self.furniture, shadows=True)
        for things in (self.clutter, self.greens):
            clutter.lay_clutter(stage, canvas, things)
            clutter.cast_gantries(stage, canvas, things)
        bridges.shade_bridges(stage, canvas, self.bridges)
        self.fleet.lay(canvas)
        furniture.lay_posts(stage, canvas, self.furniture, shadows=False)
        for things in (self.clutter, self.greens):
            clutter.lay_clutter(stage, canvas, things, over=True)
        self.grove.lay(canvas, trees)
        bridges.lay_bridges(stage, canvas, self.bridges)
        cover.shade_valley(stage, canvas)
        cover.shade_clouds(stage, canvas)
        light = sensor.radiance(stage, canvas, cover.cloud_cover(stage, window))
        return sensor.through_optics(light, stage.spec.sensor, window.px_m), station, offset
