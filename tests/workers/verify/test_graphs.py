"""The report says whether replayed passes are right, wrong, or not there; recorded without CUDA here."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from runtime.settings import Settings
from tests.evaluation import samples
from tests.workers.addit.tape import Tape
from workers.addit.backbones.backbone import Backbone
from workers.addit.replaying import Compute, ReplayingBackbone
from workers.models.profiles import embedded_profile
from workers.verify.graphs import check_graphs
from workers.verify.steps import NotRun, StepFailed, Trial


class Forgetful(Tape):
    """What it replays is nothing: the buffers stay as they were."""

    def record(self, compute: Compute) -> Compute:
        made = compute()
        return lambda: None if made is None else made.zero_()


def trial(tape: Tape | None) -> Trial:
    models = samples.tiny_bench().models
    assert models is not None
    if tape is not None:
        models = replace(models, backbone=cast(Backbone, ReplayingBackbone(models.backbone, tape)))
    return Trial(Settings(_env_file=None), replace(embedded_profile(), native_side=64), models=models)


def test_equal_passes_pass() -> None:
    found = check_graphs(trial(Tape()))
    assert found.values["difference"] == 0
    assert found.values["replayed"] == 4


@pytest.mark.parametrize("tape", [Forgetful(), Tape(broken=True)])
def test_wrong_passes_and_none_at_all_fail_and_say_what_to_set(tape: Tape) -> None:
    with pytest.raises(StepFailed) as failure:
        check_graphs(trial(tape))
    assert "ADDIT_CUDA_GRAPHS=false" in failure.value.next_step


def test_without_graphs_there_is_nothing_to_say() -> None:
    with pytest.raises(NotRun, match="not replayed here"):
        check_graphs(trial(None))
