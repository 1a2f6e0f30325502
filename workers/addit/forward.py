"""One pass of the transformer over one branch, and what it costs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor

from workers.addit.attention import extend
from workers.addit.errors import InvalidOutput
from workers.addit.latents import LatentGrid, image_ids
from workers.addit.processor import Exchange, attention_layers
from workers.addit.source_memory import StepMemory
from workers.addit.subject_maps import SubjectRecorder


@dataclass(frozen=True)
class Conditioning:
    """What a branch is told: prompt_embeds (1, T, E), pooled_prompt_embeds (1, P), guidance (ignored where
    not embedded)."""

    prompt_embeds: Tensor
    pooled_prompt_embeds: Tensor
    guidance: float

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


class SourceComplete(Exception):
    """Everything that was wanted of the source has been lent: the rest of the pass is not needed."""


@dataclass(frozen=True)
class LendSource:
    """Exchange of a source pass: writes the image tokens' keys and values of `layers` into `memory`.

    stop_after: raise `SourceComplete` at this layer, before its attention; None runs to the end.
    """

    memory: StepMemory
    layers: frozenset[str]
    text_len: int
    stop_after: str | None

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if layer in self.layers:
            self.memory.lent[layer] = (key[:, self.text_len :].clone(), value[:, self.text_len :].clone())
        if layer == self.stop_after:
            raise SourceComplete
        return key, value


@dataclass(frozen=True)
class ExtendTarget:
    """Exchange of a target pass: attends to what `memory` holds of the source and lets `recorder` look on."""

    step: int
    memory: StepMemory | None
    layers: frozenset[str]
    scale: float
    recorder: SubjectRecorder | None

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if self.memory is not None and layer in self.layers:
            key, value = extend(key, value, *self.memory.lent[layer], self.scale)
        if self.recorder is not None:
            self.recorder.record(self.step, layer, query, key)
        return key, value


@dataclass(frozen=True)
class Branches:
    """The transformer with what all its passes of one edit share: geometry and the count of forwards."""

    transformer: FluxTransformer2DModel
    grid: LatentGrid
    count: ForwardCount = field(default_factory=ForwardCount)

    def target(self, latents: Tensor, sigma: float, cond: Conditioning, exchange: ExtendTarget) -> Tensor:
        """Velocity (B, L, C) of the target branch, float32."""
        self.count.target += latents.shape[0]
        return _velocity(self.transformer, latents, sigma, cond, self.grid, exchange)

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
        stop_after = None if velocity else order[last]
        memory = StepMemory()
        self.count.source += 1.0 if velocity else (last + 1) / len(order)
        exchange = LendSource(memory, lend, cond.text_len, stop_after)
        with suppress(SourceComplete):  # the wanted end of a pass whose velocity nobody uses
            memory.velocity = _velocity(self.transformer, latents, sigma, cond, self.grid, exchange)
        return memory


def _velocity(
    transformer: FluxTransformer2DModel,
    latents: Tensor,
    sigma: float,
    cond: Conditioning,
    grid: LatentGrid,
    exchange: Exchange,
) -> Tensor:
    rows, device, dtype = latents.shape[0], latents.device, transformer.dtype
    guidance = (
        torch.full((rows,), cond.guidance, device=device) if transformer.config.guidance_embeds else None
    )
    kwargs: dict[str, Any] = {"exchange": exchange}
    velocity: Tensor = transformer(
        hidden_states=latents.to(dtype),
        timestep=torch.full((rows,), sigma, device=device),
        guidance=guidance,
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
