"""Rotary positions (arXiv 2104.09864) on queries and keys: the numbers of diffusers' `apply_rotary_emb`."""

from __future__ import annotations

import torch
from diffusers.models.embeddings import apply_rotary_emb
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

Rotary = tuple[Tensor, Tensor]
"""Cosines and sines (L, D), each number twice in a row: one for either channel of a pair."""

_TURNS = WeakIdKeyDictionary()
"""Complex numbers by the cosines that they were made of, as long as those live."""


def rotate(rotary: Rotary, *states: Tensor) -> list[Tensor]:
    """Each (B, L, H, D) states at their positions; pairs of neighbouring channels turn together.

    A product of complex numbers is one pass over memory, where the same sums over channels swapped are six.
    Compiled blocks keep the sums: they are fused there, and complex numbers are not.
    """
    if torch.compiler.is_compiling():
        return [apply_rotary_emb(each, rotary, sequence_dim=1) for each in states]
    turn = _TURNS.get(rotary[0])  # type: ignore[no-untyped-call]
    if turn is None:  # all layers of a pass turn by the same
        turn = _TURNS[rotary[0]] = torch.complex(*(part[None, :, None, ::2] for part in rotary))
    return [_turned(each, turn) for each in states]


def _turned(states: Tensor, turn: Tensor) -> Tensor:
    pairs = torch.view_as_complex(torch.unflatten(states.float().contiguous(), -1, (-1, 2)))
    return torch.view_as_real(pairs * turn).flatten(-2).to(states.dtype)
