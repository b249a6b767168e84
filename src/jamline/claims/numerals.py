"""Numbers as people write them: digits with separators, words up to the thousands, and the two together."""

from __future__ import annotations

import math
import re

SCALES = {"thousand": 1e3, "k": 1e3, "hundred": 1e2, "dozen": 12.0, "million": 1e6}

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip

_PART = r"(?:half|quarter)(?:\s+of)?(?:\s+an?\b)?"
_COUNTING = "|".join([*_UNITS, *_TENS])
_FIRST = rf"(?:\b(?:{_COUNTING})\b|\b(?:a\s+)?{_PART}\b|\ba\s+(?:hundred|thousand|dozen)\b)"
_NEXT = rf"(?:{_COUNTING}|hundred|thousand|dozen|quarters(?:\s+of)?(?:\s+an?\b)?|{_PART})"
_WORDS = re.compile(rf"{_FIRST}(?:(?:\s+|-)(?:and\s+)?(?:a\s+)?{_NEXT}\b)*")


def pattern(name: str) -> str:
    """Return the regular expression of a number; it captures ``name`` and ``name_scale``.

    Parameters
    ----------
    name : str
        Name of the group.
    """
    thousands = r"[1-9]\d{0,2}(?:[,' ]\d{3})+(?:\.\d+)?(?!\d)"
    return (
        rf"(?<![\w.,])(?P<{name}>{thousands}|\d+(?:[.,]\d+)?(?!\d))"
        rf"(?:[\s-]*(?P<{name}_scale>thousand|hundred|dozen|million|k)(?![a-z]))?"
    )


def value(match: re.Match[str], name: str) -> tuple[float, float]:
    """Return a number that `pattern` matched, and the step of its last digit that counts.

    Parameters
    ----------
    match : re.Match
        Of a pattern with the groups ``name`` and ``name_scale``.
    name : str
        Name of the group.

    Returns
    -------
    number, step : float
        16 and 1; 5000 and 1000; 9.5 and 0.1; for zero, the step is the one of its last digit.
    """
    digits = match[name]
    if re.fullmatch(r"[1-9]\d{0,2}(?:[,' ]\d{3})+(?:\.\d+)?", digits):
        digits = re.sub(r"[,' ]", "", digits)
    digits = digits.replace(",", ".")
    whole, _, fraction = digits.partition(".")
    factor = SCALES[match[f"{name}_scale"]] if match[f"{name}_scale"] else 1.0
    number = float(digits) * factor
    if fraction:
        return number, factor * 10.0 ** -len(fraction)
    zeros = len(whole) - len(whole.rstrip("0")) if whole.strip("0") else 0
    return number, factor * 10.0**zeros


def in_digits(text: str) -> str:
    """Write number words as digits.

    Parameters
    ----------
    text : str
        In lower case.

    Examples
    --------
    >>> in_digits("sixteen kilometres, two thousand five hundred cars")
    '16 kilometres, 2500 cars'
    >>> in_digits("half a kilometre, twenty-five miles, one and a half miles")
    '0.5 kilometre, 25 miles, 1.5 miles'
    """
    return _WORDS.sub(_digits, text)


def _digits(match: re.Match[str]) -> str:
    """Replace words, or leave what is no number ("five sixteen") as it is."""
    number = _sum_of(re.findall(r"[a-z]+", match[0]))
    # A scale word before it ("37 thousand five hundred") would have been part of it.
    return match[0] if number is None else f"{number:.10g}" if number < 1e9 else match[0]


def _sum_of(words: list[str]) -> float | None:
    """Add up number words, ``None`` where they do not follow one another."""
    total = current = 0.0
    for word in words:
        if word in _UNITS:
            if current % 100 and not (current % 10 == 0 and current % 100 >= 20 and _UNITS[word] < 10):
                return None
            current += _UNITS[word]
        elif word in _TENS:
            if current % 100:
                return None
            current += _TENS[word]
        elif word in ("hundred", "thousand", "dozen"):
            current = (current or 1.0) * SCALES[word]
            if word == "thousand":
                total, current = total + current, 0.0
        elif word == "half":
            current += 0.5
        elif word == "quarter":
            current += 0.25
        elif word == "quarters":
            current *= 0.25
    number = total + current
    return number if math.isfinite(number) else None
