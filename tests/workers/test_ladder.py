from __future__ import annotations

from dataclasses import replace

from workers.addit.config import PAPER_REAL
from workers.addit.weights import WeightFrom
from workers.ladder import HIGHEST_SEED, Try, rungs


def test_a_bolder_gamma_then_an_earlier_start_then_another_seed() -> None:
    first = Try(7, PAPER_REAL)
    seen = [(t.seed, t.config.extended_scale, t.config.structure_transfer_step) for t in rungs(first)]
    assert seen == [(7, 1.075, 4), (7, 1.075, 3), (8, 1.075, 3)]


def test_a_schedule_rises_as_a_whole() -> None:
    schedule = (WeightFrom(0, 1.0, 1.1), WeightFrom(5, 1.2, 1.3))
    bolder = rungs(Try(1, replace(PAPER_REAL, extended_scale=schedule)))[0].config.extended_scale
    assert bolder == (WeightFrom(0, 1.025, 1.125), WeightFrom(5, 1.225, 1.325))


def test_a_gamma_that_is_searched_for_stays_so_and_the_start_moves_instead() -> None:
    tries = rungs(Try(1, replace(PAPER_REAL, extended_scale="auto")))
    assert [t.config.extended_scale for t in tries] == ["auto"] * 3
    assert [t.config.structure_transfer_step for t in tries] == [3, 2, 2]


def test_the_start_is_never_before_the_first_step_and_seeds_stay_in_range() -> None:
    tries = rungs(Try(HIGHEST_SEED, replace(PAPER_REAL, structure_transfer_step=0)))
    assert [t.config.structure_transfer_step for t in tries] == [0, 0, 0]
    assert tries[-1].seed == 0
