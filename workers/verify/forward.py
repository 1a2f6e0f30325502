"""Seconds of one forward at the model's own size, and what share of the device's rate that is."""

from __future__ import annotations

import torch

from workers.verify.cards import card_named
from workers.verify.passes import flops_of_plain, passes_at, seconds_of
from workers.verify.steps import Found, StepFailed, Trial

LEAST_SHARE = 0.15
"""Of a known card's dense bfloat16 rate: below, something is wrong. An assumption, not a measurement."""


@torch.inference_mode()
def check_forward(trial: Trial) -> Found:
    """Raises `NotRun`, `StepFailed` where a known card is far from its rate."""
    models, side = trial.loaded(), trial.profile.native_side
    passes = passes_at(models, trial.profile, side, side)
    with models.backbone.exchange_processors():
        seconds = seconds_of(passes.plain, models.device)
    flops = flops_of_plain(passes, trial.profile)
    trial.forward_seconds, rate = seconds, flops / seconds / 1e12
    values = {"seconds": seconds, "teraflop": flops / 1e12, "teraflop_per_second": rate}
    known = card_named(torch.cuda.get_device_name(models.device)) if models.device.type == "cuda" else None
    said = f"{seconds:.3f} s at {side} x {side}; {flops / 1e12:.4g} TFLOP counted, {rate:.3g} TFLOP/s"
    if known is None:
        return Found(said, values)
    share = rate / known.bf16_teraflops
    found = Found(f"{said}, {share:.0%} of {known.name}'s datasheet", values | {"share": share})
    if share < LEAST_SHARE and trial.settings.memory in ("", "full"):
        raise StepFailed(
            f"{said}: only {share:.0%} of what {known.name} can",
            "Look at nvidia-smi -q -d CLOCK,POWER,PERFORMANCE (throttled? shared with another process?), and"
            " at ADDIT_DTYPE and ADDIT_OFFLOAD.",
            found,
        )
    return found
