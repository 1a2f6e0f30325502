"""Captions by a hub model: real loading code on a small random Florence-2, saved to disk first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import BertPreTokenizer
from transformers import (
    CLIPImageProcessor,
    Florence2Config,
    Florence2ForConditionalGeneration,
    Florence2Processor,
    PreTrainedTokenizerFast,
)

from workers.addit.errors import UnsupportedOption
from workers.addit.localizers import Picture
from workers.models.captioner import MOST_TOKENS, Florence2

CPU = torch.device("cpu")
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<image>"]
WORDS = ["what", "does", "the", "image", "describe", "?", "a", "photo", "of", "dog", "beach"]
PICTURE_TOKENS = 5  # of 64 pixels at stride 32: four, and their mean
VISION = {
    "depths": (1, 1, 1, 1), "embed_dim": (8, 8, 8, 8), "num_heads": (1, 1, 1, 1),
    "num_groups": (1, 1, 1, 1), "window_size": 2, "projection_dim": 16,
}  # fmt: skip
TEXT = {
    "model_type": "bart", "vocab_size": len(SPECIAL + WORDS), "d_model": 16, "encoder_layers": 1,
    "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16, "max_position_embeddings": 128, "init_std": 1.0,
    "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2,
}  # fmt: skip


def tokenizer() -> PreTrainedTokenizerFast:
    inner = Tokenizer(WordLevel({word: i for i, word in enumerate(SPECIAL + WORDS)}, unk_token="<unk>"))
    inner.pre_tokenizer = BertPreTokenizer()
    names = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, extra_special_tokens={"image_token": "<image>"}, **names
    )


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the hub has it: processor, configuration and weights in one folder."""
    folder = tmp_path_factory.mktemp("florence")
    pictures = CLIPImageProcessor(
        size={"height": 64, "width": 64}, do_center_crop=False, image_seq_length=PICTURE_TOKENS
    )
    Florence2Processor(pictures, tokenizer()).save_pretrained(folder)
    torch.manual_seed(0)
    config = Florence2Config(vision_config=VISION, text_config=TEXT, image_token_id=SPECIAL.index("<image>"))
    Florence2ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def picture(seed: int, height: int, width: int) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_any_picture_gets_a_sentence_of_the_models_own_words(checkpoint: Path) -> None:
    captioner = Florence2(str(checkpoint), CPU)
    for size in ((64, 64), (40, 100), (300, 17)):
        words = captioner(picture(0, *size)).split()
        assert 0 < len(words) <= MOST_TOKENS
        assert set(words) <= set(WORDS)


def test_the_same_picture_gets_the_same_sentence(checkpoint: Path) -> None:
    one, other = (Florence2(str(checkpoint), CPU) for _ in range(2))
    assert one(picture(1, 64, 64)) == other(picture(1, 64, 64))


def test_it_is_opened_when_first_asked_and_stays(checkpoint: Path) -> None:
    folder = checkpoint.rename(checkpoint.with_name("elsewhere"))
    captioner = Florence2(str(checkpoint), CPU)
    with pytest.raises(UnsupportedOption, match=str(checkpoint)):
        captioner(picture(0, 8, 8))
    folder.rename(checkpoint)
    said = captioner(picture(0, 8, 8))
    checkpoint.rename(folder)
    assert captioner(picture(0, 8, 8)) == said
    folder.rename(checkpoint)
