"""The method's loop as its text has it: both branches in one batch of two, every step, nothing remembered.

Knows no picture: latents in, latents out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from bench.plain.attending import Maps, PlainPass
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.config import AdditConfig
from workers.addit.latents import LatentGrid, image_ids

Keep = Callable[[Tensor, Tensor], Tensor]
"""From a map (1, 1, h, w) and the target's clean guess (1, L, C) to (1, L, 1), 1 at the subject."""


@dataclass(frozen=True)
class PlainModel:
    """A FLUX transformer and what it is told.

    sigmas: noise levels from 1 down to 0; source, target: prompts and guidance of the two branches
    recorded: layers that are looked at for the text tokens `subject`
    """

    transformer: Any
    grid: LatentGrid
    sigmas: Sequence[float]
    source: Conditioning
    target: Conditioning
    recorded: frozenset[str]
    subject: tuple[int, ...]

    @property
    def text_len(self) -> int:
        """Tokens of a prompt."""
        return self.source.text_len

    def velocity(self, latents: Tensor, sigma: float, told: Sequence[Conditioning], at: PlainPass) -> Tensor:
        """(B, L, C) float32 of B rows, each told its own; noise minus x0."""
        dtype, device, rows = self.transformer.dtype, latents.device, len(told)
        guidance = torch.tensor([one.guidance for one in told], device=device)
        velocity: Tensor = self.transformer(
            hidden_states=latents.to(dtype),
            timestep=torch.full((rows,), sigma, device=device),
            guidance=guidance if self.transformer.config.guidance_embeds else None,
            pooled_projections=torch.cat([_pooled(one) for one in told]).to(device, dtype),
            encoder_hidden_states=torch.cat([one.prompt_embeds for one in told]).to(device, dtype),
            txt_ids=torch.zeros(self.text_len, 3, device=device),
            img_ids=image_ids(self.grid, device),
            joint_attention_kwargs={"plain": at},
            return_dict=False,
        )[0]
        return velocity.float()

    def alone(self, latents: Tensor, sigma: float) -> Tensor:
        """The source's velocity, without a target."""
        return self.velocity(latents, sigma, [self.source], PlainPass(self.text_len))


def _pooled(told: Conditioning) -> Tensor:
    assert told.pooled_prompt_embeds is not None
    return told.pooled_prompt_embeds


def noised(model: PlainModel, x0: Tensor, noise: Tensor) -> list[Tensor]:
    """The source's latents by step: in closed form."""
    return [(1 - sigma) * x0 + sigma * noise for sigma in model.sigmas]


def generated(model: PlainModel, noise: Tensor) -> list[Tensor]:
    """The same of a source made from noise: one pass a step."""
    path = [noise]
    for high, low in zip(model.sigmas, model.sigmas[1:], strict=False):
        path.append(path[-1] + (low - high) * model.alone(path[-1], high))
    return path


def inverted(model: PlainModel, x0: Tensor) -> list[Tensor]:
    """The same of a real source by fixed-point inversion: two passes a step."""
    path = [x0]
    levels = list(reversed(model.sigmas))
    for low, high in zip(levels, levels[1:], strict=False):
        guess = path[-1] + (high - low) * model.alone(path[-1], low)
        path.append(path[-1] + (high - low) * model.alone(guess, high))
    return path[::-1]


@dataclass
class Plain:
    """What a run left: the target's clean latents (1, L, C); of every blend its map (1, 1, h, w), and the
    target's latents before it."""

    latents: Tensor
    maps: list[Tensor] = field(default_factory=list)
    before: list[Tensor] = field(default_factory=list)


def edit(
    model: PlainModel, config: AdditConfig, path: Sequence[Tensor], x0: Tensor, noise: Tensor, keep: Keep
) -> Plain:
    """All steps of both branches. x0: what structure transfer starts from; noise: the target's."""
    done, seen = Plain(noise), dict[int, Maps]()
    watched = {step for blend in config.blend_steps for step in range(blend - 2, blend + 1)}
    for step, (sigma, below) in enumerate(zip(model.sigmas, model.sigmas[1:], strict=False)):
        target = done.latents
        if step == config.structure_transfer_step:
            target = (1 - sigma) * x0 + sigma * noise
        at = _pass_at(model, config, step, step in watched)
        both = torch.cat([path[step], target])
        velocity = model.velocity(both, sigma, [model.source, model.target], at)
        after = both + (below - sigma) * velocity
        source, done.latents, seen[step] = after[:1], after[1:], at.seen
        if step in config.blend_steps:
            guess = target - sigma * velocity[1:]
            found = attention_map([seen[at] for at in range(step - 2, step + 1)], config, model.grid)
            done.maps.append(found)
            done.before.append(done.latents)
            kept = keep(found, guess)
            done.latents = kept * done.latents + (1 - kept) * source
    return done


def _pass_at(model: PlainModel, config: AdditConfig, step: int, watched: bool) -> PlainPass:
    names = [name.removesuffix(".attn.processor") for name in model.transformer.attn_processors]
    double = {name for name in names if name.startswith("transformer_blocks.")}
    extended = set[str]()
    if step <= config.extend_double_until:
        extended |= double
    if step <= config.extend_single_until:
        extended |= set(names) - double
    assert isinstance(config.extended_scale, float)
    recorded = model.recorded if watched else frozenset[str]()
    return PlainPass(model.text_len, frozenset(extended), config.extended_scale, recorded, model.subject)


def attention_map(seen: Sequence[Maps], config: AdditConfig, grid: LatentGrid) -> Tensor:
    """(1, 1, h, w) of the recorded steps: the mean of the columns, or the reference's sum (section 3)."""
    columns = [torch.stack(maps.columns).mean(dim=0) for maps in seen]
    if config.accumulate == "columns":
        found = torch.stack(columns).mean(dim=0)
    else:
        rows = [torch.stack(maps.rows).mean(dim=0) for maps in seen]
        found = torch.stack(rows).sum(dim=0) + columns[-1]
    return found.reshape(1, 1, grid.height, grid.width)
