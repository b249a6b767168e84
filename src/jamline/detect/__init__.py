"""Corridor in, evidence out."""

from jamline.detect._find import DETECTORS, Stretch, as_detector, detector_named, evidence_of, find_along, find_vehicles
from jamline.detect._protocol import Boxes, Detector, Found, Shipped, Usual

__all__ = [
    "DETECTORS",
    "Boxes",
    "Detector",
    "Found",
    "Shipped",
    "Stretch",
    "Usual",
    "as_detector",
    "detector_named",
    "evidence_of",
    "find_along",
    "find_vehicles",
]
