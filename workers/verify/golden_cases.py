"""The golden cases on the device that will serve: an independent implementation's numbers, met or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from workers.models.loading import pick_device
from workers.verify.steps import Found, NotRun, StepFailed, Trial

if TYPE_CHECKING:
    from bench.figures import Figures

TOLERANCE = {"cpu": 1e-5, "cuda": 2e-3}
"""Largest difference of a latent. CPU: that of the tests. CUDA: other kernels in float32, an assumption."""
WRONG_CELLS = 0.01
"""Share of a rough mask's cells that may fall on the other side of its threshold."""


def check_golden(trial: Trial) -> Found:
    """Raises `NotRun` for families that the cases say nothing of, `StepFailed`."""
    if trial.profile.family != "flux":
        raise NotRun(f"the golden cases are FLUX.1's, this model's family is {trial.profile.family}")
    measure = _measuring()
    device = pick_device(trial.settings.device)
    figures = measure(device)
    table = [figures.columns, *figures.rows]
    allowed = TOLERANCE.get(device.type, TOLERANCE["cuda"])
    cases: dict[str, Any] = dict(figures.values)
    bad = [case for case, values in cases.items() if not within(values, allowed)]
    found = Found(f"{len(cases)} cases on {device}", cases, table)
    if bad:
        raise StepFailed(
            f"{', '.join(bad)} further than {allowed:g} from the recorded numbers on {device}",
            "Run again with ADDIT_DEVICE=cpu: if that passes, it is the card, its driver or this torch build"
            " (TF32 allowed? another attention kernel?); if not, the versions: compare constraints.txt.",
            found,
        )
    return found


def within(values: dict[str, float], allowed: float) -> bool:
    """Whether one case is as it should be."""
    return values["latents"] <= allowed and values["mask_cells_wrong"] <= WRONG_CELLS * values["mask_cells"]


def _measuring() -> Callable[[torch.device], Figures]:
    try:
        from bench.golden import measure  # of a checkout: no installed package has it
    except ImportError as error:
        raise NotRun("the cases lie in the repository: run this from a checkout") from error
    return measure
