"""Everything jamline raises on purpose, and the exit code each kind ends with.

::

    JamlineError
    ├── UsageError            2  the call itself is wrong: an unknown option, two that exclude each other
    ├── InputError            3  an input cannot be used, and the message names it
    │   ├── ImageryError         a raster: missing, unreadable, without CRS
    │   ├── RoadError            a road: missing, unreadable, points only, of length zero
    │   ├── ClaimError           a claim: no number in it, an unknown unit
    │   ├── JobError             a job or scene file: unreadable, an unknown key
    │   ├── ReviewError          an edit that no result can have: a column gone, a line where a polygon must be
    │   └── OutputError          an output folder that exists, a table without its columns
    ├── NothingToMeasureError 4  inputs are fine, but there is nothing to see
    └── BatchError            5  a batch ended with failed jobs

Messages are one line and read ``Invalid <thing> '<value>'. Must <rule>.``.
"""

from __future__ import annotations


class JamlineError(Exception):
    """The root of all errors that jamline raises on purpose."""

    exit_code = 3


class UsageError(JamlineError):
    """The call itself is wrong."""

    exit_code = 2


class InputError(JamlineError):
    """An input cannot be used; the message names it."""

    exit_code = 3


class ImageryError(InputError):
    """A raster cannot be used."""


class ReviewError(InputError):
    """A result was edited into what it cannot be."""


class RoadError(InputError):
    """A road cannot be used."""


class ClaimError(InputError):
    """A claim cannot be read."""


class JobError(InputError):
    """A job or scene file cannot be used."""


class OutputError(InputError):
    """A result cannot be written, or a table is not what its schema says."""


class NothingToMeasureError(JamlineError):
    """Road and imagery are fine, but there is nothing to measure."""

    exit_code = 4


class BatchError(JamlineError):
    """A batch ended with failed jobs."""

    exit_code = 5
