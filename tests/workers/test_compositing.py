"""Between the caller's picture and the model's: what may change and what must not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from workers.compositing import IDENTICAL, composite, grow, psnr, soft_mask

CELLS = np.zeros((6, 8), dtype=np.float32)
CELLS[2:4, 3:5] = 1


def masked(cells: np.ndarray, feather: float = 4) -> np.ndarray:
    return np.asarray(soft_mask(cells, (8 * 16, 6 * 16), feather))


def test_the_subjects_cells_are_whole_and_the_rest_fades_to_nothing() -> None:
    mask = masked(CELLS)
    assert (mask[32:64, 48:80] == 255).all()
    assert 0 < mask[48, 47] < 256
    assert not mask[:20].any()
    assert not mask[:, :36].any()


def test_a_soft_edge_reaches_as_far_as_its_cells_weigh() -> None:
    soft = CELLS.copy()
    soft[1, 3:5] = 0.5
    mask = masked(soft)
    assert (mask >= masked(CELLS)).all()
    assert 100 < mask[24, 64] < 200
    rows = mask[:40, 64].astype(int)
    assert (np.diff(rows) >= 0).all()
    assert not mask[:7].any()
    assert not mask[:, :36].any()


@pytest.mark.parametrize("feather", [0.5, 4])
def test_outside_the_mask_the_source_stays_bit_for_bit(feather: float) -> None:
    rng = np.random.default_rng(0)
    source, result = (rng.integers(0, 256, (96, 128, 3), dtype=np.uint8) for _ in range(2))
    mask = soft_mask(CELLS, (128, 96), feather)
    whole = np.asarray(composite(Image.fromarray(source), Image.fromarray(result), mask))
    assert (whole[np.asarray(mask) == 0] == source[np.asarray(mask) == 0]).all()
    assert (whole[np.asarray(mask) == 255] == result[np.asarray(mask) == 255]).all()


def test_a_mask_that_does_not_grow_stays() -> None:
    mask = np.eye(9, dtype=np.uint8) * 255
    assert (grow(mask, 0) == mask).all()


@pytest.mark.parametrize("reach", [1, 2, 5, 7, 30])
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
