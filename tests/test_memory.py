"""What is put aside comes back as it was."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from jamline import memory
from jamline.memory import Shelf
from jamline.report import StripImage
from jamline.report.strips import Strips

SHAPES = [(6, 40, 3), (6, 41), (0, 5), (5, 40, 3), (6, 1, 3)]


@pytest.fixture
def arrays():
    rng = np.random.default_rng(4)
    return [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]


def same(ones, others) -> bool:
    return all(
        one.dtype == other.dtype and one.shape == other.shape and one.tolist() == other.tolist()
        for one, other in zip(ones, others, strict=True)
    )


def test_arrays_come_back_from_memory_and_from_the_file(arrays, monkeypatch):
    monkeypatch.setattr(memory, "_HELD_BYTES", arrays[0].nbytes)
    shelf = Shelf(arrays)
    assert shelf._end == sum(array.nbytes for array in arrays[1:])
    assert same(shelf, arrays)
    assert same(shelf[1:4], arrays[1:4])
    assert same(pickle.loads(pickle.dumps(shelf)), arrays)  # noqa: S301 (made here)
    shelf.append(arrays[0][:2, ::2])
    assert same([shelf[-1], shelf[1]], [arrays[0][:2, ::2], arrays[1]])


def test_arrays_stay_in_memory_where_no_file_can_be_written(arrays, monkeypatch):
    def full(**_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(memory, "_HELD_BYTES", 0)
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    assert same(Shelf(arrays), arrays)


def test_strips_come_back_with_their_pictures(monkeypatch):
    monkeypatch.setattr(memory, "_HELD_BYTES", 100)
    images = [np.full((6, 40, 3), value, np.uint8) for value in (7, 8)]
    strips = Strips()
    strips.extend(StripImage("r", 40.0 * i, 40.0 * (i + 1), 1.0, 3.0, image) for i, image in enumerate(images))
    assert [(strip.start_m, strip.image.tolist()) for strip in strips] == [
        (40.0 * i, image.tolist()) for i, image in enumerate(images)
    ]


def test_memory_is_given_back_wherever_this_runs():
    memory.give_back()
