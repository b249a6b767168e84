"""The algorithms, one in a file; each is a form for one command of jamline."""

from jamline_qgis.algorithms.batch import Batch
from jamline_qgis.algorithms.check import Check
from jamline_qgis.algorithms.measure import Measure
from jamline_qgis.algorithms.remeasure import Remeasure
from jamline_qgis.algorithms.simulate import Simulate

ALGORITHMS = (Measure, Check, Batch, Remeasure, Simulate)

__all__ = ["ALGORITHMS", "Batch", "Check", "Measure", "Remeasure", "Simulate"]
