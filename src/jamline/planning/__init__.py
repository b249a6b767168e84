"""What imagery would decide a claim, said before any is bought: by simulation with the queue model itself."""

from jamline.planning._plan import Outcome, Plan, Setting, plan
from jamline.planning._sighting import Traffic

__all__ = ["Outcome", "Plan", "Setting", "Traffic", "plan"]
