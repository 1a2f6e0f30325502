"""One pass of the transformer over one branch, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from workers.addit.attention import extend
from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.errors import InvalidOutput
from workers.addit.exchanging import PassComplete
from workers.addit.latents import LatentGrid
from workers.addit.processor import Attending, Exchange
from workers.addit.rotating import Rotary, rotate
from workers.addit.shared_passes import Ask, Pays, answer_all, share_always, share_nothing
from workers.addit.source_memory import StepMemory
from workers.addit.subject_bias import SubjectBias
from workers.addit.weights import Weight, weight_at


@dataclass
class ForwardCount:
    """Full batch-1 forwards spent; a pass that stops early counts by its share of the blocks."""

    source: float = 0.0
    target: float = 0.0

    @property
    def total(self) -> float:
        """Of both branches."""
        return self.source + self.target


class Recorder(Protocol):
    """Looks at the target's attention."""

    def record(self, step: int, layer: str, query: Tensor, key: Tensor) -> None:
        """query (B, L, H, D): text then image. key (B, S + L, H, D): lent source tokens, if any, before the
        own ones."""


@dataclass(frozen=True)
class LendSource:
    """Exchange of a source pass: writes the image tokens' keys and values of `layers` into `memory`."""

    memory: StepMemory
    layers: frozenset[str]
    text_len: int

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> Attending:
        if layer in self.layers:
            self.memory.lent[layer] = (key[:, self.text_len :].clone(), value[:, self.text_len :].clone())
        return query, key, value


@dataclass(frozen=True)
class ExtendTarget:
    """Exchange of a target pass: attends to what `memory` holds of the source and lets recorders look on.

    scale: gamma, on the target's own keys; source_scale: on the lent ones
    shift: rotates the lent keys further, as if the source lay elsewhere (`Backbone.rotary_shift`)
    bias: on the subject's text, in the layers that are lent the source. Recorders do not see it: what they
        see is where the subject draws attention by itself.
    """

    step: int
    memory: StepMemory | None
    layers: frozenset[str]
    scale: Weight | Tensor
    source_scale: Weight = 1.0
    recorders: tuple[Recorder, ...] = ()
    shift: Rotary | None = None
    bias: SubjectBias | None = None

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> Attending:
        if self.memory is not None and layer in self.layers:
            scales = (weight_at(weight, self.step, layer) for weight in (self.scale, self.source_scale))
            key, value = extend(key, value, *self._lent(self.memory, layer), *scales)
        for recorder in self.recorders:
            recorder.record(self.step, layer, query, key)
        if self.bias is not None and layer in self.layers:
            return self.bias(query, key, value)
        return query, key, value

    def _lent(self, memory: StepMemory, layer: str) -> tuple[Tensor, Tensor]:
        """The source's keys, where they are to lie, and values."""
        key, value = memory.lent[layer]
        return key if self.shift is None else rotate(self.shift, key)[0], value

    def untold(self) -> ExtendTarget:
        """The same for rows that are told nothing: not looked at, and no subject to bias."""
        return replace(self, recorders=(), bias=self.bias and self.bias.silent())


@dataclass(frozen=True)
class StopAfter:
    """Exchange that does what another does and ends the pass at a layer, before its attention."""

    exchange: Exchange
    layer: str

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> Attending:
        exchanged = self.exchange(layer, query, key, value)
        if layer == self.layer:
            raise PassComplete
        return exchanged


@dataclass(frozen=True)
class SourcePass:
    """A pass of the source branch that is wanted: (1, L, C) `latents` at a noise level, the layers that lend,
    and whether it is wanted to its end."""

    latents: Tensor
    sigma: float
    lend: frozenset[str]
    velocity: bool


@dataclass(frozen=True)
class Branches:
    """A model family with what all its passes of one edit share: geometry and the count of forwards.

    pays: which passes are better made as one
    """

    backbone: Backbone
    grid: LatentGrid
    count: ForwardCount = field(default_factory=ForwardCount)
    pays: Pays = share_nothing

    def target(
        self, latents: Tensor, sigma: float | Tensor, cond: Conditioning, exchange: ExtendTarget
    ) -> Tensor:
        """Velocity (B, L, C) of the target branch, float32. Noise level and conditioning may be by row."""
        self.count.target += latents.shape[0] * self.backbone.passes(cond)
        return self._velocity(latents, sigma, cond, exchange, exchange.untold())

    def glance(
        self, latents: Tensor, sigma: float, cond: Conditioning, exchange: ExtendTarget, last: str
    ) -> None:
        """Run the target branch only as far as layer `last`, for what its recorders see."""
        order = self.backbone.layers
        self.count.target += latents.shape[0] * (order.index(last) + 1) / len(order)
        with suppress(PassComplete):  # rows told nothing are not looked at, so they are not run
            self._velocity(latents, sigma, replace(cond, negative=None), StopAfter(exchange, last))

    def lent_bytes(self, latents: Tensor, layers: frozenset[str]) -> int:
        """Bytes of the `StepMemory` of a whole source pass at (1, L, C) `latents` that lends `layers`."""
        itemsize = self.backbone.dtype.itemsize
        pair = 2 * latents.shape[1] * self.backbone.key_width * itemsize
        return len(layers) * pair + latents.numel() * torch.float32.itemsize

    def source(
        self, latents: Tensor, sigma: float, cond: Conditioning, lend: frozenset[str], *, velocity: bool
    ) -> StepMemory:
        """Run the source branch at (1, L, C) `latents`, lending `lend`; without `velocity`, only as far as
        that needs."""
        return self.sources(cond, [SourcePass(latents, sigma, lend, velocity)])[0]

    def sources(self, cond: Conditioning, passes: Sequence[SourcePass]) -> list[StepMemory]:
        """The same of several noise levels, in one pass of the transformer where the family can."""
        order, memories = self.backbone.layers, [StepMemory() for _ in passes]
        asks = []
        for one, memory in zip(passes, memories, strict=True):
            last = max((order.index(layer) for layer in one.lend), default=-1)
            self.count.source += self.backbone.passes(cond) if one.velocity else (last + 1) / len(order)
            exchange: Exchange = LendSource(memory, one.lend, cond.text_len)
            if one.velocity:
                asks.append(Ask(one.latents, one.sigma, cond, self.grid, exchange))
            else:  # rows told nothing are not lent, so they are not run
                told = replace(cond, negative=None)
                asks.append(Ask(one.latents, one.sigma, told, self.grid, StopAfter(exchange, order[last])))
        for memory, answer in zip(memories, answer_all(self.backbone, asks, share_always), strict=True):
            if isinstance(answer, Tensor):
                memory.velocity = _finite(answer)
            elif not isinstance(answer, PassComplete):
                raise answer
        return memories

    def _velocity(
        self,
        latents: Tensor,
        sigma: float | Tensor,
        cond: Conditioning,
        exchange: Exchange,
        unconditional: Exchange | None = None,
    ) -> Tensor:
        return _finite(self.backbone.velocity(latents, sigma, cond, self.grid, exchange, unconditional))


def _finite(velocity: Tensor) -> Tensor:
    if not velocity.is_meta and not bool(torch.isfinite(velocity).all()):
        raise InvalidOutput("the transformer's velocity is not finite")
    return velocity
