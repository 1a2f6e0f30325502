"""The supervised rival, untrained: the shipped model, widened, saved and opened again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation.errors import EvaluationError
from evaluation.methods.toyland_rival import ToylandRival
from tests.evaluation.samples import TOLD, picture, tiny_bench
from tests.workers import pipelines
from toyland.rival import widen

pytestmark = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight:UserWarning")


def test_it_edits_from_what_training_saved(tmp_path: Path) -> None:
    widen(pipelines.flux()).save_pretrained(tmp_path)
    bench, method = tiny_bench(), ToylandRival(str(tmp_path), steps=2)
    method.prepare(bench)
    source = picture(side=256)
    made = [method.edit(bench, TOLD, source, seed) for seed in (1, 1, 2)]
    assert made[0].picture.shape == source.shape
    assert made[0].forwards == 6
    assert np.array_equal(made[0].picture, made[1].picture)
    assert not np.array_equal(made[0].picture, made[2].picture)


def test_it_must_be_trained_first(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="train rival"):
        ToylandRival(str(tmp_path)).prepare(tiny_bench())
