"""The straight line from imagery and a road to a result folder."""

from jamline.pipeline._onlooker import Progress
from jamline.pipeline._stretches import InStretches, in_stretches
from jamline.pipeline._survey import REPORT, Survey, scene_days, survey

__all__ = ["REPORT", "InStretches", "Progress", "Survey", "in_stretches", "scene_days", "survey"]
