"""A blend that is remembered is resumed; what it gives is what starting anew gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.workers.addit.backbones.families import PROMPTS
from tests.workers.addit.backbones.test_insertion import models_of, short
from workers.addit.config import PAPER_REAL, AdditConfig
from workers.addit.edits import Edit, PictureSource
from workers.addit.memory_tiers import DeviceTier, DiskTier, HostTier, Tier
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.source_memory import SourceMemories, SourceMemory

CPU = torch.device("cpu")
CONFIG = replace(short(PAPER_REAL), blend_steps=(2,))


@pytest.fixture(scope="module")
def models() -> Models:
    return models_of("flux")


def edit_of(models: Models, config: AdditConfig = CONFIG, owner: str = "acme") -> Edit:
    side = 4 * models.size_multiple
    picture = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    return Edit(PictureSource(picture, PROMPTS[0]), PROMPTS[1], ("dog",), (1, 2), config, owner)


def corner(edit: Edit) -> Edit:
    mask = torch.zeros(4, 4, dtype=torch.bool)
    mask[:2, :2] = True
    return replace(edit, mask=mask)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("scale", [1.1, "auto"])
def test_a_resumed_edit_is_the_edit_done_anew(models: Models, strict: bool, scale: object) -> None:
    edit = edit_of(models, replace(CONFIG, strict_background=strict, extended_scale=scale))  # type: ignore[arg-type]
    memories = SourceMemories([DeviceTier(2**30)], CPU)
    first = insert(models, edit, memories=memories, keep_as="one")
    again = insert(models, corner(edit), memories=memories, resume_of="one", keep_as="two")
    fresh = insert(models, corner(edit))
    assert (first.resumed, again.resumed, fresh.resumed) == (False, True, False)
    assert (again.forwards.source, again.forwards.target) == (0, 2 * (4 - 1 - 2))
    torch.testing.assert_close(again.latents, fresh.latents, atol=1e-5, rtol=0)
    assert not torch.allclose(again.latents, first.latents)
    third = insert(models, edit, memories=memories, resume_of="two")
    torch.testing.assert_close(third.latents, first.latents, atol=1e-5, rtol=0)


@pytest.mark.parametrize("tier", [HostTier, DiskTier])
def test_any_tier_keeps_it(models: Models, tier: type[Tier], tmp_path: object) -> None:
    held: Tier = DiskTier(2**30, tmp_path) if tier is DiskTier else HostTier(2**30)  # type: ignore[arg-type]
    memories, edit = SourceMemories([held], CPU), edit_of(models)
    insert(models, edit, memories=memories, keep_as="one")
    assert insert(models, corner(edit), memories=memories, resume_of="one").resumed


def test_of_dropped_seeds_nothing_is_kept(models: Models) -> None:
    edit = corner(edit_of(models, replace(CONFIG, keep_best=1)))
    memories = SourceMemories([DeviceTier(2**30)], CPU)
    insert(models, edit_of(models), memories=memories, keep_as="both")
    first = insert(models, edit, memories=memories, resume_of="both", keep_as="best")
    assert len(first.seeds) == 1
    alone = replace(edit, seeds=first.seeds, config=CONFIG)
    again = insert(models, alone, memories=memories, resume_of="best")
    assert again.resumed
    torch.testing.assert_close(again.latents, first.latents, atol=1e-5, rtol=0)


def test_what_is_gone_is_done_again(models: Models) -> None:
    edit, nothing = edit_of(models), SourceMemories([DeviceTier(0)], CPU)
    first = insert(models, edit, memories=nothing, keep_as="one")
    again = insert(models, edit, memories=nothing, resume_of="one")
    assert not again.resumed
    torch.testing.assert_close(again.latents, first.latents)


def test_a_mask_given_from_the_start_leaves_no_attention_to_go_on_from(models: Models) -> None:
    memories, edit = SourceMemories([DeviceTier(2**30)], CPU), edit_of(models)
    insert(models, corner(edit), memories=memories, keep_as="one")
    assert not insert(models, edit, memories=memories, resume_of="one").resumed


def test_it_is_nobody_elses_and_of_these_seeds_alone(models: Models) -> None:
    memories, edit = SourceMemories([DeviceTier(2**30)], CPU), edit_of(models)
    insert(models, edit, memories=memories, keep_as="one")
    for other in (edit_of(models, owner="globex"), replace(edit, seeds=(1,)), replace(edit, seeds=(1, 2, 3))):
        assert not insert(models, other, memories=memories, resume_of="one").resumed
    assert not insert(models, edit, memories=memories, resume_of="two").resumed
    assert not insert(models, edit, memories=memories).resumed


def test_it_makes_room_and_is_forgotten_with_its_source(models: Models) -> None:
    tier = DeviceTier(2**30)
    memories, edit = SourceMemories([tier], CPU), edit_of(models)
    insert(models, edit, memories=memories)
    before = tier.used
    insert(models, edit, memories=memories, keep_as="one")
    assert tier.used > before
    tier.max_bytes = tier.used
    other = SourceMemory(memories)
    assert memories._make_room(tier, tier.used, other, 1)
    assert tier.used == 0
    assert not insert(models, edit, memories=memories, resume_of="one").resumed
