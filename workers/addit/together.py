"""Several edits in one process that share passes of the transformer, and otherwise take turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.latents import LatentGrid
from workers.addit.processor import Exchange
from workers.addit.shared_passes import Ask, Pays, answer_all
from workers.addit.turns import Job as Turn
from workers.addit.turns import nobody, take_turns

Result = TypeVar("Result")
Job = Callable[[Backbone], Result]
"""Does one edit with the backbone that it is given."""


@dataclass(frozen=True)
class _AskingBackbone:
    """A backbone whose velocities are asked for, and whose attention is borrowed already."""

    inner: Backbone
    asked: Callable[[Ask], Tensor]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def exchange_processors(self) -> AbstractContextManager[None]:
        """See `run_together`, which has done it for all."""
        return nullcontext()

    def velocity(
        self,
        latents: Tensor,
        sigma: float | Tensor,
        cond: Conditioning,
        grid: LatentGrid,
        exchange: Exchange,
        unconditional: Exchange | None = None,
    ) -> Tensor:
        """See `Backbone`."""
        return self.asked(Ask(latents, sigma, cond, grid, exchange, unconditional))


def run_together(
    backbone: Backbone,
    jobs: Sequence[Job[Result]],
    pays: Pays,
    joining: Callable[[], Sequence[Job[Result]]] = nobody,
) -> list[Result | BaseException]:
    """Each job's result, or what it raised, which concerns no other job; those that joined come last.

    pays: says which passes are shared; the others are made one after the other
    joining: asked before every pass who else is to take part from now on
    """

    def turns(some: Sequence[Job[Result]]) -> list[Turn[Ask, Result]]:
        return [partial(_do, job, backbone) for job in some]

    with torch.inference_mode(), backbone.exchange_processors():
        return take_turns(turns(jobs), partial(_answer, backbone, pays), lambda: turns(joining()))


def _do(job: Job[Result], backbone: Backbone, ask: Callable[[Ask], Any]) -> Result:
    return job(cast(Backbone, _AskingBackbone(backbone, ask)))


def _answer(backbone: Backbone, pays: Pays, asks: Sequence[Ask]) -> Sequence[Any]:
    return answer_all(backbone, asks, pays)
