"""The rival begins as the model it was widened from, and learns from pairs."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.toyland.tiny import SAMPLES, SIDE, TEXT_LEN, tiny_encoded, tiny_modules, tiny_texts
from toyland.flow import hidden_matrices
from toyland.pairs import EncodedPairs
from toyland.rival import Rival, instruction, widen
from toyland.texts import Tokens
from toyland.train_rival import RivalRecipe
from toyland.training import Plan, train

pytestmark = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight:UserWarning")


def widened() -> tuple[Rival, torch.nn.Module]:
    """The rival, and the narrow transformer it came from."""
    modules = tiny_modules()
    narrow = modules.transformer
    holder = SimpleNamespace(transformer=narrow)
    holder.register_modules = lambda transformer: setattr(holder, "transformer", transformer)
    wide = widen(holder).transformer
    return Rival(wide, modules.text_encoder, modules.text_encoder_2), modules


def recipe(rival: Rival) -> RivalRecipe:
    sources = tiny_encoded().latents
    pairs = EncodedPairs(np.stack([sources, sources + 1]), ("dog",) * SAMPLES)
    words = torch.from_numpy(np.random.default_rng(2).integers(0, 9, (SAMPLES, TEXT_LEN)))
    return RivalRecipe(rival, pairs, Tokens(words, words), tiny_texts().empty, batch=2)


def test_a_source_it_never_learned_to_see_changes_nothing() -> None:
    rival, modules = widened()
    noisy = torch.randn(1, (SIDE // 2) ** 2, rival.transformer.config["in_channels"] // 2)
    sigma, empty = torch.tensor([0.5]), tiny_texts().empty
    with torch.no_grad():
        shown = rival.velocity(noisy, sigma, torch.randn_like(noisy), empty)
        plain = modules(noisy, sigma, torch.ones(1), empty)
    torch.testing.assert_close(shown, plain, atol=2e-2, rtol=2e-2)


def test_guidance_1_is_the_told_velocity() -> None:
    rival, _ = widened()
    noisy = torch.randn(1, (SIDE // 2) ** 2, rival.transformer.config["in_channels"] // 2)
    words = torch.tensor([[1, 2, 3, 4, 5], [0, 0, 0, 0, 0]])
    both = Tokens(words, words)
    with torch.no_grad():
        guided = rival.guided(noisy, 0.5, torch.ones_like(noisy), both, 1.0, 1.0)
        told = rival.velocity(
            noisy, torch.tensor([0.5]), torch.ones_like(noisy), Tokens(words[:1], words[:1])
        )
    torch.testing.assert_close(guided, told, atol=2e-2, rtol=2e-2)


def test_it_learns_and_its_eyes_open(tmp_path: Path) -> None:
    rival, _ = widened()
    run = train(
        recipe(rival), Plan(learning_rate=1e-2, steps=4, log_steps=1), tmp_path, hidden_matrices(rival)
    )
    assert run.step == 4
    weight = rival.transformer.x_embedder.weight
    assert bool((weight[:, weight.shape[1] // 2 :] != 0).any())


def test_dropped_sources_and_words_leave_the_loss_finite() -> None:
    rival, _ = widened()
    losses = [float(recipe(rival).loss(torch.Generator().manual_seed(seed)).detach()) for seed in range(5)]
    assert all(np.isfinite(losses))


def test_instructions_are_words_of_the_world() -> None:
    assert instruction("dog") == "a dog"
    assert instruction("elephant") == "an elephant"
