"""Toyland's detector asked in words."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from client.examples import FOLDER
from workers.models.profiles import embedded_profile
from workers.models.toyland.detector import COARSEST
from workers.models.toyland.finder import Finder, padded
from workers.models.toyland.profile import HERE


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    return np.asarray(Image.open(FOLDER / "street_with_bus.png").convert("RGB"))


def test_what_the_words_name_is_found_and_nothing_else(street: np.ndarray) -> None:
    finder = Finder(HERE / "detector")
    (bus, *others) = finder(street, "another Bus")
    left, top, right, bottom = bus.box
    assert 0 <= left < right <= street.shape[1]
    assert 0 <= top < bottom <= street.shape[0]
    assert all(bus.score >= other.score for other in others)
    assert finder(street, "giraffe") == []
    assert finder(street, "something else") == []


def test_boxes_do_not_move_with_what_is_padded(street: np.ndarray) -> None:
    finder = Finder(HERE / "detector")
    cut = street[:, : street.shape[1] - 16]
    assert cut.shape[1] % COARSEST
    whole, part = finder(street, "bus")[0].box, finder(cut, "bus")[0].box
    assert np.allclose(whole, part, atol=6)


def test_padding_repeats_the_border() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 64, 3), dtype=np.uint8)
    grown = padded(picture)
    assert grown.shape == (64, 64, 3)
    assert (grown[:40] == picture).all()
    assert (grown[40:] == picture[39]).all()


def test_it_costs_nothing_until_it_is_asked() -> None:
    profile = embedded_profile()
    assert profile.detector is not None
    assert profile.text_segmenter is None
    assert "_detector" not in vars(Finder(HERE / "detector"))
