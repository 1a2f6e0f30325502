"""The fullest a card gets, by memory preset and number of variations, beside what was computed."""

from __future__ import annotations

import gc

import torch

from runtime.settings import Settings
from workers.addit.pipeline import insert
from workers.choices import load_options
from workers.models.canary import canary_edit
from workers.models.errors import ModelError
from workers.models.loading import load, pick_device
from workers.models.memory_presets import MEMORY_PRESETS
from workers.models.profiles import ModelProfile
from workers.verify.steps import NO_CUDA, Found, NotRun, StepFailed, Trial

SEEDS = (1, 2, 4)
GIB = 2**30
SPARE = GIB
"""Bytes that a measured peak may lie above the computed one: workspaces and gaps, which are not counted."""

Peaks = dict[str, dict[int, int]]
"""Bytes by preset and number of variations."""


def check_peaks(trial: Trial) -> Found:
    """Load every preset anew and look. The model of the trial is given up. Raises `NotRun`, `StepFailed`."""
    expected = computed(trial.profile)
    if pick_device(trial.settings.device).type != "cuda":
        raise NotRun(NO_CUDA, Found("", {"computed": expected}, table_of(expected, {}, {})))
    trial.models = None
    measured, reasons = measure(trial.settings, trial.profile)
    values = {"computed": expected, "measured": measured, "reasons": reasons}
    found = Found(f"{len(measured)} presets", values, table_of(expected, measured, reasons))
    chosen = trial.settings.memory or "full"
    if chosen in reasons:
        fitting = ", ".join(measured) or "none of them: take a card with more memory"
        raise StepFailed(
            f"{chosen}: {reasons[chosen]}", f"Set ADDIT_MEMORY to one that ran: {fitting}.", found
        )
    above = above_expectation(expected, measured)
    if above:
        raise StepFailed(
            f"{', '.join(above)} took more than computed and {SPARE / GIB:.0f} GiB",
            "See that no other process uses the card; leave that much more room when choosing a preset.",
            found,
        )
    return found


def computed(profile: ModelProfile) -> Peaks:
    """By `bench.memory`; nothing for models that are not known there, or without a checkout."""
    try:
        from bench import memory
    except ImportError:
        return {}
    if profile.name not in memory.MODELS:
        return {}
    models = {seeds: memory.measure_model(profile, seeds) for seeds in SEEDS}
    return {
        name: {seeds: memory.peak_of(model, preset)[0] for seeds, model in models.items()}
        for name, preset in MEMORY_PRESETS.items()
    }


def measure(settings: Settings, profile: ModelProfile) -> tuple[Peaks, dict[str, str]]:
    """Peaks of the presets that run on this card, and why the others do not."""
    measured: Peaks = {}
    reasons: dict[str, str] = {}
    for name in MEMORY_PRESETS:
        try:
            chosen = {"memory": name, "cuda_graphs": False}  # graphs take what is left, which is not computed
            measured[name] = _measure_one(settings.model_copy(update=chosen), profile)
        except torch.cuda.OutOfMemoryError:
            reasons[name] = "more than the card has"
        except (ModelError, RuntimeError) as error:
            reasons[name] = str(error)
    return measured, reasons


def _measure_one(settings: Settings, profile: ModelProfile) -> dict[int, int]:
    gc.collect()
    torch.cuda.empty_cache()
    models = load(profile, load_options(settings))
    peaks = {}
    for seeds in SEEDS:
        torch.cuda.reset_peak_memory_stats(models.device)
        insert(models, canary_edit(profile, tuple(range(seeds))))
        peaks[seeds] = torch.cuda.max_memory_allocated(models.device)
    return peaks


def above_expectation(expected: Peaks, measured: Peaks) -> list[str]:
    """Presets that took more than was computed for them, with what is not counted."""
    return [
        name
        for name, peaks in measured.items()
        if any(peak > expected.get(name, {}).get(seeds, peak) + SPARE for seeds, peak in peaks.items())
    ]


def table_of(expected: Peaks, measured: Peaks, reasons: dict[str, str]) -> list[list[str]]:
    """GiB, measured and computed, by preset and variations."""
    if not (expected or measured or reasons):
        return []
    columns = [f"{seeds} seeds: measured, computed" for seeds in SEEDS]
    rows = [
        [name, *(_cell(expected, measured, name, seeds) for seeds in SEEDS), reasons.get(name, "")]
        for name in MEMORY_PRESETS
    ]
    return [["preset", *columns, "why not"], *rows]


def _cell(expected: Peaks, measured: Peaks, name: str, seeds: int) -> str:
    pair = (each.get(name, {}).get(seeds) for each in (measured, expected))
    return ", ".join("-" if peak is None else f"{peak / GIB:.1f}" for peak in pair)
