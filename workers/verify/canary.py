"""The canary insertion: the method runs on these weights, and gives its picture where one is known."""

from __future__ import annotations

import time

import numpy as np

from workers.models.canary import STEPS, canary_picture, check_fingerprint
from workers.models.errors import WrongFingerprint
from workers.verify.steps import Found, StepFailed, Trial

LEAST_SPREAD = 4.0
"""Standard deviation of grey levels below which a picture is flat."""


def check_canary(trial: Trial) -> Found:
    """Raises `NotRun`, `StepFailed`."""
    models, started = trial.loaded(), time.perf_counter()
    try:
        if trial.profile.fingerprint is None:
            return _unknown(trial, started)
        check_fingerprint(trial.profile, models)
    except WrongFingerprint as error:
        raise StepFailed(
            str(error), "Check the files; then ADDIT_DTYPE=float32 and ADDIT_QUANTIZATION=none, one by one."
        ) from error
    seconds = time.perf_counter() - started
    return Found(f"the recorded picture, {STEPS} steps in {seconds:.1f} s", {"seconds": seconds})


def _unknown(trial: Trial, started: float) -> Found:
    """No picture was recorded for this model: it has to be one at all."""
    spread = float(np.asarray(canary_picture(trial.profile, trial.loaded())).std())
    seconds = time.perf_counter() - started
    found = Found(
        f"runs ({STEPS} steps, {seconds:.1f} s); no picture is recorded for this model to compare with",
        {"seconds": seconds, "spread": spread},
    )
    if spread < LEAST_SPREAD:
        raise StepFailed(
            f"the picture is flat (spread {spread:.1f} grey levels)",
            "Weights or dtype are wrong: check the files, then ADDIT_DTYPE=bfloat16 or float32.",
            found,
        )
    return found
