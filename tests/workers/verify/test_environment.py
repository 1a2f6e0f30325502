"""A machine is described as it is, and a card that torch does not see is no pass."""

from __future__ import annotations

import pytest
import torch

from runtime.settings import Settings
from workers.models.profiles import embedded_profile
from workers.verify.environment import check_environment
from workers.verify.steps import StepFailed, Trial


def test_a_machine_without_a_card_says_so() -> None:
    found = check_environment(Trial(Settings(device="cpu", dtype="float32"), embedded_profile()))
    assert "no CUDA here" in found.summary
    assert found.values["dtype"] == "float32"
    assert found.values["torch"] == torch.__version__


def test_a_card_that_is_asked_for_and_not_seen_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(StepFailed, match="sees no CUDA device") as raised:
        check_environment(Trial(Settings(device="cuda"), embedded_profile()))
    assert raised.value.next_step
