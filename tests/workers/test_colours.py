from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from workers.colours import MOST_GAIN, Line, apply_line, fit_line

EVERYWHERE = np.ones((48, 64), bool)


def scene(low: int = 40, high: int = 200) -> NDArray[np.uint8]:
    """Blocks of colours between two levels."""
    blocks = np.random.default_rng(0).integers(low, high, (6, 8, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=0).repeat(8, axis=1)


def moved(picture: NDArray[np.uint8], gain: list[float], offset: list[float]) -> NDArray[np.uint8]:
    return (picture * np.array(gain) + np.array(offset)).round().clip(0, 255).astype(np.uint8)


GAINS = st.lists(st.floats(0.85, 1.15), min_size=3, max_size=3)
OFFSETS = st.lists(st.floats(-20, 20), min_size=3, max_size=3)


@given(GAINS, OFFSETS)
def test_a_known_gain_and_offset_are_found(gain: list[float], offset: list[float]) -> None:
    drawn = scene()
    line = fit_line(drawn, moved(drawn, gain, offset), EVERYWHERE)
    assert line.gain == pytest.approx(gain, abs=0.02)
    corrected = np.asarray(apply_line(Image.fromarray(drawn), line)).astype(int)
    assert np.abs(corrected - moved(drawn, gain, offset)).max() <= 2


def test_what_was_drawn_there_has_no_say() -> None:
    drawn, where = scene(), EVERYWHERE.copy()
    photo = moved(drawn, [1, 1, 1], [5, -3, 8])
    where[8:24, 8:24] = False
    photo[8:24, 8:24] = 255
    assert fit_line(drawn, photo, where).offset == pytest.approx([5, -3, 8], abs=0.01)


def test_the_same_colours_stay_and_so_do_those_nothing_is_known_of() -> None:
    for where in (EVERYWHERE, ~EVERYWHERE):
        line = fit_line(scene(), scene(), where)
        assert (np.asarray(apply_line(Image.fromarray(scene()), line)) == scene()).all()


def test_a_flat_surrounding_moves_but_does_not_stretch() -> None:
    grey = np.full((48, 64, 3), 100, np.uint8)
    line = fit_line(grey, grey + np.uint8(7), EVERYWHERE)
    assert line.gain == pytest.approx([1, 1, 1])
    assert line.offset == pytest.approx([7, 7, 7])


def test_another_picture_is_no_matter_of_colours() -> None:
    assert (fit_line(scene(90, 110), scene(0, 255)[::-1], EVERYWHERE).gain <= MOST_GAIN).all()
    assert (fit_line(scene(), 255 - scene(), EVERYWHERE).gain >= 1 / MOST_GAIN).all()


def test_a_line_beyond_the_range_is_cut() -> None:
    line = Line(np.full(3, 2.0), np.zeros(3))
    assert np.asarray(apply_line(Image.new("RGB", (2, 2), (200, 100, 0)), line))[0, 0].tolist() == [
        255,
        200,
        0,
    ]
