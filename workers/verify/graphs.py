"""Whether passes that are replayed as CUDA graphs give what passes give that are run."""

from __future__ import annotations

from dataclasses import replace

import torch

from workers.addit.forward import Branches
from workers.addit.replaying import ReplayingBackbone
from workers.verify.passes import passes_at
from workers.verify.steps import Found, NotRun, StepFailed, Trial

ALLOWED = 0.02
"""Of the largest velocity. The kernels are the same, so none is expected: an assumption for libraries that
choose otherwise while they are captured."""
NEXT = "Serve with ADDIT_CUDA_GRAPHS=false, which costs launches and nothing else, and tell us."


@torch.inference_mode()
def check_graphs(trial: Trial) -> Found:
    """A source pass that lends and a target pass that is lent, run once and replayed. Raises `NotRun`,
    `StepFailed`."""
    models, side = trial.loaded(), trial.profile.native_side
    backbone = models.backbone
    if not isinstance(backbone, ReplayingBackbone):
        raise NotRun("passes are not replayed here: no CUDA, weights that are offloaded, or switched off")
    replayed = passes_at(models, trial.profile, side, side)
    run = replace(replayed, branches=Branches(backbone.inner, replayed.branches.grid))
    with backbone.exchange_processors():
        wanted = run.targets(1, run.lending())
        for _ in range(3):
            given = replayed.targets(1, replayed.lending())
    backbone.forget()  # later steps measure memory
    difference = float((given - wanted).abs().max() / wanted.abs().max())
    found = Found(
        f"{backbone.counts['replayed']} passes replayed, {difference:.1e} of the largest velocity apart",
        {"difference": difference, **backbone.counts},
    )
    if difference > ALLOWED:
        raise StepFailed(found.summary, NEXT, found)
    if not backbone.counts["replayed"]:
        raise StepFailed("nothing could be recorded, or there was no room for it", NEXT, found)
    return found
