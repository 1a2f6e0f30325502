from __future__ import annotations

import torch

from workers.addit.boxes import intersection_over_union


def test_overlaps() -> None:
    boxes = torch.tensor([[0.0, 0, 4, 4], [2, 0, 6, 4], [8, 8, 9, 9]])
    expected = torch.tensor([[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 1]])
    torch.testing.assert_close(intersection_over_union(boxes, boxes), expected)
