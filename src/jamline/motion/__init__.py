"""Whether a queue stands: vehicles that move lie elsewhere in bands that were taken at another instant."""

from jamline.motion._measure import measure_motion, times_of

__all__ = ["measure_motion", "times_of"]
