from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from workers.compositing import IDENTICAL, composite, grow, psnr, soft_mask


@pytest.mark.parametrize("reach", [0, 1, 2, 5, 7, 30])
def test_a_mask_grows_as_by_a_maximum_filter(reach: int) -> None:
    mask = (np.random.default_rng(reach).random((23, 41)) > 0.97).astype(np.uint8) * 255
    expected = Image.fromarray(mask).filter(ImageFilter.MaxFilter(2 * reach + 1))
    assert (grow(mask, reach) == np.asarray(expected)).all()


@given(st.integers(1, 700), st.integers(1, 5), st.booleans())
def test_psnr_by_rows_is_that_of_the_whole(height: int, width: int, masked: bool) -> None:
    rng = np.random.default_rng(height)
    one, other = (rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(2))
    where = rng.random((height, width)) > 0.5 if masked else None
    chosen = np.ones((height, width), bool) if where is None else where
    errors = (one[chosen].astype(float) - other[chosen]) ** 2
    expected = 10 * math.log10(255**2 / errors.mean()) if errors.any() else IDENTICAL
    assert psnr(one, other, where) == pytest.approx(expected)


def test_beyond_the_fade_the_source_stays_bit_for_bit() -> None:
    cells = np.zeros((8, 12), np.float32)
    cells[2:4, 5:7] = 1
    rng = np.random.default_rng(0)
    source, result = (Image.fromarray(rng.integers(0, 256, (160, 240, 3), dtype=np.uint8)) for _ in "ab")
    whole = np.asarray(composite(source, result, soft_mask(cells, source.size, feather=5)))
    kept, wide = np.zeros((160, 240), bool), np.zeros((160, 240), bool)
    kept[40:80, 100:140] = True
    wide[20:100, 80:160] = True
    assert (whole[kept] == np.asarray(result)[kept]).all()
    assert (whole[~wide] == np.asarray(source)[~wide]).all()
