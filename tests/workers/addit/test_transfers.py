"""Tensors arrive as they were. (What only CUDA does is left to `addit verify`: here the same code runs on a
CPU.)"""

from __future__ import annotations

import pytest
import torch

from workers.addit.transfers import move, move_all, start_copy

CPU, META = torch.device("cpu"), torch.device("meta")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.uint8])
def test_a_copy_is_equal_contiguous_and_its_own(dtype: torch.dtype) -> None:
    given = (torch.rand(3, 4, 5) * 9).to(dtype).permute(2, 0, 1)[1:]
    copy = start_copy(given, pinned=False)
    assert copy.is_contiguous()
    assert copy.dtype == dtype
    assert torch.equal(copy, given)
    given.zero_()
    assert copy.any()


def test_what_is_there_stays_what_it_is() -> None:
    tensors = {"a": torch.rand(2), "b": torch.rand(3)}
    assert all(moved is tensors[name] for name, moved in move_all(tensors, CPU).items())
    assert move(tensors["a"], META).is_meta
    assert move(move(tensors["a"], META), META).shape == (2,)
