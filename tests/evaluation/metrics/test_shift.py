"""A shift is found as far as it goes."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.metrics.shift import geometric_shift
from workers.addit.localizers import Picture

SIDE = 96
EVERYWHERE = np.ones((SIDE, SIDE), bool)


def texture() -> Picture:
    return np.random.default_rng(0).integers(0, 256, (SIDE + 20, SIDE + 20, 3), np.uint8)


@pytest.mark.parametrize(("down", "across"), [(0, 0), (3, 0), (0, 4), (3, 4)])
def test_whole_pixels(down: int, across: int) -> None:
    whole = texture()
    source, moved = whole[10 : 10 + SIDE, 10 : 10 + SIDE], whole[10 - down :, 10 - across :][:SIDE, :SIDE]
    assert geometric_shift(source, moved, EVERYWHERE) == pytest.approx(np.hypot(down, across))


def test_flat_pictures_have_not_moved() -> None:
    flat = np.full((SIDE, SIDE, 3), 7, np.uint8)
    assert geometric_shift(flat, flat, EVERYWHERE) == 0.0


def test_the_subject_does_not_count() -> None:
    source = texture()[:SIDE, :SIDE]
    edited, where = source.copy(), EVERYWHERE.copy()
    where[30:60, 30:60] = False
    edited[30:60, 30:60] = 255
    assert geometric_shift(source, edited, where) == 0.0
