"""Colours that vehicles come in, as reflectance in red, green and blue."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Options = tuple[tuple[float, tuple[float, float, float]], ...]

# Shares after the paint makers' yearly colour reports, averaged over continents.
CARS: Options = (
    (0.285, (0.64, 0.64, 0.63)),
    (0.120, (0.34, 0.345, 0.35)),
    (0.095, (0.19, 0.195, 0.20)),
    (0.110, (0.095, 0.098, 0.105)),
    (0.185, (0.018, 0.019, 0.021)),
    (0.055, (0.018, 0.030, 0.080)),
    (0.035, (0.035, 0.085, 0.22)),
    (0.045, (0.29, 0.026, 0.024)),
    (0.015, (0.11, 0.012, 0.017)),
    (0.012, (0.030, 0.062, 0.042)),
    (0.018, (0.33, 0.29, 0.21)),
    (0.008, (0.095, 0.060, 0.040)),
    (0.006, (0.52, 0.38, 0.04)),
    (0.006, (0.42, 0.15, 0.03)),
    (0.005, (0.13, 0.30, 0.36)),
)
DARK: Options = (
    (0.45, (0.018, 0.019, 0.021)),
    (0.25, (0.050, 0.052, 0.056)),
    (0.15, (0.095, 0.098, 0.105)),
    (0.10, (0.018, 0.030, 0.070)),
    (0.05, (0.080, 0.012, 0.015)),
)
BOXES: Options = (
    (0.40, (0.62, 0.62, 0.61)),
    (0.20, (0.40, 0.41, 0.41)),
    (0.09, (0.06, 0.11, 0.26)),
    (0.08, (0.32, 0.05, 0.045)),
    (0.07, (0.15, 0.15, 0.15)),
    (0.04, (0.06, 0.15, 0.08)),
    (0.05, (0.40, 0.34, 0.24)),
    (0.03, (0.50, 0.40, 0.06)),
    (0.04, (0.10, 0.22, 0.34)),
)
CABS: Options = (
    (0.45, (0.62, 0.62, 0.61)),
    (0.15, (0.31, 0.04, 0.03)),
    (0.17, (0.05, 0.09, 0.24)),
    (0.13, (0.2, 0.2, 0.21)),
    (0.05, (0.48, 0.36, 0.05)),
    (0.05, (0.05, 0.13, 0.07)),
)
LOADS: Options = (
    (0.30, (0.20, 0.17, 0.13)),
    (0.20, (0.33, 0.27, 0.19)),
    (0.20, (0.12, 0.12, 0.12)),
    (0.15, (0.30, 0.29, 0.27)),
    (0.15, (0.24, 0.10, 0.07)),
)
GLASS = np.array([0.028, 0.034, 0.043])
SKY = np.array([0.78, 0.95, 1.27])
RUBBER = np.array([0.030, 0.030, 0.032])
DUST = np.array([0.26, 0.235, 0.20])


def pick(options: Options, rng: np.random.Generator, *, spread: float = 0.22) -> Array:
    """Draw one of some colours, a little brighter, darker and of another hue each time."""
    share = np.array([option[0] for option in options])
    index = int(rng.choice(len(options), p=share / share.sum()))
    base = np.array(options[index][1]) * float(np.exp(rng.normal(0.0, spread)))
    return np.asarray(np.clip(base * (1.0 + rng.normal(0.0, 0.03, 3)), 0.012, 0.88), dtype=float)
