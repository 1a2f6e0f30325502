"""Training: a run that was interrupted ends exactly where one that was not does."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

from toyland.flow import FluxModules
from toyland.texts import WORDINGS, Texts, Tokens
from toyland.train_flux import FluxRecipe
from toyland.training import Plan, save_run, start_run, train

SAMPLES, TEXT_LEN, WORDS = 6, 5, 11
PLAN = Plan(learning_rate=1e-2, steps=4, warmup_steps=2, log_steps=1, seed=3)

pytestmark = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight:UserWarning")


def tiny_modules() -> FluxModules:
    """FLUX with one block of each kind, width 16."""
    torch.manual_seed(0)
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=8,
        pooled_projection_dim=8,
        guidance_embeds=True,
        axes_dims_rope=(4, 2, 2),
    )
    clip = CLIPTextConfig(
        vocab_size=WORDS,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=TEXT_LEN,
        eos_token_id=1,
    )
    t5 = T5Config(vocab_size=WORDS, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, dropout_rate=0.0)
    return FluxModules(transformer, CLIPTextModel(clip), T5EncoderModel(t5))


def tiny_recipe() -> FluxRecipe:
    """A batch of two out of six random pictures of 16 px."""
    random = np.random.default_rng(0)
    latents = random.normal(size=(SAMPLES, 4, 4, 4)).astype(np.float16)
    instances = random.integers(0, 2, (SAMPLES, 16, 16), dtype=np.uint8)

    def words(count: int) -> Tensor:
        return torch.from_numpy(random.integers(0, WORDS, (count, TEXT_LEN)))

    texts = Texts(Tokens(words(SAMPLES * WORDINGS), words(SAMPLES * WORDINGS)), Tokens(words(1), words(1)))
    return FluxRecipe(tiny_modules(), latents, instances, texts, batch=2)


def test_two_and_two_steps_are_four(tmp_path: Path) -> None:
    whole = train(tiny_recipe(), PLAN, tmp_path / "whole")
    half = start_run(tiny_recipe(), PLAN, tmp_path / "halves")
    half.advance()
    half.advance()
    (tmp_path / "halves").mkdir()
    save_run(half, tmp_path / "halves")
    resumed = train(tiny_recipe(), PLAN, tmp_path / "halves")
    assert resumed.step == whole.step == 4
    assert all(map(torch.equal, whole.parameters, resumed.parameters))
    assert all(map(torch.equal, whole.average, resumed.average))


def test_a_finished_run_stays_as_it_is(tmp_path: Path) -> None:
    first = train(tiny_recipe(), PLAN, tmp_path)
    again = train(tiny_recipe(), PLAN, tmp_path)
    assert again.step == 4
    assert all(map(torch.equal, first.parameters, again.parameters))


def test_the_loss_curve_is_written(tmp_path: Path) -> None:
    train(tiny_recipe(), PLAN, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert all(line["loss"] > 0 for line in lines)


def test_the_rate_climbs_and_falls() -> None:
    run = start_run(tiny_recipe(), replace(PLAN, steps=10, warmup_steps=2, final_rate=0.1), Path("nowhere"))
    rates = []
    for step in range(10):
        run.step = step
        rates.append(run.learning_rate)
    assert rates[0] < rates[1] > rates[2] > rates[9] == pytest.approx(1e-3)


def test_objects_weigh_more_where_there_is_little_noise() -> None:
    recipe = tiny_recipe()
    bare = replace(recipe, instances=np.zeros_like(recipe.instances))
    plain, weighted = (r.loss(torch.Generator().manual_seed(1)) for r in (bare, recipe))
    assert weighted > plain
