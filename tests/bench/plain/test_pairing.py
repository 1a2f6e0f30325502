"""What both schedules are asked for is counted alike, and what one leaves out is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from diffusers import FluxTransformer2DModel

from bench.cost import META, stand_ins
from bench.paired import Asked, tiny_flux
from bench.plain.insertion import insert_plainly
from bench.plain.pairing import CASES, Pair, Ratios, Spent, counted_ratios
from bench.plain.peaks import peaks
from workers.addit.config import Inversion
from workers.addit.edits import Edit
from workers.addit.latents import LatentGrid
from workers.addit.models import Models
from workers.addit.pipeline import insert

SIDE, STEPS = 64, 8


@pytest.fixture(scope="module")
def tiny() -> Models:
    """FLUX's blocks, an eighth as wide as the ones that are timed."""
    torch.manual_seed(0)
    transformer = FluxTransformer2DModel(
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        axes_dims_rope=(4, 6, 6),
        joint_attention_dim=16,
        pooled_projection_dim=16,
        guidance_embeds=True,
    )
    models = stand_ins(transformer.eval().requires_grad_(False), 8)
    return replace(models, recorded_layers=("single_transformer_blocks.0",))


def short_edit(inversion: Inversion) -> Edit:
    _, edit = tiny_flux(Asked(1, 1, "float32"), side=SIDE)
    return replace(edit, config=replace(edit.config.at_steps(STEPS), inversion=inversion))


@pytest.mark.parametrize("inversion", ["noising", "fixed_point"])
def test_both_schedules_give_the_same_latents(inversion: Inversion, tiny: Models) -> None:
    asked = replace(short_edit(inversion), seeds=(1, 2))
    here, plain = insert(tiny, asked), insert_plainly(tiny, asked)
    torch.testing.assert_close(here.latents, plain.latents, atol=1e-4, rtol=0)


def test_counted_ratios_are_those_of_the_schedules(tiny: Models) -> None:
    edit = short_edit("noising")
    forwards = insert(tiny, edit).forwards
    found = counted_ratios(tiny, edit)
    first, following, four = (found[case] for case in CASES)
    assert first == pytest.approx(2 * STEPS / forwards.total, rel=0.1)
    assert following == pytest.approx(2 * STEPS / forwards.target, rel=0.1)
    assert first < four < following


def test_the_engine_holds_less_at_its_fullest() -> None:
    with META:
        transformer = FluxTransformer2DModel(num_layers=1, num_single_layers=1, guidance_embeds=True)
    models = replace(stand_ins(transformer.bfloat16(), 512), recorded_layers=("single_transformer_blocks.0",))
    plain, here = peaks(models, LatentGrid(64, 64))
    assert plain > here > 0


def test_a_share_is_measured_over_counted() -> None:
    assert Ratios(denoise=1.35, whole=1.2, counted=1.5, seconds=1.0).reached == pytest.approx(0.9)
    assert Spent(1, 2) + Spent(3, 4) == Spent(4, 6)
    assert Pair(Spent(1, 2), Spent(1, 1)).plain.whole == 2
