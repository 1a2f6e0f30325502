"""What every known card could do at best: counted FLOPs over the rate its datasheet names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from workers.models.profiles import ModelProfile
from workers.verify.passes import flops_of_plain, passes_at
from workers.verify.steps import Found, NotRun, Trial

CASES = {"noising_first": "first edit", "real_next": "next edit"}
"""Of `bench.cost`, at 30 steps."""
FULL_SIZE = "flux-dev"
"""The model whose whole insertions are counted there."""


@dataclass(frozen=True)
class Card:
    """gib: memory; bf16_teraflops: dense, with float32 accumulation, as NVIDIA's datasheets have it."""

    name: str
    gib: int
    bf16_teraflops: float

    def seconds(self, flops: float) -> float:
        """At the full rate, which nothing reaches: a floor."""
        return flops / (self.bf16_teraflops * 1e12)


@cache
def cards() -> tuple[Card, ...]:
    """All that are known."""
    return tuple(Card(**each) for each in json.loads(Path(__file__).with_name("cards.json").read_text()))


def card_named(device: str) -> Card | None:
    """The card of a device's name, such as "NVIDIA H100 PCIe"; the longest that fits."""
    fitting = [card for card in cards() if f" {card.name} ".replace(" ", "-") in _hyphened(device)]
    return max(fitting, key=lambda card: len(card.name), default=None)


def _hyphened(name: str) -> str:
    return f"-{name.replace(' ', '-')}-"


def check_cards(trial: Trial) -> Found:
    """Floors of every card, and beside them what was measured here. Raises `NotRun`."""
    flops, units = _counted(trial)
    here = None
    if trial.models is not None and trial.models.device.type == "cuda":
        here = card_named(torch.cuda.get_device_name(trial.models.device))
    header = [
        "card",
        "GiB",
        "bf16 TFLOP/s",
        "forward, s",
        *(f"{CASES[name]}, s" for name in units),
        "here, s",
    ]
    table, values = [header], {}
    for card in cards():
        floors = {"forward": card.seconds(flops)}
        floors |= {name: card.seconds(flops * unit) for name, unit in units.items()}
        values[card.name] = floors
        measured = f"{trial.forward_seconds:.3f}" if card is here and trial.forward_seconds else ""
        shown = [f"{seconds:.3g}" for seconds in floors.values()]
        table.append([card.name, str(card.gib), f"{card.bf16_teraflops:g}", *shown, measured])
    if here is None and trial.forward_seconds:
        blank = [""] * (len(header) - 2)
        table.append(["this device", *blank, f"{trial.forward_seconds:.3f}"])
    measured_here = {"measured": {"forward": trial.forward_seconds}}
    return Found(
        f"floors of {flops / 1e12:.4g} TFLOP a forward",
        values | measured_here,
        table,
    )


def _counted(trial: Trial) -> tuple[int, dict[str, float]]:
    """FLOPs of a forward, and what insertions cost in forwards where that is counted."""
    if trial.profile.name == FULL_SIZE:
        return _of_full_size()
    return _of_loaded(trial), {}


def _of_full_size() -> tuple[int, dict[str, float]]:
    try:
        from bench.cost import count, flux_dev, without_weights  # of a checkout
    except ImportError as error:
        raise NotRun("the counting lies in the repository: run this from a checkout") from error
    counted = count(without_weights(flux_dev()))
    return round(counted["u_teraflops"] * 1e12), {name: counted[name] for name in CASES}


@torch.inference_mode()
def _of_loaded(trial: Trial) -> int:
    profile: ModelProfile = trial.profile
    passes = passes_at(trial.loaded(), profile, profile.native_side, profile.native_side)
    return flops_of_plain(passes, profile)
