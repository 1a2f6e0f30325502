"""Velocities that several ask for at once, by as few passes of the transformer as it pays to make.

Whoever asks may be at any step, with its own prompt, guidance and exchange. What a row gets does not
depend on its company but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.conditioning import Conditioning, by_row
from workers.addit.exchanging import PassComplete, SharedExchange
from workers.addit.latents import LatentGrid
from workers.addit.processor import Exchange

Pays = Callable[[LatentGrid, Sequence[int]], bool]
"""Whether passes of so many rows each are better made as one."""


def share_nothing(grid: LatentGrid, rows: Sequence[int]) -> bool:
    """What is done while nobody has measured."""
    return False


def share_always(grid: LatentGrid, rows: Sequence[int]) -> bool:
    """What is done where it was asked before."""
    return True


Answer: TypeAlias = Tensor | Exception
"""A velocity, or what was raised in its place; `PassComplete` where it was not wanted to the end."""


@dataclass(frozen=True)
class Ask:
    """The arguments of `Backbone.velocity`, for (B, L, C) latents."""

    latents: Tensor
    sigma: float | Tensor
    cond: Conditioning
    grid: LatentGrid
    exchange: Exchange
    unconditional: Exchange | None = None

    @property
    def rows(self) -> int:
        """Of the batch."""
        return self.latents.shape[0]

    @property
    def geometry(self) -> Hashable:
        """What asks must have in common to share a pass; None is shared with nobody."""
        cond = self.cond
        if cond.negative is not None:  # such a pass is told and untold rows in one already
            return None
        context = None if cond.context is None else cond.context.shape[1:]
        return self.grid, cond.prompt_embeds.shape[1:], cond.pooled_prompt_embeds is None, context

    def alone(self, backbone: Backbone) -> Answer:
        """By a pass of its own."""
        try:
            return backbone.velocity(
                self.latents, self.sigma, self.cond, self.grid, self.exchange, self.unconditional
            )
        except Exception as error:
            return error


def answer_all(backbone: Backbone, asks: Sequence[Ask], pays: Pays) -> list[Answer]:
    """To every ask its answer.

    A shared pass that fails is made again, one by one: who broke it fails alone.
    """
    answers: dict[int, Answer] = {}
    for group in grouped(asks, pays):
        answers |= zip(group, _answer(backbone, [asks[index] for index in group]), strict=True)
    return [answers[index] for index in range(len(asks))]


def grouped(asks: Sequence[Ask], pays: Pays) -> list[list[int]]:
    """Indices of asks that share a pass: each joins the first group of its geometry that it pays to join."""
    groups: list[list[int]] = []
    for index, ask in enumerate(asks):
        for group in groups:
            others = [asks[other] for other in group]
            alike = ask.geometry is not None and ask.geometry == others[0].geometry
            if alike and pays(ask.grid, [*(other.rows for other in others), ask.rows]):
                group.append(index)
                break
        else:
            groups.append([index])
    return groups


def _answer(backbone: Backbone, asks: Sequence[Ask]) -> list[Answer]:
    if len(asks) == 1:
        return [asks[0].alone(backbone)]
    exchange = SharedExchange(tuple((ask.rows, ask.exchange) for ask in asks))
    try:
        together = _joined(asks)
        velocity = backbone.velocity(together.latents, together.sigma, together.cond, together.grid, exchange)  # type: ignore[arg-type]
    except PassComplete:
        return [PassComplete() for _ in asks]
    except Exception:
        return [ask.alone(backbone) for ask in asks]
    parts = torch.split(velocity, [ask.rows for ask in asks])
    return [PassComplete() if index in exchange.ended else part for index, part in enumerate(parts)]


def _joined(asks: Sequence[Ask]) -> Ask:
    """All rows as one ask, each with its own noise level, prompt and guidance."""
    first, device = asks[0], asks[0].latents.device
    pooled = [_rows(ask.cond.pooled_prompt_embeds, ask.rows) for ask in asks]
    context = [_rows(ask.cond.context, ask.rows) for ask in asks]
    return Ask(
        torch.cat([ask.latents for ask in asks]),
        torch.cat([by_row(ask.sigma, ask.rows, device) for ask in asks]),
        Conditioning(
            torch.cat([ask.cond.prompt_embeds.expand(ask.rows, -1, -1) for ask in asks]),
            _cat(pooled),
            torch.cat([by_row(ask.cond.guidance, ask.rows, device) for ask in asks]),
            context=_cat(context),
        ),
        first.grid,
        first.exchange,
    )


def _rows(part: Tensor | None, rows: int) -> Tensor | None:
    return None if part is None else part.expand(rows, *part.shape[1:])


def _cat(parts: Sequence[Tensor | None]) -> Tensor | None:
    present = [part for part in parts if part is not None]
    return torch.cat(present) if present else None
