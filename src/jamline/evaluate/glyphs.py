"""A dot-matrix alphabet: captions on pictures without a font file."""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt

# Rows of five dots from top to bottom, each row a hexadecimal number with the left dot highest.
_DOTS = {
    " ": "00 00 00 00 00 00 00",
    "0": "0E 11 13 15 19 11 0E",
    "1": "04 0C 04 04 04 04 0E",
    "2": "0E 11 01 02 04 08 1F",
    "3": "1F 02 04 02 01 11 0E",
    "4": "02 06 0A 12 1F 02 02",
    "5": "1F 10 1E 01 01 11 0E",
    "6": "06 08 10 1E 11 11 0E",
    "7": "1F 01 02 04 08 08 08",
    "8": "0E 11 11 0E 11 11 0E",
    "9": "0E 11 11 0F 01 02 0C",
    "A": "0E 11 11 11 1F 11 11",
    "B": "1E 11 11 1E 11 11 1E",
    "C": "0E 11 10 10 10 11 0E",
    "D": "1C 12 11 11 11 12 1C",
    "E": "1F 10 10 1E 10 10 1F",
    "F": "1F 10 10 1E 10 10 10",
    "G": "0E 11 10 17 11 11 0F",
    "H": "11 11 11 1F 11 11 11",
    "I": "0E 04 04 04 04 04 0E",
    "J": "07 02 02 02 02 12 0C",
    "K": "11 12 14 18 14 12 11",
    "L": "10 10 10 10 10 10 1F",
    "M": "11 1B 15 15 11 11 11",
    "N": "11 11 19 15 13 11 11",
    "O": "0E 11 11 11 11 11 0E",
    "P": "1E 11 11 1E 10 10 10",
    "Q": "0E 11 11 11 15 12 0D",
    "R": "1E 11 11 1E 14 12 11",
    "S": "0F 10 10 0E 01 01 1E",
    "T": "1F 04 04 04 04 04 04",
    "U": "11 11 11 11 11 11 0E",
    "V": "11 11 11 11 11 0A 04",
    "W": "11 11 11 15 15 15 0A",
    "X": "11 11 0A 04 0A 11 11",
    "Y": "11 11 11 0A 04 04 04",
    "Z": "1F 01 02 04 08 10 1F",
    ".": "00 00 00 00 00 0C 0C",
    ",": "00 00 00 00 0C 04 08",
    ":": "00 0C 0C 00 0C 0C 00",
    ";": "00 0C 0C 00 0C 04 08",
    "-": "00 00 00 1F 00 00 00",
    "+": "00 04 04 1F 04 04 00",
    "/": "00 01 02 04 08 10 00",
    "%": "18 19 02 04 08 13 03",
    "(": "02 04 08 08 08 04 02",
    ")": "08 04 02 02 02 04 08",
    "'": "0C 04 08 00 00 00 00",
    "?": "0E 11 01 02 04 00 04",
}
_ROWS = 7
_COLUMNS = 5


def lettering(text: str, *, dot_px: int = 2) -> npt.NDArray[np.bool_]:
    """Return a line of text as a mask.

    Parameters
    ----------
    text : str
        Any; small letters become capitals, accents go, and what the alphabet lacks becomes ``?``.
    dot_px : int
        Side of a dot.

    Returns
    -------
    array of bool, shape (7 * dot_px, n)
        True where a dot is set. Letters are six dots apart.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text).upper() if not unicodedata.combining(c))
    dots = np.zeros((_ROWS, max(1, (_COLUMNS + 1) * len(plain))), dtype=bool)
    for k, letter in enumerate(plain):
        for row, number in enumerate(_DOTS.get(letter, _DOTS["?"]).split()):
            bits = [bool(int(number, 16) >> (_COLUMNS - 1 - column) & 1) for column in range(_COLUMNS)]
            dots[row, (_COLUMNS + 1) * k : (_COLUMNS + 1) * k + _COLUMNS] = bits
    return np.kron(dots, np.ones((dot_px, dot_px), dtype=bool))
