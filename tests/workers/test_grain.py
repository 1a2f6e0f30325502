from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from workers.grain import BANDS, PLANES, Grain, add_grain, measure_grain, missing_grain

SIDE = 320
EVERYWHERE = np.ones((SIDE, SIDE), bool)


def ramp() -> NDArray[np.float64]:
    """(H, W, 3), from dark to bright, smooth."""
    return np.linspace(20, 235, SIDE)[None, :, None] * np.ones((SIDE, 1, 3))


def to_picture(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return values.round().clip(0, 255).astype(np.uint8)


def noisy(level: float, seed: int = 0) -> NDArray[np.uint8]:
    return to_picture(ramp() + np.random.default_rng(seed).normal(0, level, (SIDE, SIDE, 3)))


def edges() -> NDArray[np.uint8]:
    """A clean drawing: flat areas, hard edges, a smooth gradient."""
    drawing = ramp()
    drawing[100:180, 60:200] = (200, 30, 60)
    drawing[200:260, 150:300:9] = 0
    return to_picture(drawing)


def test_planes_neither_add_nor_take_noise() -> None:
    np.testing.assert_allclose(PLANES @ PLANES.T, np.eye(3), atol=1e-6)


@pytest.mark.parametrize("level", [2.0, 5.0, 12.0])
def test_a_known_level_is_measured_in_all_planes_and_luminances(level: float) -> None:
    assert measure_grain(noisy(level), EVERYWHERE).levels == pytest.approx(level, rel=0.15)


def test_grey_noise_is_grey() -> None:
    grey = to_picture(ramp() + np.random.default_rng(0).normal(0, 6, (SIDE, SIDE, 1)))
    levels = measure_grain(grey, EVERYWHERE).levels
    assert levels[0] == pytest.approx(6 * 3**0.5, rel=0.15)
    assert levels[1:].max() < 0.7


def test_edges_hardly_count() -> None:
    drawing = edges() + np.random.default_rng(0).normal(0, 4, (SIDE, SIDE, 3))
    assert measure_grain(to_picture(drawing), EVERYWHERE).levels == pytest.approx(4, rel=0.25)


def test_noise_that_grows_with_the_light_is_told_apart() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (SIDE, SIDE, 3))
    levels = measure_grain(to_picture(ramp() + noise * (2 + ramp() / 64)), EVERYWHERE).levels.mean(axis=0)
    assert levels == pytest.approx(2 + BANDS / 64, rel=0.25)


def test_only_the_wanted_tiles_are_looked_at() -> None:
    picture, where = noisy(3), EVERYWHERE.copy()
    picture[:160] = noisy(20)[:160]
    where[:160] = False
    assert measure_grain(picture, where).levels == pytest.approx(3, rel=0.2)
    assert not measure_grain(picture, ~EVERYWHERE).levels.any()
    assert not measure_grain(np.zeros_like(picture), EVERYWHERE).levels.any()


@pytest.mark.parametrize("level", [3.0, 8.0])
def test_what_was_drawn_becomes_as_grainy_as_the_photo(level: float) -> None:
    photo, drawn = noisy(level), noisy(1.5, seed=1)
    lacking = missing_grain(measure_grain(photo, EVERYWHERE), measure_grain(drawn, EVERYWHERE))
    grainy = add_grain(drawn, lacking, seed=7)
    assert measure_grain(grainy, EVERYWHERE).levels == pytest.approx(level, rel=0.2)
    assert np.abs(grainy.mean() - drawn.mean()) < 0.2


def test_a_clean_picture_gets_none() -> None:
    clean = edges()
    softer = np.asarray(
        Image.fromarray(clean).resize((80, 80)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    )
    lacking = missing_grain(measure_grain(clean, EVERYWHERE), measure_grain(softer, EVERYWHERE))
    assert (add_grain(softer, lacking, seed=1) == softer).all()


def test_a_photo_less_grainy_than_what_was_drawn_takes_nothing_away() -> None:
    assert not missing_grain(
        measure_grain(noisy(2), EVERYWHERE), measure_grain(noisy(5), EVERYWHERE)
    ).levels.any()


def test_a_seed_is_a_grain() -> None:
    grain, grey = Grain(np.full((3, 8), 5, np.float32)), np.full((300, 40, 3), 128, np.uint8)
    assert (add_grain(grey, grain, 3) == add_grain(grey, grain, 3)).all()
    assert (add_grain(grey, grain, 3) != add_grain(grey, grain, 4)).any()
    assert add_grain(grey, grain, 3).std() == pytest.approx(5, rel=0.05)
