"""Loading as a worker does it, with the settings' choices."""

from __future__ import annotations

import time

import torch

from workers.choices import load_options
from workers.models.loading import load
from workers.models.loras import load_loras
from workers.verify.steps import Found, NotRun, Trial


def load_model(trial: Trial) -> Found:
    """Put the model into the trial. Raises `NotRun` rather than fetch anything, and what loading raises."""
    place = trial.profile.segmenter
    absent = {trial.profile.place, place.checkpoint if place else ""} & set(trial.absent)
    if absent:
        raise NotRun(f"{' and '.join(sorted(absent))} would have to be fetched")
    started = time.perf_counter()
    models = load(trial.profile, load_options(trial.settings))
    loras = load_loras(models.pipe, trial.settings.loras)
    trial.models, seconds = models, time.perf_counter() - started
    values = {"seconds": seconds, "device": str(models.device), "dtype": str(models.pipe.transformer.dtype)}
    values |= {"segmenter": models.segmenter is not None, "loras": list(loras.names)}
    if models.device.type == "cuda":
        values["gib_on_card"] = torch.cuda.memory_allocated(models.device) / 2**30
    return Found(f"{trial.profile.name} in {seconds:.1f} s on {models.device}", values)
