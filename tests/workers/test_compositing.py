"""Between the caller's picture and the model's: what may change and what must not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from workers.compositing import composite, soft_mask

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
