"""What counts as the subject's shadow, and that nothing else is kept of the target."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workers.addit.cast_shadow import shadow_room, shadow_weights
from workers.addit.localizers import Picture

CELL = 16
CELLS = torch.zeros(12, 14, dtype=torch.bool)
CELLS[3:6, 5:9] = True
ROOM = np.kron(shadow_room(CELLS).numpy(), np.ones((CELL, CELL), dtype=bool))


def scene() -> Picture:
    """A lawn with a little noise of the kind a decoder leaves."""
    noise = np.random.default_rng(0).normal(0, 2, (12 * CELL, 14 * CELL, 3))
    return (np.array([90, 160, 70]) + noise).clip(0, 255).astype(np.uint8)


def shaded(picture: Picture, rows: slice, columns: slice, factor: float) -> Picture:
    result = picture.astype(np.float32)
    result[rows, columns] *= factor
    return result.astype(np.uint8)


BELOW = slice(6 * CELL, 6 * CELL + 12), slice(5 * CELL, 9 * CELL)


def test_the_room_lies_around_and_below_the_middle() -> None:
    room = shadow_room(CELLS)
    assert room[CELLS].all()
    assert room[6, 4:10].all()
    assert not room[:3].any()
    assert not room[:, :4].any()
    assert not room[8:].any()
    assert not shadow_room(torch.zeros(4, 4, dtype=torch.bool)).any()


def test_a_shadow_below_the_subject_is_kept_and_fades_out() -> None:
    weights = shadow_weights(scene(), shaded(scene(), *BELOW, 0.7), CELLS).numpy()
    assert weights.shape == (12 * CELL, 14 * CELL)
    assert weights[6 * CELL : 6 * CELL + 6, 6 * CELL : 8 * CELL].min() > 0.9
    assert weights[6 * CELL + 11, 6 * CELL : 8 * CELL].max() < 0.9
    assert weights.min() >= 0
    assert weights.max() <= 1


def test_beyond_the_room_every_weight_is_exactly_zero() -> None:
    everything = slice(None), slice(None)
    weights = shadow_weights(scene(), shaded(scene(), *everything, 0.6), CELLS).numpy()
    assert weights.any()
    assert not weights[~ROOM].any()


def test_noise_alone_is_no_shadow() -> None:
    assert not shadow_weights(scene(), scene()[:, ::-1], CELLS).any()


def test_light_paint_and_other_hues_are_no_shadow() -> None:
    for colour in ((200, 220, 180), (90, 40, 160), (5, 8, 4)):
        painted = scene()
        painted[BELOW] = colour
        assert not shadow_weights(scene(), painted, CELLS).any()


def test_a_shadow_apart_from_the_subject_is_not_its_own() -> None:
    apart = shaded(scene(), slice(6 * CELL + 8, 7 * CELL), slice(5 * CELL, 9 * CELL), 0.7)
    assert not shadow_weights(scene(), apart, CELLS).any()


def test_darker_specks_are_no_shadow() -> None:
    specks = scene()
    specks[6 * CELL : 7 * CELL : 12, 5 * CELL : 9 * CELL : 16] //= 2
    assert not shadow_weights(scene(), specks, CELLS).any()


@pytest.mark.parametrize("case", ["hole", "everywhere", "nowhere"])
def test_holes_in_the_subject_and_subjects_without_an_outside_are_no_trap(case: str) -> None:
    cells = torch.zeros(8, 8, dtype=torch.bool)
    if case == "hole":
        cells[2:7, 1:7] = True
        cells[4:6, 3:5] = False
    elif case == "everywhere":
        cells[:] = True
        cells[5, 4] = False
    before = np.full((128, 128, 3), 200, np.uint8)
    weights = shadow_weights(before, (before * 0.8).astype(np.uint8), cells)
    assert weights.shape == (128, 128)
    assert bool(torch.isfinite(weights).all())
    if case == "nowhere":
        assert not weights.any()
