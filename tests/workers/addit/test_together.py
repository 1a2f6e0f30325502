"""Edits that share passes give what they give alone, and share whatever their steps are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from tests.workers.addit import golden
from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.flux import FluxBackbone
from workers.addit.config import AdditConfig
from workers.addit.denoise import Denoised
from workers.addit.latents import LatentGrid
from workers.addit.shared_passes import share_always, share_nothing
from workers.addit.together import run_together

CASES = ("real_noising", "generated", "real_inversion")


def same(given: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(given, wanted, atol=1e-4, rtol=0)


@dataclass
class Watched:
    """Rows of every pass that a backbone made."""

    passes: list[int]

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = FluxBackbone.velocity

        def velocity(self_: FluxBackbone, latents: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            self.passes.append(latents.shape[0])
            return made(self_, latents, *args, **kwargs)

        monkeypatch.setattr(FluxBackbone, "velocity", velocity)


def job(case: str, config: AdditConfig, seeds: list[int]) -> Callable[[Backbone], Denoised]:
    return lambda backbone: golden.run(case, config, seeds=seeds, backbone=backbone)[0]


def test_edits_of_all_kinds_share_and_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    configs = {case: golden.config(case) for case in CASES}
    configs["generated"] = replace(configs["generated"], guidance_scale=1.5, extended_scale=1.2)
    alone = {case: golden.run(case, config, seeds=[7])[0] for case, config in configs.items()}
    watched = Watched([])
    watched.watch(monkeypatch)
    jobs = [job(case, config, [7]) for case, config in configs.items()]
    done = run_together(golden.backbone(), jobs, share_always)
    for case, result in zip(configs, done, strict=True):
        assert isinstance(result, Denoised)
        same(result.latents, alone[case].latents)
    assert max(watched.passes) == len(CASES)


def test_nothing_is_shared_where_it_does_not_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched([])
    watched.watch(monkeypatch)
    late = replace(golden.config("real_noising"), structure_transfer_step=26, blend_steps=())
    run_together(golden.backbone(), [job("real_noising", late, [seed]) for seed in (1, 2)], share_nothing)
    assert set(watched.passes) == {1}


def test_who_fails_fails_alone() -> None:
    late = replace(golden.config("real_noising"), structure_transfer_step=26, blend_steps=())

    def stopped(backbone: Backbone) -> Denoised:
        golden.run("real_noising", replace(late, structure_transfer_step=28), seeds=[1], backbone=backbone)
        raise KeyboardInterrupt

    failed, went_on = run_together(golden.backbone(), [stopped, job("real_noising", late, [2])], share_always)
    assert isinstance(failed, KeyboardInterrupt)
    assert isinstance(went_on, Denoised)
    same(went_on.latents, golden.run("real_noising", late, seeds=[2])[0].latents)


def test_a_pass_that_breaks_is_made_again_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    late = replace(golden.config("real_noising"), structure_transfer_step=26, blend_steps=())
    made = FluxBackbone.velocity

    def no_room(self: FluxBackbone, latents: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if latents.shape[0] > 1:
            raise torch.OutOfMemoryError
        return made(self, latents, *args, **kwargs)

    monkeypatch.setattr(FluxBackbone, "velocity", no_room)
    jobs = [job("real_noising", late, [seed]) for seed in (1, 2)]
    for result in run_together(golden.backbone(), jobs, share_always):
        assert isinstance(result, Denoised)


@pytest.mark.parametrize("case", CASES)
def test_the_source_runs_some_steps_ahead_where_that_pays(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = golden.config(case)
    alone, counted = golden.run(case, config, known=golden.memory(0 if case == "generated" else 2**30))
    watched = Watched([])
    watched.watch(monkeypatch)
    ahead, branches = golden.run(case, config, pays=share_always)
    same(ahead.latents, alone.latents)
    if case == "real_noising":
        assert watched.passes.count(4) == 4  # 16 of the 17 source passes, steps 4 to 20
        assert branches.count.total == counted.count.total


def test_the_source_stays_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched([])
    watched.watch(monkeypatch)
    golden.run("real_noising", golden.config("real_noising"), known=golden.memory(0), pays=share_always)
    assert set(watched.passes) == {1}


def pays_up_to(most: int) -> Callable[[LatentGrid, Sequence[int]], bool]:
    return lambda grid, rows: sum(rows) <= most


def test_groups_are_as_large_as_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    late = replace(golden.config("real_noising"), structure_transfer_step=26, blend_steps=())
    late = replace(late, extend_double_until=-1, extend_single_until=-1)
    watched = Watched([])
    watched.watch(monkeypatch)
    jobs = [job("real_noising", late, [seed]) for seed in (1, 2, 3)]
    run_together(golden.backbone(), jobs, cast(Any, pays_up_to(2)))
    assert watched.passes == [2, 1] * 4


def test_the_source_runs_as_many_steps_ahead_as_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched([])
    watched.watch(monkeypatch)
    none_but = cast(Any, lambda grid, rows: sum(rows) in (1, 4))
    golden.run("real_noising", golden.config("real_noising"), known=golden.memory(), pays=none_but)
    assert watched.passes.count(4) == 4
    assert set(watched.passes) == {1, 4}
