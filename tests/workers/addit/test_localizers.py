from __future__ import annotations

import numpy as np
import pytest
import torch

from workers.addit.errors import UnsupportedOption
from workers.addit.latents import LatentGrid
from workers.addit.localizers import Picture, Segmentation, SegmenterPrompt, locate

MAP = torch.zeros(8, 12)
MAP[2:5, 6:9] = 1.0
PICTURE: Picture = np.zeros((64, 96, 3), dtype=np.uint8)


def seen_by(localizer: str, mask: torch.Tensor) -> SegmenterPrompt:
    prompts: list[SegmenterPrompt] = []

    def segmenter(picture: Picture, prompt: SegmenterPrompt) -> Segmentation:
        prompts.append(prompt)
        return Segmentation(mask, 0.9)

    (located,) = locate(localizer, MAP[None], lambda row: PICTURE, segmenter)
    assert torch.equal(located.mask, mask)
    return prompts[0]


def test_points_are_pixels_x_first() -> None:
    prompt = seen_by("attention_points_sam", torch.ones(64, 96, dtype=torch.bool))
    x, y = prompt.points[0]
    assert 6 * 8 <= x <= 9 * 8
    assert 2 * 8 <= y <= 5 * 8


def test_a_box_is_left_top_right_bottom_in_pixels() -> None:
    left, top, right, bottom = (
        seen_by("attention_box_sam", torch.ones(64, 96, dtype=torch.bool)).box or (0,) * 4
    )
    assert left < right <= 96
    assert top < bottom <= 64
    assert (left + right) / 2 == pytest.approx(7.5 * 8)


def test_a_mask_has_the_pictures_size() -> None:
    mask = seen_by("attention_mask_sam", torch.ones(64, 96, dtype=torch.bool)).mask
    assert mask is not None
    assert mask.shape == (64, 96)


def test_a_flat_map_is_a_missing_subject_and_an_empty_mask() -> None:
    (located,) = locate("attention", torch.full((1, 8, 12), 0.3), lambda row: PICTURE, None)
    assert located.missing
    assert not located.cells(LatentGrid(8, 12)).any()


def test_an_empty_segmentation_is_a_missing_subject() -> None:
    empty = torch.zeros(64, 96, dtype=torch.bool)
    (located,) = locate(
        "attention_box_sam", MAP[None], lambda row: PICTURE, lambda p, q: Segmentation(empty, 0.1)
    )
    assert located.missing
    assert not located.cells(LatentGrid(8, 12)).any()


@pytest.mark.parametrize("localizer", ["attention_points_sam", "grounding_sam"])
def test_a_localizer_without_its_helper_is_refused(localizer: str) -> None:
    with pytest.raises(UnsupportedOption, match=localizer):
        locate(localizer, MAP[None], lambda row: PICTURE, None)
