"""Which band shows which colour."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from jamline.errors import ImageryError, UsageError

COLOUR = ("red", "green", "blue")

ROLES = (*COLOUR, "nir", "pan", "alpha")
"""Roles that a band can have; all other bands are left alone."""

_LABELS = {
    # Plain words, and the common names of the STAC electro-optical extension (nir08 is Vantor's first
    # near infrared, and Sentinel-2's narrow one).
    "red": "red", "green": "green", "blue": "blue", "nir": "nir", "nir1": "nir", "nir08": "nir",
    "r": "red", "g": "green", "b": "blue", "n": "nir", "infrared": "nir", "nearinfrared": "nir",
    "nearinfrared1": "nir", "ir": "nir",
    "pan": "pan", "panchromatic": "pan", "gray": "pan", "grey": "pan", "grayscale": "pan", "p": "pan",
    "alpha": "alpha", "datamask": "alpha", "a": "alpha",
    # Sentinel-2, as ESA numbers its bands.
    "b02": "blue", "b03": "green", "b04": "red", "b08": "nir",
    # Vantor (Maxar) ARD: BAND_B, BAND_G, BAND_R, BAND_N, BAND_N1; BAND_P in its pan images.
    "bandb": "blue", "bandg": "green", "bandr": "red", "bandn": "nir", "bandn1": "nir", "bandp": "pan",
}  # fmt: skip
"""Role by label in lower case without signs. Coastal blue, yellow, PlanetScope's green I, red edge and the
second near infrared are missing on purpose: they must not pass for the plain colours."""

_UNPADDED_SENTINEL2 = {"b2": "blue", "b3": "green", "b4": "red", "b8": "nir"}
"""Sentinel-2 as Earth Engine writes it. Landsat 8's blue, green and red happen to bear the same numbers."""

_BY_COUNT = {
    3: {"red": 1, "green": 2, "blue": 3},
    # RapidEye: blue, green, red, red edge, near infrared (Planet's imagery product specification).
    5: {"blue": 1, "green": 2, "red": 3, "nir": 5},
}

_WORLDVIEW8 = {"blue": 2, "green": 3, "red": 5, "nir": 7}
"""Coastal, blue, green, yellow, red, red edge, NIR1, NIR2 (WorldView-2 and -3)."""

_SUPERDOVE8 = {"blue": 2, "green": 4, "red": 6, "nir": 8}
"""Coastal blue, blue, green I, green, yellow, red, red edge, NIR (Planet, PSScene `ortho_analytic_8b`)."""

_SUPERDOVE_FROM_M = 2.5
"""SuperDove comes at 3 m; WorldView's multispectral bands have 1.2 to 2 m."""


def assign(
    *,
    labels: Sequence[str | None],
    colours: Sequence[str],
    dtypes: Sequence[str],
    pixel_m: float,
    name: str,
) -> dict[str, int]:
    """Find the roles of an image's bands.

    Parameters
    ----------
    labels : sequence of str or None
        What the file, or the STAC item beside it, calls each band.
    colours : sequence of str
        GDAL's colour interpretation of each band.
    dtypes : sequence of str
        Data type of each band.
    pixel_m : float
        Size of a pixel on the ground in metres.
    name : str
        File name for messages.

    Returns
    -------
    dict
        1-based band by role: red, green and blue, perhaps nir; or pan; and alpha where there is one.

    Raises
    ------
    ImageryError
        If nothing tells which bands are the colours.

    Notes
    -----
    Asked in this order: labels, colour interpretation, number of bands. Four bands of which nothing else is
    known are red, green, blue, near infrared where they are 8-bit (as NAIP comes) or floating point (as
    people stack them), and blue, green, red, near infrared where they are 16-bit (as Vantor, Airbus and
    Planet deliver them).
    """
    named = _by_label(labels)
    shown = {colour: index for index, colour in reversed(list(enumerate(colours, start=1)))}
    alpha = named.get("alpha", shown.get("alpha"))
    roles = {"alpha": alpha} if alpha else {}
    others = [index for index in range(1, len(labels) + 1) if index != alpha]
    if len(others) == 1:
        # A single band is looked at as a grey picture, whatever part of the spectrum it is.
        return {"pan": others[0], **roles}
    for found in (named, shown):
        if all(colour in found for colour in COLOUR):
            colour_bands = {colour: found[colour] for colour in COLOUR}
            rest = [index for index in others if index not in colour_bands.values()]
            # NAIP marks its colours and leaves the fourth band without a name.
            nir = named.get("nir", shown.get("nir", rest[0] if len(rest) == 1 and not any(labels) else None))
            return colour_bands | ({"nir": nir} if nir else {}) | roles
        if "pan" in found:
            return {"pan": found["pan"], **roles}
    by_count = _by_count(len(others), dtypes[others[0] - 1], pixel_m)
    if not by_count:
        raise ImageryError(
            f"Invalid image '{name}'. Must tell which of its {len(labels)} bands are red, green and blue; "
            "name them with bands, such as red=3,green=2,blue=1."
        )
    return {role: others[at - 1] for role, at in by_count.items()} | roles


