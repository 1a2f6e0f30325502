"""The demo's sheet."""

from __future__ import annotations

from PIL import Image

from client.demo import GAP, SHOWN, side_by_side


def test_pictures_stand_side_by_side_on_white() -> None:
    sheet = side_by_side([Image.new("RGB", (40, SHOWN), "red"), Image.new("RGB", (20, SHOWN // 2), "blue")])
    assert sheet.size == (40 + GAP + 20, SHOWN)
    points = ((0, 0), (40, 0), (40 + GAP, 0), (40 + GAP, SHOWN - 1))
    assert [sheet.getpixel(at) for at in points] == [
        (255, 0, 0), (255, 255, 255), (0, 0, 255), (255, 255, 255),
    ]  # fmt: skip


def test_small_pictures_are_enlarged_by_a_whole_number() -> None:
    picture = Image.effect_noise((128, 128), 50).convert("RGB")
    sheet = side_by_side([picture, picture])
    assert sheet.size == (2 * 384 + GAP, 384)
    assert sheet.getpixel((2, 2)) == picture.getpixel((0, 0))
