"""The segmentation loss prefers what is right."""

import pytest
import torch

from toyland.mask_loss import dice_loss, focal_loss, intersection_over_union, segmentation_loss

TARGET = torch.zeros(1, 8, 8, dtype=torch.bool)
TARGET[:, 2:6, 2:6] = True
RIGHT = torch.where(TARGET, 9.0, -9.0)


def test_right_masks_cost_nothing() -> None:
    wanted = TARGET.float()
    assert focal_loss(RIGHT, wanted).item() < 1e-6
    assert dice_loss(RIGHT, wanted).item() < 1e-3
    assert focal_loss(-RIGHT, wanted).item() > 0.5
    assert dice_loss(-RIGHT, wanted).item() > 0.9


def test_iou() -> None:
    left = torch.zeros_like(TARGET)
    left[:, 2:6, 2:4] = True
    assert intersection_over_union(TARGET, left).item() == pytest.approx(0.5)
    nothing = torch.zeros_like(TARGET)
    assert intersection_over_union(nothing, nothing).item() == 1


def test_one_right_alternative_is_enough() -> None:
    sure, ious = torch.full((1, 1), 9.0), torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    logits = torch.stack([RIGHT, RIGHT, -RIGHT, -RIGHT], 1)
    assert segmentation_loss(logits, ious, sure, TARGET).item() < 0.01


def test_nothing_is_judged_by_its_estimates_alone() -> None:
    nothing = torch.zeros_like(TARGET)
    logits = torch.stack([RIGHT] * 4, 1)
    loss = segmentation_loss(logits, torch.zeros(1, 4), torch.full((1, 1), -9.0), nothing)
    assert loss.item() < 0.01
