"""Which bodies drive: their shares and sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Table = dict[str, tuple[float, float, float, float, float, float]]
"""Body: share, length mean, sd, width mean, sd, height, in metres."""


@dataclass(frozen=True, eq=False)
class Bodies:
    """The bodies of a scene.

    Parameters
    ----------
    cars, trucks : dict
        Those up to 7 m and those over it.
    """

    cars: Table
    trucks: Table

    def draw(self, rng: np.random.Generator, truck_share: float) -> tuple[str, tuple[float, float, float]]:
        """Draw a body and its length, width and height."""
        table = self.trucks if rng.random() < truck_share else self.cars
        names = list(table)
        body = names[int(rng.choice(len(names), p=np.array([table[n][0] for n in names])))]
        _, length, length_sd, width, width_sd, height = table[body]
        # Cars end below the 7 m at which trucks begin.
        long = float(np.clip(rng.normal(length, length_sd), 3.4, 6.8 if table is self.cars else 25.0))
        return body, (max(long, 7.2) if table is self.trucks else long, float(rng.normal(width, width_sd)), height)


# European registrations, rounded.
PLAIN = Bodies(
    {
        "hatch": (0.34, 4.10, 0.22, 1.77, 0.05, 1.48),
        "sedan": (0.30, 4.62, 0.18, 1.82, 0.05, 1.45),
        "suv": (0.20, 4.55, 0.22, 1.88, 0.06, 1.70),
        "estate": (0.06, 4.65, 0.15, 1.82, 0.04, 1.48),
        "van": (0.10, 5.30, 0.55, 1.97, 0.06, 2.15),
    },
    {
        "semi": (0.62, 16.4, 0.4, 2.52, 0.03, 3.9),
        "lorry": (0.22, 9.0, 0.9, 2.48, 0.05, 3.4),
        "trailer": (0.08, 18.4, 0.3, 2.52, 0.03, 3.9),
        "bus": (0.08, 12.1, 0.6, 2.53, 0.03, 3.2),
    },
)

# What is rare in one country is common in another.
RICH = Bodies(
    {
        "hatch": (0.27, 4.05, 0.26, 1.76, 0.06, 1.48),
        "sedan": (0.26, 4.65, 0.24, 1.82, 0.06, 1.45),
        "suv": (0.21, 4.60, 0.28, 1.89, 0.07, 1.70),
        "estate": (0.06, 4.70, 0.15, 1.83, 0.04, 1.48),
        "open": (0.015, 4.25, 0.25, 1.80, 0.05, 1.32),
        "pickup": (0.055, 5.45, 0.35, 1.92, 0.07, 1.80),
        "van": (0.10, 5.30, 0.60, 1.98, 0.06, 2.20),
        "drop": (0.03, 5.90, 0.45, 2.05, 0.06, 2.10),
    },
    {
        "semi": (0.34, 16.3, 0.6, 2.52, 0.03, 3.9),
        "lorry": (0.22, 8.8, 1.0, 2.46, 0.07, 3.4),
        "trailer": (0.06, 18.4, 0.3, 2.52, 0.03, 3.9),
        "bus": (0.10, 12.0, 0.8, 2.53, 0.03, 3.1),
        "tanker": (0.06, 15.8, 1.2, 2.50, 0.03, 3.5),
        "flatbed": (0.07, 15.6, 1.5, 2.50, 0.03, 2.6),
        "tipper": (0.06, 8.6, 0.8, 2.48, 0.05, 3.0),
        "carrier": (0.03, 18.6, 0.5, 2.52, 0.03, 3.7),
        "caravan": (0.06, 10.4, 0.9, 2.05, 0.10, 2.3),
    },
)
