from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.addit.errors import UnsupportedSize
from workers.crops import CONTEXT, Box, Served, Size, crop_around, is_large, is_worthwhile

SMALL = Served(256**2, 256**2, 16, 4.0)
LARGE = Served(1024**2, 2 * 1024**2, 16, 4.0)
served = st.sampled_from([SMALL, LARGE])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Box, Size, Served]:
    """A model, a picture that is large for it, and a box in the picture."""
    limits = draw(served)
    short = draw(st.integers(round(2.1 * limits.max_pixels**0.5), 6000))
    size = draw(st.permutations([short, round(short * draw(st.floats(1, 3.99)))]))
    spans = [sorted(draw(st.tuples(st.integers(0, side - 8), st.integers(0, side - 8)))) for side in size]
    (left, right), (top, bottom) = spans
    return (left, top, right + 8, bottom + 8), (size[0], size[1]), limits


@given(cases())
def test_a_crop_lies_in_the_picture_holds_the_box_and_suits_the_model(case: tuple[Box, Size, Served]) -> None:
    box, picture, limits = case
    assert is_large(picture, limits.max_pixels)
    crop = crop_around(box, picture, limits)
    left, top, right, bottom = crop.box
    assert 0 <= left <= box[0]
    assert 0 <= top <= box[1]
    assert box[2] <= right <= picture[0]
    assert box[3] <= bottom <= picture[1]
    width, height = crop.working
    assert width % limits.multiple == height % limits.multiple == 0
    slack = 1 + limits.multiple / min(width, height)  # of rounding both sides to the multiple
    assert max(width, height) <= limits.max_aspect * slack * min(width, height)
    assert limits.native_pixels / slack**2 <= width * height <= limits.max_pixels * slack**2
    assert crop.size[0] / width == pytest.approx(crop.size[1] / height, rel=slack - 1)


@given(cases())
def test_a_small_subject_is_drawn_pixel_for_pixel(case: tuple[Box, Size, Served]) -> None:
    (left, top, *_), picture, limits = case
    side = int(limits.native_pixels**0.5 / CONTEXT)
    crop = crop_around(
        (left, top, min(picture[0], left + side), min(picture[1], top + side)), picture, limits
    )
    assert crop.enlargement == pytest.approx(1, rel=0.04)
    assert is_worthwhile(crop, picture, (round(picture[0] / 2), round(picture[1] / 2)))


def test_around_a_subject_in_the_middle_there_is_context_on_all_sides() -> None:
    crop = crop_around((2900, 1900, 3100, 2100), (6000, 4000), LARGE)
    assert crop.box == (3000 - 512, 2000 - 512, 3000 + 512, 2000 + 512)
    assert crop.working == crop.size == (1024, 1024)


def test_a_subject_as_large_as_the_picture_needs_no_second_look() -> None:
    crop = crop_around((300, 200, 5900, 3900), (6000, 4000), LARGE)
    assert crop.box == (0, 0, 6000, 4000)
    assert not is_worthwhile(crop, (6000, 4000), crop.working)


def test_a_picture_too_oblong_is_refused() -> None:
    with pytest.raises(UnsupportedSize):
        crop_around((0, 0, 6000, 100), (6000, 100), SMALL)


def test_what_is_large_follows_the_model() -> None:
    assert not is_large((512, 512), SMALL.max_pixels)
    assert is_large((528, 512), SMALL.max_pixels)
    assert not is_large((528, 512), LARGE.max_pixels)
    assert is_large((6000, 4000), LARGE.max_pixels)
