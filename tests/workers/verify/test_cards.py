"""Cards are known by what a driver calls them; their floors are counted FLOPs over their rate."""

from __future__ import annotations

import pytest

from workers.verify.cards import Card, card_named, cards


@pytest.mark.parametrize(
    ("device", "card"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA H100 PCIe", "H100 PCIe"),
        ("NVIDIA A100-SXM4-80GB", "A100"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada"),
        ("NVIDIA L40S", "L40S"),
        ("NVIDIA L4", "L4"),
        ("NVIDIA A10G", None),
        ("Tesla T4", None),
    ],
)
def test_a_device_is_known_by_its_name(device: str, card: str | None) -> None:
    found = card_named(device)
    assert (found and found.name) == card


def test_a_floor_is_the_work_over_the_rate() -> None:
    assert Card("X", 24, 100).seconds(50e12) == 0.5
    assert all(card.gib >= 24 and card.bf16_teraflops > 0 for card in cards())
