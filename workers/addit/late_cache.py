"""diffusers' block caches, where the method needs no attention: after the last step that extends or records.

Approximate: a pass reuses what blocks gave a step before. Which pass it is, is read off its exchange, so the
loop knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import diffusers.hooks.mag_cache
from diffusers import (
    FirstBlockCacheConfig,
    FluxTransformer2DModel,
    MagCacheConfig,
    TaylorSeerCacheConfig,
)
from diffusers.models.cache_utils import CacheMixin

from workers.addit.config import AdditConfig

Mode = Literal["exact", "fast", "turbo"]
CacheConfig: TypeAlias = FirstBlockCacheConfig | MagCacheConfig | TaylorSeerCacheConfig


def first_cached_step(config: AdditConfig) -> int:
    """The first step whose target pass attends to itself alone and is not looked at."""
    return max(config.last_extended_step, *config.blend_steps, -1) + 1


def offered_modes(transformer: Any) -> tuple[Mode, ...]:
    """What diffusers' caches can do with it.

    Nothing for Stable Diffusion 3, nor for compiled blocks, which every switch would compile anew.
    FirstBlockCache wants blocks that all answer alike; FLUX.2's do not.
    """
    if not isinstance(transformer, CacheMixin) or _is_compiled(transformer):
        return ("exact",)
    if isinstance(transformer, FluxTransformer2DModel):
        return ("exact", "fast", "turbo")
    return ("exact", "turbo")


def _is_compiled(transformer: Any) -> bool:
    return any(block._compiled_call_impl is not None for block in transformer.transformer_blocks)


def block_cache(mode: Mode, config: AdditConfig, dtype: Any, mag_ratios: str | None) -> CacheConfig | None:
    """What a mode means; None where nothing is approximated or no step is left for it.

    fast: FirstBlockCache, which runs the other blocks only when the first one's answer has changed
    turbo: MagCache where the checkpoint's `mag_ratios` were measured; TaylorSeer elsewhere, which runs every
        third step and extrapolates the others
    """
    first, steps = first_cached_step(config), config.num_inference_steps
    if mode == "exact" or steps - first < 2:
        return None
    if mode == "fast":
        return FirstBlockCacheConfig(threshold=0.08)
    if mag_ratios is not None:
        return _mag_cache(getattr(diffusers.hooks.mag_cache, mag_ratios), first, steps)
    return TaylorSeerCacheConfig(
        cache_interval=3, disable_cache_before_step=2, taylor_factors_dtype=dtype, use_lite_mode=True
    )


def _mag_cache(measured: Any, first: int, steps: int) -> MagCacheConfig:
    """The measured ratios at this number of steps, from the first cached step on."""
    whole = diffusers.hooks.mag_cache.nearest_interp(measured, steps)
    return MagCacheConfig(retention_ratio=0.0, num_inference_steps=steps - first, mag_ratios=whole[first:])


@contextmanager
def late_cache(transformer: Any, cache: CacheConfig | None, first_step: int) -> Iterator[None]:
    """Inside, target passes from `first_step` on go through `cache`; all others are exact.

    Nothing is left behind, whatever happens.
    """
    if cache is None:
        yield
        return
    switch = _Switch(transformer, cache, first_step)
    handle = transformer.register_forward_pre_hook(switch, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
        switch.turn_off()


@dataclass
class _Switch:
    """Turns the cache on and off before a pass, by the step that its exchange belongs to."""

    transformer: Any
    cache: CacheConfig
    first_step: int
    last: int = -1
    branch: ExitStack = field(default_factory=ExitStack)

    def __call__(self, module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        exchange = (kwargs.get("joint_attention_kwargs") or {}).get("exchange")
        step: int | None = getattr(exchange, "step", None)
        if step is None or step <= self.last:
            self.turn_off()  # the source, or another run of the loop: what was kept is not theirs
        if step is not None and step >= self.first_step:
            self.turn_on()
            self.last = step

    def turn_on(self) -> None:
        """Install diffusers' hooks. A state is kept for each named branch of a step; here is only one."""
        if not self.transformer.is_cache_enabled:
            self.transformer.enable_cache(self.cache)
            self.branch.enter_context(self.transformer.cache_context("target"))

    def turn_off(self) -> None:
        """Remove them, and what they kept."""
        self.branch.close()
        self.last = -1
        if self.transformer.is_cache_enabled:
            self.transformer.disable_cache()
