"""What a person makes of a result: vehicles marked in a GIS, stretches drawn to look at, all measured anew."""

from jamline.review._estimate import Count
from jamline.review._looked import Looked
from jamline.review._remeasure import Review, remeasure
from jamline.review._spotcheck import Drawn, draw_stretches, spotcheck

__all__ = ["Count", "Drawn", "Looked", "Review", "draw_stretches", "remeasure", "spotcheck"]
