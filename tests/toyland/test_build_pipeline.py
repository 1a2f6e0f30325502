"""A new pipeline is FLUX's in every part, and survives being saved."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import FluxPipeline

from toyland.captions import caption
from toyland.flow import hidden_matrices
from toyland.pipeline import TEXT_LEN, build_pipeline, clip_tokenizer, t5_tokenizer
from toyland.train_vae import build_autoencoder
from toyland.vocabulary import caption_words
from toyland.world import World

pytestmark = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight:UserWarning")


def test_saved_reopened_and_run(tmp_path: Path) -> None:
    build_pipeline(["a", "dog"], build_autoencoder(), seed=0).save_pretrained(tmp_path)
    pipeline = FluxPipeline.from_pretrained(tmp_path)
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline(
        "a dog",
        height=64,
        width=96,
        num_inference_steps=1,
        max_sequence_length=TEXT_LEN,
        generator=torch.Generator().manual_seed(0),
        output_type="np",
    ).images[0]
    assert picture.shape == (64, 96, 3)
    assert pipeline.text_encoder.config.eos_token_id == pipeline.tokenizer.eos_token_id


def test_tokenizers_know_every_word_and_every_caption_fits(world: World) -> None:
    words = caption_words(world)
    captions = [caption(world.draw(6, index).label, np.random.default_rng(index)) for index in range(200)]
    for tokenizer in (clip_tokenizer(words), t5_tokenizer(words)):
        assert set(words) <= set(tokenizer.get_vocab())
        encoded = tokenizer(captions).input_ids
        assert max(map(len, encoded)) <= TEXT_LEN
        assert not any(tokenizer.unk_token_id in ids for ids in encoded)


def test_muon_gets_only_weights_inside_blocks() -> None:
    pipeline = build_pipeline(["a"], build_autoencoder(), seed=0)
    chosen = {id(matrix) for matrix in hidden_matrices(pipeline.transformer)}
    names = {name for name, parameter in pipeline.transformer.named_parameters() if id(parameter) in chosen}
    assert "transformer_blocks.0.attn.to_q.weight" in names
    assert "single_transformer_blocks.4.proj_out.weight" in names
    assert not any("norm" in name or "embed" in name for name in names)
