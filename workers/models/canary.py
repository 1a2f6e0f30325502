"""A short insertion that proves a loaded model: it runs, and gives the picture that was recorded for it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.addit.edits import Edit, PromptSource
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.models.errors import WrongFingerprint
from workers.models.profiles import DEFAULT_PRESETS, ModelProfile

STEPS = 4
TOLERANCE = 6.0
"""Mean difference of grey levels allowed between thumbnails: dtypes and kernels round differently."""


def check_fingerprint(profile: ModelProfile, models: Models) -> None:
    """Run the canary; raise `WrongFingerprint` where its picture is not the recorded one."""
    shown = fingerprint(profile, models)
    if profile.fingerprint is None:
        return
    recorded = np.array(json.loads(profile.fingerprint.read_text()), dtype=np.float32)
    difference = float(np.abs(shown - recorded).mean())
    if difference > TOLERANCE:
        raise WrongFingerprint(
            f"the canary's picture differs from the recorded one by {difference:.1f} grey levels"
        )


def fingerprint(profile: ModelProfile, models: Models) -> NDArray[np.float32]:
    """The canary's picture as (16, 16) grey levels."""
    small = (
        Image.fromarray(canary_picture(profile, models)).convert("L").resize((16, 16), Image.Resampling.BOX)
    )
    return np.asarray(small, dtype=np.float32)


def canary_picture(profile: ModelProfile, models: Models) -> Picture:
    """What the profile's canary insertion gives, both branches generated from seed 0."""
    return insert(models, canary_edit(profile, (0,))).pictures[0]


def canary_edit(profile: ModelProfile, seeds: tuple[int, ...]) -> Edit:
    """The profile's canary insertion by these seeds, from a source of seed 0."""
    source_prompt, prompt, subject = profile.canary
    side = profile.native_side
    config = replace(profile.presets[DEFAULT_PRESETS["generated"]].at_steps(STEPS), localizer="attention")
    return Edit(PromptSource(source_prompt, 0, side, side), prompt, (subject,), seeds, config)
