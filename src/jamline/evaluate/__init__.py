"""A result held against the truth: vehicles one to one, queues by length and interval.

The truth is a simulated scene's, or footprints that somebody marked on a real picture. What the imagery did
not show counts neither way, and neither does a vehicle cut by its edge.
"""

from jamline.evaluate.against import evaluate
from jamline.evaluate.evaluation import Evaluation, pooled
from jamline.evaluate.matching import match_vehicles
from jamline.evaluate.misses import draw_misses
from jamline.evaluate.ranking import Calibration, ScoreBin, average_precision, calibration
from jamline.evaluate.scores import CountError, QueueScore, Score

__all__ = [
    "Calibration",
    "CountError",
    "Evaluation",
    "QueueScore",
    "Score",
    "ScoreBin",
    "average_precision",
    "calibration",
    "draw_misses",
    "evaluate",
    "match_vehicles",
    "pooled",
]
