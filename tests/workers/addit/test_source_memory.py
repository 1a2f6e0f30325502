from __future__ import annotations

import torch

from workers.addit.source_memory import SourceMemory, StepMemory


def step(tokens: int) -> StepMemory:
    pair = torch.zeros(1, tokens, 2, 4), torch.zeros(1, tokens, 2, 4)
    return StepMemory({"transformer_blocks.0": pair}, velocity=torch.zeros(1, tokens, 3))


def test_bytes_are_counted_exactly() -> None:
    assert step(5).nbytes == 5 * (2 * 8 + 3) * 4


def test_what_does_not_fit_is_not_kept() -> None:
    memory = SourceMemory(max_bytes=step(5).nbytes)
    assert memory.keep(3, step(5))
    assert not memory.keep(4, step(1))
    assert memory.get(4) is None
    assert memory.nbytes == memory.max_bytes


def test_dropping_makes_room_and_may_be_repeated() -> None:
    memory = SourceMemory(max_bytes=step(5).nbytes)
    memory.keep(3, step(5))
    memory.drop(3)
    memory.drop(3)
    assert memory.nbytes == 0
    assert memory.keep(4, step(5))
