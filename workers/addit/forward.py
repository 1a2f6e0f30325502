"""One pass of the transformer over one branch, and what it costs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor

from workers.addit.attention import extend
from workers.addit.errors import InvalidOutput
from workers.addit.latents import LatentGrid, image_ids
from workers.addit.processor import Exchange, attention_layers
from workers.addit.source_memory import StepMemory
from workers.addit.weights import Weight, weight_at


@dataclass(frozen=True)
class Conditioning:
    """What a branch is told, one for all rows or one for each of B.

    prompt_embeds: (1 or B, T, E); pooled_prompt_embeds: (1 or B, P)
    guidance: a number or (B,); ignored where it is not embedded
    """

    prompt_embeds: Tensor
    pooled_prompt_embeds: Tensor
    guidance: float | Tensor

    @property
    def text_len(self) -> int:
        """Number of text tokens."""
        return self.prompt_embeds.shape[1]


@dataclass
class ForwardCount:
    """Full batch-1 forwards spent; a pass that stops early counts by its share of the blocks."""

    source: float = 0.0
    target: float = 0.0

    @property
    def total(self) -> float:
        """Of both branches."""
        return self.source + self.target


class PassComplete(Exception):
    """Everything that was wanted of a pass has been seen: the rest of it is not needed."""


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

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if layer in self.layers:
            self.memory.lent[layer] = (key[:, self.text_len :].clone(), value[:, self.text_len :].clone())
        return key, value


@dataclass(frozen=True)
class ExtendTarget:
    """Exchange of a target pass: attends to what `memory` holds of the source and lets recorders look on.

    scale: gamma, on the target's own keys; source_scale: on the lent ones
    """

    step: int
    memory: StepMemory | None
    layers: frozenset[str]
    scale: Weight | Tensor
    source_scale: Weight = 1.0
    recorders: tuple[Recorder, ...] = ()

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if self.memory is not None and layer in self.layers:
            scales = (weight_at(weight, self.step, layer) for weight in (self.scale, self.source_scale))
            key, value = extend(key, value, *self.memory.lent[layer], *scales)
        for recorder in self.recorders:
            recorder.record(self.step, layer, query, key)
        return key, value


@dataclass(frozen=True)
class StopAfter:
    """Exchange that does what another does and ends the pass at a layer, before its attention."""

    exchange: Exchange
    layer: str

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        exchanged = self.exchange(layer, query, key, value)
        if layer == self.layer:
            raise PassComplete
        return exchanged


@dataclass(frozen=True)
class Branches:
    """The transformer with what all its passes of one edit share: geometry and the count of forwards."""

    transformer: FluxTransformer2DModel
    grid: LatentGrid
    count: ForwardCount = field(default_factory=ForwardCount)

    def target(
        self, latents: Tensor, sigma: float | Tensor, cond: Conditioning, exchange: ExtendTarget
    ) -> Tensor:
        """Velocity (B, L, C) of the target branch, float32. Noise level and conditioning may be by row."""
        self.count.target += latents.shape[0]
        return _velocity(self.transformer, latents, sigma, cond, self.grid, exchange)

    def glance(
        self, latents: Tensor, sigma: float, cond: Conditioning, exchange: ExtendTarget, last: str
    ) -> None:
        """Run the target branch only as far as layer `last`, for what its recorders see."""
        order = attention_layers(self.transformer)
        self.count.target += latents.shape[0] * (order.index(last) + 1) / len(order)
        with suppress(PassComplete):
            _velocity(self.transformer, latents, sigma, cond, self.grid, StopAfter(exchange, last))

    def lent_bytes(self, latents: Tensor, layers: frozenset[str]) -> int:
        """Bytes of the `StepMemory` of a whole source pass at (1, L, C) `latents` that lends `layers`."""
        transformer = self.transformer
        pair = 2 * latents.shape[1] * transformer.inner_dim * transformer.dtype.itemsize
        nbytes: int = len(layers) * pair + latents.numel() * torch.float32.itemsize
        return nbytes

    def source(
        self, latents: Tensor, sigma: float, cond: Conditioning, lend: frozenset[str], *, velocity: bool
    ) -> StepMemory:
        """Run the source branch at (1, L, C) `latents`, lending `lend`; without `velocity`, only as far as
        that needs."""
        order = attention_layers(self.transformer)
        last = max((order.index(layer) for layer in lend), default=-1)
        memory = StepMemory()
        self.count.source += 1.0 if velocity else (last + 1) / len(order)
        exchange: Exchange = LendSource(memory, lend, cond.text_len)
        if not velocity:
            exchange = StopAfter(exchange, order[last])
        with suppress(PassComplete):
            memory.velocity = _velocity(self.transformer, latents, sigma, cond, self.grid, exchange)
        return memory


def _velocity(
    transformer: FluxTransformer2DModel,
    latents: Tensor,
    sigma: float | Tensor,
    cond: Conditioning,
    grid: LatentGrid,
    exchange: Exchange,
) -> Tensor:
    rows, device, dtype = latents.shape[0], latents.device, transformer.dtype
    kwargs: dict[str, Any] = {"exchange": exchange}
    velocity: Tensor = transformer(
        hidden_states=latents.to(dtype),
        timestep=_by_row(sigma, rows, device),
        guidance=_by_row(cond.guidance, rows, device) if transformer.config.guidance_embeds else None,
        pooled_projections=cond.pooled_prompt_embeds.to(device, dtype).expand(rows, -1),
        encoder_hidden_states=cond.prompt_embeds.to(device, dtype).expand(rows, -1, -1),
        txt_ids=torch.zeros(cond.text_len, 3, device=device),
        img_ids=image_ids(grid).to(device),
        joint_attention_kwargs=kwargs,
        return_dict=False,
    )[0]
    velocity = velocity.float()
    if not velocity.is_meta and not bool(torch.isfinite(velocity).all()):
        raise InvalidOutput("the transformer's velocity is not finite")
    return velocity


def _by_row(value: float | Tensor, rows: int, device: torch.device) -> Tensor:
    """(B,), of one value for all rows or of one for each."""
    if isinstance(value, Tensor):
        return value.to(device).expand(rows)
    return torch.full((rows,), value, device=device)
