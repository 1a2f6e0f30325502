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


def test_all_four_masks_are_judged() -> None:
    sure, target = torch.full((1, 1), 9.0), TARGET.repeat_interleave(2, 1).repeat_interleave(2, 2)
    right = torch.stack([RIGHT] * 4, 1)
    losses = [
        segmentation_loss(torch.cat([right[:, :count], -right[:, count:]], 1), ious, sure, target).item()
        for count, ious in ((4, torch.ones(1, 4)), (3, torch.tensor([[1.0, 1.0, 1.0, 0.0]])))
    ]
    assert losses[0] < 0.1 < losses[1]


def test_outlines_are_learned_within_a_cell() -> None:
    """A logit near nought moves the interpolated outline, and a finer target tells which way."""
    target = torch.zeros(1, 32, 32, dtype=torch.bool)
    target[:, :, :14] = True  # cells of 4 px: the outline lies in the middle of the fourth
    steps = torch.tensor([9.0, 9, 9, 0, -9, -9, -9, -9]).expand(1, 1, 8, 8)
    early, late = (
        segmentation_loss(
            (steps + shift).expand(1, 4, 8, 8), torch.ones(1, 4), torch.full((1, 1), 9.0), target
        ).item()
        for shift in (0.0, 4.0)
    )
    assert early < late


def test_nothing_is_judged_by_its_estimates_alone() -> None:
    logits = torch.stack([RIGHT] * 4, 1)
    nothing = torch.zeros(1, 16, 16, dtype=torch.bool)
    loss = segmentation_loss(logits, torch.zeros(1, 4), torch.full((1, 1), -9.0), nothing)
    assert loss.item() < 0.01
