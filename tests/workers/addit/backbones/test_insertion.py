"""A whole insertion on every family: one loop, its seams filled by each backbone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pytest
import torch

from tests.workers.addit.backbones.families import FAMILIES, PROMPTS
from workers.addit.attention_spread import AttentionSpread
from workers.addit.boxes import Detection
from workers.addit.config import PAPER_GENERATED, PAPER_REAL, AdditConfig
from workers.addit.edits import Edit, PictureSource, PromptSource
from workers.addit.errors import UnsupportedOption
from workers.addit.localizers import Picture
from workers.addit.memory_tiers import DeviceTier
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.placing import Area, Placing
from workers.addit.results import Insertion
from workers.addit.source_memory import SourceMemories

CPU = torch.device("cpu")


def models_of(family: str) -> Models:
    backbone = cast(Any, FAMILIES[family]())
    return Models(backbone.pipe, backbone, None, backbone.layers[-1:], backbone.text_len, CPU)


def short(config: AdditConfig, **changes: object) -> AdditConfig:
    return replace(config.at_steps(4), localizer="attention", **changes)  # type: ignore[arg-type]


def run(models: Models, edit: Edit, memories: SourceMemories) -> Insertion:
    return insert(models, edit, memories=memories)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_real_source_keeps_its_size_and_is_known_to_the_next_edit(family: str) -> None:
    models = models_of(family)
    side = models.size_multiple
    picture = np.random.default_rng(0).integers(0, 255, (3 * side, 5 * side, 3), dtype=np.uint8)
    source = PictureSource(picture, PROMPTS[0])
    edit = Edit(source, PROMPTS[1], ("dog",), (1, 2), short(PAPER_REAL, guidance_scale=2.0))
    memories = SourceMemories([DeviceTier(2**30)], CPU)
    first, again = run(models, edit, memories), run(models, edit, memories)
    assert [made.shape for made in first.pictures] == [picture.shape, picture.shape]
    assert (first.source_known, again.source_known) == (False, True)
    assert first.forwards.source > 0
    assert again.forwards.source == 0
    assert first.latents.shape[1] == 3 * 5
    torch.testing.assert_close(again.latents, first.latents, atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_generated_source_and_auto_gamma(family: str) -> None:
    models = models_of(family)
    side = models.size_multiple
    source = PromptSource(PROMPTS[0], 3, 4 * side, 2 * side)
    edit = Edit(source, PROMPTS[1], ("dog",), (1,), short(PAPER_GENERATED, extended_scale="auto"))
    done = run(models, edit, SourceMemories([], CPU))
    assert done.pictures[0].shape == (4 * side, 2 * side, 3)
    assert done.gammas is not None
    assert 1.0 <= done.gammas[0] <= 1.2 + 1e-6


@pytest.mark.parametrize("family", FAMILIES)
def test_the_best_seed_is_finished_as_if_it_had_been_alone(family: str) -> None:
    models, steps = models_of(family), list[int]()
    side = models.size_multiple
    source = PromptSource(PROMPTS[0], 3, 3 * side, 4 * side)
    config = short(PAPER_GENERATED, strict_background=True, guidance_scale=2.0, keep_best=1)
    edit = Edit(source, PROMPTS[1], ("dog",), (5, 6, 7), config)
    memories = SourceMemories([DeviceTier(2**30)], CPU)
    run(models, replace(edit, seeds=(1,)), memories)
    best = insert(models, edit, lambda stage, done, total: steps.append(total - done), memories)
    alone = run(models, replace(edit, seeds=best.seeds), memories)
    assert len(best.seeds) == len(best.pictures) == 1
    assert {*best.seeds, *best.dropped} == set(edit.seeds)
    torch.testing.assert_close(best.latents, alone.latents, atol=1e-4, rtol=0)
    first, until, passes = config.structure_transfer_step, config.blend_steps[0] + 1, alone.forwards.target
    after = passes * (4 - until) / (4 - first)
    assert best.forwards.target == pytest.approx(3 * (passes - after) + after)
    assert steps == list(reversed(range(4 - first)))


@dataclass
class SeesTheSecond:
    """A detector to whom only the second picture shows anything."""

    shown: int = 0

    def __call__(self, picture: Picture, text: str) -> list[Detection]:
        self.shown += 1
        return [Detection((0, 0, 16, 16), 1.0)] if self.shown == 2 else []


class Shut:
    """A detector whose weights are not there."""

    def __call__(self, picture: Picture, text: str) -> list[Detection]:
        raise UnsupportedOption("no weights")


def test_a_detector_has_a_say_in_who_is_finished_and_one_that_does_not_open_has_none() -> None:
    models = models_of("schnell")
    source = PromptSource(PROMPTS[0], 3, 3 * models.size_multiple, 3 * models.size_multiple)
    mask = torch.zeros(48, 48, dtype=torch.bool)
    mask[:16, :16] = True
    config = short(PAPER_GENERATED, keep_best=1, blend_steps=(2, 3))
    edit = Edit(source, PROMPTS[1], ("dog",), (1, 2, 3), config, mask=mask)
    looks = SeesTheSecond()
    assert insert(replace(models, detector=looks), edit).seeds == (2,)
    assert looks.shown == 3  # at the first blend alone
    blind, shut = insert(models, edit), insert(replace(models, detector=Shut()), edit)
    assert (blind.seeds, blind.dropped) == (shut.seeds, shut.dropped)


def test_a_blend_is_resumed_with_its_own_seeds() -> None:
    models = models_of("schnell")
    source = PromptSource(PROMPTS[0], 3, 2 * models.size_multiple, 2 * models.size_multiple)
    edit = Edit(source, PROMPTS[1], ("dog",), (1, 2, 3), short(PAPER_GENERATED, keep_best=1))
    done = insert(models, edit)
    again = insert(models, replace(edit, seeds=done.seeds), resume=done.blends[0])
    torch.testing.assert_close(again.latents, done.latents, atol=1e-4, rtol=0)
    with pytest.raises(UnsupportedOption, match="3 seeds, but a blend of 1"):
        insert(models, edit, resume=done.blends[0])


def test_watchers_look_on_at_every_step_of_the_target() -> None:
    models = models_of("flux")
    side = models.size_multiple
    source = PromptSource(PROMPTS[0], 3, 2 * side, 2 * side)
    edit = Edit(source, PROMPTS[1], ("dog",), (1,), short(PAPER_GENERATED))
    spread = AttentionSpread(models.backbone.layers[:1], [0], models.text_len)
    insert(models, edit, watchers=(spread,))
    assert list(spread.by_step()) == list(range(edit.config.structure_transfer_step, 4))


def asked(models: Models, **changes: object) -> Edit:
    """An edit of a real source of 4 x 6 cells, with more said about its place."""
    side = models.size_multiple
    picture = np.random.default_rng(0).integers(0, 255, (4 * side, 6 * side, 3), dtype=np.uint8)
    config = short(PAPER_REAL, guidance_scale=2.0, **cast(Any, changes.pop("config", {})))
    source = PictureSource(picture, PROMPTS[0])
    return Edit(source, PROMPTS[1], ("dog",), (1, 2), config, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_kept_lies_in_the_region(family: str) -> None:
    models = models_of(family)
    side = models.size_multiple
    region = Placing(region=Area(box=(0, 0, 2 * side, 4 * side)))
    done = insert(models, asked(models, placing=region, config={"softness": 2.0}))
    assert done.cells is not None
    assert not done.cells[:, :, 3:].any()
    for (located,) in done.located or ():
        assert located.missing is None or not located.mask.any()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_place_that_asks_for_nothing_changes_nothing(family: str) -> None:
    models = models_of(family)
    side = models.size_multiple
    everywhere = Placing(region=Area(box=(0, 0, 6 * side, 4 * side)))
    plain = insert(models, asked(models))
    silent = insert(models, asked(models, placing=everywhere, config={"placing_strength": 0.0}))
    told = insert(models, asked(models, placing=Placing(avoid=Area(box=(0, 0, 3 * side, 4 * side)))))
    assert torch.equal(plain.latents, silent.latents)
    assert not torch.equal(plain.latents, told.latents)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_shifted_source_is_another_edit_of_the_same_memory(family: str) -> None:
    models, memories = models_of(family), SourceMemories([DeviceTier(2**30)], CPU)
    plain, edit = run(models, asked(models), memories), asked(models, config={"source_shift": (0.0, 2.0)})
    if family == "sd3":
        with pytest.raises(UnsupportedOption, match="shifted"):
            run(models, edit, memories)
        return
    shifted = run(models, edit, memories)
    assert (shifted.source_known, shifted.forwards.source) == (True, 0)
    assert not torch.allclose(shifted.latents, plain.latents, atol=1e-4)
    assert torch.equal(run(models, asked(models), memories).latents, plain.latents)
