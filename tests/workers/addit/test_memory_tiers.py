from __future__ import annotations

from pathlib import Path

import pytest
import torch

from workers.addit.memory_tiers import DeviceTier, DiskTier, HostTier, Tier

CPU = torch.device("cpu")


@pytest.fixture(params=["device", "host", "disk"])
def tier(request: pytest.FixtureRequest, tmp_path: Path) -> Tier:
    tiers: dict[str, Tier] = {
        "device": DeviceTier(1000),
        "host": HostTier(1000),
        "disk": DiskTier(1000, tmp_path / "memory"),
    }
    return tiers[request.param]


def test_what_goes_in_comes_out_and_bytes_are_counted(tier: Tier) -> None:
    tensors = {"key a": torch.randn(1, 3, 2, 4).bfloat16(), "velocity": torch.randn(1, 3, 5)}
    held = tier.hold(tensors)
    assert tier.used == held.nbytes == 24 * 2 + 15 * 4
    torch.testing.assert_close(held.load(CPU), tensors, rtol=0, atol=0)
    held.drop()
    assert tier.used == 0


def test_a_disk_holds_nothing_of_an_earlier_process_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "memory"
    DiskTier(1000, folder).hold({"key a": torch.zeros(3)})
    assert len(list(folder.iterdir())) == 1
    again = DiskTier(1000, folder)
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o077 == 0
    again.hold({"key a": torch.zeros(3)}).drop()
    assert list(folder.iterdir()) == []
