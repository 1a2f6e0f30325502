"""Which rows of a batch are worth finishing, judged where a blend has just looked for the subject in all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from workers.addit.localizers import Located
from workers.addit.verdicts import Verdict, foresee

Foresee = Callable[[Tensor, Sequence[tuple[Located, ...]]], Sequence[Verdict]]
"""From the target's x0 (B, L, C) and what was located per row and subject to what each row promises."""


@dataclass(frozen=True)
class Choice:
    """kept: rows that go on, ascending; dropped: the others, with why and how much they promised."""

    kept: tuple[int, ...]
    dropped: Mapping[int, Verdict] = field(default_factory=dict)


def foresee_located(x0: Tensor, located: Sequence[tuple[Located, ...]]) -> list[Verdict]:
    """What each row promises by its masks alone, where nobody looks at the clean guess: its least sure
    subject's."""
    return [min(map(foresee, found), key=lambda verdict: verdict.confidence) for found in located]


def choose(verdicts: Sequence[Verdict], keep_best: int) -> Choice:
    """The `keep_best` rows that promise most, of those in which the subject was found; never none."""
    order = sorted(range(len(verdicts)), key=lambda row: -verdicts[row].confidence)
    found = [row for row in order if verdicts[row].added]
    kept = sorted(found[:keep_best] or order[:1])
    surer = f"{len(kept)} of the other seeds promised more"
    dropped = {
        row: replace(verdict, reason=verdict.reason or surer)
        for row, verdict in enumerate(verdicts)
        if row not in kept
    }
    return Choice(tuple(kept), dropped)
