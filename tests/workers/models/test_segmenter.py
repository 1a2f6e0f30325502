"""SAM-2 on one picture after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from workers.addit.localizers import SegmenterPrompt
from workers.models.profiles import embedded_profile
from workers.models.segmenter import Sam2Segmenter, load_segmenter

PROMPTS = SegmenterPrompt(points=((60.0, 60.0),)), SegmenterPrompt(box=(20.0, 30.0, 90.0, 110.0))


@pytest.fixture
def segmenter() -> Sam2Segmenter:
    place = embedded_profile().segmenter
    assert place is not None
    return load_segmenter(place, torch.device("cpu"))


def picture(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (128, 160, 3), dtype=np.uint8)


@torch.inference_mode()
def test_a_picture_is_embedded_once_however_often_it_is_asked(segmenter: Sam2Segmenter) -> None:
    passes = list[object]()

    def note(module: Any, args: Any) -> None:
        passes.append(args)

    segmenter._predictor.model.image_encoder.register_forward_pre_hook(note)
    one, other = picture(0), picture(1)
    together = [segmenter(one, prompt) for prompt in PROMPTS]
    assert len(passes) == 1
    segmenter(other, PROMPTS[0])
    again = [segmenter(one, prompt) for prompt in reversed(PROMPTS)]
    assert len(passes) == 3
    for first, second in zip(together, reversed(again), strict=True):
        assert torch.equal(first.mask, second.mask)
        assert first.score == second.score
