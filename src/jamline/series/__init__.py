"""One road at several times: how the head and the tail of its queue move, as table, layer and plot."""

from jamline.series._growth import SERIES, Look, growth
from jamline.series._survey import Series, survey_series

__all__ = ["SERIES", "Look", "Series", "growth", "survey_series"]