def check_given(bands: Mapping[str, int], *, count: int, name: str) -> dict[str, int]:
    """Check bands that a person named.

    Parameters
    ----------
    bands : mapping
        1-based band by role.
    count : int
        Number of bands of the image.
    name : str
        File name for messages.

    Raises
    ------
    UsageError
        If a role is unknown, or they make neither a colour picture nor a grey one.
    ImageryError
        If the image has no such band.
    """
    text = ",".join(f"{role}={index}" for role, index in bands.items())
    for role, index in bands.items():
        if role not in ROLES:
            raise UsageError(f"Invalid band role '{role}'. Must be one of {', '.join(ROLES)}.")
        if isinstance(index, bool) or not isinstance(index, int) or not 1 <= index <= count:
            raise ImageryError(f"Invalid band '{role}={index}' for '{name}'. Must be a number from 1 to {count}.")
    if not ("pan" in bands or all(colour in bands for colour in COLOUR)):
        raise UsageError(f"Invalid bands '{text}'. Must name red, green and blue, or pan.")
    return dict(bands)


def role_of(label: str) -> str | None:
    """Return the role of a band of this name, ``None`` where it has none.

    Examples
    --------
    >>> role_of("B04"), role_of("nir"), role_of("rededge1")
    ('red', 'nir', None)
    """
    return _by_label_key(label, _LABELS)


def _by_label(labels: Sequence[str | None]) -> dict[str, int]:
    """Return the first band that bears a name of each role."""
    keys = [_key(label) for label in labels]
    # "B1, B2, B3, B4" says no more than that the bands are four.
    numbered = all(key in ("", f"b{index}") for index, key in enumerate(keys, start=1))
    table = _LABELS if numbered else _LABELS | _UNPADDED_SENTINEL2
    roles: dict[str, int] = {}
    for index, label in enumerate(labels, start=1):
        role = _by_label_key(label, table)
        if role:
            roles.setdefault(role, index)
    return roles


def _by_label_key(label: str | None, table: Mapping[str, str]) -> str | None:
    return table.get(_key(label)) or _in_words(label or "")


def _key(label: str | None) -> str:
    return re.sub(r"[^a-z0-9]", "", (label or "").lower())


def _in_words(label: str) -> str | None:
    """Read labels such as ``Band 3 (Red)`` or ``Near-Infrared, 0.83 um``."""
    words = re.findall(r"[a-z]+\d?", label.lower())
    if {"edge", "coastal", "swir", "shortwave", "thermal", "i", "narrow"} & set(words):
        return None
    if "near" in words and ("infrared" in words or "ir" in words):
        return "nir"
    known = {word for word in words if word in ("red", "green", "blue", "nir", "nir1", "pan", "panchromatic", "alpha")}
    return _LABELS[known.pop()] if len(known) == 1 else None


def _by_count(count: int, dtype: str, pixel_m: float) -> dict[str, int]:
    if count == 2:
        return {"pan": 1}
    if count == 4:
        order = ("red", "green", "blue") if dtype == "uint8" or dtype.startswith("float") else ("blue", "green", "red")
        return {colour: at for at, colour in enumerate(order, start=1)} | {"nir": 4}
    if count == 8:
        return _SUPERDOVE8 if pixel_m >= _SUPERDOVE_FROM_M else _WORLDVIEW8
    return _BY_COUNT.get(count, {})
