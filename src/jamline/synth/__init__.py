"""Simulated scenes: satellite tiles of a road and its traffic, the line someone drew, and the truth.

Nothing here is taken from imagery. A scene is painted in the order of the light: land, road, shadows,
vehicles, crowns, cloud, air, optics, detector. Every layer depends on the place and the seed alone, so that
tiles agree where they overlap, the same scene can be written in any georeference, and memory does not grow
with the road.
"""

from jamline.synth.config import SceneSpec, read_scene
from jamline.synth.varied import varied
from jamline.synth.write import simulate

__all__ = ["SceneSpec", "read_scene", "simulate", "varied"]
