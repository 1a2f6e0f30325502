from __future__ import annotations

import torch
from torch import Tensor

from workers.addit.gamma import EVALUATIONS, balance


def test_it_finds_where_spread_is_even_row_by_row_in_few_evaluations() -> None:
    roots, calls = torch.tensor([1.03, 1.05, 1.11, 1.19]), []

    def spread(gamma: Tensor) -> Tensor:
        calls.append(gamma)
        return 4 * (gamma - roots) + 6 * (gamma - roots) ** 2

    found = balance(spread, rows=4)
    assert len(calls) == EVALUATIONS
    torch.testing.assert_close(found.value, roots, atol=5e-3, rtol=0)
    assert not found.clamped.any()
    alone = balance(lambda gamma: spread(gamma.expand(4))[1:2], rows=1)
    torch.testing.assert_close(alone.value, found.value[1:2])


def test_without_a_change_of_sign_the_nearer_end_is_taken_and_said() -> None:
    found = balance(lambda gamma: gamma - torch.tensor([0.9, 1.5]), rows=2)
    torch.testing.assert_close(found.value, torch.tensor([1.0, 1.2]))
    assert found.clamped.all()
    torch.testing.assert_close(found.spread, torch.tensor([0.1, -0.3]))


def test_a_flat_spread_is_no_accident() -> None:
    found = balance(torch.zeros_like, rows=1)
    assert float(found.value) == 1.0
    assert float(found.spread) == 0.0


def test_a_row_keeps_its_own_when_others_leave() -> None:
    found = balance(lambda gamma: gamma - torch.tensor([1.1, 1.15, 1.5]), rows=3).of([1, 2])
    torch.testing.assert_close(found.value, torch.tensor([1.15, 1.2]))
    assert found.clamped.tolist() == [False, True]
