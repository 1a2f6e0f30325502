"""The training-free rivals, each by what must hold at the ends of its knobs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluation.methods.flow_run import flow_run
from evaluation.methods.flowedit import FlowEdit
from evaluation.methods.method import Method, Workbench
from evaluation.methods.prompt_to_prompt import PromptToPrompt
from evaluation.methods.sdedit import SDEdit
from evaluation.suites.items import Item
from tests.evaluation.samples import SIDE, TOLD, picture, pictured, tiny_bench
from toyland.score.drawings import draw
from workers.addit.codec import decode_picture, encode_picture
from workers.addit.latents import LatentGrid
from workers.addit.localizers import Picture

STEPS = 4


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return tiny_bench()


def decoded(bench: Workbench, source: Picture) -> Picture:
    grid = LatentGrid.of_image(SIDE, SIDE, bench.models.pipe.vae_scale_factor)
    with torch.inference_mode():
        return decode_picture(bench.models, encode_picture(bench.models, source), grid)


def edit(bench: Workbench, method: Method, item: Item, seed: int = 5) -> Picture:
    method.prepare(bench)
    before = bench.models.backbone.transformer.attn_processors
    made = method.edit(bench, item, picture(), seed)
    assert bench.models.backbone.transformer.attn_processors == before
    assert made.picture.shape == (SIDE, SIDE, 3)
    return made.picture


def test_sdedit_without_strength_keeps_the_source(bench: Workbench) -> None:
    method = SDEdit(strength=0.0, steps=STEPS)
    assert np.array_equal(edit(bench, method, TOLD), decoded(bench, picture()))
    assert method.edit(bench, TOLD, picture(), 5).forwards == 0


def test_sdedit_costs_its_share_of_the_steps(bench: Workbench) -> None:
    method = SDEdit(strength=0.5, steps=STEPS)
    assert method.edit(bench, TOLD, picture(), 5).forwards == 2
    assert not np.array_equal(edit(bench, method, TOLD, 5), edit(bench, method, TOLD, 6))


@pytest.mark.parametrize("last", [0, 1])
def test_flowedit_costs_two_passes_a_step(bench: Workbench, last: int) -> None:
    method = FlowEdit(steps=STEPS, first=3, last=last)
    assert method.edit(bench, TOLD, picture(), 5).forwards == 2 * (3 - last) + last


def test_flowedit_between_equal_prompts_goes_nowhere(bench: Workbench) -> None:
    same = replace(TOLD, prompt=TOLD.source_prompt)
    method = FlowEdit(steps=STEPS, first=3, source_guidance=2.0, guidance=2.0)
    gone = edit(bench, method, same).astype(int) - decoded(bench, picture())
    assert np.abs(gone).max() <= 1  # rows of a batch are rounded each in its own way


def test_prompt_to_prompt_without_injection_draws_the_target(bench: Workbench) -> None:
    method = PromptToPrompt(cross_share=0.0, self_share=0.0, steps=STEPS)
    drawn = draw(bench.models, TOLD.prompt, 5, SIDE, STEPS)
    assert np.array_equal(edit(bench, method, TOLD), drawn)


def test_prompt_to_prompt_between_equal_prompts_draws_the_source(bench: Workbench) -> None:
    same = replace(TOLD, prompt=TOLD.source_prompt)
    method = PromptToPrompt(cross_share=1.0, self_share=1.0, steps=STEPS)
    drawn = draw(bench.models, same.prompt, 5, SIDE, STEPS).astype(int)
    assert np.abs(edit(bench, method, same) - drawn).max() <= 1


def test_injection_pulls_the_target_to_the_source(bench: Workbench) -> None:
    source = draw(bench.models, TOLD.source_prompt, 5, SIDE, STEPS).astype(int)

    def distance(share: float) -> float:
        method = PromptToPrompt(cross_share=share, self_share=share, steps=STEPS)
        return float(np.abs(edit(bench, method, TOLD) - source).mean())

    assert distance(1.0) < distance(0.0)


def test_a_picture_is_inverted_first(bench: Workbench, tmp_path: Path) -> None:
    item = pictured(tmp_path)
    method = PromptToPrompt(cross_share=0.5, self_share=0.25, steps=STEPS)
    made = method.edit(bench, item, picture(), 5)
    assert made.forwards == STEPS + 2 + STEPS  # inversion, source passes beside, target
    assert not method.seeded(item)
    assert method.seeded(TOLD)
    assert replace(method, inversion="noising").seeded(item)
    bench.forget()
    closed = replace(method, inversion="noising").edit(bench, item, picture(), 5)
    assert closed.forwards == 2 + STEPS


def test_an_inversion_serves_every_setting(tmp_path: Path) -> None:
    bench, item = tiny_bench(), pictured(tmp_path)
    method = PromptToPrompt(cross_share=0.5, self_share=0.25, steps=STEPS)
    alone = method.edit(bench, item, picture(), 5)
    again = method.edit(bench, item, picture(), 5)
    assert again.forwards == 2 + STEPS
    assert (alone.reused, again.reused) == (False, True)
    assert np.array_equal(alone.picture, again.picture)


def test_passes_of_different_prompts_are_a_batch(bench: Workbench) -> None:
    with flow_run(bench.models, picture(), STEPS) as run:
        conds = bench.models.backbone.encode_prompts((TOLD.source_prompt, TOLD.prompt), (1.5, 5.5))
        latents = run.noise(1, 0), run.noise(2, 0)
        single = [run.velocity(own, 0.5, cond) for own, cond in zip(latents, conds, strict=True)]
        together = run.velocities(latents, 0.5, conds)
    for one, other in zip(single, together, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
