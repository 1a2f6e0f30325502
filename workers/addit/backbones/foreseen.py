"""What a pass of FLUX.1 has of noise level, guidance and pooled prompt alone, for all levels at once.

That is the modulation of every block: of FLUX.1's twelve billion weights 3.2, of the embedded model's 12.6
million 3.5, multiplied by a single vector a pass. On a CPU such a product takes as long as its weights take
to come from memory, and that of a vector of every step hardly longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.models.normalization import (
    AdaLayerNormContinuous,
    AdaLayerNormZero,
    AdaLayerNormZeroSingle,
)
from torch import Tensor
from torch.nn.functional import silu

MODULATED = AdaLayerNormZero, AdaLayerNormZeroSingle, AdaLayerNormContinuous
Answers = dict[tuple[bytes, ...], Any]
MOST_ANSWERS = 512
"""Of one module: two prompts of three edits of eighty steps. Edits that join may borrow for hours."""


class Answering(torch.nn.Module):
    """A module that gives what it gave before to the same numbers, where that is in `known`; or to whatever
    was asked, where it `keeps` all."""

    def __init__(self, inner: torch.nn.Module, keeps: bool = False) -> None:
        super().__init__()
        self.inner, self.keeps, self.known = inner, keeps, Answers()

    def forward(self, *given: Tensor) -> Any:
        """As the inner module's."""
        asked = _content(given)
        answer = self.known.get(asked)
        if answer is None:
            answer = self.inner(*given)
            if self.keeps:
                self.know(given, answer)
        return answer

    def know(self, given: Sequence[Tensor], answer: Any) -> None:
        """Answer so from now on; the oldest answers make room."""
        self.known[_content(given)] = answer
        while len(self.known) > MOST_ANSWERS:
            del self.known[next(iter(self.known))]


def _content(given: Sequence[Tensor]) -> tuple[bytes, ...]:
    return tuple(part.contiguous().view(torch.uint8).numpy().tobytes() for part in given)


@contextmanager
def foreseeing(transformer: Any) -> Iterator[None]:
    """Let a FLUX.1 transformer's modules answer for a while, where that saves time: on a CPU, uncompiled."""
    lent = [*_places(transformer)] if _runs_on_cpu(transformer) else []
    for parent, name, inner in lent:
        setattr(parent, name, Answering(inner, keeps=name == "pos_embed"))
    try:
        yield
    finally:
        for parent, name, inner in lent:
            setattr(parent, name, inner)


def _places(transformer: Any) -> Iterator[tuple[Any, str, torch.nn.Module]]:
    """Parent, name and module of all that answer."""
    for name in ("time_text_embed", "pos_embed"):
        yield transformer, name, getattr(transformer, name)
    for module in transformer.modules():
        if isinstance(module, MODULATED):
            yield module, "linear", module.linear


def answers(transformer: Any) -> bool:
    """Whether its modules are lent so."""
    return isinstance(transformer.time_text_embed, Answering)


def _runs_on_cpu(transformer: Any) -> bool:
    """Whether it is an ordinary one there: no block compiled, no module's weights come and go."""
    if answers(transformer) or not next(transformer.parameters()).is_cpu:
        return False
    return not any(
        module._compiled_call_impl is not None or "forward" in vars(module)
        for module in transformer.modules()
        if module is not transformer
    )


def foresee(transformer: Any, *told: Tensor) -> None:
    """Answer passes of one row from now on, whose timestep, guidance and pooled prompt are a row of `told`.

    transformer: one that `answers`; told: (n, …) tensors as it gives them to its embedding
    """
    embedding = transformer.time_text_embed
    vectors = embedding.inner(*told).split(1)
    for row, vector in enumerate(vectors):
        embedding.know([part[row : row + 1] for part in told], vector)
    shown = [silu(vector) for vector in vectors]
    every = torch.cat(shown)
    for module in transformer.modules():
        if isinstance(module, MODULATED):
            for vector, answer in zip(shown, module.linear.inner(every).split(1), strict=True):
                module.linear.know([vector], answer)
