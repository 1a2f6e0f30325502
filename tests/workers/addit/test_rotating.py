"""Turning pairs of channels is what diffusers does to queries and keys."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.embeddings import apply_rotary_emb

from workers.addit.rotating import rotate


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_turning_is_diffusers_rotation(dtype: torch.dtype) -> None:
    angles = torch.randn(7, 4).repeat_interleave(2, dim=1)
    rotary = angles.cos(), angles.sin()
    states = torch.randn(2, 7, 3, 8).to(dtype)
    given, wanted = rotate(rotary, states)[0], apply_rotary_emb(states, rotary, sequence_dim=1)
    assert given.dtype == dtype
    torch.testing.assert_close(given, wanted, atol=1e-6 if dtype == torch.float32 else 2e-2, rtol=0)


def test_states_may_lie_in_memory_in_any_order() -> None:
    angles = torch.randn(5, 2).repeat_interleave(2, dim=1)
    rotary = angles.cos(), angles.sin()
    states = torch.randn(1, 3, 5, 4).transpose(1, 2)
    torch.testing.assert_close(rotate(rotary, states)[0], apply_rotary_emb(states, rotary, sequence_dim=1))
    part = torch.randn(1, 5, 3, 9)[..., 1:5]
    torch.testing.assert_close(rotate(rotary, part)[0], apply_rotary_emb(part, rotary, sequence_dim=1))
