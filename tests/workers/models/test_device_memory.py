from __future__ import annotations

import pytest
import torch

from workers.models.device_memory import device_memory


def test_without_an_accelerator_there_is_none_to_tell_of() -> None:
    assert device_memory(torch.device("cpu")) is None


def test_what_is_not_free_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's answer is given: no GPU is needed."""
    asked: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: asked.append(device) or (30, 100))
    assert device_memory(torch.device("cuda", 1)) == (70, 100)
    assert asked == [torch.device("cuda", 1)]


def test_a_broken_driver_breaks_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(device: torch.device) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "mem_get_info", fail)
    assert device_memory(torch.device("cuda")) is None
