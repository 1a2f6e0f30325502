"""The floor's FLOPs are a stage's own, wherever other stages lie within it."""

from __future__ import annotations

import torch

from bench.floor import counted_stages, matrix_rate
from runtime.settings import Settings
from tests.workers.addit import golden
from workers.addit import pipeline
from workers.addit.stage_clock import StageClock
from workers.insertion import load_runner


def test_every_stage_has_the_flops_of_its_own_work() -> None:
    stages = counted_stages(load_runner(Settings(_env_file=None)))
    assert stages["denoise"] > stages["decode"] > 0
    assert stages["encode"] > 0
    assert stages["localize"] > 0
    assert vars(pipeline)["StageClock"] is StageClock


def test_a_machine_multiplies_at_some_rate() -> None:
    assert matrix_rate(torch.float32, golden.CPU, repeats=1) > 0
