"""Passes are shared where measuring says that this is faster, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from tests.workers.addit import golden
from workers.addit.latents import LatentGrid
from workers.addit.models import Models
from workers.models.batch_costs import BatchCosts, Bench, estimate

GRID = LatentGrid(16, 16)
COSTS = BatchCosts({256: {1: 1.0, 2: 1.5, 4: 3.9, 8: 9.0}, 4096: {1: 8.0, 2: 16.0}})
BENCH = Bench("some card", "some model", "2.0", 1)


@pytest.mark.parametrize(
    ("rows", "pays"),
    [
        ([1, 1], True),
        ([2, 2], False),  # 3.9 s against 3.0
        ([1, 1, 1], True),  # 2.7 s, between 2 and 4, against 3.0
        ([1, 1, 1, 1], True),  # 3.9 against 4.0
        ([4, 4], False),
        ([8, 1], False),  # more than was ever measured
    ],
)
def test_a_batch_pays_where_it_takes_less_than_its_parts(rows: list[int], pays: bool) -> None:
    assert COSTS.pays(GRID, rows) is pays


def test_shapes_near_a_measured_one_go_by_it_and_others_share_nothing() -> None:
    assert COSTS.pays(LatentGrid(13, 20), [1, 1])
    assert not COSTS.pays(LatentGrid(20, 20), [1, 1])


def test_a_gain_within_the_noise_of_measuring_is_none() -> None:
    assert not BatchCosts({256: {1: 1.0, 2: 1.99}}).pays(GRID, [1, 1])
    assert not COSTS.pays(LatentGrid(64, 64), [1, 1])


def test_what_lies_between_two_measurements_is_on_their_line() -> None:
    assert estimate({1: 1.0, 4: 4.0}, 3) == pytest.approx(3.0)
    assert estimate({2: 1.0}, 1) is None


def test_costs_are_found_again_by_the_same_device_model_and_build_alone(tmp_path: Path) -> None:
    COSTS.keep(BENCH, tmp_path)
    assert BatchCosts.kept(BENCH, tmp_path) == COSTS
    others = replace(BENCH, device="another"), replace(BENCH, model="another"), replace(BENCH, torch="3.0")
    assert [BatchCosts.kept(other, tmp_path) for other in others] == [BatchCosts({})] * 3


@pytest.mark.parametrize("broken", ["", "[]", '{"seconds": 3}', '{"seconds": {"a": {}}}'])
def test_a_broken_file_is_as_good_as_none(broken: str, tmp_path: Path) -> None:
    BENCH.file_in(tmp_path).write_text(broken)
    assert BatchCosts.kept(BENCH, tmp_path) == BatchCosts({})


def test_a_bench_names_what_costs_depend_on() -> None:
    pipe = cast(Any, SimpleNamespace(transformer=golden.transformer()))
    models = Models(pipe, golden.backbone(), None, (), 0, golden.CPU, identity="golden")
    bench = Bench.of(models)
    assert bench.model == "golden"
    assert bench.torch == torch.__version__
    assert bench.threads == torch.get_num_threads()
