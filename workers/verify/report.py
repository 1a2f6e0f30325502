"""All steps in their order, for one model with an operator's settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from runtime.settings import Settings
from workers.choices import load_options
from workers.models.profiles import find_profile
from workers.verify.batches import check_batches
from workers.verify.canary import check_canary
from workers.verify.cards import check_cards
from workers.verify.environment import check_environment
from workers.verify.files import check_files
from workers.verify.forward import check_forward
from workers.verify.golden_cases import check_golden
from workers.verify.graphs import check_graphs
from workers.verify.loading import load_model
from workers.verify.peaks import check_peaks
from workers.verify.steps import Outcome, Step, Trial, outcomes
from workers.verify.tiers import check_tiers

TELL = "Keep the --json file and file an issue with it: nothing like this was foreseen."
STEPS = (
    Step(
        "environment", check_environment, "Run nvidia-smi and python -c 'import torch'; mend what they say."
    ),
    Step("files", check_files, "addit models pull, for this model."),
    Step(
        "load",
        load_model,
        "Mend the files as said above; for lack of memory set ADDIT_MEMORY (docs/models.md).",
    ),
    Step("golden cases", check_golden, "Run again with ADDIT_DEVICE=cpu, and compare constraints.txt."),
    Step("canary", check_canary, "Set ADDIT_DTYPE=float32 to tell the dtype from the weights; then, " + TELL),
    Step("forward", check_forward, TELL),
    Step("CUDA graphs", check_graphs, "Serve with ADDIT_CUDA_GRAPHS=false. " + TELL),
    Step("batches", check_batches, TELL),
    Step("memory tiers", check_tiers, TELL),
    Step("cards", check_cards, TELL),
    Step("memory peaks", check_peaks, TELL),  # the last: it gives up the loaded model
)


def verify(settings: Settings) -> Iterator[Outcome]:
    """Every step's outcome. Raises `UnknownProfile`."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    profile = find_profile(settings.model)
    segmenter = load_options(settings).segmenter or profile.segmenter
    return outcomes(STEPS, Trial(settings, replace(profile, segmenter=segmenter)))
