"""The detector: peaks become things, once each, and what is saved finds the same again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from workers.models.toyland.detector import (
    STRIDE,
    Detection,
    Detector,
    DetectorConfig,
    cell_boxes,
    load_detector,
    save_detector,
)

CONFIG = DetectorConfig(names=("dog", "cat"), widths=(8, 8, 8), threshold=0.5)
CELLS = 8


@pytest.fixture
def detector() -> Detector:
    """Two classes, random weights."""
    torch.manual_seed(0)
    return Detector(CONFIG).eval()


class Planted(nn.Module):
    """In place of a detector's head: what it is to say."""

    def __init__(self, said: Tensor) -> None:
        super().__init__()
        self.said = said

    def forward(self, features: Tensor) -> Tensor:
        """The same for every picture."""
        return self.said.expand(len(features), -1, -1, -1)


def plant(detector: Detector, *peaks: tuple[int, int, int, float], sides: float = 2.0) -> list[Detection]:
    """What is found where the heat has (class, row, column, score) peaks and all sides are so many cells."""
    heat = torch.full((1, len(CONFIG.names), CELLS, CELLS), -9.0)
    for number, row, column, score in peaks:
        heat[0, number, row, column] = torch.tensor(score).logit()
    detector.heat, detector.sides = Planted(heat), Planted(torch.full((1, 4, CELLS, CELLS), sides).log())  # type: ignore[assignment]
    return detector.detect(np.zeros((CELLS * STRIDE, CELLS * STRIDE, 3), np.uint8))


def test_a_peak_is_a_thing_with_its_box(detector: Detector) -> None:
    (found,) = plant(detector, (1, 3, 4, 0.9))
    assert found.name == "cat"
    assert found.score == pytest.approx(0.9)
    assert found.box == pytest.approx((2.5 * 8, 1.5 * 8, 6.5 * 8, 5.5 * 8))


def test_a_slope_is_no_second_thing(detector: Detector) -> None:
    assert len(plant(detector, (0, 3, 4, 0.9), (0, 3, 5, 0.8))) == 1


def test_one_place_has_one_name(detector: Detector) -> None:
    assert [found.name for found in plant(detector, (0, 3, 4, 0.7), (1, 3, 4, 0.8))] == ["cat"]


def test_things_apart_are_both_found_the_surest_first(detector: Detector) -> None:
    assert [found.score for found in plant(detector, (0, 1, 1, 0.7), (0, 6, 6, 0.8))] == pytest.approx(
        [0.8, 0.7]
    )


def test_the_threshold_can_be_replaced(detector: Detector) -> None:
    assert plant(detector, (0, 1, 1, 0.4)) == []
    picture = np.zeros((CELLS * STRIDE, CELLS * STRIDE, 3), np.uint8)
    assert len(detector.detect(picture, threshold=0.3)) == 1


def test_cells_know_where_they_are() -> None:
    boxes = cell_boxes(torch.zeros(1, 4, 2, 3))
    assert boxes[0, 1, 2].tolist() == [20, 12, 20, 12]


def test_what_is_saved_says_the_same(detector: Detector, tmp_path: Path) -> None:
    detector.half().float()  # as it is kept
    detector.config = replace(CONFIG, threshold=0.25)
    save_detector(detector, tmp_path)
    again = load_detector(tmp_path)
    assert again.config == detector.config
    pictures = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        for said, repeated in zip(detector(pictures), again(pictures), strict=True):
            torch.testing.assert_close(said, repeated)
