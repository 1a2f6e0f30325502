"""Training: a run that was interrupted ends exactly where one that was not does."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.toyland.tiny import tiny_flux_recipe
from toyland.flow import hidden_matrices
from toyland.training import Plan, build_optimizers, save_run, start_run, train

PLAN = Plan(learning_rate=1e-2, steps=4, warmup_steps=2, log_steps=1, seed=3)

pytestmark = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight:UserWarning")


def test_two_and_two_steps_are_four(tmp_path: Path) -> None:
    recipes = [tiny_flux_recipe() for _ in range(3)]
    matrices = [hidden_matrices(recipe.trained) for recipe in recipes]
    whole = train(recipes[0], PLAN, tmp_path / "whole", matrices[0])
    half = start_run(recipes[1], PLAN, tmp_path / "halves", matrices[1])
    half.advance()
    half.advance()
    (tmp_path / "halves").mkdir()
    save_run(half, tmp_path / "halves")
    resumed = train(recipes[2], PLAN, tmp_path / "halves", matrices[2])
    assert resumed.step == whole.step == 4
    assert all(map(torch.equal, whole.parameters, resumed.parameters))
    assert all(map(torch.equal, whole.average, resumed.average))


def test_a_finished_run_stays_as_it_is(tmp_path: Path) -> None:
    first = train(tiny_flux_recipe(), PLAN, tmp_path)
    again = train(tiny_flux_recipe(), PLAN, tmp_path)
    assert again.step == 4
    assert all(map(torch.equal, first.parameters, again.parameters))


def test_the_loss_curve_is_written(tmp_path: Path) -> None:
    train(tiny_flux_recipe(), PLAN, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert all(line["loss"] > 0 for line in lines)


def test_the_average_is_judged_on_the_way_and_training_goes_on_unharmed(tmp_path: Path) -> None:
    recipe, seen = tiny_flux_recipe(), list[list[torch.Tensor]]()

    def judge() -> float:
        seen.append([parameter.detach().clone() for parameter in recipe.trained.parameters()])
        return 0.5

    judged = train(recipe, replace(PLAN, judge_steps=4), tmp_path / "judged", judge=judge)
    alone = train(tiny_flux_recipe(), PLAN, tmp_path / "alone")
    assert all(map(torch.equal, judged.parameters, alone.parameters))
    assert all(map(torch.equal, seen[0], judged.average))
    lines = [json.loads(line) for line in (tmp_path / "judged" / "losses.jsonl").read_text().splitlines()]
    assert [line.get("held_out") for line in lines] == [None, None, None, 0.5]


def test_the_rate_climbs_and_falls() -> None:
    run = start_run(
        tiny_flux_recipe(), replace(PLAN, steps=10, warmup_steps=2, final_rate=0.1), Path("nowhere")
    )
    rates = []
    for step in range(10):
        run.step = step
        rates.append(run.learning_rate)
    assert rates[0] < rates[1] > rates[2] > rates[9] == pytest.approx(1e-3)


def test_objects_weigh_more_where_there_is_little_noise() -> None:
    recipe = tiny_flux_recipe()
    bare = replace(recipe, encoded=replace(recipe.encoded, shares=0 * recipe.encoded.shares))
    plain, weighted = (r.loss(torch.Generator().manual_seed(1)) for r in (bare, recipe))
    assert weighted > plain


def test_every_parameter_has_one_optimizer_and_muon_the_matrices() -> None:
    recipe = tiny_flux_recipe()
    matrices = hidden_matrices(recipe.trained)
    flattened = [(matrix, nn.Parameter(matrix.detach().flatten(1))) for matrix in matrices]
    adamw, muon = build_optimizers(list(recipe.trained.parameters()), PLAN, flattened)
    counts = [sum(p.numel() for group in o.param_groups for p in group["params"]) for o in (adamw, muon)]
    assert sum(counts) == sum(parameter.numel() for parameter in recipe.trained.parameters())
    assert counts[1] == sum(matrix.numel() for matrix in matrices) > 0


def test_muon_moves_a_convolution_through_its_flat_view() -> None:
    convolution = nn.Conv2d(2, 3, 3)
    (weight, bias), before = convolution.parameters(), convolution.weight.detach().clone()
    flat = nn.Parameter(weight.detach().flatten(1))
    _, muon = build_optimizers([weight, bias], PLAN, [(weight, flat)])
    flat.grad = torch.ones_like(flat)
    muon.step()
    assert not torch.equal(weight, before)
