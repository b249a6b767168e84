"""A result held against the truth: vehicles one to one, queues by length and interval.

The truth is a simulated scene's, or footprints that somebody marked on a real picture. What the imagery did
not show counts neither way, and neither does a vehicle cut by its edge.
"""

from jamline.evaluate.against import evaluate
from jamline.evaluate.matching import match_vehicles
from jamline.evaluate.scores import Evaluation, QueueScore, Score

__all__ = ["Evaluation", "QueueScore", "Score", "evaluate", "match_vehicles"]
