"""What every family promises the method, on small random instances of the real classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module

import pytest
import torch
from torch import Tensor

from tests.workers.addit.backbones.families import (
    CPU,
    FAMILIES,
    GRID,
    PROMPTS,
    Spy,
    leave_alone,
    noise,
    told,
)
from workers.addit.backbones.backbone import Backbone
from workers.addit.errors import SubjectNotInPrompt, UnsupportedOption
from workers.addit.exchanging import PassComplete
from workers.addit.forward import ExtendTarget, LendSource, StopAfter
from workers.addit.processor import Attending, Exchange
from workers.addit.source_memory import StepMemory
from workers.addit.subject_bias import SubjectBias
from workers.addit.subject_maps import SubjectRecorder

SCALE = 1.2


@pytest.fixture(scope="module", params=FAMILIES)
def backbone(request: pytest.FixtureRequest) -> Backbone:
    """One family after the other."""
    return FAMILIES[request.param]()


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@dataclass(frozen=True)
class Watched:
    """An exchange with a spy before it."""

    exchange: Exchange
    spy: Spy

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> Attending:
        self.spy(layer, query, key, value)
        return self.exchange(layer, query, key, value)


def lent(backbone: Backbone) -> StepMemory:
    """All layers of a source pass."""
    source, _ = told(backbone)
    memory = StepMemory()
    exchange = LendSource(memory, frozenset(backbone.layers), source.text_len)
    backbone.velocity(noise(backbone, 3), 0.7, source, GRID, exchange)
    return memory


def attended(backbone: Backbone, layer: str) -> tuple[list[Tensor], torch.utils.hooks.RemovableHandle]:
    """Where the attention of a layer goes next: the input of its output projection, attention first."""
    block = backbone.transformer.get_submodule(layer)
    to_out = getattr(block.attn, "to_out", None) or block.proj_out
    first = to_out[0] if isinstance(to_out, torch.nn.ModuleList) else to_out
    found: list[Tensor] = []
    return found, first.register_forward_pre_hook(lambda module, args: found.append(args[0]))


def test_layers_are_those_that_exchange_in_their_order(backbone: Backbone) -> None:
    _, target = told(backbone)
    spy = Spy()
    with backbone.exchange_processors():
        backbone.velocity(noise(backbone), 0.5, target, GRID, spy)
    assert tuple(spy.seen) == backbone.layers
    assert backbone.double_layers < frozenset(backbone.layers)


def test_text_comes_before_image_tokens(backbone: Backbone) -> None:
    _, target = told(backbone)
    spy = Spy()
    with backbone.exchange_processors():
        backbone.velocity(noise(backbone), 0.5, target, GRID, spy)
    for query, key, value in spy.seen.values():
        assert query.shape == key.shape == value.shape
        assert query.shape[1] == target.text_len + GRID.tokens
        assert query.shape[2] * query.shape[3] == backbone.key_width


def test_lending_nothing_changes_nothing(backbone: Backbone) -> None:
    _, target = told(backbone)
    latents = noise(backbone, 1, 2)
    before = backbone.transformer.attn_processors
    with backbone.exchange_processors():
        exchanged = backbone.velocity(latents, 0.6, target, GRID, leave_alone)
    assert backbone.transformer.attn_processors == before
    with pytest.MonkeyPatch.context() as patch:  # diffusers' own processors take no exchange
        forward = backbone.transformer.forward
        patch.setattr(
            backbone.transformer,
            "forward",
            lambda **kwargs: forward(**kwargs | {"joint_attention_kwargs": None}),
        )
        plain = backbone.velocity(latents, 0.6, target, GRID, leave_alone)
    torch.testing.assert_close(exchanged, plain, atol=1e-5, rtol=0)


def test_a_row_does_not_depend_on_its_batch(backbone: Backbone) -> None:
    _, target = told(backbone)
    with backbone.exchange_processors():
        memory = lent(backbone)
        exchange = ExtendTarget(0, memory, frozenset(memory.lent), SCALE)
        alone = backbone.velocity(noise(backbone, 2), 0.6, target, GRID, exchange, exchange)
        among = backbone.velocity(noise(backbone, 1, 2), 0.6, target, GRID, exchange, exchange)
    torch.testing.assert_close(among[1:], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("biased", [False, True])
def test_extended_attention_is_the_softmax_written_out(backbone: Backbone, biased: bool) -> None:
    _, target = told(backbone, guidance=1.0)  # one pass, whatever the family's guidance
    cells, tokens, text_len = torch.linspace(-3, 3, GRID.tokens), [2, 3], target.text_len
    bias = SubjectBias(cells, tuple(tokens), text_len) if biased else None
    added = torch.zeros(text_len + GRID.tokens, text_len + 2 * GRID.tokens)
    added[text_len:, [GRID.tokens + token for token in tokens]] = biased * cells[:, None]
    for layer in backbone.layers:
        spy = Spy()
        with backbone.exchange_processors():
            memory = lent(backbone)
            exchange = ExtendTarget(0, memory, frozenset(memory.lent), SCALE, bias=bias)
            found, handle = attended(backbone, layer)
            backbone.velocity(noise(backbone), 0.6, target, GRID, Watched(exchange, spy))
            handle.remove()
        query, key, value = spy.seen[layer]
        source_key, source_value = memory.lent[layer]
        keys, values = torch.cat([source_key, key * SCALE], 1), torch.cat([source_value, value], 1)
        logits = torch.einsum("blhd,bmhd->bhlm", query, keys) / query.shape[-1] ** 0.5
        expected = torch.einsum("bhlm,bmhd->blhd", (logits + added).softmax(-1), values).flatten(2)
        image = found[0][:, -GRID.tokens :, : backbone.key_width]
        torch.testing.assert_close(image, expected[:, -GRID.tokens :], atol=1e-5, rtol=1e-5)


def test_lending_moves_the_target(backbone: Backbone) -> None:
    _, target = told(backbone)
    with backbone.exchange_processors():
        memory = lent(backbone)
        exchange = ExtendTarget(0, memory, frozenset(memory.lent), SCALE)
        alone = backbone.velocity(noise(backbone), 0.6, target, GRID, leave_alone)
        extended = backbone.velocity(noise(backbone), 0.6, target, GRID, exchange, exchange)
    assert not torch.allclose(alone, extended, atol=1e-4)


def test_rows_told_nothing_have_no_subject_to_bias(backbone: Backbone) -> None:
    _, target = told(backbone)
    with backbone.exchange_processors():
        memory = lent(backbone)
        exchange = ExtendTarget(0, memory, frozenset(memory.lent), SCALE)
        bias = SubjectBias(torch.full((GRID.tokens,), 9.0), (2,), target.text_len)
        alone = backbone.velocity(noise(backbone), 0.6, target, GRID, exchange, exchange)
        biased = replace(exchange, bias=bias)
        silent = backbone.velocity(noise(backbone), 0.6, target, GRID, biased.untold(), biased.untold())
        loud = backbone.velocity(noise(backbone), 0.6, target, GRID, biased, biased.untold())
    torch.testing.assert_close(silent, alone, atol=1e-5, rtol=0)
    assert not torch.allclose(loud, alone, atol=1e-4)


def test_a_recorder_sees_where_the_subject_draws_attention_by_itself(backbone: Backbone) -> None:
    _, target = told(backbone)
    maps = list[Tensor]()
    for bias in (None, SubjectBias(torch.full((GRID.tokens,), 9.0), (2,), target.text_len)):
        recorder = SubjectRecorder(backbone.layers[:1], ((2,),), target.text_len)
        with backbone.exchange_processors():
            memory = lent(backbone)
            exchange = ExtendTarget(0, memory, frozenset(memory.lent), SCALE, 1.0, (recorder,), bias=bias)
            backbone.velocity(noise(backbone), 0.6, target, GRID, exchange, exchange.untold())
        maps.append(recorder.maps([0], GRID, "columns"))
    assert torch.equal(*maps)


def test_shifting_lent_keys_is_making_them_elsewhere(backbone: Backbone) -> None:
    if "axes_dims_rope" not in backbone.transformer.config:
        with pytest.raises(UnsupportedOption):
            backbone.rotary_shift(1, 0)
        return
    down, right, first = 1.5, -2.0, backbone.layers[0]
    with backbone.exchange_processors():
        here = lent(backbone).lent[first]
        with pytest.MonkeyPatch.context() as patch:
            family = import_module(type(backbone).__module__)
            ids = family.image_ids(GRID, CPU) + torch.tensor([0.0, down, right])
            patch.setattr(family, "image_ids", lambda grid, device: ids)
            there = lent(backbone).lent[first]
    memory = StepMemory({first: here})
    shift = backbone.rotary_shift(down, right)
    exchange = ExtendTarget(0, memory, frozenset({first}), 1.0, shift=shift)
    query = torch.zeros(1, 1, *here[0].shape[2:])
    _, key, value = exchange(first, query, query, query)
    torch.testing.assert_close(key[:, :-1], there[0], atol=1e-5, rtol=0)
    assert torch.equal(value[:, :-1], here[1])
    assert not torch.allclose(here[0], there[0], atol=1e-3)


def test_only_image_tokens_are_lent(backbone: Backbone) -> None:
    with backbone.exchange_processors():
        memory = lent(backbone)
    assert {key.shape[1] for key, _ in memory.lent.values()} == {GRID.tokens}


def test_a_pass_ends_where_nothing_more_is_wanted(backbone: Backbone) -> None:
    source, _ = told(backbone)
    memory, first = StepMemory(), backbone.layers[0]
    exchange = StopAfter(LendSource(memory, frozenset({first}), source.text_len), first)
    with backbone.exchange_processors(), pytest.raises(PassComplete):
        backbone.velocity(noise(backbone), 0.5, source, GRID, exchange)
    assert set(memory.lent) == {first}


def test_processors_are_given_back_whatever_happens(backbone: Backbone) -> None:
    before = backbone.transformer.attn_processors
    with pytest.raises(KeyboardInterrupt), backbone.exchange_processors():
        raise KeyboardInterrupt
    assert backbone.transformer.attn_processors == before


def test_the_recorder_sees_the_rows_that_are_told_the_prompt(backbone: Backbone) -> None:
    _, target = told(backbone)
    recorder = SubjectRecorder(
        backbone.layers, backbone.subject_tokens(*PROMPTS, ("dog", "beach")), target.text_len
    )
    watched = ExtendTarget(0, None, frozenset(), SCALE, recorders=(recorder,))
    with backbone.exchange_processors():
        backbone.velocity(noise(backbone, 1, 2, 3), 0.5, target, GRID, watched)
    assert recorder.maps([0], GRID, "columns").shape == (3, 2, GRID.height, GRID.width)


def test_the_subject_is_where_its_tokens_are(backbone: Backbone) -> None:
    (found,) = backbone.subject_tokens(*PROMPTS, ("dog",))
    source, target = backbone.encode_prompts(PROMPTS, (1.0, 1.0))
    assert found == tuple(range(found[0], found[-1] + 1))
    assert found[-1] < target.text_len
    changed = (source.prompt_embeds != target.prompt_embeds).any(dim=-1)[0]
    assert bool(changed[list(found)].all())
    for absent in ("cat", "do"):
        with pytest.raises(SubjectNotInPrompt):
            backbone.subject_tokens(*PROMPTS, ("dog", absent))


def test_sigmas_fall_from_noise_to_picture(backbone: Backbone) -> None:
    sigmas = backbone.sigmas(5, 4096)
    assert (len(sigmas), sigmas[0], sigmas[-1]) == (6, 1.0, 0.0)
    assert sigmas == sorted(sigmas, reverse=True)


def test_pictures_of_any_shape_become_tokens_and_pixels_again(backbone: Backbone) -> None:
    pixels = torch.rand(1, 3, 16 * GRID.height, 16 * GRID.width) * 2 - 1
    tokens = backbone.encode_pixels(pixels)
    assert tokens.shape == noise(backbone).shape
    assert tokens.dtype == torch.float32
    assert backbone.decode_tokens(tokens, GRID).shape == pixels.shape


def test_noise_level_and_conditioning_may_be_by_row(backbone: Backbone) -> None:
    levels, scales = (0.3, 0.8), (2.0, 4.0)
    conds = [told(backbone, scale)[1] for scale in scales]
    latents = noise(backbone, 1, 2)
    with backbone.exchange_processors():
        alone = [
            backbone.velocity(row[None], level, cond, GRID, leave_alone)
            for row, level, cond in zip(latents, levels, conds, strict=True)
        ]
        cond = replace(conds[0], guidance=torch.tensor(scales))
        together = backbone.velocity(latents, torch.tensor(levels), cond, GRID, leave_alone)
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=0)
