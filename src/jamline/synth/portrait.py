"""A picture of one vehicle with all its detail, from the body it has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jamline.synth.easel import Easel
from jamline.synth.haulers import paint_truck
from jamline.synth.lanes import Vehicle
from jamline.synth.looks import paint_car

Array = npt.NDArray[np.float64]


def portrait(
    v: Vehicle,
    sun: Array,
    lean: Array,
    elevation_deg: float,
    rng: np.random.Generator,
    *,
    dull: float = 0.0,
    dark: float = 0.0,
) -> npt.NDArray[np.float32]:
    """Paint one vehicle on an easel of its own.

    Parameters
    ----------
    v : Vehicle
        Whose body.
    sun, lean : array, shape (2,)
        Towards the sun, and metres by which the top of something 1 m high leans: ahead and to the left.
    elevation_deg : float
        Of the sun.
    rng : numpy.random.Generator
        Of this vehicle alone: paint, equipment, dirt.
    dull : float
        How dusty vehicles are.
    dark : float
        Share of the cars that are dark, whatever is usual.

    Returns
    -------
    array, float32, shape (h, w, 4)
        Reflectance under this sun times cover, and cover; columns run ahead, rows to the right.
    """
    easel = Easel.sized(
        v.length_m,
        v.width_m,
        height_m=v.height_m * 1.2,
        lean=(float(lean[0]), float(lean[1])),
        sun=(float(sun[0]), float(sun[1])),
        cot=1.0 / float(np.tan(np.radians(elevation_deg))),
    )
    size = (v.length_m, v.width_m, v.height_m)
    if v.kind == "truck":
        paint_truck(easel, v.body, size, rng, dull=dull)
    else:
        paint_car(easel, v.body, size, rng, dull=dull, dark=dark)
    return np.dstack([np.clip(easel.colour, 0.0, 2.5), easel.cover]).astype(np.float32)
