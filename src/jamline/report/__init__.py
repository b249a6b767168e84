"""The report: one HTML file that tells what was measured, shows it, and says what it rests on."""

from jamline.report.page import write_report
from jamline.report.strips import StripImage, Strips

__all__ = ["StripImage", "Strips", "write_report"]
