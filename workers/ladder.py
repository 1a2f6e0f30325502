"""What to try when not every subject was added, one rung a try (the API's `if_not_added: "retry"`).

The source is remembered, so a try costs the target's steps alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from workers.addit.config import AdditConfig
from workers.addit.weights import Weight

GAMMA_STEP = 0.025
HIGHEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Try:
    """One attempt at one variation: its seed and settings."""

    seed: int
    config: AdditConfig


def rungs(first: Try) -> tuple[Try, Try, Try]:
    """The tries that follow a first one, each on top of the last.

    A bolder gamma, then the target's start one step earlier (further from the source's structure), then
    another seed. Where gamma is searched for, it has had its say: it stays, and the start moves twice.
    """
    bolder = replace(first.config, extended_scale=_raised(first.config))
    earlier = _earlier(bolder)
    second = _earlier(earlier) if first.config.extended_scale == "auto" else earlier
    one = earlier if first.config.extended_scale == "auto" else bolder
    return (
        Try(first.seed, one),
        Try(first.seed, second),
        Try((first.seed + 1) % (HIGHEST_SEED + 1), second),
    )


def _raised(config: AdditConfig) -> Weight | Literal["auto"]:
    scale = config.extended_scale
    if isinstance(scale, tuple):
        return tuple(
            replace(entry, double=_bolder(entry.double), single=_bolder(entry.single)) for entry in scale
        )
    return scale if scale == "auto" else _bolder(scale)


def _bolder(gamma: float) -> float:
    return round(gamma + GAMMA_STEP, 4)


def _earlier(config: AdditConfig) -> AdditConfig:
    return replace(config, structure_transfer_step=max(0, config.structure_transfer_step - 1))
