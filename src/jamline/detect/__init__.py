"""Corridor in, evidence out."""

from jamline.detect._find import DETECTORS, detector_named, find_vehicles
from jamline.detect._protocol import Boxes, Detector, Found, Shipped, Usual

__all__ = ["DETECTORS", "Boxes", "Detector", "Found", "Shipped", "Usual", "detector_named", "find_vehicles"]
