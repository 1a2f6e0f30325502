"""CLIPSeg through the real classes, on a small random checkpoint saved to disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    CLIPSegProcessor,
    CLIPTokenizer,
    ViTImageProcessor,
)

from workers.addit.errors import UnsupportedOption
from workers.models.clipseg import ClipSeg

CPU = torch.device("cpu")
PICTURE = np.random.default_rng(0).integers(0, 256, (48, 80, 3), dtype=np.uint8)
SIDE = 32


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clipseg")
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2, "dog</w>": 3, "d": 4, "o": 5, "g</w>": 6}
    words |= {"do": 7}
    (folder / "vocab.json").write_text(json.dumps(words))
    (folder / "merges.txt").write_text("#version: 0.2\nd o\ndo g</w>\n")
    torch.manual_seed(0)
    layers = {"num_hidden_layers": 2, "hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}
    config = CLIPSegConfig(
        text_config={**layers, "vocab_size": len(words), "bos_token_id": 0, "eos_token_id": 1},
        vision_config={**layers, "image_size": SIDE, "patch_size": 8},
        projection_dim=16,
        extract_layers=[0, 1],
        reduce_dim=16,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=32,
    )
    CLIPSegForImageSegmentation(config).save_pretrained(folder)
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77)
    images = ViTImageProcessor(size={"height": SIDE, "width": SIDE})
    CLIPSegProcessor(images, tokenizer).save_pretrained(folder)
    return folder


def test_probabilities_cover_the_picture_and_depend_on_the_words(checkpoint: Path) -> None:
    segmenter = ClipSeg(str(checkpoint), CPU)
    one, other = segmenter(PICTURE, "dog"), segmenter(PICTURE, "a")
    assert one.shape == (SIDE, SIDE)
    assert 0 <= float(one.min()) <= float(one.max()) <= 1
    assert not torch.equal(one, other)


def test_it_opens_on_first_use_and_only_once(checkpoint: Path) -> None:
    segmenter = ClipSeg(str(checkpoint), CPU)
    assert "_opened" not in vars(segmenter)
    with torch.inference_mode():
        segmenter(PICTURE, "dog")
    opened = segmenter._opened
    segmenter(PICTURE, "dog")
    assert segmenter._opened is opened
    assert not any(p.requires_grad or p.is_inference() for p in opened[1].parameters())


def test_a_checkpoint_that_is_not_there_is_the_options_fault(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOption, match="not at hand"):
        ClipSeg(str(tmp_path), CPU)(PICTURE, "dog")
