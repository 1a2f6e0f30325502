"""Prompts drawn from masks point at them."""

import pytest
import torch
from torch import Tensor

from toyland.prompts import (
    BOX_BOTTOM_RIGHT,
    BOX_TOP_LEFT,
    box_prompts,
    mask_boxes,
    middle_prompts,
    point_prompts,
    rough_mask_prompts,
)


@pytest.fixture
def masks() -> Tensor:
    """Two rectangles in pictures of 32 px."""
    masks = torch.zeros(2, 32, 32, dtype=torch.bool)
    masks[0, 4:12, 8:24] = True
    masks[1, 16:32, 0:8] = True
    return masks


def test_boxes(masks: Tensor) -> None:
    assert mask_boxes(masks).tolist() == [[8, 4, 24, 12], [0, 16, 8, 32]]


def test_points_lie_on_the_mask(masks: Tensor) -> None:
    prompts = point_prompts(masks, 4, 2.0, torch.Generator().manual_seed(0))
    assert prompts.points is not None
    for mask, points in zip(masks, prompts.points, strict=True):
        assert all(mask[int(y / 2), int(x / 2)] for x, y in points)


def test_the_middle_point_lies_on_the_mask(masks: Tensor) -> None:
    masks[0, 6:10, 10:22] = False  # a frame: its middle is no part of it
    prompts = middle_prompts(masks, 1.0)
    assert prompts.points is not None
    (x, y), (right_x, right_y) = prompts.points[:, 0].tolist()
    assert masks[0, int(y), int(x)]
    assert (right_x, right_y) in {(3, 23), (4, 23), (3, 24), (4, 24)}


def test_a_box_is_two_labelled_corners(masks: Tensor) -> None:
    prompts = box_prompts(masks, 0.0, 2.0, torch.Generator().manual_seed(0))
    assert prompts.points is not None
    assert prompts.labels is not None
    assert prompts.points[0].tolist() == [[16, 8], [48, 24]]
    assert prompts.labels.tolist() == [[BOX_TOP_LEFT, BOX_BOTTOM_RIGHT]] * 2


def test_points_join_a_box(masks: Tensor) -> None:
    generator = torch.Generator().manual_seed(0)
    both = box_prompts(masks, 0.0, 2.0, generator).and_points(point_prompts(masks, 3, 2.0, generator))
    assert both.points is not None
    assert both.points.shape == (2, 5, 2)


def test_a_rough_mask_is_mostly_right(masks: Tensor) -> None:
    prompts = rough_mask_prompts(masks, 32, torch.Generator().manual_seed(0))
    assert prompts.masks is not None
    assert ((prompts.masks[:, 0] > 0) == masks).float().mean() > 0.7
