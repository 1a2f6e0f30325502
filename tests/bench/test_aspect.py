"""Upright and wide parts of one photo, laid out in two rows."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from bench.aspect import GAP, SIZES, ZOOM, Tried, cropped, sheet, tabulate


@pytest.mark.parametrize("size", SIZES)
def test_a_part_has_the_size_and_shows_the_ground_undistorted(size: tuple[int, int]) -> None:
    photo = np.zeros((256, 256, 3), np.uint8)
    photo[-20:] = 255
    part = np.asarray(cropped(Image.fromarray(photo), size))
    assert part.shape == (size[1], size[0], 3)
    ground = (part[:, 0, 0] > 127).sum()
    assert ground == pytest.approx(20 * max(size) / 256, abs=1)


def test_the_sheet_has_a_row_for_each_size_and_the_table_a_row_for_each_way() -> None:
    tried = [
        Tried(way, size, size, True, 30.0, 1.0, (Image.new("RGB", size),) * 3)
        for size in SIZES
        for way in ("insert()", "service")
    ]
    assert sheet(tried).size == (6 * (ZOOM * 160 + GAP) - GAP, ZOOM * (96 + 160) + GAP)
    assert [row[:2] for row in tabulate(tried).rows] == [
        ["96 x 160", "insert()"],
        ["96 x 160", "service"],
        ["160 x 96", "insert()"],
        ["160 x 96", "service"],
    ]
