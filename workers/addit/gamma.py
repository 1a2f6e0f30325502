"""The weight gamma at which the target's text attends to source and target image alike (arXiv 2411.07232,
section 3.2: the choice of gamma). Knows no transformer: `spread` measures, this solves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

LOWEST, HIGHEST = 1.0, 1.2
EVALUATIONS = 4

Spread = Callable[[Tensor], Tensor]
"""From gamma (B,) to log(attention on the target's image / attention on the source's) (B,), rising with
gamma."""


@dataclass(frozen=True)
class Gamma:
    """The solution for each row of a batch.

    value: (B,), within LOWEST..HIGHEST; spread: (B,), the smallest deviation met, 0 is even
    clamped: (B,), True where even spread lies outside the range and the nearer end was taken
    """

    value: Tensor
    spread: Tensor
    clamped: Tensor

    def of(self, rows: Sequence[int]) -> Gamma:
        """Those of some rows alone."""
        picked = list(rows)
        return Gamma(self.value[picked], self.spread[picked], self.clamped[picked])


def balance(spread: Spread, rows: int, evaluations: int = EVALUATIONS) -> Gamma:
    """Find even spread by false position; what is near a line needs no more than two guesses.

    Both ends are measured first; without a change of sign between them the nearer end is the answer. Every
    row has its own bracket, so a row's gamma does not depend on its batch.
    """
    low, high = torch.full((rows,), LOWEST), torch.full((rows,), HIGHEST)
    below, above = spread(low), spread(high)
    best = torch.where(below.abs() <= above.abs(), low, high)
    least = torch.where(below.abs() <= above.abs(), below, above)
    clamped = below * above > 0
    for _ in range(evaluations - 2):
        guess = (low * above - high * below) / (above - below)
        guess = torch.where(clamped, best, guess.clamp(LOWEST, HIGHEST))
        found = spread(guess)
        best = torch.where(found.abs() < least.abs(), guess, best)
        least = torch.where(found.abs() < least.abs(), found, least)
        same = found * below > 0  # the end of the guess's sign moves there
        low, below = torch.where(same, guess, low), torch.where(same, found, below)
        high, above = torch.where(same, high, guess), torch.where(same, above, found)
    return Gamma(best, least, clamped)
