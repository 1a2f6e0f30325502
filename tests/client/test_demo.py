"""The demo's sheet."""

from __future__ import annotations

from PIL import Image

from client.demo import GAP, side_by_side


def test_pictures_stand_side_by_side_on_white() -> None:
    sheet = side_by_side([Image.new("RGB", (4, 3), "red"), Image.new("RGB", (2, 5), "blue")])
    assert sheet.size == (4 + GAP + 2, 5)
    assert [sheet.getpixel(at) for at in ((0, 0), (4, 0), (4 + GAP, 4), (0, 4))] == [
        (255, 0, 0), (255, 255, 255), (0, 0, 255), (255, 255, 255),
    ]  # fmt: skip
