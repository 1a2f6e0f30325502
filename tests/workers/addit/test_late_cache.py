"""Block caches: late target passes alone, nothing left behind, every run on its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from diffusers import FirstBlockCacheConfig, MagCacheConfig, TaylorSeerCacheConfig
from torch import Tensor

from tests.workers.addit.backbones.families import FAMILIES, GRID, noise, told
from workers.addit.backbones.backbone import Backbone
from workers.addit.config import PAPER_REAL, REFERENCE_REAL, AdditConfig
from workers.addit.forward import ExtendTarget
from workers.addit.late_cache import (
    CacheConfig,
    block_cache,
    first_cached_step,
    late_cache,
    offered_modes,
)

FIRST = 21
CACHES: dict[str, CacheConfig] = {
    "always skips": FirstBlockCacheConfig(threshold=1e9),
    "taylor": TaylorSeerCacheConfig(3, 2, taylor_factors_dtype=torch.float32, use_lite_mode=True),
    "mag": MagCacheConfig(threshold=9.0, retention_ratio=0.0, num_inference_steps=9, mag_ratios=[1.0] * 9),
}


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return FAMILIES["flux"]()


def run(backbone: Backbone, steps: range = range(18, 30)) -> list[Tensor]:
    """A target's latents after each of these steps."""
    _, target = told(backbone)
    latents, sigmas, seen = noise(backbone, 1), backbone.sigmas(30, GRID.tokens), []
    for step in steps:
        exchange = ExtendTarget(step, None, frozenset(), 1.0)
        velocity = backbone.velocity(latents, sigmas[step], target, GRID, exchange)
        latents = latents + (sigmas[step + 1] - sigmas[step]) * velocity
        seen.append(latents)
    return seen


@pytest.fixture(params=CACHES)
def cache(request: pytest.FixtureRequest) -> CacheConfig:
    return CACHES[request.param]


def test_steps_before_the_first_are_exact_and_later_ones_are_not(
    backbone: Backbone, cache: CacheConfig
) -> None:
    with backbone.exchange_processors():
        exact = run(backbone)
        with late_cache(backbone.transformer, cache, FIRST):
            cached = run(backbone)
    same = [torch.equal(one, other) for one, other in zip(exact, cached, strict=True)]
    computed_first = FIRST - 18 + 1  # nothing is kept yet when the first cached step comes
    assert all(same[:computed_first])
    assert not same[-1]


def test_a_second_run_does_not_know_of_the_first(backbone: Backbone, cache: CacheConfig) -> None:
    with backbone.exchange_processors(), late_cache(backbone.transformer, cache, FIRST):
        runs = [run(backbone) for _ in range(2)]
        late = [run(backbone, range(22, 30)) for _ in range(2)]
    for first, second in (runs, late):
        torch.testing.assert_close(first, second, atol=0, rtol=0)


def test_nothing_is_left_behind_whatever_happens(backbone: Backbone, cache: CacheConfig) -> None:
    with backbone.exchange_processors():
        exact = run(backbone)
        with pytest.raises(KeyboardInterrupt), late_cache(backbone.transformer, cache, FIRST):
            _interrupted(backbone)
        assert not backbone.transformer.is_cache_enabled
        torch.testing.assert_close(run(backbone), exact, atol=0, rtol=0)


def _interrupted(backbone: Backbone) -> None:
    run(backbone)
    raise KeyboardInterrupt


def test_without_a_cache_all_is_exact(backbone: Backbone) -> None:
    with backbone.exchange_processors():
        exact = run(backbone)
        with late_cache(backbone.transformer, None, FIRST):
            torch.testing.assert_close(run(backbone), exact, atol=0, rtol=0)


@pytest.mark.parametrize(
    ("config", "first"),
    [
        (PAPER_REAL, 21),
        (REFERENCE_REAL, 21),
        (replace(PAPER_REAL, blend_steps=(15, 24)), 25),
        (replace(PAPER_REAL, blend_steps=(), extend_double_until=-1, extend_single_until=-1), 0),
        (PAPER_REAL.at_steps(8), 6),
    ],
)
def test_caching_begins_after_the_last_step_that_extends_or_records(config: AdditConfig, first: int) -> None:
    assert first_cached_step(config) == first


def test_modes_are_what_they_say() -> None:
    def made(mode: Any, config: AdditConfig, ratios: str | None = None) -> type | None:
        cache = block_cache(mode, config, torch.float32, ratios)
        return None if cache is None else type(cache)

    assert made("exact", PAPER_REAL) is None
    assert made("fast", PAPER_REAL) is FirstBlockCacheConfig
    assert made("turbo", PAPER_REAL) is TaylorSeerCacheConfig
    assert made("turbo", PAPER_REAL, "FLUX_MAG_RATIOS") is MagCacheConfig
    assert made("turbo", replace(PAPER_REAL, blend_steps=(28,))) is None  # a single step is left


@pytest.mark.parametrize("family", FAMILIES)
def test_every_mode_that_is_offered_runs(family: str) -> None:
    backbone = FAMILIES[family]()
    modes = offered_modes(backbone.transformer)
    assert modes[0] == "exact"
    for mode in modes:
        cache = block_cache(mode, PAPER_REAL, torch.float32, None)
        with backbone.exchange_processors(), late_cache(backbone.transformer, cache, FIRST):
            assert bool(torch.isfinite(run(backbone)[-1]).all())
