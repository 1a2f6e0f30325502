"""Recolouring turns the main hue and leaves the rest."""

import numpy as np
import pytest
from PIL import Image

from toyland.recolour import recolour


@pytest.fixture
def sprite() -> Image.Image:
    """A red square with a grey half and a transparent border."""
    sprite = Image.new("RGBA", (40, 40))
    sprite.paste((220, 30, 40, 255), (4, 4, 20, 36))
    sprite.paste((128, 128, 128, 255), (20, 4, 36, 36))
    return sprite


@pytest.mark.parametrize(("colour", "strongest"), [("green", 1), ("blue", 2), ("red", 0)])
def test_the_main_hue_is_turned(sprite: Image.Image, colour: str, strongest: int) -> None:
    pixel = np.asarray(recolour(sprite, colour))[20, 10, :3]
    assert pixel.argmax() == strongest


def test_grey_and_transparency_stay(sprite: Image.Image) -> None:
    before, after = np.asarray(sprite), np.asarray(recolour(sprite, "blue"))
    assert np.array_equal(before[:, 20:36], after[:, 20:36])
    assert np.array_equal(before[..., 3], after[..., 3])
