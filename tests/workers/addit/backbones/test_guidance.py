"""Classifier-free guidance: both halves of the rows see the source, and one is told the prompt."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.workers.addit.backbones.families import FAMILIES, GRID, Spy, leave_alone, noise, told
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.backbones.guidance import GuidedExchange, guide, guided_velocity, two_rows
from workers.addit.forward import ExtendTarget, LendSource
from workers.addit.processor import Exchange
from workers.addit.source_memory import StepMemory


@pytest.mark.parametrize("family", ["sd3", "klein-base"])
@torch.no_grad()
def test_one_guided_pass_is_two_plain_ones(family: str) -> None:
    backbone = FAMILIES[family]()
    source, target = told(backbone, guidance=4.0)
    assert target.negative is not None
    memory, latents = StepMemory(), noise(backbone, 1, 2)
    with backbone.exchange_processors():
        lend = LendSource(memory, frozenset(backbone.layers), source.text_len)
        backbone.velocity(noise(backbone, 3), 0.7, source, GRID, lend)
        exchange = ExtendTarget(0, memory, frozenset(memory.lent), 1.1)
        guided = backbone.velocity(latents, 0.6, target, GRID, exchange, exchange)
        yes, no = (
            backbone.velocity(latents, 0.6, cond, GRID, exchange)
            for cond in (replace(target, negative=None), target.negative)
        )
    torch.testing.assert_close(guided, no + 4.0 * (yes - no), atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", ["sd3", "klein-base"])
@torch.no_grad()
def test_a_guided_source_lends_what_was_told_the_prompt(family: str) -> None:
    backbone = FAMILIES[family]()
    _, guided = told(backbone, guidance=4.0)
    memories = StepMemory(), StepMemory()
    with backbone.exchange_processors():
        for memory, cond in zip(memories, (guided, replace(guided, negative=None)), strict=True):
            lend = LendSource(memory, frozenset(backbone.layers), guided.text_len)
            backbone.velocity(noise(backbone, 3), 0.7, cond, GRID, lend)
    for layer in backbone.layers:
        torch.testing.assert_close(memories[0].lent[layer], memories[1].lent[layer], atol=1e-5, rtol=0)


def test_each_half_has_its_exchange() -> None:
    first, second = Spy(), Spy()
    query, key, value = torch.randn(3, 4, 5, 2, 3)
    queries, keys, values = GuidedExchange(first, second)("layer", query, key, value)
    assert torch.equal(queries, query)
    assert torch.equal(keys, key)
    assert torch.equal(values, value)
    assert torch.equal(first.seen["layer"][1], key[:2])
    assert torch.equal(second.seen["layer"][1], key[2:])


def test_the_step_is_that_of_the_told_half() -> None:
    assert GuidedExchange(ExtendTarget(7, None, frozenset(), 1.0), None).step == 7
    assert GuidedExchange(leave_alone, None).step is None


def test_guidance_written_out() -> None:
    told_rows, untold = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    torch.testing.assert_close(
        guide(torch.cat([told_rows, untold]), 3.0), 3 * told_rows - 2 * untold, atol=1e-5, rtol=0
    )
    rows = two_rows(torch.zeros(1, 3, 4), torch.ones(1, 3, 4), 2)
    assert rows[:, 0, 0].tolist() == [0, 0, 1, 1]


def test_everything_told_by_row_is_told_to_both_halves() -> None:
    empty = Conditioning(torch.zeros(1, 3, 4), torch.zeros(1, 5), 1.0)
    cond = Conditioning(torch.ones(2, 3, 4), torch.ones(1, 5), torch.tensor([2.0, 3.0]), empty)
    seen: list[tuple[Tensor, float | Tensor, Conditioning]] = []

    def run(latents: Tensor, sigma: float | Tensor, told: Conditioning, exchange: Exchange) -> Tensor:
        seen.append((latents, sigma, told))
        assert told.pooled_prompt_embeds is not None
        return latents * told.pooled_prompt_embeds[:, :1, None]

    latents = torch.randn(2, 6, 4)
    velocity = guided_velocity(run, latents, torch.tensor([0.5, 0.7]), cond, leave_alone, None)
    torch.testing.assert_close(velocity, latents * torch.tensor([2.0, 3.0])[:, None, None])
    ((_, sigma, told_both),) = seen
    assert torch.equal(torch.as_tensor(sigma), torch.tensor([0.5, 0.7, 0.5, 0.7]))
    assert torch.equal(torch.as_tensor(told_both.guidance), torch.tensor([2.0, 3.0, 2.0, 3.0]))
    assert told_both.prompt_embeds[:, 0, 0].tolist() == [1, 1, 0, 0]


def test_at_scale_1_one_plain_pass_is_run() -> None:
    empty = Conditioning(torch.zeros(1, 3, 4), None, 1.0)
    cond = Conditioning(torch.ones(1, 3, 4), None, 1.0, empty)
    latents = torch.randn(2, 6, 4)
    velocity = guided_velocity(lambda rows, *_: rows, latents, 0.5, cond, leave_alone, None)
    assert torch.equal(velocity, latents)
