"""Grounding DINO through the real classes, on a small random checkpoint saved to disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertTokenizer,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
    GroundingDinoProcessor,
    SwinConfig,
)

from workers.addit.errors import UnsupportedOption
from workers.models import grounding
from workers.models.grounding import GroundingDino, sentence

CPU = torch.device("cpu")
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", "a", "big", "dog"]
SIZES = {"layers": 2, "ffn_dim": 32, "attention_heads": 2}  # the boxes' heads are tied over two layers
PICTURE = np.random.default_rng(0).integers(0, 256, (48, 80, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grounding")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    torch.manual_seed(0)
    backbone = SwinConfig(
        image_size=64,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 2, 2],
        window_size=4,
        out_indices=[2, 3, 4],
    )
    text = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    sizes = {f"{side}_{what}": n for side in ("encoder", "decoder") for what, n in SIZES.items()}
    config = GroundingDinoConfig(
        backbone_config=backbone, text_config=text, d_model=32, num_queries=12, max_text_len=16, **sizes
    )
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    images = GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 128})
    GroundingDinoProcessor(images, BertTokenizer(str(folder / "vocab.txt"))).save_pretrained(folder)
    return folder


def test_boxes_are_pixels_of_the_picture_the_surest_first(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grounding, "LEAST_SCORE", 0.0)  # random weights are sure of nothing
    found = GroundingDino(str(checkpoint), CPU)(PICTURE, "Big dog")
    assert len(found) == 12
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    centres = torch.tensor([one.box for one in found]).reshape(-1, 2, 2).mean(dim=1)
    assert (centres >= 0).all()
    assert (centres <= torch.tensor([80, 48])).all()
    assert float(centres[:, 0].max()) > 1  # not shares of the picture


def test_below_the_threshold_nothing_was_detected(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grounding, "LEAST_SCORE", 1.0)
    assert GroundingDino(str(checkpoint), CPU)(PICTURE, "dog") == []


def test_it_opens_on_first_use_and_only_once(checkpoint: Path) -> None:
    detector = GroundingDino(str(checkpoint), CPU)
    assert "_opened" not in vars(detector)
    with torch.inference_mode():
        detector(PICTURE, "dog")
    opened = detector._opened
    detector(PICTURE, "big dog")
    assert detector._opened is opened
    assert not any(p.requires_grad or p.is_inference() for p in opened[1].parameters())


def test_a_checkpoint_that_is_not_there_is_the_options_fault(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOption, match="not at hand"):
        GroundingDino(str(tmp_path), CPU)(PICTURE, "dog")


@pytest.mark.parametrize("text", ["A big Dog", " a big dog. ", "a big dog."])
def test_words_are_lower_case_and_end_with_a_full_stop(text: str) -> None:
    assert sentence(text) == "a big dog."
