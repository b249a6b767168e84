"""The QGIS styles that come with the package."""

from __future__ import annotations

from importlib.resources import files


def read_style(layer: str) -> str:
    """Return the QML of a layer, a style that QGIS 3.22 and later read."""
    return (files("jamline") / "styles" / f"{layer}.qml").read_text(encoding="utf-8")
