"""Masks as they are given, and what of them can be resumed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from workers.addit.config import PAPER_REAL
from workers.addit.edits import Edit, PictureSource, PromptSource
from workers.addit.errors import UnsupportedOption
from workers.remasking import resumable, with_mask
from workers.runner import ALONE, Place

EDIT = Edit(
    PictureSource(np.zeros((32, 64, 3), np.uint8), "a bed"), "a bed with a dog", ("dog",), (1,), PAPER_REAL
)


def left_half(size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, (0, 0, size[0] // 2, size[1]))
    return mask


@pytest.mark.parametrize("size", [(64, 32), (128, 64), (10, 300)])
def test_a_mask_is_stretched_over_the_source(size: tuple[int, int]) -> None:
    masked = with_mask(EDIT, left_half(size).convert("RGB"))
    assert masked.mask is not None
    assert masked.mask.shape == (32, 64)
    assert masked.mask[:, :30].all()
    assert not masked.mask[:, 34:].any()


def test_a_generated_sources_mask_is_of_its_size() -> None:
    masked = with_mask(replace(EDIT, source=PromptSource("a bed", 1, 16, 48)), left_half((8, 8)))
    assert masked.mask is not None
    assert masked.mask.shape == (16, 48)


def test_no_mask_is_no_change_and_an_empty_one_is_refused() -> None:
    assert with_mask(EDIT, None) is EDIT
    with pytest.raises(UnsupportedOption, match="empty"):
        with_mask(EDIT, Image.new("L", (9, 9), 100))


def test_what_looked_at_earlier_attention_is_not_resumed() -> None:
    twice = replace(EDIT, config=replace(PAPER_REAL, blend_steps=(10, 15)))
    place = Place("ins_2", "ins_1")
    assert (resumable(ALONE, EDIT), resumable(place, EDIT), resumable(place, twice)) == ("", "ins_1", "")
    assert resumable(place, with_mask(twice, left_half((8, 8)))) == "ins_1"
